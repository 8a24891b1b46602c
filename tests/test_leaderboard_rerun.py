"""A spot check by the model itself finds energies that are not the model's."""

from __future__ import annotations

from dataclasses import replace

import leaderboard_library as make
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from symscape.cli import app
from symscape.landscape.evaluate import evaluate_slice
from symscape.leaderboard.answers import Answers, judge_again
from symscape.leaderboard.rerun import RERUN_AGREEMENT, rerun
from symscape.models.ase import ASEModel
from symscape.models.card import ModelCard
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
    answers = Answers("uncorrected", grids, {}, {})
    again = judge_again(answers, library, load_tolerances("default"), run.model.name)
    return replace(run, cases=tuple(again.values()))


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


def test_command(honest, library, folder, tmp_path, monkeypatch):
    import symscape

    monkeypatch.setattr(symscape, "model", lambda *_, **__: pair_potential())
    path = make.save(tmp_path, honest)
    typed = ["validate", str(path), "--references", str(folder), "--rerun", "0.1"]
    ran = CliRunner().invoke(app, [*typed, "--mlip", "pair"])
    assert ran.exit_code == 0, ran.output
    assert "energies, --seed " in ran.output
    lied = make.save(tmp_path, with_energies(honest, lambda e: e + 0.01))
    ran = CliRunner().invoke(app, [*typed[:1], str(lied), *typed[2:], "--mlip", "pair"])
    assert ran.exit_code == 1
    assert "the model's energy is not the file's" in ran.output
    assert CliRunner().invoke(app, typed).exit_code == 1
    assert CliRunner().invoke(app, [*typed[:-1], "2", "--mlip", "pair"]).exit_code == 1
