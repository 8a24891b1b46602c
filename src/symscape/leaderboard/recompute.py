"""Recompute, don't believe: what a results file says of itself, held against its own energies.

Metrics that follow from the stored energies and the library are worked out again and take the place
of those in the file; a file that states others is refused. Statuses, checks and summaries are not
read at all. What needs the model itself (forces, invariance, fine lines) can only be rerun.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np

from symscape.decode import DecodeError, encode
from symscape.leaderboard.answers import (
    OF_CRYSTALS,
    OF_GRIDS,
    Answers,
    judge_again,
)
from symscape.leaderboard.curves import CurveAnswers, contradictions, read_curves
from symscape.leaderboard.library import Asked, Library, asked_of
from symscape.questions.case import CaseResult
from symscape.questions.curve_subjects import CURVE_QUESTIONS
from symscape.questions.hull import HullDetail
from symscape.questions.registry import metric_named
from symscape.questions.relaxation import RELAXATION, RelaxationDetail, RelaxedRow
from symscape.questions.smoothness import (
    MAX_ROUGHNESS,
    SMOOTHNESS,
    grid_metrics,
    grid_smoothness,
)
from symscape.questions.underprediction import BiasDetail
from symscape.results.run_results import RunResults
from symscape.science.hull.relax import Relaxed
from symscape.verdict.tolerances import PROFILES, Tolerances, load_tolerances

#: metrics agree if they differ by no more, in their own unit: energies are stored to 0.001 meV/atom
AGREEMENT = 0.01
#: questions of which every number is recomputed
RECOMPUTED = frozenset({*OF_GRIDS, *OF_CRYSTALS, RELAXATION.name, *CURVE_QUESTIONS})
#: differences named one by one before the rest is counted
_MOST_NAMED = 3
#: what results keep of a relaxation
_KEPT_OF_RELAXED = tuple({f.name for f in fields(Relaxed)} & {f.name for f in fields(RelaxedRow)})


@dataclass(frozen=True, eq=False)
class Recomputed:
    """A run whose numbers follow from its energies.

    Parameters
    ----------
    run
        With every recomputed case in the place of the file's; cases that nothing stands behind are
        gone.
    problems
        What the file says otherwise, half sentences.
    """

    run: RunResults
    problems: tuple[str, ...] = ()


@dataclass
class _Evidence:
    """Answers as they are gathered from the cases, and what contradicts itself."""

    grids: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    formation: dict[str, float] = field(default_factory=dict)
    relaxed: dict[str, Relaxed] = field(default_factory=dict)
    curves: CurveAnswers = field(default_factory=CurveAnswers)
    problems: list[str] = field(default_factory=list)


def recompute(run: RunResults, library: Library) -> Recomputed:
    """Work out again what follows from a run's energies, and say where the run differs."""
    found = _gather(run, library)
    tolerances = load_tolerances(run.tolerances if run.tolerances in PROFILES else "default")
    again = judge_again(_answers(run, found), library, tolerances, run.model.name)
    stated = {asked_of(c): c for c in run.cases}
    cases = [_merged(case, stated.get(asked)) for asked, case in again.items()]
    # a part of the suite need not ask for all energies that its verdicts on crystals follow from
    unknown = set(OF_CRYSTALS) if run.selection and _lacks_crystals(found, library) else set()
    differences = [text for asked, case in again.items()
                   if asked in stated and asked.question not in unknown
                   for text in metric_differences(asked, case, stated[asked])]  # fmt: skip
    for asked, case in stated.items():
        if asked in again or asked not in library.known:
            continue
        if asked.question in RECOMPUTED:
            if case.status != "error" and asked.question not in unknown:
                differences.append(f"{asked} is stated without the energies that it follows from")
            continue
        checked, problems = _with_grid(asked, case, found.grids, library, tolerances)
        cases.append(checked)
        differences += problems
    said = (*found.problems, *shortened(differences))
    return Recomputed(replace(run, cases=tuple(cases)), said)


def _lacks_crystals(found: _Evidence, library: Library) -> bool:
    crystals = library.crystals.crystals if library.crystals else ()
    return any(crystal.id not in found.formation for crystal in crystals)


def stated_answers(run: RunResults, library: Library) -> Answers:
    """Return all that a run states of a model's answers, whether or not it contradicts itself."""
    return _answers(run, _gather(run, library))


def _answers(run: RunResults, found: _Evidence) -> Answers:
    return Answers(run.model, found.grids, found.formation, found.relaxed, found.curves)


def shortened(differences: list[str]) -> list[str]:
    """Name the first few differences, count the rest."""
    more = len(differences) - _MOST_NAMED
    return [*differences[:_MOST_NAMED], *([f"{more} more of the kind"] if more > 0 else [])]


