"""Convergence, equivalent points, relaxation: what is computed beside the grid itself."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import spglib
from ase.calculators.emt import EMT
from generate_plans import PEROVSKITE, write_plan
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from symscape.crystal.crystal import Crystal
from symscape.dft.check import (
    check_convergence,
    check_equivalents,
    choose_points,
    tighter_settings,
)
from symscape.dft.events import RelaxStep
from symscape.dft.grid_ledger import open_ledger
from symscape.dft.grid_run import run_plan
from symscape.dft.grid_store import finish
from symscape.dft.plan import load_plan
from symscape.dft.relax import relax_plan, relaxed_in_setting
from symscape.dft.replay import since_beginning
from symscape.errors import EngineError, PlanError
from symscape.references.landscape_files import load_reference

PEROVSKITE_AXES = """
[[axes]]
name = "Ti_z"
start = 0.46
stop = 0.54
points = 3
[[axes]]
name = "O_z"
terms = { O1_z = 1.0, O2_z = 1.0 }
start = -0.06
stop = 0.06
points = 3
"""


@pytest.fixture(autouse=True)
def factories(monkeypatch):
    """Let workers import the factories."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


# ------------------------------------------------------------------------------------- convergence


def test_convergence_is_what_the_cutoff_makes_of_it(tmp_path):
    plan = load_plan(write_plan(tmp_path, "generate_factories:cutoff_dependent", points=4))
    found = check_convergence(plan, cutoff_eV=1000, k_density_A=5.0)
    assert found.cutoff_eV == 1000
    # before the grid there are three points, which then belong to it
    ledger = open_ledger(plan)
    assert len(ledger.points) == 3
    mesh, denser = np.prod(ledger.settings.k_mesh), np.prod(found.k_mesh)
    assert denser > mesh
    ratio = (1 + 10 / 1000 + 1 / denser) / (1 + 10 / 520 + 1 / mesh)
    assert found.largest_difference_meV_atom > 1
    for point in found.points:
        assert point.checked_relative_meV_atom == pytest.approx(
            ratio * point.relative_meV_atom, abs=2e-3
        )
    # the same check again computes nothing
    before = plan.journal_path.read_text().count("check_point")
    assert check_convergence(plan, cutoff_eV=1000, k_density_A=5.0) == found
    assert plan.journal_path.read_text().count("check_point") == before
    stored = load_reference(finish(open_ledger(plan), tmp_path))
    assert stored.provenance.convergence == found


def test_after_the_grid_the_lowest_the_highest_and_one_between_are_taken(tmp_path):
    plan = load_plan(write_plan(tmp_path, points=4))
    ledger = run_plan(plan)
    energies = np.array([ledger.points[k].energy_eV for k in range(16)]) / 4
    energies -= energies.min()
    lowest, middle, highest = choose_points(ledger)
    assert energies[lowest] == 0
    # no metric looks beyond 1 eV/atom, and this grid reaches farther
    assert energies.max() > 1
    assert energies[highest] == energies[energies <= 1].max()
    assert 4 <= (energies < energies[middle]).sum() <= 10


def test_a_denser_check_follows_the_plan(tmp_path):
    plan = load_plan(write_plan(tmp_path))
    checked = tighter_settings(plan)
    assert checked.cutoff_eV == 700
    assert checked.k_density_A == 4.0
    path = write_plan(tmp_path)
    path.write_text(path.read_text().replace('"EMT"', '"EMT"\nk_mesh = [6, 6, 3]', 1))
    assert tighter_settings(load_plan(path)).k_mesh == (8, 8, 4)


def test_a_grid_of_two_points_can_not_be_checked(tmp_path):
    with pytest.raises(PlanError, match="at least three points"):
        check_convergence(load_plan(write_plan(tmp_path, top="mask_ratio = 0.88")))


