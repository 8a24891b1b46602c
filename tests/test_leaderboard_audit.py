"""Edited results files are refused or harmless, whatever is edited."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import leaderboard_library as make
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symscape.errors import ResultsFileError
from symscape.leaderboard import copies
from symscape.leaderboard.audit import audit, audit_all
from symscape.leaderboard.collect import load_board
from symscape.leaderboard.copies import copied_from
from symscape.leaderboard.library import Asked
from symscape.leaderboard.recompute import RECOMPUTED, recompute
from symscape.page.processes import FEWEST
from symscape.questions.case import CaseResult
from symscape.results.run_results import Selection

SLOW = settings(
    deadline=None,
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return make.small_library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def honest(library):
    return make.whole_run(library)


def edited(run, asked, **changes):
    cases = tuple(
        replace(c, **changes) if (c.question, c.material, c.slice) == asked else c
        for c in run.cases
    )
    return replace(run, cases=cases)


def problems(run, library):
    return "; ".join(audit(run, library).problems)


def test_a_run_of_a_part_does_not_contradict_itself(library, honest):
    """As of -k stability: a verdict on crystals, whose energies the hulls' cases hold."""
    cases = tuple(c for c in honest.cases if c.question == "stability")
    whole = replace(honest, cases=cases)
    assert recompute(whole, library).problems
    found = recompute(
        replace(whole, selection=Selection("-k stability", 1, len(honest.cases))), library
    )
    # nor does it count: nothing is believed that energies don't show
    assert (found.problems, found.run.cases) == ((), ())


# -- what follows from the energies ---------------------------------------------------------------


def test_an_honest_run_is_in_order_and_its_numbers_stay(library, honest, tmp_path):
    from symscape.results.files import load_results

    stored = load_results(make.save(tmp_path, honest))
    found = audit(stored, library)
    assert found.problems == ()
    before, after = make.cases_by(stored), make.cases_by(found.run)
    assert set(before) == set(after) == set(library.asked)
    assert {a.question for a in after} >= RECOMPUTED


def metric_places(run):
    """Every number of a recomputed question: its case, its window, its name."""
    for case in run.cases:
        if case.question not in RECOMPUTED:
            continue
        windows = case.windows.by_width if case.windows else {"": case.metrics}
        for window, metrics in windows.items():
            for name, value in metrics.items():
                if isinstance(value, int | float):
                    yield (case.question, case.material, case.slice), window, name


@SLOW
@given(st.data())
def test_any_metric_that_was_changed_is_named(library, honest, data):
    asked, window, name = data.draw(st.sampled_from(sorted(metric_places(honest))))
    case = make.cases_by(honest)[Asked(*asked)]
    own = dict(case.windows.by_width[window] if window else case.metrics)
    old = own[name]
    new = data.draw(st.floats(-1e3, 1e3).filter(lambda x: not abs(x - old) <= 0.02) | st.none())
    if new is None:
        del own[name]
    else:
        own[name] = new
    changes = {"metrics": own}
    if window:
        by_width = {**case.windows.by_width, window: own}
        changes = {"windows": replace(case.windows, by_width=by_width)}
    found = recompute(edited(honest, asked, **changes), library)
    assert any(name in problem for problem in found.problems)
    again = make.cases_by(found.run)[Asked(*asked)]
    again = again.windows.by_width[window] if window else again.metrics
    assert again[name] == pytest.approx(old, abs=0.01, nan_ok=True)


@SLOW
@given(st.data())
def test_energies_that_were_changed_contradict_the_metrics(library, honest, data):
    """Points that are lowered or raised, or left out: the metrics no longer follow."""
    grids = [c for c in honest.cases if c.energies is not None]
    case = data.draw(st.sampled_from(grids))
    reference = library.by_slice[case.material, case.slice]
    near = np.argwhere(reference.valid & (reference.relative < 0.5) & (reference.relative > 0.01))
    row, column = near[data.draw(st.integers(0, len(near) - 1))]
    energies = copy.deepcopy(case.energies)
    shift = data.draw(st.none() | st.floats(0.05, 1.0).map(lambda x: -x) | st.floats(0.05, 1.0))
    energies[row][column] = None if shift is None else energies[row][column] + shift
    run = edited(honest, (case.question, case.material, case.slice), energies=energies)
    found = recompute(run, library)
    assert found.problems
    if shift is None:
        # who keeps quiet about the problems wins nothing either: the point is missed
        assert make.cases_by(found.run)[Asked("energies", case.material, case.slice)]


@SLOW
@given(st.data())
def test_a_crystal_has_one_energy_and_the_metrics_follow(library, honest, data):
    hulls = [c for c in honest.cases if c.question in ("hull", "underprediction")]
    case = data.draw(st.sampled_from(hulls))
    rows = list(case.detail.crystals)
    k = data.draw(st.integers(0, len(rows) - 1))
    other = rows[k].formation_model + data.draw(st.sampled_from((-40.0, 40.0, math.nan)))
    rows[k] = replace(rows[k], formation_model=other)
    detail = replace(case.detail, crystals=tuple(rows))
    asked = (case.question, case.material, case.slice)
    assert recompute(edited(honest, asked, detail=detail), library).problems