def metric_differences(asked: Asked, again: CaseResult, stated: CaseResult) -> Iterator[str]:
    """Say which metrics of a case are others than those that were worked out."""
    if stated.status == "error":
        return
    ours, theirs = flat_metrics(again), flat_metrics(stated)
    for name, value in ours.items():
        other = theirs.get(name)
        if other is None or not _agree(name, value, other):
            said = "not stated" if other is None else f"{other:g}"
            yield f"{name.rpartition('/')[2]} in {asked} is {said}, but its energies give {value:g}"


def _agree(name: str, one: float, other: float) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    allowed = 0.0 if metric_named(name.rpartition("/")[2]).counts else AGREEMENT
    return one == other or abs(one - other) <= allowed


def flat_metrics(case: CaseResult) -> dict[str, float]:
    """Return a case's metrics by name, those in windows by ``window/name``."""
    if case.windows is None:
        return {name: float(value) for name, value in case.metrics.items()}
    return {
        f"{float(width):g}/{name}": float(value)
        for width, own in case.windows.by_width.items()
        for name, value in own.items()
    }


def _merged(case: CaseResult, stated: CaseResult | None) -> CaseResult:
    """Take from the file what can't be worked out: how long it took, and whose it is."""
    if stated is None:
        return case
    return replace(case, seconds=stated.seconds, fingerprint=stated.fingerprint)


def _with_grid(
    asked: Asked,
    case: CaseResult,
    grids: Mapping[tuple[str, str], np.ndarray],
    library: Library,
    tolerances: Tolerances,
) -> tuple[CaseResult, list[str]]:
    """Recompute of a case what its slice's grid decides: the rough points of smoothness."""
    key = (asked.material, asked.slice)
    if asked.question != SMOOTHNESS.name or key not in grids or case.status == "error":
        return case, []
    rough = grid_smoothness(library.by_slice[key], grids[key], tolerances, model=case.model)
    if rough is None:
        return case, []
    # the roughest point's measure is a ratio of small numbers, which rounding of energies changes
    decided = {k: v for k, v in grid_metrics(rough).items() if k != MAX_ROUGHNESS.name}
    again = replace(case, metrics=decided)
    problems = list(metric_differences(asked, again, case))
    return replace(case, metrics={**case.metrics, **again.metrics}), problems


def _gather(run: RunResults, library: Library) -> _Evidence:
    """Read a run's energies; each crystal must have one, whichever case tells it."""
    found = _Evidence()
    crystals = library.crystals.crystals if library.crystals else ()
    known = {crystal.id for crystal in crystals}
    for case in run.cases:
        asked = asked_of(case)
        if asked not in library.known:
            continue
        if case.energies is not None:
            _gather_grid(case, library, found)
        _gather_crystals(case, known, found)
    _gather_curves(run, library, found)
    return found


def _gather_curves(run: RunResults, library: Library, found: _Evidence) -> None:
    cases = [c for c in run.cases if c.question in CURVE_QUESTIONS and c.status != "error"]
    cases = [case for case in cases if asked_of(case) in library.known]
    if library.equations is None:
        return
    try:
        found.curves = read_curves(cases, library.equations)
    except DecodeError as error:
        found.problems.append(str(error))
    else:
        found.problems += shortened(contradictions(found.curves, library.equations))


def _gather_grid(case: CaseResult, library: Library, found: _Evidence) -> None:
    reference = library.by_slice[case.material, case.slice]
    energies = np.array(case.energies, dtype=float)
    if energies.shape != reference.energies.shape:
        found.problems.append(f"the energies on {reference.id} are not on the library's grid")
    else:
        found.grids[case.material, case.slice] = np.where(reference.valid, energies, np.nan)


def _gather_crystals(case: CaseResult, known: set[str], found: _Evidence) -> None:
    if kept := case.kept(HullDetail) or case.kept(BiasDetail):
        for row in kept.crystals:
            value = row.formation_model / 1000
            first = found.formation.setdefault(row.id, value)
            if row.id not in known or first != value:
                why = "has two formation energies" if row.id in known else "is not in the library"
                found.problems.append(f"the crystal {row.id} {why}")
    if relaxation := case.kept(RelaxationDetail):
        for stated in relaxation.relaxed:
            outcome = _outcome(stated)
            other = found.relaxed.setdefault(stated.id, outcome)
            if stated.id not in known or encode(other) != encode(outcome):
                why = "was relaxed twice" if stated.id in known else "is not in the library"
                found.problems.append(f"the crystal {stated.id} {why}")


def _outcome(row: RelaxedRow) -> Relaxed:
    """Return what became of a crystal, as far as results keep it."""
    return Relaxed(**{name: getattr(row, name) for name in _KEPT_OF_RELAXED})
