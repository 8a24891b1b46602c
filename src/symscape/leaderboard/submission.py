"""A submission to the leaderboard: one card and one results file that agree with each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from symscape.crystal.structures import Structures
from symscape.leaderboard.pages import slug
from symscape.models.base import ALL_QUANTITIES, Prediction
from symscape.models.card import ModelCard
from symscape.questions.registry import QUESTIONS
from symscape.references.reference import LandscapeReference
from symscape.results.run_results import RunResults
from symscape.verdict.tolerances import PROFILES, load_tolerances

#: fields of a card that decide what results mean
AGREEING = ("family", "checkpoint", "level_of_theory", "energy_convention", "options", "untrained")
#: questions that a model without forces can't answer
_NEED_FORCES = frozenset({"forces", "conservative_forces"})
#: named one by one before the rest is counted
_MOST_NAMED = 4


def submission_problems(
    path: Path,
    run: RunResults,
    cards: Mapping[str, ModelCard],
    references: Iterable[LandscapeReference],
    crystals: Iterable[tuple[str, str, str]] = (),
) -> list[str]:
    """Say what keeps a run from standing on the leaderboard, one sentence each.

    Parameters
    ----------
    path
        The results file.
    run
        Its content.
    cards
        Known cards by name.
    references
        The current references.
    crystals
        Question, material and slice of every case about crystals.
    """
    found = [*_card_problems(run, cards), *_run_problems(path, run)]
    found += _reference_problems(run, list(references), list(crystals))
    return [f"{path}: {problem}" for problem in found]


def _card_problems(run: RunResults, cards: Mapping[str, ModelCard]) -> list[str]:
    name = run.model.name
    if name not in cards:
        where = "src/symscape/models/registry.toml"
        return [f"no card is called {name!r}; add one to {where}, or run with --mlip-name."]
    card = cards[name]
    return [
        f"{field} is {getattr(run.model, field)!r} in the results, but {getattr(card, field)!r} on "
        f"the card of {name!r}; correct the card or run the suite again."
        for field in AGREEING
        if getattr(run.model, field) != getattr(card, field)
    ]


def _run_problems(path: Path, run: RunResults) -> list[str]:
    found = []
    if path.name not in ("results.json", f"{slug(run.model.name)}.json"):
        found.append(
            f"these are results of {run.model.name!r}; call the file {slug(run.model.name)}.json."
        )
    if run.tolerances not in PROFILES:
        found.append(
            f"run with tolerances of its own ({run.tolerances}), whose windows may differ; run the "
            f"suite with one of {', '.join(PROFILES)}."
        )
    here, there = metadata.version("symscape"), run.versions.get("symscape", "unknown")
    if here != there:
        found.append(f"made by symscape {there}, but this is {here}; run the suite again.")
    return found


def _reference_problems(
    run: RunResults, references: list[LandscapeReference], crystals: list[tuple[str, str, str]]
) -> list[str]:
    current = {reference.id: reference for reference in references}
    judged = {summary.id: summary for summary in run.references}
    found = []
    missing = sorted(set(current) - set(judged))
    if missing:
        found.append(f"not run on {_named(missing)}; run the whole suite.")
    gone = sorted(set(judged) - set(current))
    if gone:
        found.append(
            f"judged by {_named(gone)}, which the library does not hold; run the suite again."
        )
    both = [name for name in judged if name in current]
    changed = [name for name in both if judged[name].digest != current[name].digest]
    if changed:
        found.append(f"judged by another version of {_named(changed)}; run the suite again.")
    answered = {(case.question, f"{case.material}-{case.slice}") for case in run.cases}
    # a model without forces skips these everywhere: the leaderboard counts them as useless
    skipped = {q for q in _NEED_FORCES if not any(question == q for question, _ in answered)}
    lacking = [
        f"{question} of {name}"
        for name in both
        for question in asked_questions(current[name])
        if (question, name) not in answered and question not in skipped
    ]
    lacking += [
        f"{question} of {material}-{name}"
        for question, material, name in crystals
        if (question, f"{material}-{name}") not in answered
    ]
    if lacking:
        found.append(f"it lacks {_named(lacking)}; run the whole suite.")
    return found


def _named(names: list[str]) -> str:
    """Name the first few, count the rest."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def asked_questions(reference: LandscapeReference) -> list[str]:
    """Return the questions of the leaderboard that a slice gives occasion for.

    Saddles are asked only where DFT has one between two minima, forces where DFT's are stored.
    """
    return [
        question
        for question, known in QUESTIONS.items()
        if known.scoring
        and known.about == "slices"
        and (question != "saddles" or _has_saddles(reference))
        and (question != "forces" or _has_forces(reference))
    ]


def crystal_cases(folder: Path) -> list[tuple[str, str, str]]:
    """Return question, material and slice of every case about the crystals of a library."""
    from symscape.references.crystal_files import list_crystals
    from symscape.suite.hull import hull_cases

    entries = list_crystals([folder])
    return [
        (question, *case)
        for question, known in QUESTIONS.items()
        if known.scoring and known.about == "crystals"
        for case in hull_cases(question, entries)
    ]


def _has_saddles(reference: LandscapeReference) -> bool:
    """Judge DFT by itself: without a saddle there is nothing to judge."""
    from symscape.questions.saddles import judge_saddles

    tolerances = load_tolerances("default")
    return judge_saddles(reference, reference.energies, tolerances, model="DFT") is not None


def _has_forces(reference: LandscapeReference) -> bool:
    """Hold a model without any forces against DFT: how many can be compared?"""
    from symscape.landscape.forces import compare_forces

    return compare_forces(reference, _Flat(), window=0.5).metrics()["n_forces"] > 0


class _Flat:
    """A potential that answers zero to everything."""

    implements = ALL_QUANTITIES

    def predict(
        self, structures: Structures, *, forces: bool = False, stresses: bool = False
    ) -> Prediction:
        """Return zeros."""
        return Prediction(
            np.zeros(len(structures)),
            np.zeros((len(structures.numbers), 3)) if forces else None,
            np.zeros((len(structures), 3, 3)) if stresses else None,
        )

    def energies(self, structures: Structures) -> Any:
        """Return zeros."""
        return np.zeros(len(structures))
