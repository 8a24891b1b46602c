"""A run of what the library has gained is added to what the leaderboard has of the same weights."""

from __future__ import annotations

from dataclasses import replace

import leaderboard_library as make
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from symscape.cli import app
from symscape.leaderboard.joining import can_join, joined
from symscape.leaderboard.library import asked_of
from symscape.models import registry
from symscape.results.files import load_results


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("library")


@pytest.fixture(scope="module")
def library(folder):
    return make.small_library(folder)


@pytest.fixture(scope="module")
def whole(library):
    return make.whole_run(library, "good", 0.9)


def part(run, chosen):
    """The cases of some materials, and the slices that these need."""
    return replace(
        run,
        cases=tuple(c for c in run.cases if c.material in chosen),
        references=tuple(r for r in run.references if r.material in chosen),
    )


@given(st.data())
@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow])
def test_parts_make_the_whole_whichever_they_are(library, whole, data):
    materials = sorted({case.material for case in whole.cases})
    first = data.draw(st.sets(st.sampled_from(materials), min_size=1))
    both = data.draw(st.sets(st.sampled_from(materials)))
    second = (set(materials) - first) | both
    found = joined(part(whole, first), part(whole, second), library)
    assert (found.cases, found.references) == (whole.cases, whole.references)


def test_the_newer_of_two_answers_stays_and_what_is_gone_goes(library, whole):
    case = next(c for c in whole.cases if c.energies is not None)
    key = (case.material, case.slice)
    old = tuple(
        replace(r, digest="0" * 64) if (r.material, r.slice) == key else r for r in whole.references
    )
    others = {c.material for c in whole.cases} - {case.material}
    newer = part(whole, {max(others)})
    found = joined(replace(whole, references=old), newer, library)
    assert key not in {(c.material, c.slice) for c in found.cases}
    assert key not in {(r.material, r.slice) for r in found.references}
    slower = replace(whole, cases=tuple(replace(c, seconds=9.0) for c in whole.cases))
    found = joined(whole, slower, library)
    assert {c.seconds for c in found.cases} == {9.0}


def test_other_weights_tolerances_or_suites_are_not_joined(whole):
    assert can_join(whole, whole)
    for other in (
        replace(whole, fingerprint="another"),
        replace(whole, fingerprint=""),
        replace(whole, tolerances="strict"),
        replace(whole, versions={"symscape": "9.9"}),
        replace(whole, model=replace(whole.model, options={"modality": "R2SCAN"})),
    ):
        assert not can_join(whole, other)


@pytest.mark.parametrize("name", sorted(registry.load_cards()))
def test_a_copy_of_the_weights_is_joined(whole, name):
    card = registry.load_cards()[name]
    stored = replace(whole, model=card)
    newer = replace(whole, model=registry.copied_card(card, "elsewhere/weights.pth"))
    assert can_join(stored, newer)
    assert can_join(newer, stored)
    assert not can_join(stored, replace(newer, fingerprint="another"))
    assert not can_join(stored, replace(newer, model=replace(newer.model, hubbard_u="else")))


def test_command_files_new_cases_alone(library, whole, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "load_cards", lambda: {"good": whole.model})
    materials = sorted({case.material for case in whole.cases})
    board = tmp_path / "board"
    (board / "results").mkdir(parents=True)
    make.save(board / "results", part(whole, materials[:-1]))
    new = make.save(tmp_path, part(whole, materials[-1:]))
    typed = ["leaderboard", "add", str(new), "-o", str(board), "--references", str(folder)]
    ran = CliRunner().invoke(app, [*typed, "--by", "a group"])
    assert ran.exit_code == 0, ran.output
    filed = load_results(board / "results" / "good.json")
    assert {asked_of(c) for c in filed.cases} == {asked_of(c) for c in whole.cases}
    assert "a group" in (board / "leaderboard.csv").read_text(encoding="utf-8")
    page = (board / "models" / "good.html").read_text(encoding="utf-8")
    assert "a group" in page
    assert "not yet" in page
