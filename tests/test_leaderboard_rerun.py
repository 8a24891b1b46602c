"""A spot check by the model itself finds energies that are not the model's."""

from __future__ import annotations

import math
from dataclasses import replace

import leaderboard_library as make
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_runs import CARD, stating
from typer.testing import CliRunner

from symscape.cli import app
from symscape.errors import ResultsFileError
from symscape.leaderboard.answers import Answers, judge_again
from symscape.leaderboard.curves import curve_answers, lowest_prototypes, stated_curves
from symscape.leaderboard.provenance import (
    Provenance,
    SpotCheck,
    load_provenance,
    save_provenance,
)
from symscape.leaderboard.recompute import stated_answers
from symscape.leaderboard.rerun import RERUN_AGREEMENT, rerun
from symscape.leaderboard.rerun_curves import curve_differences
from symscape.models.ase import ASEModel
from symscape.models.card import ModelCard
from symscape.models.evaluate import Evaluator
from symscape.questions.records import plain_case
from symscape.science.equation_of_state import model_curves
from symscape.science.equation_of_state.model_curves import sample_curves
from symscape.science.hull.phases import formation_energies
from symscape.science.landscape.slice_energies import evaluate_slice
from symscape.verdict.tolerances import load_tolerances


def pair_potential():
    """A cheap model that knows every element."""
    return ASEModel(ModelCard("pair", "ase", "symscape.bulk.pair:PairPotential"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("library")


@pytest.fixture(scope="module")
def library(folder):
    return make.small_library(folder)


@pytest.fixture(scope="module")
def honest(library):
    """The run of a pair potential, its energies as it gives them."""
    grids = {
        key: evaluate_slice(pair_potential(), r.slice, r.valid).energies
        for key, r in library.by_slice.items()
    }
    run = make.whole_run(library)
    crystals = library.crystals.structures
    energies = pair_potential().energies(crystals) / crystals.n_atoms
    formation = formation_energies(library.described.assign(energy=energies))
    fitted = sample_curves(Evaluator(pair_potential()), library.equations).fitted
    answers = Answers(
        CARD,
        grids,
        dict(zip(library.described["id"], formation, strict=True)),
        {},
        curve_answers(fitted, library.equations),
    )
    again = judge_again(answers, library, load_tolerances("default"), run.model.name)
    return replace(run, cases=tuple(again.values()))


def with_detail(run, question, name, change):
    """The run with the rows of a question's detail changed by a function of each record."""
    cases = []
    for case in run.cases:
        if case.question == question:
            rows = plain_case(case)["detail"][name]
            for row in rows:
                change(row)
            case = stating(case, **{name: rows})
        cases.append(case)
    return replace(run, cases=tuple(cases))


def with_energies(run, change):
    """The run with the grids of its energies changed by a function of an array."""
    cases = tuple(
        case if case.energies is None else replace(case, energies=_nested(change, case.energies))
        for case in run.cases
    )
    return replace(run, cases=cases)


def _nested(change, energies):
    changed = change(np.array(energies, dtype=float))
    return [[float(e) if np.isfinite(e) else None for e in row] for row in changed]


@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.01, 1.0))
@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow])
def test_an_honest_run_agrees_at_any_points(library, honest, seed, share):
    found = rerun(honest, library, pair_potential(), share=share, seed=seed)
    assert found.problems == ()
    points = sum(int(r.valid.sum()) for r in library.references)
    assert share * points <= found.n_points <= share * points + len(library.references)


@given(seed=st.integers(0, 2**32 - 1), off=st.floats(1.1, 1e3) | st.floats(-1e3, -1.1))
@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow])
def test_energies_that_are_all_off_are_found_at_any_points(library, honest, seed, off):
    moved = with_energies(honest, lambda e: e + off * RERUN_AGREEMENT / 1000)
    found = rerun(moved, library, pair_potential(), share=0.01, seed=seed)
    assert len(found.problems) == len(library.references)


def test_one_edited_point_is_found_where_all_are_asked_and_named(library, honest):
    def edit(energies):
        energies[3, 4] += 0.002
        return energies

    found = rerun(with_energies(honest, edit), library, pair_potential(), share=1.0, seed=1)
    assert len(found.problems) == len(library.references)
    assert all("at 1 of " in text and "(3, 4)" in text for text in found.problems)


def test_points_that_a_file_leaves_out_are_found(library, honest):
    def leave_out(energies):
        energies[:] = np.nan
        return energies

    found = rerun(with_energies(honest, leave_out), library, pair_potential(), share=0.1, seed=1)
    assert len(found.problems) == len(library.references)
    assert "nan" in found.problems[0]


