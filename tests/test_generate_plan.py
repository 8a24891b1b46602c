"""Plans: what they mean, and one sentence for each that makes no sense."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from ase.calculators.calculator import kptdensity2monkhorstpack
from ase.io import write
from generate_plans import AXES, CRYSTAL, PEROVSKITE, write_plan
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from symscape.crystal.crystal import Crystal
from symscape.crystal.propose import survey_slices
from symscape.dft.cost import estimate_cost
from symscape.dft.crystal_list import load_crystal_list
from symscape.dft.describe import describe_plan
from symscape.dft.engine import make_engine
from symscape.dft.events import PointDone
from symscape.dft.grid_ledger import open_ledger
from symscape.dft.plan import load_plan, material_name
from symscape.dft.plan_proposal import propose_plan, save_plan
from symscape.dft.results import StoredGeometry
from symscape.dft.settings import EngineSpec, Settings, k_mesh
from symscape.errors import EngineError, PlanError
from symscape.references.landscape_files import load_reference

PLANS = Path(__file__).parents[1] / "references" / "plans"


def test_a_plan_says_what_is_computed(tmp_path):
    plan = load_plan(write_plan(tmp_path, points=5))
    assert plan.material == "AlCu-Cmcm"
    assert plan.slice.name == "Al_y-Cu_y"
    assert plan.slice.shape == (5, 5)
    assert [axis.origin for axis in plan.slice.axes] == pytest.approx([0.36, 0.07])
    np.testing.assert_allclose(plan.slice.axes[1].values, np.linspace(0.04, 0.10, 5))
    assert plan.journal_path.name == "AlCu.journal.jsonl"
    assert (plan.kind, plan.mask_ratio, plan.licence) == ("local", 0.5, "CC-BY-4.0")
    # a crystal with an atom on a general y is what spglib sees, too
    assert Crystal.from_structure(plan.crystal.to_atoms()).space_group_number == 63


def test_a_crystal_may_come_from_a_file_with_symbol_or_setting(tmp_path):
    rutile = Crystal.from_sites(
        [4.6, 4.6, 3.0, 90, 90, 90], 419, [("Ti", (0, 0, 0)), ("O", (0.305, 0.305, 0))]
    )
    write(tmp_path / "rutile.cif", rutile.to_atoms())
    axes = """
[[axes]]
name = "c/a"
relative_span = [-0.05, 0.05]
[[axes]]
name = "O_x"
span = [-0.02, 0.02]
"""
    from_file = load_plan(write_plan(tmp_path, crystal='[crystal]\nfile = "rutile.cif"', axes=axes))
    sites = 'cell = [4.6, 4.6, 3.0, 90, 90, 90]\nsites = [["Ti", 0, 0, 0], ["O", 0.305, 0.305, 0]]'
    for group in ('spacegroup = "P4_2/mnm"', "spacegroup = 136", "hall_number = 419"):
        plan = load_plan(write_plan(tmp_path, crystal=f"[crystal]\n{group}\n{sites}", axes=axes))
        assert plan.material == from_file.material == "TiO2-P4_2mnm"
        np.testing.assert_allclose(
            plan.slice.structures().cells, from_file.slice.structures().cells, atol=1e-5
        )
        assert plan.slice.name == "ca-O_x"
    centre = round(3.0 / 4.6, 4)
    assert plan.slice.axes[0].start == pytest.approx(0.95 * centre)
    second = load_plan(
        write_plan(
            tmp_path,
            crystal='[crystal]\nspacegroup = 129\nsetting = "2"\n'
            "cell = [4.4, 4.4, 7.3, 90, 90, 90]\n"
            'sites = [["F", "3/4", "1/4", 0], ["Ba", "1/4", "1/4", 0.2], '
            '["Cl", "1/4", "1/4", 0.65]]',
            axes=AXES.replace("Al_y", "Ba_z").replace("Cu_y", "Cl_z").replace("0.33", "0.15"),
        )
    )
    assert second.crystal.group.choice == "2"
    assert len(second.crystal) == 6


def test_tied_coordinates_make_one_axis(tmp_path):
    axes = """
