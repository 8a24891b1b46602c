"""The crystals of the library are whole, and their symmetry is as stated."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import spglib
from crystal_lists import library as library
from crystal_lists import relaxed as relaxed
from crystal_lists import workers_find_the_factories as workers_find_the_factories

from symscape.dft.crystal_list import load_crystal_list
from symscape.dft.engine import make_engine
from symscape.dft.recompute import settings_from_method
from symscape.dft.results import Task
from symscape.dft.settings import EngineSpec
from symscape.dft.worker import LiveCalculator
from symscape.references.crystal_checks import count_freedom
from symscape.references.crystals import load_crystals
from symscape.science.hull.phases import energies_above_hull
from symscape.science.hull.table import crystal_table

LIBRARY = Path(__file__).parents[1] / "references"


def stored():
    if not list((LIBRARY / "crystals").glob("*.json")):
        pytest.skip("no crystals are stored yet")
    return load_crystals([LIBRARY])


def test_numbers_of_freedom_are_those_of_the_crystal_package():
    """Against exact arithmetic on the Wyckoff positions, for one crystal of most kinds."""
    plan = load_crystal_list(LIBRARY / "plans" / "crystals.toml")
    chosen = {(p.crystal.hall_number, p.crystal.n_wyckoff): p.crystal for p in plan.crystals}
    assert len(chosen) > 20
    for crystal in chosen.values():
        atoms = crystal.to_atoms(primitive=True)
        cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
        found = spglib.get_symmetry_dataset(cell, symprec=0.01)
        if found.number == crystal.space_group_number:
            freedom = count_freedom(atoms, found.rotations, found.translations)
            assert freedom == (crystal.n_lattice, crystal.n_wyckoff)


def test_the_stored_crystals_are_whole():
    """Loading checks each; here, that hulls can be made of all of them."""
    library = stored()
    assert library.method.code == "GPAW"
    assert library.level_of_theory == "PBE"
    for system in library.systems:
        assert set(system.split("-")) <= set(library.systems)
        assert library.provenance[system].licence == "CC-BY-4.0"
    table = crystal_table(library.crystals)
    above = energies_above_hull(table)
    assert above.min() == 0
    assert above.max() < 2


@pytest.mark.skipif(
    importlib.util.find_spec("gpaw") is None,
    reason="GPAW is not installed: pip install symscape[dft]",
)
def test_the_cheapest_stored_crystal_is_reproduced(tmp_path):
    library = stored()
    crystal = min(library.crystals, key=lambda c: (c.n_atoms, np.prod(c.k_mesh)))
    settings = settings_from_method(replace(library.method, k_mesh=crystal.k_mesh))
    live = LiveCalculator(make_engine(EngineSpec(), settings), settings, tmp_path)
    task = Task.of(crystal.numbers, crystal.positions, crystal.cell)
    assert live.compute(task).energy_eV == pytest.approx(crystal.energy, abs=1e-3)