@pytest.mark.parametrize(
    ("factory", "agree"),
    [("generate_factories:morse", True), ("generate_factories:lopsided", False)],
)
def test_equivalent_points_agree_or_show_that_something_is_wrong(tmp_path, factory, agree):
    plan = load_plan(
        write_plan(
            tmp_path, factory, top="mask_ratio = 0.5", crystal=PEROVSKITE, axes=PEROVSKITE_AXES
        )
    )
    assert check_equivalents(plan) is None  # nothing computed yet
    ledger = run_plan(plan)
    assert len(ledger.order) == 5
    found = check_equivalents(plan, count=2)
    first = plan.slice.representatives
    assert len(found.pairs) == 2
    for pair in found.pairs:
        assert first[pair.computed] == first[pair.equivalent]
        assert pair.computed != pair.equivalent
    assert (found.largest_difference_meV_atom < 1e-3) == agree
    stored = load_reference(finish(open_ledger(plan), tmp_path))
    assert stored.provenance.equivalents == found
    assert stored.computed.sum() == 5  # the check's points are not part of the grid
    assert stored.valid.all()


def test_points_that_fail_in_a_check_are_one_sentence(tmp_path):
    path = write_plan(tmp_path, "generate_factories:cutoff_dependent")
    plan = load_plan(path)
    run_plan(plan)
    path.write_text(path.read_text().replace(":cutoff_dependent", ":hopeless"))
    lines = plan.journal_path.read_text().replace(":cutoff_dependent", ":hopeless")
    plan.journal_path.write_text(lines)
    with pytest.raises(EngineError, match=r"failed at the check's settings .*no licence"):
        check_convergence(load_plan(path))


# -------------------------------------------------------------------------------------- relaxation

COPPER = """
[crystal]
spacegroup = "Fm-3m"
cell = [3.5, 3.5, 3.5, 90, 90, 90]
sites = [["Cu", 0, 0, 0]]
"""


def test_a_cubic_crystal_relaxes_to_the_minimum_of_its_equation_of_state(tmp_path):
    plan = load_plan(
        write_plan(tmp_path, crystal=COPPER, axes="", more="[relax]\npressure_GPa = 0.001")
    )
    relaxed = relax_plan(plan)

    def energy(a):
        atoms = Crystal.from_sites([a] * 3 + [90] * 3, 523, [("Cu", (0, 0, 0))]).to_atoms()
        atoms.calc = EMT()
        return atoms.get_potential_energy()

    expected = minimize_scalar(energy, bounds=(3.3, 3.9), method="bounded", options={"xatol": 1e-8})
    assert relaxed.crystal.lattice_parameters["a"] == pytest.approx(expected.x, abs=2e-4)
    assert not relaxed.needs_relaxation
    stored = json.loads((tmp_path / "AlCu.relaxed.json").read_text())
    assert (stored["n_lattice"], stored["n_wyckoff"]) == (1, 0)
    assert stored["primitive"]["energy_eV"] == pytest.approx(expected.fun / 4, abs=1e-5)
    assert stored["summary"]["largest_stress_GPa"] <= 0.001


@pytest.fixture(scope="module")
def relaxed_alcu(tmp_path_factory):
    """AlCu relaxed without disturbance."""
    path = write_plan(tmp_path_factory.mktemp("relaxed"), more="[relax]\nforce_eV_A = 0.002")
    return relax_plan(load_plan(path))


def test_a_relaxed_crystal_keeps_its_space_group_and_feels_no_force(relaxed_alcu):
    atoms = relaxed_alcu.crystal.to_atoms(primitive=True)
    atoms.calc = EMT()
    assert np.linalg.norm(atoms.get_forces(), axis=1).max() < 0.0021
    assert np.abs(atoms.get_stress()).max() * 160.2 < 0.11
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    assert spglib.get_symmetry_dataset(cell, 1e-4).number == 63
    # and the plan's axes lie about it
    assert relaxed_alcu.slice.axes[1].origin == pytest.approx(
        {f.name: f.value for f in relaxed_alcu.crystal.free_coordinates}["Cu_y"]
    )


