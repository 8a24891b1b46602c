"""``symscape reference`` as it is typed."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from command_line import typed as typed
from generate_plans import write_plan

from symscape.decode import encode
from symscape.dft.plan import load_plan
from symscape.references.landscape_files import load_reference


@pytest.fixture
def symscape(monkeypatch, tmp_path, typed):
    """Call ``symscape reference`` in a folder of its own: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    return partial(typed, "reference")


def test_plan_run_status_check(symscape, tmp_path):
    write_plan(tmp_path, points=5)
    code, out, _ = symscape("plan", "AlCu.toml")
    assert code == 0
    assert "25, of which 0 masked; 25 to compute by symmetry, 0 done" in out
    code, out, _ = symscape("run", "AlCu.toml", "--jobs", 2, "--nice", 1)
    assert code == 0
    assert out.startswith("references/AlCu-Cmcm/Al_y-Cu_y.json: 25 of 25 points computed, 0 failed")
    stored = Path("references/AlCu-Cmcm/Al_y-Cu_y.json")
    provenance = load_reference(stored).provenance
    assert provenance.command == "symscape reference run AlCu.toml --jobs 2 --nice 1"
    assert provenance.convergence is None
    code, out, _ = symscape("status", "AlCu.toml")
    assert "complete" in out
    assert "25/25" in out
    code, out, _ = symscape("check", "AlCu.toml")
    assert code == 0
    assert "differ by up to 0.00 meV/atom" in out
    assert "forces integrate to the energies" in out
    assert "AlCu: no single point is off its neighbours" in out
    assert load_reference(stored).provenance.convergence.cutoff_eV == 700


def test_check_finds_what_is_wrong_with_a_stored_reference(symscape, tmp_path):
    write_plan(tmp_path, points=5)
    symscape("run", "AlCu.toml")
    stored = Path("references/AlCu-Cmcm/Al_y-Cu_y.json")
    assert symscape("check", stored)[0] == 0
    document = json.loads(stored.read_text())
    document["points"][12]["energy_eV"] += 0.4
    stored.write_text(json.dumps(document))
    code, out, _ = symscape("check", stored)
    assert code == 1
    assert "energy step (1, 2) along Al_y: +100.0 meV/atom" in out
    assert "point off its neighbours (2, 2)" in out


def test_an_unfinished_grid_is_stored_on_demand(symscape, tmp_path):
    path = write_plan(tmp_path, points=3)
    symscape("run", path)
    path.write_text(path.read_text().replace("points = 3", "points = 5"))
    code, out, _ = symscape("status", path.name)
    assert "started" in out
    assert "9/25" in out
    code, out, _ = symscape("run", path.name, "--finish")
    assert code == 0
    assert "9 of 25 points computed" in out
    reference = load_reference("references/AlCu-Cmcm/Al_y-Cu_y.json")
    assert reference.provenance.complete is False
    assert reference.valid.sum() == 9


def test_failed_points_are_named_with_their_reason(symscape, tmp_path):
    write_plan(tmp_path, "generate_factories:needs_care", options="below = 0.35, patience = 9")
    code, out, err = symscape("run", "AlCu.toml")
    assert code == 0
    assert "6 of 9 points computed, 3 failed" in out
    assert "point (0, 0): RuntimeError: the SCF did not converge" in err


def test_a_crystal_file_proposes_a_plan(symscape, tmp_path):
    crystal = load_plan(write_plan(tmp_path)).crystal
    write(tmp_path / "AlCu.cif", crystal.to_atoms())
    code, out, err = symscape("plan", "AlCu.cif")
    assert code == 0
    assert 'name = "Al_y"' in out
    assert "--write" in err
    code, out, _ = symscape("plan", "AlCu.cif", "--write", "plans/AlCu.toml", "--points", 7)
    assert code == 0
    assert "49, of which" in out
    assert load_plan("plans/AlCu.toml").slice.shape == (7, 7)


def test_relax_prints_the_crystal(symscape, tmp_path):
    write_plan(tmp_path, more="[relax]\ncell = false\nforce_eV_A = 0.05")
    code, out, _ = symscape("relax", "AlCu.toml")
    assert code == 0
    assert "a = 2.9, b = 8.2, c = 4, Al_y = " in out


def test_import_stores_a_reference_with_its_provenance(symscape, tmp_path):
    path = write_plan(tmp_path)
    text = path.read_text()
    path.write_text(text[: text.index("[engine]")] + '[engine]\nname = "import"')
    images = []
    for atoms in load_plan(path).slice.structures():
        atoms.calc = EMT()
        results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
        atoms.calc = SinglePointCalculator(atoms, **results)
        images.append(atoms)
    write(tmp_path / "grid.extxyz", images)
    words = ["import", "AlCu.toml", "grid.extxyz", "--source", "doi:10.0/none"]
    code, _, err = symscape(*words)
    assert code == 2
    assert "name the code that computed the imported energies" in err
    code, _, err = symscape(
        *words, "--code", "VASP", "--licence", "CC0-1.0", "--citation", "A. Author (2024)"
    )
    assert code == 0
    assert "9 points are new, 0 were known, 0 are missing" in err
    reference = load_reference("references/AlCu-Cmcm/Al_y-Cu_y.json")
    assert encode(reference.method) == {"code": "VASP", "functional": "EMT"}
    assert reference.provenance.licence == "CC0-1.0"
    assert reference.provenance.source == "doi:10.0/none"
    assert reference.provenance.citations == ("A. Author (2024)",)
    assert symscape("run", "AlCu.toml")[0] == 0  # nothing is left to compute


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run", "absent.toml"], "absent.toml: there is no such plan; check the path."),
        (["plan", "absent.cif"], "absent.cif: there is no such file"),
        (["check", "absent.json"], "absent.json: there is no such reference file."),
        (["status"], "there are no plans; name some."),
        (["run", "AlCu.toml", "--finish"], "no point has been computed yet"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_two(symscape, tmp_path, words, sentence):
    write_plan(tmp_path)
    code, _, err = symscape(*words)
    assert code == 2
    assert sentence in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_status_leaves_lists_of_crystals_and_curves_out(symscape, tmp_path):
    folder = tmp_path / "references" / "plans"
    folder.mkdir(parents=True)
    write_plan(folder)
    (folder / "crystals.toml").write_text('[[crystal]]\nid = "Mg"\n')
    (folder / "curves.toml").write_text('[[group]]\ncrystals = ["Mg-FCC"]\n')
    code, out, err = symscape("status")
    assert (code, err) == (0, "")
    assert "AlCu" in out
    assert "unreadable" not in out
    (folder / "torn.toml").write_text("[[crystal]\n")
    code, out, err = symscape("status")
    assert code == 1
    assert "torn.toml: not valid TOML" in err


def test_status_goes_on_after_a_plan_that_can_not_be_read(symscape, tmp_path):
    write_plan(tmp_path)
    (tmp_path / "broken.toml").write_text("material = 3 =")
    code, out, err = symscape("status", "broken.toml", "AlCu.toml")
    assert code == 1
    assert "unreadable" in out
    assert "broken.toml: not valid TOML" in err
    assert "not started" in out
