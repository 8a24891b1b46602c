"""The stored crystals against published calculations with the same functional, as documented."""

from __future__ import annotations

from pathlib import Path

import pytest
import spglib
from ase.collections import dcdft

from symscape.references.crystals import load_crystals
from symscape.references.equations import COMPLETE_CODES, load_equations
from symscape.science.hull.phases import formation_energies
from symscape.science.hull.table import crystal_table

ROOT = Path(__file__).parents[1]
#: all-electron lattice constants of Garrity et al. agree with ours within this, percent
LATTICE_PERCENT = 0.5
#: volumes per atom, percent; one of a soft crystal is known less well
VOLUME_PERCENT = 1.0
#: formation energies of other codes and datasets agree within this, eV/atom
FORMATION_EV = 0.04


def documented(name: str) -> list[list[str]]:
    """Return the rows of a table of docs/references.md."""
    text = (ROOT / "docs" / "references.md").read_text(encoding="utf-8")
    table = text.split(f"<!-- {name} -->")[1].split(f"<!-- end of {name} -->")[0]
    rows = [line.strip("|").split("|") for line in table.strip().splitlines()]
    return [[cell.strip() for cell in row] for row in rows[2:]]


@pytest.fixture(scope="module")
def library():
    return load_crystals([ROOT / "references"])


@pytest.fixture(scope="module")
def atoms(library):
    """Return the stored crystals by id."""
    return {crystal.id: crystal.to_atoms() for crystal in library.crystals}


def measure(crystal, quantity: str) -> float:
    """Return a lattice constant (angstrom) or the volume per atom (angstrom^3)."""
    if quantity == "volume per atom":
        return crystal.get_volume() / len(crystal)
    cell = (crystal.cell.array, crystal.get_scaled_positions(), crystal.numbers)
    lattice = spglib.standardize_cell(cell, symprec=1e-4)[0]
    return float(((lattice["abc".index(quantity)]) ** 2).sum() ** 0.5)


def mean_of_codes(element: str, prototype: str) -> float:
    """Return how far a prototype lies above the face-centred one in the study's codes, eV/atom."""
    equations = load_equations([ROOT / "references"])
    energies = [equations.codes[code].energy for code in COMPLETE_CODES]
    here, lowest = (equations.ids.index(f"{element}-{p}") for p in (prototype.upper(), "FCC"))
    differences = [float(energy[here] - energy[lowest]) for energy in energies]
    assert max(differences) - min(differences) < 1e-3
    return sum(differences) / len(differences)


LATTICES = documented("published lattices")
FORMATION = documented("published formation energies")


def test_enough_is_compared():
    assert len({row[0] for row in LATTICES}) >= 8
    assert len({row[0] for row in FORMATION}) >= 10


@pytest.mark.parametrize("row", LATTICES, ids=lambda row: f"{row[0]}-{row[1]}")
def test_lattices_agree_with_published_ones(row, atoms):
    name, quantity, here, published, difference, source = row
    measured = measure(atoms[name], quantity)
    assert here == f"{measured:.3f}"
    percent = 100 * (measured / float(published) - 1)
    assert difference == f"{percent:+.2f} %"
    assert abs(percent) < (VOLUME_PERCENT if quantity == "volume per atom" else LATTICE_PERCENT)
    assert source in ("[1]", "[2]")
    if source == "[2]":
        (element,) = set(atoms[name].symbols)
        assert published == f"{dcdft.data[element]['wien2k_volume']:.3f}"


@pytest.mark.parametrize("row", FORMATION, ids=lambda row: row[0])
def test_formation_energies_agree_with_published_ones(row, library):
    name, here, published, difference, source = row
    table = crystal_table(library.crystals).set_index("id", drop=False)
    own = float(formation_energies(table)[name])
    assert here == f"{own:.3f}"
    assert difference == f"{own - float(published):+.3f}"
    assert abs(own - float(published)) < FORMATION_EV
    assert source.startswith(("[3] mp-", "[4]", "[5]"))
    if source == "[5]":
        assert published == f"{mean_of_codes(*name.split('-')):.3f}"