def relax_steps(plan):
    """Return the steps of a plan's relaxation, as its journal has them."""
    lines = plan.journal_path.read_text().splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == "relax"]


def interrupted(folder, *numbers):
    """Return the path of a plan whose relaxation ended after so many steps, again and again."""
    path = write_plan(folder, more="[relax]\nforce_eV_A = 0.002\nmax_steps = 80")
    for number in numbers:
        path.write_text(re.sub("max_steps = .*", f"max_steps = {number}", path.read_text()))
        with pytest.raises(EngineError, match=f"has not converged after {number} steps"):
            relax_plan(load_plan(path))
        assert len(relax_steps(load_plan(path))) == number
    path.write_text(re.sub("max_steps = .*", "max_steps = 80", path.read_text()))
    return path


@pytest.mark.parametrize("numbers", [(1,), (4,), (2, 3, 6)])
def test_an_interrupted_relaxation_goes_on_as_if_it_had_not_been(tmp_path, relaxed_alcu, numbers):
    path = interrupted(tmp_path, *numbers)
    again = relax_plan(load_plan(path))
    # the optimizer was told what it had known: the same steps, none of them twice
    told, whole = relax_steps(again), relax_steps(relaxed_alcu)
    assert len(told) == len(whole)
    np.testing.assert_allclose(
        [step["energy_eV"] for step in told], [step["energy_eV"] for step in whole], atol=1e-6
    )
    np.testing.assert_allclose(again.crystal.theta, relaxed_alcu.crystal.theta, atol=1e-5)
    np.testing.assert_allclose(again.crystal.lattice, relaxed_alcu.crystal.lattice, atol=1e-4)
    # a relaxed plan is not relaxed again
    events = again.journal_path.read_text()
    assert relax_plan(load_plan(path)).journal_path.read_text() == events


def spoil_the_way(step):
    step["positions"][0][1] += 0.01


def spoil_the_origin(step):
    del step["made_with"]


def spoil_the_settings(step):
    step["made_with"] = "000000000000"


@pytest.mark.parametrize("spoil", [spoil_the_way, spoil_the_origin, spoil_the_settings])
def test_steps_that_can_not_be_told_again_are_begun_after(tmp_path, relaxed_alcu, spoil):
    plan = load_plan(interrupted(tmp_path, 4))
    steps = relax_steps(plan)
    for step in steps[1:3] if spoil is spoil_the_way else steps:
        spoil(step)
    others = [x for x in plan.journal_path.read_text().splitlines() if '"relax"' not in x]
    plan.journal_path.write_text("\n".join([*others, *map(json.dumps, steps)]) + "\n")
    again = relax_plan(plan)
    # it comes by another way to the same crystal, from where it was
    assert relax_steps(again)[4]["cell_A"] == steps[-1]["cell_A"]
    np.testing.assert_allclose(again.crystal.theta, relaxed_alcu.crystal.theta, atol=1e-3)
    np.testing.assert_allclose(again.crystal.lattice, relaxed_alcu.crystal.lattice, atol=0.02)


def test_other_settings_compute_all_again(tmp_path):
    path = write_plan(tmp_path, more="[relax]\nforce_eV_A = 0.002\n")
    finished = relax_plan(load_plan(path))
    steps = relax_steps(finished)
    path.with_suffix(".relaxed.json").unlink()
    # all answers are known: nothing is computed
    assert relax_steps(relax_plan(load_plan(path))) == steps
    path.with_suffix(".relaxed.json").unlink()
    path.write_text(path.read_text() + "cutoff_eV = 611\n")
    assert len(relax_steps(relax_plan(load_plan(path)))) > len(steps)


def test_a_crystal_relaxed_for_another_start_is_refused(tmp_path):
    path = write_plan(tmp_path, more="[relax]\ncell = false")
    relax_plan(load_plan(path))
    path.write_text(path.read_text().replace("0.36", "0.35"))
    with pytest.raises(PlanError, match="was relaxed from another crystal"):
        load_plan(path)