def test_statuses_and_checks_are_not_read(library, honest):
    cases = tuple(replace(c, status="passed", checks=()) for c in honest.cases)
    other = tuple(replace(c, status="failed", checks=()) for c in honest.cases)
    one, two = (recompute(replace(honest, cases=c), library).run for c in (cases, other))
    for first, second in zip(one.cases, two.cases, strict=True):
        if first.question in RECOMPUTED:
            assert first.status == second.status


def test_verdicts_without_energies_are_gone(library, honest):
    asked = next(c for c in honest.cases if c.energies is not None)
    run = edited(honest, (asked.question, asked.material, asked.slice), energies=None)
    found = recompute(run, library)
    assert any("without the energies" in p for p in found.problems)
    left = {c.question for c in found.run.cases if c.material == asked.material}
    assert not left & {"energies", "minima", "saddles"}


# -- what a run may be about ----------------------------------------------------------------------


def invented(run, n=60):
    """Sixty chemical systems without error that nobody else was asked."""
    cases = tuple(
        CaseResult("hull", run.model.name, f"Xx-Y{k}", "hull", "passed", (),
                   {"formation_mae": 0.0, "above_hull_mae": 0.0}, fingerprint=run.fingerprint)
        for k in range(n)
    )  # fmt: skip
    return replace(run, cases=(*run.cases, *cases))


def saddle_where_none_is(run):
    """AlN has one minimum and so no saddle."""
    saddle = next(c for c in run.cases if c.question == "saddles")
    other = next(c for c in run.cases if c.material.startswith("AlN"))
    return replace(
        run, cases=(*run.cases, replace(saddle, material=other.material, slice=other.slice))
    )


def other_grid(run):
    """The model's own energies in the place of DFT's."""
    case = next(c for c in run.cases if c.energies is not None)
    references = tuple(
        replace(r, energies=tuple(map(tuple, case.energies)))
        if (r.material, r.slice) == (case.material, case.slice)
        else r
        for r in run.references
    )
    return replace(run, references=references)


def first_reference(run, **changes):
    return replace(run, references=(replace(run.references[0], **changes), *run.references[1:]))


def mixed_weights(run):
    return replace(run, cases=(replace(run.cases[0], fingerprint="another"), *run.cases[1:]))


def other_crystals(run):
    cases = tuple(
        replace(c, notes=replace(c.notes, digest="0" * 64)) if c.question == "hull" else c
        for c in run.cases
    )
    return replace(run, cases=cases)


EDITS = {
    "another version of the suite": (
        lambda r: replace(r, versions={"symscape": "9.9"}), "made by symscape 9.9"),
    "a day to come": (lambda r: replace(r, started="2099-01-01T00:00:00"), "a day to come"),
    "another digest": (lambda r: first_reference(r, digest="0" * 64), "another version of the"),
    "another level of theory": (
        lambda r: first_reference(r, level_of_theory="r2SCAN"), "says other things of"),
    "another minimum": (lambda r: first_reference(r, minimum=(0, 0)), "says other things of"),
    "the model's grid as DFT's": (other_grid, "says other things of"),
    "other crystals": (other_crystals, "another version of the crystals"),
    "invented systems": (invented, "what the library does not ask"),
    "a saddle where DFT has none": (saddle_where_none_is, "what the library does not ask"),
    "cases of other weights": (mixed_weights, "cases of other weights"),
    "no weights stated": (lambda r: replace(r, fingerprint=""), "cases of other weights"),
    "tolerances of its own": (lambda r: replace(r, tolerances="x.toml"), "tolerances of its own"),
}  # fmt: skip


@pytest.mark.parametrize("kind", EDITS)
def test_edited_runs_are_refused(library, honest, kind):
    edit, expected = EDITS[kind]
    assert expected in problems(edit(honest), library)


def test_dft_is_no_model(library):
    assert "DFT's own" in problems(make.whole_run(library, "perfect", 1.0), library)


#: kinds of numbers in a run, and what a copy of them is said to be
COPIES = ("energies", "formation energies", "bulk moduli", "differences between prototypes")


def evidence(seed=0, noise=0.0, scale=1.0):
    """Numbers of all kinds that scatter as those of models do, times a factor, with noise."""
    draw, rng = np.random.default_rng(1), np.random.default_rng([2, seed])

    def values(spread, near):
        own = spread * draw.normal(size=40)
        return dict(enumerate(scale * own + noise * near * rng.normal(size=40)))

    grids = {
        ("A", f"s{k}"): scale * 0.1 * draw.normal(size=(9, 9))
        + 1e-3 * noise * rng.normal(size=(9, 9))
        for k in range(9)
    }
    moduli = {k: v + scale * 100.0 for k, v in values(20.0, 1.0).items()}
    return copies.Evidence(
        grids,
        {
            copies.FORMATION: values(100.0, 1.0),
            copies.MODULI: moduli,
            copies.DIFFERENCES: values(100.0, 1.0),
        },
    )


