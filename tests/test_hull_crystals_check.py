"""Crystals computed again with tighter settings say how far formation energies can be believed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from crystal_lists import CRB, FCC, write_list
from crystal_lists import workers_find_the_factories as workers_find_the_factories
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from symscape.cli import app
from symscape.decode import Finite
from symscape.dft import crystal_check
from symscape.dft.crystal_check import check_crystals
from symscape.dft.crystal_run import run_crystals
from symscape.dft.crystal_store import store_crystals
from symscape.errors import PlanError
from symscape.references.crystal_budget import formation_changes
from symscape.references.crystal_files import CheckedEnergy, read_crystals
from symscape.references.crystals import load_crystals

AL = FCC.format(a=3.5).replace("Cu", "Al").replace("Al (A1)", "Cu (A1)")
SYSTEMS = ("Al", "Cu", "Al-Cu")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A list and its library, relaxed by a potential that depends on the cut-off."""
    folder = tmp_path_factory.mktemp("checked")
    crystals = (FCC.format(a=3.5), AL, CRB)
    plan = write_list(folder, *crystals, factory="generate_factories:scaled_morse")
    with pytest.raises(PlanError, match="holds no crystal of this list; relax them first"):
        check_crystals(plan, folder / "out", folder)
    store_crystals(run_crystals(plan, folder / "out", jobs=2), folder)
    return plan


def records(library):
    files = [read_crystals(library / "crystals" / f"{system}.json") for system in SYSTEMS]
    return [record for file in files for record in file.crystals]


def test_checks_are_stored_beside_the_energies_and_are_what_the_cut_off_makes_of_them(
    stored, monkeypatch
):
    folder = stored.path.parent
    before = {one.id: one for one in records(folder)}
    assert formation_changes(before.values()) == {}
    check_crystals(stored, folder / "out", folder, jobs=2)
    after = {one.id: one for one in records(folder)}
    ratio = (1 + 10 / 700) / (1 + 10 / 520)
    for name, one in after.items():
        assert replace(one, checked=None) == before[name]
        assert one.checked.cutoff_eV == 700
        assert np.all(np.array(one.checked.k_mesh) * 3 >= np.array(one.k_mesh) * 4)
        assert one.checked.energy_eV == pytest.approx(ratio * one.energy_eV, abs=1e-6)
    energies = {name: one.energy_eV / len(one.symbols) for name, one in after.items()}
    formation = energies["AlCu-CrB"] - (energies["Al-fcc"] + energies["Cu-fcc"]) / 2
    expected = {"AlCu-CrB": pytest.approx(1000 * (ratio - 1) * formation, abs=1e-3)}
    assert formation_changes(after.values()) == expected
    assert len(load_crystals([folder]).crystals) == 3
    # nothing is computed twice, and the command says what was found
    monkeypatch.setattr(crystal_check, "compute", None)
    command = ["reference", "crystals", str(stored.path), "--check", "--references", str(folder)]
    found = CliRunner().invoke(app, command)
    assert found.exit_code == 0, found.output
    assert found.stdout.startswith("1 formation energies checked with tighter settings, largest")
    assert found.stdout.rstrip().endswith("meV/atom (AlCu-CrB)")


@given(
    shifts=st.lists(st.floats(-0.1, 0.1), min_size=3, max_size=3),
    unchecked=st.sampled_from([None, *SYSTEMS]),
)
def test_what_moves_the_elements_as_well_moves_no_formation_energy(stored, shifts, unchecked):
    """``shifts`` an atom of aluminium, copper and, beyond those, of the compound (eV)."""
    made = []
    for one in records(stored.path.parent):
        n_al, n_cu = one.symbols.count("Al"), one.symbols.count("Cu")
        beyond = shifts[2] * len(one.symbols) if n_al and n_cu else 0.0
        energy = one.energy_eV + n_al * shifts[0] + n_cu * shifts[1] + beyond
        checked = CheckedEnergy(cutoff_eV=Finite(700.0), k_mesh=(9, 9, 9), energy_eV=Finite(energy))
        system = "-".join(sorted(set(one.symbols)))
        made.append(replace(one, checked=None if system == unchecked else checked))
    expected = {} if unchecked else {"AlCu-CrB": pytest.approx(1000 * shifts[2], abs=1e-6)}
    assert formation_changes(made) == expected
