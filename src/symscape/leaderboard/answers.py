"""What a model answered, and the verdicts that follow from it and the library alone.

Energies on the grids and formation energies of crystals decide most of the questions. Whoever holds
them and the references can judge a model again, without the model and without believing a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from symscape.leaderboard.curves import CurveAnswers, judge_curves
from symscape.leaderboard.library import Asked, Library, asked_of
from symscape.models.card import ModelCard
from symscape.questions.case import CaseResult
from symscape.questions.crystal_rows import rows_of_case, without_zeros
from symscape.questions.subjects import AllCrystals, HullSystem
from symscape.references.reference import LandscapeReference
from symscape.verdict.tolerances import Tolerances

if TYPE_CHECKING:
    import pandas as pd

    from symscape.questions.known import KnownOfCrystals
    from symscape.science.hull.relax import Relaxed

#: questions that follow from the grids alone
OF_GRIDS = ("energies", "minima", "saddles")
#: questions that follow from the formation energies of the crystals
OF_CRYSTALS = ("hull", "stability", "underprediction")
#: who learnt energies without magnetic moments, +U or corrections, of all elements
NOBODY = ModelCard("nobody", "none")


@dataclass(frozen=True, eq=False)
class Answers:
    """All that a model answered and that can be judged again.

    Parameters
    ----------
    card
        Of the model: the convention of its energies, and what it can be compared on.
    grids
        Energies in eV/atom by material and slice, shape (n_u, n_v), NaN where there is none.
    formation
        Formation energy by crystal, eV/atom above the model's own elements.
    relaxed
        What became of each crystal by its id when the model relaxed it.
    curves
        Equations of state.
    """

    card: ModelCard = NOBODY
    grids: Mapping[tuple[str, str], np.ndarray] = field(default_factory=dict)
    formation: Mapping[str, float] = field(default_factory=dict)
    relaxed: Mapping[str, Relaxed] = field(default_factory=dict)
    curves: CurveAnswers = field(default_factory=CurveAnswers)

    @property
    def convention(self) -> str:
        """Of the model's energies: ``uncorrected`` or ``MP2020``."""
        return self.card.energy_convention


def judge_again(
    answers: Answers, library: Library, tolerances: Tolerances, model: str
) -> dict[Asked, CaseResult]:
    """Return every case that follows from a model's answers, those without a number left out."""
    found: dict[Asked, CaseResult] = {}
    for key, energies in answers.grids.items():
        if key in library.by_slice:
            cases = judge_grid(library.by_slice[key], energies, tolerances, model)
            found |= {Asked(case.question, *key): case for case in cases}
    table = crystals_table(answers, library)
    if table is not None:
        found |= judge_crystals(table, library, tolerances, model)
        found |= _judge_relaxed(table, answers.relaxed, library, tolerances, model)
    if library.equations is not None:
        cases = judge_curves(answers.curves, answers.card, library.equations, tolerances, model)
        found |= {asked_of(case): case for case in cases}
    return found


def judge_grid(
    reference: LandscapeReference, energies: np.ndarray, tolerances: Tolerances, model: str
) -> Iterator[CaseResult]:
    """Judge energies, minima and saddles; what can't be judged is left out."""
    from symscape.questions.energies import judge_energies
    from symscape.questions.minima import judge_minima
    from symscape.questions.saddles import judge_saddles

    for judge in (judge_energies, judge_minima, judge_saddles):
        case = judge(reference, energies, tolerances, model=model)
        if case is not None and case.status != "error":
            yield case


def crystals_table(answers: Answers, library: Library) -> pd.DataFrame | None:
    """Put a model's formation energies beside DFT's.

    Hulls and all errors are those of the total energies: a constant for each element changes
    neither. Returns None where an element's own crystals are missing, or all are.
    """
    from symscape.errors import HullError
    from symscape.science.hull.analysis import compare
    from symscape.science.hull.conventions import Energies

    if library.crystals is None or not answers.formation:
        return None
    described = library.described
    own = np.array([answers.formation.get(name, np.nan) for name in described["id"]])
    known = np.isfinite(own)
    model = Energies(own[known], answers.convention, lambda: library.corrections[known])
    try:
        return compare(described[known], model, {"digest": library.crystals_digest})
    except HullError:
        return None


def judge_crystals(
    table: pd.DataFrame, library: Library, tolerances: Tolerances, model: str
) -> dict[Asked, CaseResult]:
    """Judge hulls, stability and the bias of each symmetry class."""
    from symscape.questions.hull import judge_hull
    from symscape.questions.stability import judge_stability
    from symscape.questions.underprediction import judge_underprediction

    found: dict[Asked, CaseResult] = {}
    for asked in library.asked:
        if asked.question not in OF_CRYSTALS:
            continue
        own = rows_of_case(table, asked.subject)
        known = _known(own, asked, library)
        if not len(own):
            continue
        subject = asked.subject
        if isinstance(subject, HullSystem):
            case = judge_hull(own, subject, tolerances, model=model, **known)
        elif isinstance(subject, AllCrystals):
            case = judge_stability(own, tolerances, model=model, **known)
        else:
            own = without_zeros(own)
            case = judge_underprediction(own, subject, tolerances, model=model, **known)
        found[asked] = case
    return found


def _judge_relaxed(
    table: pd.DataFrame,
    relaxed: Mapping[str, Relaxed],
    library: Library,
    tolerances: Tolerances,
    model: str,
) -> dict[Asked, CaseResult]:
    """Judge what became of the crystals of each system when the model relaxed them."""
    import pandas as pd

    from symscape.questions.relaxation import RELAXATION, judge_relaxation
    from symscape.science.hull.analysis import errors_elsewhere

    found: dict[Asked, CaseResult] = {}
    for asked in library.asked:
        subject = asked.subject
        if asked.question != RELAXATION.name or not isinstance(subject, HullSystem):
            continue
        own = rows_of_case(table, asked.subject)
        own = own[own["id"].isin(list(relaxed))].reset_index(drop=True)
        if not set(subject.elements) <= set(own["formula"]):
            continue
        made = pd.concat([own, _relaxed_rows(own, relaxed)], axis=1)
        made = errors_elsewhere(made)
        limits = tolerances.case(
            asked.question, material=asked.material, slice=asked.slice, model=model
        )
        near = RELAXATION.setting("near", limits.settings)
        known = _known(made, asked, library)
        found[asked] = judge_relaxation(
            made, subject, tolerances, model=model, near_meV=near, **known
        )
    return found


def _relaxed_rows(own: pd.DataFrame, relaxed: Mapping[str, Relaxed]) -> pd.DataFrame:
    """Return what became of crystals; whether a symmetry broke follows from energies and groups."""
    import pandas as pd

    rows = []
    for name, group in zip(own["id"], own["space_group"], strict=True):
        outcome = replace(relaxed[name], space_group=int(group))
        row = asdict(outcome) | {
            "gained": 1000 * outcome.gained,  # meV/atom in tables
            "kept_symmetry": outcome.kept_symmetry,
        }
        rows.append({key: value for key, value in row.items() if key != "space_group"})
    return pd.DataFrame(rows)


def _known(own: pd.DataFrame, asked: Asked, library: Library) -> KnownOfCrystals:
    """Which library it is, and which of a case's crystals the model has no energy of."""
    wanted: Sequence[str] = list(rows_of_case(library.described, asked.subject)["id"])
    there = set(own["id"])
    return {
        "digest": library.crystals_digest,
        "missing": [name for name in wanted if name not in there],
    }
