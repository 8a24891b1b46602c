"""``symscape validate``: what a file is, what is wrong with it, whether a submission is whole."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from report_runs import CARD, mixed_run
from toys import toy_document
from typer.testing import CliRunner

from symscape.cli import app
from symscape.leaderboard.library import asked_questions
from symscape.leaderboard.submission import _as_read
from symscape.models.registry import load_cards
from symscape.questions.case import CaseResult
from symscape.questions.energies import judge_energies
from symscape.questions.minima import judge_minima
from symscape.questions.smoothness import grid_metrics, grid_smoothness
from symscape.references.landscape_files import load_reference
from symscape.references.library import find_references
from symscape.references.schema import dump_document
from symscape.results.files import save_results
from symscape.results.run_results import RunResults, summarize_reference
from symscape.science.landscape.forces import axis_forces
from symscape.verdict.tolerances import load_tolerances

ROOT = Path(__file__).parents[1]
REGISTRY = ROOT / "src" / "symscape" / "models" / "registry.toml"
MODEL_CARD = """
["{name}"]
family = "ase"
checkpoint = "made.here:calculator"
description = "A model of the tests."
level_of_theory = "{theory}"
training_sets = ["double wells"]
reference = "Nobody et al., arXiv:2601.00001"
licence = "MIT"
"""


def validate(*arguments):
    outcome = CliRunner().invoke(app, ["validate", *map(str, arguments)])
    assert outcome.exception is None or isinstance(outcome.exception, SystemExit), outcome.exception
    return outcome


def only_problem(outcome):
    assert outcome.exit_code == 1
    (line,) = outcome.stderr.splitlines()
    return line


# -- what a file is -------------------------------------------------------------------------------


def test_files_of_the_project_are_in_order():
    references = [entry.path for entry in find_references([ROOT / "references"])][:2]
    profiles = sorted((ROOT / "src" / "symscape" / "verdict" / "profiles").glob("*.toml"))
    plans = sorted((ROOT / "references" / "plans").glob("*.toml"))
    files = [REGISTRY, *references, *profiles, *plans]
    outcome = validate(*files)
    assert outcome.exit_code == 0, outcome.stderr
    lines = outcome.stdout.splitlines()
    assert len(lines) == len(files)
    assert all(line.startswith("ok: ") for line in lines)
    assert f"ok: {references[0]}: reference {references[0].parent.name}-" in outcome.stdout
    assert "cards of " in lines[0]


def test_results_are_counted(tmp_path):
    path = save_results(tmp_path / "results.json", mixed_run())
    outcome = validate(path)
    assert outcome.stdout == f"ok: {path}: results of soft, 5 cases on 3 slices\n"


BROKEN = {
    "torn.json": ('{"schema": "symscape-results/1"', "not valid JSON"),
    "list.json": ("[1, 2]", "neither a results file nor a reference"),
    "other.json": ('{"schema": "else/1"}', "neither a results file nor a reference"),
    "short.json": ('{"schema": "symscape-results/1"}', "field 'model' is missing"),
    "grid.json": ('{"schema": "symscape-landscape/1"}', "field 'material' is missing"),
    "torn.toml": ("[energies\n", "not valid TOML"),
    "metric.toml": ("[energies]\nmaee = 3\n", "did you mean 'mae'"),
    "field.toml": ('["m"]\nfamily = "ase"\nlevel_of_teory = "PBE"\n', "level_of_theory"),
    "number.toml": (
        '["m"]\nfamily = "ase"\nlevel_of_theory = 7\n',
        "'level_of_theory' is not a string",
    ),
    "family.toml": ('["m"]\nfamily = "chgnett"\n', "did you mean chgnet"),
    "flat.toml": ('family = "ase"\n', "is no table"),
    "plan.toml": ('[crystal]\nfile = "x.cif"\n', "plan.toml"),
    "else.toml": ("[tool]\nx = 1\n", "neither model cards"),
    "empty.toml": ("", "neither model cards"),
    "words.txt": ("hello", "neither JSON nor TOML"),
    "latin.json": (b'{"schema": "\xe9"}', "can't be read"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_sentence_for_each_problem(tmp_path, name):
    content, expected = BROKEN[name]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    line = only_problem(validate(path))
    assert line.startswith(str(path))
    assert expected in line
    assert line.endswith((".", "?"))


def test_missing_file_and_folder_are_said(tmp_path):
    assert "no such file" in only_problem(validate(tmp_path / "nowhere.json"))
    assert "this is a folder" in only_problem(validate(tmp_path))


@pytest.mark.parametrize(
    "line,lacking",
    [
        ('description = "A model of the tests."\n', "description"),
        ('level_of_theory = "PBE"\n', "level_of_theory"),
        ('training_sets = ["double wells"]\n', "training_sets"),
        (', arXiv:2601.00001"', "reference"),
        ('licence = "MIT"\n', "licence"),
    ],
)
def test_card_must_say_what_the_registry_wants(tmp_path, line, lacking):
    text = MODEL_CARD.format(name="mine", theory="PBE")
    path = tmp_path / "card.toml"
    path.write_text(text)
    assert validate(path).exit_code == 0
    assert line in text
    path.write_text(text.replace(line, '"' if line.endswith('"') else ""))
    assert f"has no usable {lacking}" in only_problem(validate(path))


def test_sound_files_are_named_beside_broken_ones(tmp_path):
    good = save_results(tmp_path / "results.json", mixed_run())
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    outcome = validate(bad, good)
    assert outcome.exit_code == 1
    assert outcome.stdout.startswith(f"ok: {good}")
    assert outcome.stderr.startswith(str(bad))


# -- submissions ----------------------------------------------------------------------------------


@pytest.fixture
def library(tmp_path):
    """A reference with forces and without saddles."""
    path = tmp_path / "references" / "AlCu-Cmcm" / "Al_y-Cu_y.json"
    path.parent.mkdir(parents=True)
    path.write_text(dump_document(toy_document(points=5)))
    return path


def whole_run(path, name="mine", **changes):
    """Every question answered that the leaderboard asks of the toy."""
    reference = load_reference(path)
    names = {"model": name, "fingerprint": "f"}
    tolerances, model = load_tolerances("default"), np.round(0.9 * reference.energies, 6)
    energies = judge_energies(reference, model, tolerances, **names)
    minima = judge_minima(reference, model, tolerances, **names)
    smooth = grid_smoothness(reference, model, tolerances, model=name)
    others = [
        CaseResult(question, name, reference.material, reference.slice.name, "passed")
        for question in ("forces", "invariance", "conservative_forces")
    ]
    others += [
        minima,
        CaseResult("smoothness", name, reference.material, reference.slice.name, "passed", (),
                   grid_metrics(smooth)),
    ]  # fmt: skip
    card = replace(CARD, name=name, checkpoint="made.here:calculator")
    run = RunResults(
        model=card,
        fingerprint="f",
        cases=(energies, *others),
        references=(summarize_reference(reference),),
        versions={"symscape": metadata.version("symscape")},
        started="2026-11-21T07:40:12+00:00",
        wall_seconds=1.0,
        tolerances="default",
    )
    return replace(run, **changes)


def submit(tmp_path, run, *, card=None, name=None):
    results = save_results(tmp_path / (name or f"{run.model.name}.json"), run)
    path = tmp_path / "card.toml"
    path.write_text(card or MODEL_CARD.format(name="mine", theory="PBE"))
    folder = tmp_path / "references"
    board = ("--board", tmp_path / "no-board")
    return validate("--submission", "--references", folder, *board, results, path)


def test_questions_are_those_that_dft_gives_occasion_for(library):
    reference = load_reference(library)
    # EMT has one minimum here, and forces everywhere
    forces = axis_forces(reference.slice, reference.forces)
    assert np.isfinite(forces.along).any()
    assert asked_questions(reference) == [
        "energies",
        "minima",
        "forces",
        "smoothness",
        "invariance",
        "conservative_forces",
    ]
    without = replace(reference, forces=np.full_like(reference.forces, np.nan))
    assert "forces" not in asked_questions(without)


def test_real_reference_with_two_wells_is_asked_for_saddles():
    path = ROOT / "references" / "PbTiO3-P4mm" / "Ti_z-O_z.json"
    assert "saddles" in asked_questions(load_reference(path))


def test_whole_submission_is_accepted(tmp_path, library):
    outcome = submit(tmp_path, whole_run(library))
    assert outcome.exit_code == 0, outcome.stderr
    assert len(outcome.stdout.splitlines()) == 2


def without(run, question):
    return replace(run, cases=tuple(c for c in run.cases if c.question != question))


def test_what_was_left_out_is_named(tmp_path, library):
    line = only_problem(submit(tmp_path, without(whole_run(library), "minima")))
    assert "it lacks minima of AlCu-Cmcm-Al_y-Cu_y" in line


def test_model_without_forces_may_leave_them_out(tmp_path, library):
    run = without(without(whole_run(library), "forces"), "conservative_forces")
    assert submit(tmp_path, run).exit_code == 0


def other_reference(run, **changes):
    return replace(run, references=(replace(run.references[0], **changes),))


@pytest.mark.parametrize(
    "change,expected",
    [
        (
            lambda r: other_reference(r, digest="0" * 64),
            "judged by another version of the reference AlCu-Cmcm",
        ),
        (lambda r: replace(r, tolerances="mine.toml"), "tolerances of its own"),
        (lambda r: replace(r, versions={"symscape": "0.0.1"}), "made by symscape 0.0.1"),
        (
            lambda r: replace(r, model=replace(r.model, level_of_theory="r2SCAN")),
            "level_of_theory is 'r2SCAN' in the results, but 'PBE' on the card",
        ),
        (
            lambda r: replace(r, model=replace(r.model, checkpoint="elsewhere:calculator")),
            "checkpoint is 'elsewhere:calculator' in the results",
        ),
    ],
)
def test_run_that_does_not_fit_is_refused(tmp_path, library, change, expected):
    assert expected in only_problem(submit(tmp_path, change(whole_run(library))))


def test_run_on_other_slices_is_refused(tmp_path, library):
    run = whole_run(library)
    moved = replace(
        other_reference(run, material="Else-P1"),
        cases=tuple(replace(c, material="Else-P1") for c in run.cases),
    )
    lines = submit(tmp_path, moved).stderr.splitlines()
    assert any("not run on AlCu-Cmcm-Al_y-Cu_y" in line for line in lines)
    assert any("which the library does not hold" in line for line in lines)


def test_submission_needs_card_results_and_the_right_name(tmp_path, library):
    run = whole_run(library, name="nobody-knows")
    assert "no card is called 'nobody-knows'" in only_problem(submit(tmp_path, run))
    assert "call the file mine.json" in only_problem(
        submit(tmp_path, whole_run(library), name="yours.json")
    )
    outcome = validate("--submission", REGISTRY)
    assert "needs the results file" in outcome.stderr


@pytest.mark.parametrize("name", ["7net-O", "7NET_0", "CHGNet", "dlep", "nequix-mp-l"])
def test_a_name_that_reads_like_another_is_refused(tmp_path, library, name):
    card = MODEL_CARD.format(name=name, theory="PBE")
    problem = only_problem(submit(tmp_path, whole_run(library, name=name), card=card))
    assert f"{name!r} reads like" in problem


def test_no_two_registered_names_read_alike():
    cards = load_cards()
    assert len({_as_read(name) for name in cards}) == len(cards)


def test_registered_card_is_found_without_being_named(tmp_path, library):
    run = whole_run(library, name="chgnet")
    path = save_results(tmp_path / "chgnet.json", run)
    outcome = validate("--submission", "--references", tmp_path / "references", path)
    assert outcome.exit_code == 1
    assert "family is 'ase' in the results, but 'chgnet' on the card" in outcome.stderr


def test_unreadable_library_is_one_sentence(tmp_path, library):
    path = save_results(tmp_path / "mine.json", whole_run(library))
    document = json.loads(library.read_text())
    library.write_text(json.dumps({**document, "material": "Else"}))
    outcome = CliRunner().invoke(
        app, ["validate", "--submission", "--references", str(tmp_path / "references"), str(path)]
    )
    assert outcome.exit_code != 0
    assert "material is 'Else'" in str(outcome.exception)
