"""Our own equations of state: computed, stored, read again and compared with verified ones."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT

from symscape.dft.curve_ledger import open_curve_ledger
from symscape.dft.curve_list import load_curve_list
from symscape.dft.curve_run import run_curves
from symscape.dft.curve_store import store_curves
from symscape.errors import PlanError, ReferenceFileError
from symscape.references.birch_murnaghan import BirchMurnaghan
from symscape.references.equations import COMPLETE_CODES, load_equations
from symscape.references.method import Method
from symscape.references.own_curves import CurveRecord, load_own_curves, write_own_curves
from symscape.references.provenance import CurvesProvenance
from symscape.science.equation_of_state.own import OwnErrors, as_markdown, own_differences

REFERENCES = Path(__file__).parents[1] / "references"
LIST = """
[settings]
functional = "EMT"
[engine]
name = "ase"
factory = "{factory}"
code = "a test"
{options}
[[group]]
crystals = ["Cu-FCC", "Cu-BCC"]
[[group]]
crystals = ["Cu-FCC"]
cutoff_eV = 800
"""


@pytest.fixture(scope="module")
def equations():
    """Return the verified curves."""
    return load_equations([REFERENCES])


@pytest.fixture
def library(tmp_path):
    """Return a library with the verified curves and none of ours."""
    shutil.copytree(REFERENCES / "equations-of-state", tmp_path / "equations-of-state")
    (tmp_path / "equations-of-state" / "own.json").unlink(missing_ok=True)
    return tmp_path


def write_list(folder, text=LIST, factory="ase.calculators.emt:EMT", options=""):
    """Write a list of curves that EMT computes."""
    path = folder / "curves.toml"
    path.write_text(text.replace("{factory}", factory).replace("{options}", options))
    return path


def own_of(library, equations, curves, ids, cutoff=520.0):
    """Store and load what an engine with these curves would compute."""
    chosen = equations[np.array([equations.ids.index(name) for name in ids])]
    volumes = chosen.sampled_volumes()
    records = [
        CurveRecord(
            id=name,
            cutoff_eV=cutoff,
            k_mesh=(4, 4, 4),
            volumes_A3_atom=np.round(v, 6).tolist(),
            energies_eV_atom=e.tolist(),
        )
        for name, v, e in zip(ids, volumes, curves(chosen).energies(volumes), strict=True)
    ]
    method = Method(code="GPAW", functional="PBE")
    write_own_curves(library, records, method, CurvesProvenance(licence="CC-BY-4.0"))
    return load_own_curves(library, equations)


def test_what_an_engine_computes_is_stored_and_read_again(library, equations):
    plan = load_curve_list(write_list(library), equations)
    ledger = run_curves(plan, command="symscape reference curves curves.toml")
    assert [curve.id for curve, _ in ledger.curves()] == ["Cu-FCC", "Cu-BCC", "Cu-FCC"]
    store_curves(ledger, library)
    own = load_own_curves(library, equations)
    assert own.cutoffs.tolist() == [520, 520, 800]
    assert own.provenance.complete is True
    for k, volume in enumerate(own.equations.sampled_volumes()[0]):
        cell = np.cbrt(4 * volume) / 2 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
        copper = Atoms("Cu", cell=cell, pbc=True, calculator=EMT())
        assert own.energies[0, k] == pytest.approx(copper.get_potential_energy(), abs=1e-6)


def test_a_mesh_is_that_of_the_smallest_cell(library, equations):
    plan = load_curve_list(write_list(library), equations)
    curve = plan.curves[0]
    for cell in curve.cells:
        lengths = 2 * np.pi * np.linalg.norm(np.linalg.inv(cell), axis=0)
        assert (np.array(curve.settings.k_mesh) >= 3.0 * lengths - 1e-6).all()
    assert len(set(curve.settings.k_mesh)) == 1


def test_a_run_goes_on_where_it_was(library, equations):
    plan = load_curve_list(write_list(library), equations)
    run_curves(plan)
    lines = plan.journal_path.read_text().splitlines(keepends=True)
    plan.journal_path.write_text("".join(lines[:5]) + lines[5][:20])
    assert not open_curve_ledger(plan).done
    assert len(run_curves(plan).done) == 3
    events = [json.loads(line) for line in plan.journal_path.read_text().splitlines()]
    points = [(e["crystal"], e["cutoff_eV"], e["volume_A3_atom"]) for e in events if "crystal" in e]
    assert len(points) == len(set(points)) == 21


def test_a_crystal_that_fails_is_left_out(library, equations):
    """EMT knows copper but no silicon."""
    text = LIST.replace('"Cu-BCC"', '"Si-Diamond"')
    plan = load_curve_list(write_list(library, text), equations)
    ledger = run_curves(plan)
    assert ledger.done == [("Cu-FCC", 520.0), ("Cu-FCC", 800.0)]
    assert ledger.todo == [("Si-Diamond", 520.0)]  # tried again by the next run
    store_curves(ledger, library)
    assert load_own_curves(library, equations).provenance.complete is False


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"Cu-BCC"', '"Cu-HCP"', "holds no crystal 'Cu-HCP'"),
        ('"Cu-BCC"', '"Cu-FCC"', "'Cu-FCC' is listed twice at 520 eV"),
        ("cutoff_eV = 800", "cutoff = 800", r"the key 'group\[\d\].cutoff' is unknown"),
        ("cutoff_eV = 800", "cutoff_eV = -8", "cutoff_eV is -8, but must be a positive number"),
        ('["Cu-FCC", "Cu-BCC"]', '"Cu-FCC"', r"'group\[0\].crystals' is not a list"),
        (LIST[LIST.index("[[group]]") :], "", "there is nothing to compute"),
        ("[engine]", "[engine", "not valid TOML"),
    ],
)
def test_lists_that_make_no_sense(library, equations, old, new, sentence):
    path = write_list(library, LIST.replace(old, new, 1))
    with pytest.raises(PlanError, match=sentence.replace("(", r"\(")) as caught:
        load_curve_list(path, equations)
    assert str(path) in str(caught.value)


def test_the_kept_list_can_be_computed(equations):
    plan = load_curve_list(REFERENCES / "plans" / "equations-of-state.toml", equations)
    assert len({curve.id for curve in plan.curves if "O" in curve.id}) >= 20
    assert plan.settings.cutoff_eV == 520  # that of grids and hull crystals
    assert all(max(c.settings.k_mesh) == min(c.settings.k_mesh) for c in plan.curves)


def test_the_list_of_the_guide_can_be_read(tmp_path, equations):
    guide = (REFERENCES.parent / "docs" / "computing-references.md").read_text()
    (block,) = re.findall(r"```toml\n((?:(?!```).)*?\[\[group\]\].*?)```", guide, re.DOTALL)
    (tmp_path / "list.toml").write_text(block)
    plan = load_curve_list(tmp_path / "list.toml", equations)
    assert [curve.id for curve in plan.curves] == ["Al-FCC", "Mg-FCC"]
    assert plan.curves[0].settings.k_density_A == 5


def test_nothing_computed_is_nothing_to_store(library, equations):
    ledger = open_curve_ledger(load_curve_list(write_list(library), equations))
    with pytest.raises(PlanError, match="no curve has been computed yet"):
        store_curves(ledger, library)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"Al-FCC"', '"Al-HCP"', "'Al-HCP' is unknown or listed twice"),
        ('"Al-BCC"', '"Al-FCC"', "'Al-FCC' is unknown or listed twice"),
        ('"cutoff_eV": 520.0', '"cutoff_eV": null', r"\[0\].cutoff_eV' is not a finite number"),
        ('"energies_eV_atom": [', '"energies_eV_atom": ["low", ', "energies_eV_atom"),
        ('"energies_eV_atom": [', '"energies_eV_atom": [-1.0, ', "Al-FCC: it has 8 energies"),
        ('"volumes_A3_atom": [15', '"volumes_A3_atom": [16', "its volumes are not 94 to 106 %"),
    ],
)
def test_a_damaged_file_is_one_sentence(library, equations, old, new, sentence):
    own_of(library, equations, lambda chosen: chosen.average, ["Al-FCC", "Al-BCC"])
    path = library / "equations-of-state" / "own.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ReferenceFileError, match=sentence) as caught:
        load_own_curves(library, equations)
    assert "\n" not in str(caught.value)


def test_the_same_curve_has_no_error_and_a_wider_one_its_volume(library, equations):
    ids = ["Al-FCC", "Si-Diamond", "Mg-XO"]
    own = own_of(library, equations, lambda chosen: chosen.average, ids)
    result = OwnErrors.of(own)
    np.testing.assert_allclose(result.errors.epsilon, 0, atol=1e-6)
    assert result.not_good == ()
    wide = own_of(
        library,
        equations,
        lambda c: BirchMurnaghan(
            c.average.energy,
            1.02 * c.average.volume,
            c.average.bulk_modulus,
            c.average.derivative,
        ),
        ids,
    )
    result = OwnErrors.of(wide)
    np.testing.assert_allclose(result.errors.volume, 2, atol=1e-4)
    assert result.not_good == tuple(f"{name} at 520 eV" for name in ids)
    assert as_markdown(result, []).count("\n") == 4


def test_differences_are_those_of_the_code_whose_curves_they_are(library, equations):
    ids = ["Al-FCC", "Al-BCC", "Al-SC", "Mg-XO"]
    result = OwnErrors.of(own_of(library, equations, lambda c: c.codes["VASP"], ids))
    found = own_differences(result)
    assert [(d.element, d.higher, d.lower) for d in found] == [
        ("Al", "BCC", "FCC"),
        ("Al", "SC", "FCC"),
    ]
    chosen = equations[np.array([equations.ids.index(name) for name in ids])]
    for k, difference in enumerate(found, 1):
        energies = np.array([chosen.codes[code].energy for code in COMPLETE_CODES])
        theirs = 1000 * (energies[:, k] - energies[:, 0])
        vasp = COMPLETE_CODES.index("VASP")
        assert difference.own == pytest.approx(theirs[vasp], abs=1e-3)
        assert difference.codes == pytest.approx(theirs.mean())
        assert theirs.min() <= difference.codes <= theirs.max()


def test_the_table_in_the_documentation_is_that_of_the_file(equations):
    text = (REFERENCES.parent / "docs" / "references.md").read_text()
    shown = text.split("<!-- own curves -->")[1].split("<!-- end of own curves -->")[0]
    result = OwnErrors.of(load_own_curves(REFERENCES, equations))
    assert shown.strip() == as_markdown(result, own_differences(result)), (
        "run: symscape reference curves references/plans/equations-of-state.toml --finish"
    )