def test_positions_may_relax_alone(tmp_path):
    path = write_plan(tmp_path, more="[relax]\ncell = false")
    relaxed = relax_plan(load_plan(path))
    assert relaxed.crystal.lattice_parameters == {"a": 2.9, "b": 8.2, "c": 4.0}
    assert relaxed.relaxed.summary.largest_stress_GPa is None
    assert relaxed.crystal.theta != pytest.approx([0.36, 0.07], abs=1e-3)


@given(st.lists(st.lists(st.floats(2e-6, 0.1), max_size=4), min_size=1, max_size=4))
def test_the_last_beginning_is_found_however_small_the_steps(runs):
    # each run moves an atom by so much, and the next begins where it ended
    places = [[sum(moves[:k]) for k in range(len(moves) + 1)] for moves in runs]
    starts = np.cumsum([0.0] + [run[-1] for run in places])
    steps = [
        RelaxStep(
            cell_A=((9.0, 0.0, 0.0), (0.0, 9.0, 0.0), (0.0, 0.0, 9.0)),
            positions=((round(float(start + x) / 9.0, 8), 0.0, 0.0),),
            energy_eV=0.0, time="", crystal="a", made_with="b",
        )
        for start, run in zip(starts, places, strict=False)
        for x in run
    ]  # fmt: skip
    assert len(since_beginning(steps)) == len(places[-1])


def test_what_can_not_be_relaxed_is_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(PlanError, match=r"no \[relax\] table"):
        relax_plan(load_plan(write_plan(tmp_path)))
    path = write_plan(tmp_path, "generate_factories:cutoff_dependent", more="[relax]")
    with pytest.raises(EngineError, match="gives no stress"):
        relax_plan(load_plan(path))
    path = write_plan(tmp_path, "generate_factories:hopeless", more="[relax]", name="hopeless")
    with pytest.raises(EngineError, match=r"failed 3 times .*no licence"):
        relax_plan(load_plan(path))
    (tmp_path / "leaves_at_once.py").write_text("import os\nos._exit(3)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    gone = write_plan(tmp_path, "leaves_at_once:make", more="[relax]", name="gone")
    with pytest.raises(EngineError, match="ended with exit status 3 before it was ready; see the"):
        relax_plan(load_plan(gone))
    path.with_suffix(".relaxed.json").write_text("{")
    with pytest.raises(PlanError, match="is damaged"):
        load_plan(path)


@given(
    st.lists(st.floats(-0.02, 0.02), min_size=3, max_size=3),
    st.lists(st.floats(-0.03, 0.03), min_size=2, max_size=2),
    st.floats(-1, 1),
)
@example([0.0, 0.0, 0.0], [0.0, 0.0], 0.5)
@hypothesis_settings(max_examples=25, deadline=None)
def test_a_relaxed_cell_comes_back_in_the_crystals_own_setting(moves, strain, shift):
    crystal = Crystal.from_sites(
        [3.9, 3.9, 4.15, 90, 90, 90],
        376,
        [
            ("Pb", (0, 0, 0)),
            ("Ti", (0.5, 0.5, 0.54)),
            ("O", (0.5, 0.5, -0.1)),
            ("O", (0.5, 0, 0.4)),
        ],
    )
    lattice = crystal.lattice * (1 + np.array([strain[0], strain[0], strain[1]]))[:, None]
    theta = crystal.theta + moves
    own = crystal.primitive_atoms
    fractional = crystal.positions_at(theta)[own] + [0, 0, shift] + np.eye(3)[[0, 1, 2, 0, 1]]
    back, off = relaxed_in_setting(crystal, lattice, fractional @ lattice)
    assert off < 1e-9
    np.testing.assert_allclose(back.lattice, lattice, atol=1e-9)
    np.testing.assert_allclose(back.theta, theta, atol=1e-9)
    broken = fractional @ lattice
    broken[4] += [0.05, 0, 0]
    assert relaxed_in_setting(crystal, lattice, broken)[1] > 0.01
