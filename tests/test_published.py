"""The stored crystals against published calculations with the same functional, as documented."""

from __future__ import annotations

from pathlib import Path

import pytest
import spglib
from ase.collections import dcdft

from symscape.references.crystals import load_crystals

ROOT = Path(__file__).parents[1]
#: all-electron lattice constants of Garrity et al. agree with ours within this, percent
LATTICE_PERCENT = 0.5
#: volumes per atom, percent; one of a soft crystal is known less well
VOLUME_PERCENT = 1.0


def documented(name: str) -> list[list[str]]:
    """Return the rows of a table of docs/references.md."""
    text = (ROOT / "docs" / "references.md").read_text(encoding="utf-8")
    table = text.split(f"<!-- {name} -->")[1].split(f"<!-- end of {name} -->")[0]
    rows = [line.strip("|").split("|") for line in table.strip().splitlines()]
    return [[cell.strip() for cell in row] for row in rows[2:]]


@pytest.fixture(scope="module")
def atoms():
    """Return the stored crystals by id."""
    library = load_crystals([ROOT / "references"])
    return {crystal.id: crystal.to_atoms() for crystal in library.crystals}


def measure(crystal, quantity: str) -> float:
    """Return a lattice constant (angstrom) or the volume per atom (angstrom^3)."""
    if quantity == "volume per atom":
        return crystal.get_volume() / len(crystal)
    cell = (crystal.cell.array, crystal.get_scaled_positions(), crystal.numbers)
    lattice = spglib.standardize_cell(cell, symprec=1e-4)[0]
    return float(((lattice["abc".index(quantity)]) ** 2).sum() ** 0.5)


LATTICES = documented("published lattices")


def test_enough_is_compared():
    assert len({row[0] for row in LATTICES}) >= 8


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
