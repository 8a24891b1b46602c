"""A submission to the leaderboard: one card and one results file that agree with each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from symscape.leaderboard.audit import audit
from symscape.leaderboard.copies import copied_from, first_names
from symscape.leaderboard.library import Asked, Library, asked_of
from symscape.leaderboard.site import slug
from symscape.models.card import ModelCard
from symscape.models.registry import copied_card
from symscape.questions.curve_subjects import CurveCrystals
from symscape.questions.registry import QUESTIONS
from symscape.results.run_results import RunResults
from symscape.science.equation_of_state.comparable import reasons_not_judged

#: fields of a card that decide what results mean
AGREEING = (
    "family", "checkpoint", "level_of_theory", "energy_convention", "options", "untrained",
    "training_sets", "spin_polarized", "hubbard_u",
)  # fmt: skip

_LOOK_ALIKE = str.maketrans("0i1", "oll")


def submission_problems(
    path: Path,
    run: RunResults,
    cards: Mapping[str, ModelCard],
    library: Library,
    others: Iterable[RunResults] = (),
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
    library
        The current references.
    others
        The runs that the leaderboard has, among them perhaps an earlier one of this model.
    """
    rivals = [other for other in others if other.model.name != run.model.name]
    copied = copied_from(run, rivals)
    found = [
        *_card_problems(run, cards),
        *_name_problems(path, run, {*cards, *(other.model.name for other in rivals)}),
        *audit(run, library).problems,
        *([f"{copied}; submit a model of your own"] if copied else []),
        *_missing(run, library),
    ]
    return [f"{path}: {problem}." for problem in found]


def _card_problems(run: RunResults, cards: Mapping[str, ModelCard]) -> list[str]:
    name = run.model.name
    if name not in cards:
        where = "src/symscape/models/registry.toml"
        return [f"no card is called {name!r}; add one to {where}, or run with --mlip-name"]
    card = cards[name]
    used = run.model
    if card.digest and used.digest == card.digest and not used.weights_file:
        # the published weights, in a place of the submitter's: a run checks their digest
        card = copied_card(card, str(used.checkpoint))
    return [
        f"{field} is {getattr(used, field)!r} in the results, but {getattr(card, field)!r} on "
        f"the card of {name!r}; correct the card or run the suite again"
        for field in AGREEING
        if getattr(used, field) != getattr(card, field)
    ]


def _name_problems(path: Path, run: RunResults, others: Iterable[str]) -> Iterator[str]:
    name = run.model.name
    file = f"{slug(name)}.json"
    if path.name not in ("results.json", file):
        yield f"these are results of {name!r}; call the file {file}"
    alike = [other for other in others if other != name and _as_read(other) == _as_read(name)]
    if alike:
        yield f"{name!r} reads like {first_names(sorted(alike))}; choose another name"


def _as_read(name: str) -> str:
    """Return a name without what the eye passes over: case, marks, O for 0 and I for l or 1."""
    return "".join(c for c in name.lower() if c.isalnum()).translate(_LOOK_ALIKE)


def _missing(run: RunResults, library: Library) -> Iterator[str]:
    """Say what the run was not asked; questions that need forces may be missing altogether."""
    judged = {reference.id for reference in run.references}
    slices = [name for name in library.summaries if name not in judged]
    if slices:
        yield f"not run on {first_names(slices)}; run the whole suite"
    answered = {asked_of(case) for case in run.cases}
    # a model without forces answers none of these: the leaderboard counts them as useless
    skipped = {
        question.name
        for question in QUESTIONS.values()
        if "forces" in question.needs
        and not any(asked.question == question.name for asked in answered)
    }
    nothing = _without_subject(run, library)
    lacking = [
        str(asked)
        for asked in library.asked
        if asked not in answered
        and asked not in nothing
        and asked.question not in skipped
        and f"{asked.material}-{asked.slice}" not in slices
    ]
    if lacking:
        yield f"it lacks {first_names(lacking)}; run the whole suite"


def _without_subject(run: RunResults, library: Library) -> set[Asked]:
    """Return the cases about equations of state of which a model's card leaves no crystal."""
    if library.equations is None:
        return set()
    reasons = reasons_not_judged(run.model, library.equations)
    return {
        asked
        for asked in library.asked
        if QUESTIONS[asked.question].about == "curves"
        and not CurveCrystals(library.equations, reasons, asked.subject).asked
    }