@SLOW
@given(noise=st.floats(0.0, 1.5), seed=st.integers(0, 99))
def test_copies_are_recognized_through_noise(noise, seed):
    own, theirs = evidence(seed, noise), evidence()
    found = [what for what, _ in copies.same_numbers(own, theirs)]
    assert [what.partition(" on ")[0] for what in found] == list(COPIES)


@SLOW
@given(scale=st.floats(0.3, 0.9))
def test_models_of_one_kind_are_not_copies(scale):
    assert not list(copies.same_numbers(evidence(scale=scale), evidence()))


def test_dfts_crystals_under_other_grids_are_recognized(library, honest, monkeypatch):
    """Grids of one's own, but the formation energies of DFT: most of the weight of crystals."""
    monkeypatch.setattr(copies, "_FEWEST", 3)
    assert not list(copies.dft_copied(honest, library))
    perfect = make.whole_run(library, "perfect", 1.0)
    about = ("hull", "underprediction")
    cases = [c for c in honest.cases if c.question not in about]
    cases += [c for c in perfect.cases if c.question in about]
    (found,) = copies.dft_copied(replace(honest, cases=tuple(cases)), library)
    assert found.startswith("its formation energies are DFT's own")


@pytest.mark.parametrize("part", ["fingerprint", "one grid"])
def test_numbers_of_another_model_are_recognized(library, honest, part):
    stolen = make.whole_run(library, "stolen", 0.6)
    assert copied_from(stolen, [honest]) == ""
    if part == "fingerprint":
        stolen = replace(stolen, fingerprint=honest.fingerprint)
        assert "same weights" in copied_from(stolen, [honest])
        return
    theirs = next(c for c in honest.cases if c.energies is not None)
    shifted = [[None if e is None else e + 3.0 for e in row] for row in theirs.energies]
    stolen = edited(stolen, (theirs.question, theirs.material, theirs.slice), energies=shifted)
    assert "are those of soft" in copied_from(stolen, [honest])


# -- on the board ---------------------------------------------------------------------------------


def test_a_board_refuses_what_does_not_follow_and_can_set_it_apart(library, honest, tmp_path):
    good = make.save(tmp_path, make.whole_run(library, "good", 0.9))
    bad = make.save(tmp_path, invented(honest))
    with pytest.raises(ResultsFileError, match="does not ask"):
        load_board([good, bad], library)
    board = load_board([good, bad], library, separate=True)
    assert [e.name for e in board.entries] == ["good"]
    assert "does not ask" in board.asides[0].reason


@pytest.mark.parametrize("separate", [False, True])
def test_a_run_on_other_data_is_told_how_it_can_be_ranked(honest, library, tmp_path, separate):
    """As the results of `symscape hull run` on a data set of one's own are."""
    path = make.save(tmp_path, invented(honest))
    with pytest.raises(ResultsFileError, match="symscape leaderboard --believe") as caught:
        load_board([path], library, separate=separate)
    assert str(caught.value).count("run the suite") == 1
    assert ("no run is left" in str(caught.value)) == separate
    assert [entry.name for entry in load_board([path]).entries] == ["soft"]


def test_no_file_sets_others_aside(library, honest, tmp_path):
    """A date to come, another version: who edits stands aside, nobody else."""
    paths = [make.save(tmp_path, make.whole_run(library, "good", 0.9))]
    for k, kind in enumerate(("a day to come", "another digest", "another version of the suite")):
        run = EDITS[kind][0](make.whole_run(library, f"edited{k}", 0.5 + 0.1 * k))
        paths.append(make.save(tmp_path, run))
    board = load_board(paths, library, separate=True)
    assert [e.name for e in board.entries] == ["good"]
    assert len(board.asides) == 3


def test_the_older_of_two_equal_runs_keeps_its_numbers(library, honest, tmp_path):
    copied = replace(
        honest,
        model=replace(honest.model, name="abc"),
        cases=tuple(replace(c, model="abc") for c in honest.cases),
        started="2026-11-22T00:00:00+00:00",
    )
    paths = [make.save(tmp_path, run) for run in (honest, copied)]
    board = load_board(paths, library, separate=True)
    assert [e.name for e in board.entries] == ["soft"]
    assert board.asides[0].entry.name == "abc"


def test_several_processes_audit_as_one_does(library):
    runs = [make.whole_run(library, f"m{k}", 0.7 + 0.02 * k) for k in range(FEWEST)]
    # one of them is refused
    runs[1] = replace(runs[1], started="2099-01-01T00:00:00+00:00")
    one, several = (audit_all(runs, library, jobs) for jobs in (1, 2))
    assert [found.problems for found in several] == [found.problems for found in one]
    assert several[1].problems
    for a, b in zip(one, several, strict=True):
        assert a.run.model == b.run.model
        assert repr(a.run.cases) == repr(b.run.cases)