@pytest.mark.parametrize("kind", ["crystals", "shapes", "minima", "differences"])
@given(seed=st.integers(0, 2**32 - 1), factor=st.sampled_from((0.7, 1.4)))
@settings(deadline=None, max_examples=4, suppress_health_check=[HealthCheck.too_slow])
def test_answers_about_crystals_that_are_not_the_models_are_found(
    library, honest, kind, seed, factor
):
    def formation(row):
        row["formation_model"] += 10 * factor

    def shape(row):
        if row["model"]["bulk_modulus"] is not None:
            row["model"]["bulk_modulus"] *= factor

    def no_minimum(row):
        found = row["model"]["volume"] is not None
        row["model"]["volume"] = None if found else 10.0
        row["model"]["bulk_modulus"] = None if found else 1.0

    def difference(row):
        row["model"] = 5.0 if row["model"] is None else factor * row["model"] + 5.0

    edits = {
        "crystals": ("hull", "crystals", formation, "formation energ"),
        "shapes": ("equation_of_state", "curves", shape, "equation of state of"),
        "minima": ("equation_of_state", "curves", no_minimum, "equation of state of"),
        "differences": ("prototype_differences", "differences", difference, "lowest prototype"),
    }
    question, name, edit, said = edits[kind]
    lied = with_detail(honest, question, name, edit)
    found = rerun(lied, library, pair_potential(), share=1.0, seed=seed)
    assert any(said in problem for problem in found.problems), found.problems
    assert len(found.problems) < found.n_drawn


def test_a_part_of_crystals_and_curves_is_drawn(library, honest):
    found = rerun(honest, library, pair_potential(), share=0.3, seed=5)
    assert found.n_crystals == math.ceil(0.3 * len(library.described))
    assert found.n_curves == math.ceil(0.3 * len(library.equations))
    again = rerun(honest, library, pair_potential(), share=0.3, seed=5)
    assert again == found


def test_a_spot_check_is_recorded_and_shown_until_the_run_is_another(honest, tmp_path):
    check = SpotCheck("somebody", "2026-11-29", 0.05, 7, 100, honest.started, True)
    save_provenance(tmp_path, {"pair": Provenance("a group", check)})
    known = load_provenance(tmp_path)["pair"]
    assert known.check_of(honest) == check
    assert known.check_of(replace(honest, started="2026-11-30T00:00:00+00:00")) is None
    (tmp_path / "provenance.json").write_text("{}")
    with pytest.raises(ResultsFileError, match="restore the file"):
        load_provenance(tmp_path)


def test_command(honest, library, folder, tmp_path, monkeypatch):
    import symscape

    monkeypatch.setattr(symscape, "model", lambda *_, **__: pair_potential())
    path = make.save(tmp_path, honest)
    typed = ["validate", str(path), "--references", str(folder), "--rerun", "0.1"]
    ran = CliRunner().invoke(app, [*typed, "--mlip", "pair"])
    assert ran.exit_code == 0, ran.output
    assert "equations of state, 0 relaxations, 0 whole cases, --seed " in ran.output
    board = tmp_path / "board"
    ran = CliRunner().invoke(
        app, [*typed, "--mlip", "pair", "--by", "keeper", "--board", str(board)]
    )
    assert ran.exit_code == 0, ran.output
    check = load_provenance(board)[honest.model.name].check_of(honest)
    assert (check.by, check.share, check.agreed) == ("keeper", 0.1, True)
    lied = make.save(tmp_path, with_energies(honest, lambda e: e + 0.01))
    ran = CliRunner().invoke(app, [*typed[:1], str(lied), *typed[2:], "--mlip", "pair"])
    assert ran.exit_code == 1
    assert "the model's energy is not the file's" in ran.output
    assert CliRunner().invoke(app, typed).exit_code == 1
    assert CliRunner().invoke(app, [*typed[:-1], "2", "--mlip", "pair"]).exit_code == 1


@pytest.mark.parametrize(("modulus", "named"), [(1e-6, False), (0.5, True)])
def test_whether_a_flat_curve_has_a_minimum_is_left_to_rounding(
    library, honest, monkeypatch, modulus, named
):
    """Of the element's lowest prototype, too, from which differences are stated."""
    answers, equations = stated_answers(honest, library), library.equations
    shapes = stated_curves(answers.curves, equations)
    lowest = lowest_prototypes(equations)
    pairs = zip(equations.elements, equations.names, strict=True)
    zeros = np.array([name == lowest.get(int(element)) for element, name in pairs])
    shapes.volume[zeros], shapes.bulk_modulus[zeros] = np.nan, np.nan
    stated = curve_answers(replace(shapes, energy=np.zeros(len(equations))), equations)
    again = replace(shapes, volume=np.where(zeros, 20.0, shapes.volume))
    again = replace(again, bulk_modulus=np.where(zeros, modulus, shapes.bulk_modulus))
    again = replace(again, energy=np.zeros(len(equations)))
    sampled = type("Sampled", (), {"fitted": again})
    monkeypatch.setattr(model_curves, "sample_curves", lambda potential, asked: sampled)
    everything = np.arange(len(equations))
    found = list(curve_differences(stated, equations, None, everything, RERUN_AGREEMENT))
    assert bool(found) == named, found