[[axes]]
name = "Ti_z"
span = [-0.02, 0.02]
[[axes]]
name = "O_z"
terms = { O1_z = 1.0, O2_z = 1.0 }
span = [-0.04, 0.04]
"""
    the_slice = load_plan(write_plan(tmp_path, crystal=PEROVSKITE, axes=axes, top="")).slice
    assert the_slice.axes[1].origin == pytest.approx(-0.1)
    moved = the_slice.structures_at(np.array([[0.54, -0.06]]))
    back = the_slice.structures_at(np.array([[0.54, -0.1]]))
    np.testing.assert_allclose(
        (moved.positions - back.positions)[:, 2] / 4.15, [0, 0, 0.04, 0.04, 0.04], atol=1e-12
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"top": 'licens = "CC0"'}, r"key 'licens' is unknown \(did you mean 'licence'"),
        ({"top": 'kind = "wide"'}, "'kind' is 'wide' instead of 'local' or 'global'"),
        ({"top": 'mask_ratio = "big"'}, "'mask_ratio' is not a number"),
        ({"top": 'stress = "no"'}, "'stress' is not true or false"),
        ({"top": 'material = "a/b"'}, "can't be a folder's name"),
        ({"top": "kind ="}, "not valid TOML"),
        ({"crystal": ""}, "field 'crystal' is missing"),
        ({"crystal": "[crystal]\nspacegroup = 63"}, "'cell' is missing"),
        ({"crystal": CRYSTAL.replace("hall_number = 298", "")}, "needs spacegroup"),
        (
            {"crystal": CRYSTAL.replace("hall_number = 298", "spacegroup = 999")},
            "no space group 999",
        ),
        ({"crystal": CRYSTAL.replace("90, 90]", "90]")}, "six numbers"),
        ({"crystal": CRYSTAL.replace('"1/4"', '"1/x"')}, "unreadable"),
        ({"crystal": CRYSTAL.replace('"Al"', '"Xx"')}, "Xx"),
        ({"crystal": '[crystal]\nfile = "absent.cif"'}, r"absent\.cif: there is no such file"),
        ({"axes": AXES.replace("Al_y", "Al_x")}, r"Al_x.*Al_y"),
        ({"axes": AXES.replace("stop = 0.39", "")}, "range in one way"),
        ({"axes": AXES.replace("stop = 0.39", "stop = 0.39\nspan = [-1, 1]")}, "range in one way"),
        ({"axes": AXES.replace("stop = 0.39", "stop = 0.3")}, "start < stop"),
        ({"axes": AXES.replace('"Cu_y"', '"Al_y"')}, "not linearly independent"),
        (
            {"axes": AXES.replace("[-0.03, 0.03]", "[-0.03]")},
            r"axes\[1\].span' is not a list",
        ),
        ({"axes": AXES[: AXES.index("[[axes]]", 5)]}, r"two \[\[axes\]\]"),
        ({"more": "[relax]\nforce_eV_A = -1"}, "force_eV_A is -1"),
    ],
)
def test_what_makes_no_sense_is_refused_with_one_sentence(tmp_path, changes, sentence):
    path = write_plan(tmp_path, **changes)
    with pytest.raises(PlanError, match=sentence) as caught:
        load_plan(path)
    assert str(caught.value).startswith(str(path)) or "absent.cif" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"cutof_eV": 500}, "did you mean 'cutoff_eV'"),
        ({"cutoff_eV": -1}, "must be a positive number"),
        ({"cutoff_eV": "high"}, "'cutoff_eV' is not a number"),
        ({"k_mesh": [1, 2]}, "'k_mesh' is not a list of 3"),
        ({"k_mesh": [1, 2, 0]}, "at least 1"),
        ({"magnetic_moments": 3}, "'magnetic_moments' is not an object"),
    ],
)
def test_settings_are_checked(table, sentence):
    with pytest.raises(PlanError, match=sentence):
        Settings.from_dict(table)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"name": "vasp"}, "engine 'vasp' is unknown"),
        ({"name": "ase", "code": "x"}, "needs factory"),
        ({"name": "ase", "factory": "a:b"}, "name the code"),
        ({"name": "gpaw", "options": 3}, "'options' is not an object"),
    ],
)
def test_engines_are_checked(table, sentence):
    with pytest.raises(PlanError, match=sentence):
        EngineSpec.from_dict(table)


def test_energies_from_elsewhere_can_not_be_computed():
    with pytest.raises(EngineError, match="nothing can be computed"):
        make_engine(EngineSpec(name="import", code="VASP"), Settings())


def test_absent_plans(tmp_path):
    with pytest.raises(PlanError, match="there is no such plan"):
        load_plan(tmp_path / "x.toml")
    path = write_plan(tmp_path, axes="")
    with pytest.raises(PlanError, match=r"no \[\[axes\]\]"):
        _ = load_plan(path).slice


# ---------------------------------------------------------------------------------- settings


@given(
    st.lists(st.floats(2.5, 12.0), min_size=3, max_size=3),
    st.floats(1.0, 6.0),
    st.floats(-0.4, 0.4),
)
@hypothesis_settings(max_examples=50, deadline=None)
def test_the_mesh_is_ase_s(lengths, density, shear):
    from ase import Atoms

    cell = np.diag(lengths)
    cell[1, 0] = shear * lengths[1]
    expected = kptdensity2monkhorstpack(Atoms(cell=cell, pbc=True), density, even=False)
    assert k_mesh(cell[None], density) == pytest.approx(expected, abs=1e-9) or np.any(
        np.abs(2 * np.pi * np.linalg.norm(np.linalg.inv(cell), axis=0) * density % 1) < 1e-5
    )


def test_one_mesh_serves_all_cells_of_a_grid():
    cells = np.array([np.diag([4.0, 4.0, c]) for c in (3.0, 4.0, 6.0)])
    each = [k_mesh(cell[None], 3.0) for cell in cells]
    assert len(set(each)) == 3
    assert k_mesh(cells, 3.0) == tuple(np.max(each, axis=0))


def test_weak_settings_are_warned_about():
    assert Settings().warnings() == []
    weak = Settings(cutoff_eV=400.0, k_density_A=2.0).warnings()
    assert "400 eV" in weak[0]
    assert "2 k-points" in weak[1]


# -------------------------------------------------------------------------------- proposals, cost


def test_a_crystal_alone_proposes_a_plan(tmp_path):
    crystal = Crystal.from_sites(
        [4.58, 4.58, 7.27, 90, 90, 120],
        456,
        [("Mg", (0, 0, 0)), ("Mg", (1 / 3, 2 / 3, 0.634)), ("Sb", (1 / 3, 2 / 3, 0.226))],
    )
    assert material_name(crystal) == "Mg3Sb2-P-3m1"
    path = tmp_path / "new" / "Mg3Sb2.toml"
    save_plan(propose_plan(crystal, points=9), path)
    plan = load_plan(path)
    assert plan.material == "Mg3Sb2-P-3m1"
    assert plan.slice.shape == (9, 9)
    assert {axis.name for axis in plan.slice.axes} == {"Mg2_z", "Sb_z"}
    assert plan.needs_relaxation
    assert plan.engine.name == "gpaw"
    text = describe_plan(plan)
    assert "81, of which" in text
    assert "a rough rule" in text
    assert "not relaxed yet" in text
    with pytest.raises(PlanError, match="of that name already"):
        save_plan("", path)
    with pytest.raises(PlanError, match="no number 99"):
        propose_plan(crystal, number=99)


def test_a_plan_says_what_the_search_for_slices_says():
    """A cell that is too small by far, and one with more coordinates than are paired."""
    bismuth = [("Bi", (0, 0, 0.4)), ("Te", (0, 0, 0)), ("Te", (0, 0, 0.45333))]
    masked = Crystal.from_sites([4.38, 4.38, 30.5, 90, 90, 120], 458, bismuth)
    (said,) = survey_slices(masked).notices
    with pytest.raises(PlanError, match="no number 1; ") as refused:
        propose_plan(masked)
    assert said in str(refused.value)
    grid = np.array(list(np.ndindex(3, 2, 2))) / [3, 2, 2] + 0.1
    sites = [
        ("Si", tuple(place)) for place in grid + 0.01 * np.random.default_rng(0).random((12, 3))
    ]
    large = Crystal.from_sites([9.0, 6.1, 6.2, 91, 92, 93], 1, sites)
    notices = survey_slices(large, points=5).notices
    assert notices
    comments = [line for line in propose_plan(large, points=5).splitlines() if "# note: " in line]
    assert comments == [f"# note: {notice}" for notice in notices]


def test_a_proposed_lattice_axis_is_relative(tmp_path):
    crystal = Crystal.from_sites(
        [4.6, 4.6, 3.0, 90, 90, 90], 419, [("Ti", (0, 0, 0)), ("O", (0.305, 0.305, 0))]
    )
    path = tmp_path / "rutile.toml"
    save_plan(propose_plan(crystal), path)
    assert "relative_span" in path.read_text()
    plan = load_plan(path)
    assert plan.moves_lattice
    assert not plan.slice.mask.all()


def test_the_cost_follows_the_finished_points(tmp_path):
    plan = load_plan(write_plan(tmp_path))
    unknown = estimate_cost(open_ledger(plan))
    assert unknown.seconds is None
    assert unknown.points == 9
    geometry = plan.slice.structures().arrays(0)
    stored = StoredGeometry.of(geometry[2], geometry[1])
    ledger = open_ledger(plan)
    # the last one while the machine slept
    for k, seconds in enumerate((20.0, 40.0, 5000.0)):
        ledger.points[k] = PointDone(
            **vars(stored), i=0, j=k, u=0.0, v=0.0, energy_eV=-1.0, seconds=seconds
        )
    cost = estimate_cost(ledger)
    assert (cost.seconds_per_point, cost.points, cost.seconds) == (40.0, 6, 240.0)


@pytest.mark.parametrize(
    ("cell", "hall", "sites", "settings", "measured"),
    [
        # measured on one core of the machine that computed the first references
        ([3.82, 3.82, 10.72, 90, 90, 120], 458, [("As", (0, 0, 0.227))], (500, 4.0), 13),
        (
            [3.13, 3.13, 5.02, 90, 90, 120],
            480,
            [("Al", (1 / 3, 2 / 3, 0)), ("N", (1 / 3, 2 / 3, 0.382))],
            (520, 3.0),
            30,
        ),
    ],
)
def test_the_rough_rule_is_good_to_a_factor_of_three(
    tmp_path, cell, hall, sites, settings, measured
):
    path = tmp_path / "plan.toml"
    text = propose_plan(Crystal.from_sites(cell, hall, sites))
    text = text.replace("cutoff_eV = 520", f"cutoff_eV = {settings[0]}")
    save_plan(text.replace("k_density_A = 3.0", f"k_density_A = {settings[1]}"), path)
    seconds = estimate_cost(open_ledger(load_plan(path))).seconds_per_point
    assert measured / 3 < seconds < 3 * measured


# ------------------------------------------------------------------------------- the plans kept


#: lists of crystals, curves and lines, tested in test_hull_crystals.py, test_own_curves.py and
#: test_all_electron.py
LISTS = {"all-electron", "crystals", "equations-of-state"}
NEAR_HULL = ["crystals-free-coordinates", "crystals-near-hull"]
GRIDS = sorted(path for path in PLANS.glob("*.toml") if path.stem not in LISTS.union(NEAR_HULL))


@pytest.mark.parametrize("path", GRIDS, ids=lambda path: path.stem)
def test_every_kept_plan_can_be_run(path):
    plan = load_plan(path)
    assert plan.path.stem == plan.material
    assert plan.licence == "CC-BY-4.0"
    stored = PLANS.parent / plan.material / f"{plan.slice.name}.json"
    if stored.exists() and not plan.needs_relaxation:
        # and gives the grid that is stored
        reference = load_reference(stored)
        expected, planned = reference.structures(), plan.slice.structures()
        np.testing.assert_allclose(planned.positions, expected.positions, atol=1e-6)
        np.testing.assert_allclose(planned.cells, expected.cells, atol=1e-6)
        assert plan.mask_ratio == reference.slice.mask_ratio


@pytest.mark.parametrize("name", NEAR_HULL)
def test_lists_near_the_hull_have_small_cells_and_the_elements_they_need(name):
    near = load_crystal_list(PLANS / f"{name}.toml")
    first = load_crystal_list(PLANS / "crystals.toml")
    assert not {c.id for c in near.crystals} & {c.id for c in first.crystals}
    assert (near.settings, near.relax) == (first.settings, first.relax)  # one library, one method
    assert all(len(c.crystal.primitive_atoms) <= 12 for c in near.crystals)
    assert sum(c.crystal.n_wyckoff > 0 for c in near.crystals) > len(near.crystals) / 2
    elements = {c.system for c in (*near.crystals, *first.crystals) if "-" not in c.system}
    for planned in near.crystals:
        assert set(planned.system.split("-")) <= elements  # formation energies can be had


def test_the_plans_of_the_guide_can_be_read(tmp_path):
    guide = (PLANS.parents[1] / "docs" / "computing-references.md").read_text()
    whole, *_, engine = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    path = tmp_path / "guide.toml"
    path.write_text(whole)
    plan = load_plan(path)
    assert plan.slice.name == "ca-F_x"
    assert plan.relax is not None
    path.write_text(whole[: whole.index("[settings]")] + engine)
    assert load_plan(path).engine.code == "Quantum ESPRESSO"


@pytest.mark.parametrize(
    ("element", "settings", "warned"),
    [
        ("Mo", "", False),
        ("Fe", "", True),
        ("Gd", "", True),
        ("Fe", "magnetic_moments = { Fe = 2.0 }", False),
        ("Fe", "magnetic_moments = { Fe = 0.0 }", False),
        ("Fe", "magnetic_moments = { Si = 1.0 }", True),
    ],
)
def test_a_plan_that_needs_spin_says_so(tmp_path, element, settings, warned):
    text = (PLANS / "MoSi2-I4_mmm.toml").read_text(encoding="utf-8").replace('"Mo"', f'"{element}"')
    path = tmp_path / "plan.toml"
    path.write_text(text.replace("[settings]\n", f"[settings]\n{settings}\n"), encoding="utf-8")
    said = [line for line in load_plan(path).warnings() if "spin polarization" in line]
    assert len(said) == warned
    assert all(f" {element} " in line for line in said)
