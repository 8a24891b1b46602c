"""Whether a run's answers are another model's, or DFT's own, noise or not.

Models that were trained apart differ by 8 meV/atom and more on the median slice, two stages of
the training of one by 6 meV/atom in the median formation energy and 7 % in the median bulk modulus.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from symscape.leaderboard.anchors import dft_answers
from symscape.leaderboard.library import Library
from symscape.questions.case import CaseResult
from symscape.questions.crystal_cases import CrystalRow
from symscape.questions.equation_of_state import CurvesDetail
from symscape.questions.hull import HullDetail
from symscape.questions.prototype_differences import DifferencesDetail
from symscape.questions.underprediction import BiasDetail
from symscape.results.run_results import RunResults

#: eV/atom: two models that agree so well at every point are one; energies are stored to a tenth
SAME_EV = 1e-5
#: named one by one before the rest is counted
_MOST_NAMED = 4


@dataclass(frozen=True)
class Kind:
    """Numbers that a model states one by one, of crystals.

    Parameters
    ----------
    title
        In words.
    near
        Median difference below which they are the same numbers.
    unit
        Of ``near``; ``%`` of the other's number.
    """

    title: str
    near: float
    unit: str


GRIDS = Kind("energies", 2.0, "meV/atom")
FORMATION = Kind("formation energies", 2.0, "meV/atom")
MODULI = Kind("bulk moduli", 2.0, "%")
DIFFERENCES = Kind("differences between prototypes", 2.0, "meV/atom")
#: fewer slices, and fewer numbers of crystals, tell nothing of noise
_FEWEST_SLICES, _FEWEST = 5, 10


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a model answered, by what it was asked about.

    Parameters
    ----------
    grids
        Energies in eV/atom by material and slice, NaN where there is none.
    numbers
        Of crystals, by kind and crystal; in meV/atom, bulk moduli in any one unit.
    """

    grids: Mapping[tuple[str, str], np.ndarray]
    numbers: Mapping[Kind, Mapping[Hashable, float]]


def copied_from(run: RunResults, others: Iterable[RunResults]) -> str:
    """Say whose numbers a run's are, as half a sentence; empty if they are nobody else's."""
    own = evidence_of(run)
    for other in others:
        name = other.model.name
        if other.fingerprint and other.fingerprint == run.fingerprint:
            return f"the same weights stand there as {name}"
        for what, slack in same_numbers(own, evidence_of(other)):
            return f"its {what} are those of {name}{slack}"
    return ""


def dft_copied(run: RunResults, library: Library) -> Iterator[str]:
    """Say which of a run's numbers are DFT's own, half sentences.

    Parameters
    ----------
    run
        As worked out again: DFT's formation energies are in the model's convention there.
    """
    dft = _dft(library)
    formation: dict[Hashable, float] = {
        row.id: row.formation_dft for case in run.cases for row in _crystals(case)
    }
    dft = replace(dft, numbers={**dft.numbers, FORMATION: formation})
    for what, slack in same_numbers(evidence_of(run), dft):
        yield f"its {what} are DFT's own{slack}, which no model reaches"


def same_numbers(own: Evidence, other: Evidence) -> Iterator[tuple[str, str]]:
    """Yield which numbers of two models are the same, and but for what."""
    both = sorted(set(own.grids) & set(other.grids))
    exact = ["-".join(key) for key in both if _same(own.grids[key], other.grids[key])]
    if exact:
        yield f"{GRIDS.title} on {first_names(exact)}", ""
    spreads = [_spread(own.grids[key], other.grids[key]) for key in both]
    if len(spreads) >= _FEWEST_SLICES and not exact:
        yield from _near(GRIDS, float(np.median(spreads)))
    for kind, mine in own.numbers.items():
        theirs = other.numbers.get(kind, {})
        # an element's lowest crystal is its own zero
        shared = [key for key in mine if key in theirs and (mine[key] or theirs[key])]
        a = np.array([mine[key] for key in shared], dtype=float)
        b = np.array([theirs[key] for key in shared], dtype=float)
        known = np.isfinite(a) & np.isfinite(b)
        # numbers without any spread are nobody's in particular
        if known.sum() >= _FEWEST and np.ptp(b[known]) > 0:
            off = np.abs(a - b)[known]
            scale = np.abs(b[known]) / 100 if kind.unit == "%" else np.ones(len(off))
            yield from _near(kind, float(np.median(off / np.maximum(scale, 1e-12))))


def _near(kind: Kind, off: float) -> Iterator[tuple[str, str]]:
    if off <= kind.near:
        rounded = off < 0.01
        yield kind.title, "" if rounded else f" but for {off:.2f} {kind.unit} in the median"


def evidence_of(run: RunResults) -> Evidence:
    """Gather what a run states of a model's answers."""
    grids: dict[tuple[str, str], np.ndarray] = {}
    numbers: dict[Kind, dict[Hashable, float]] = {
        kind: {} for kind in (FORMATION, MODULI, DIFFERENCES)
    }
    for case in run.cases:
        if case.energies is not None:
            grids[case.material, case.slice] = np.array(case.energies, dtype=float)
        numbers[FORMATION] |= {row.id: row.formation_model for row in _crystals(case)}
        if curves := case.kept(CurvesDetail):
            numbers[MODULI] |= {row.id: row.model.bulk_modulus for row in curves.curves}
        if prototype := case.kept(DifferencesDetail):
            numbers[DIFFERENCES] |= {
                (case.material, row.element): row.model for row in prototype.differences
            }
    return Evidence(grids, numbers)


def _crystals(case: CaseResult) -> tuple[CrystalRow, ...]:
    kept = case.kept(HullDetail) or case.kept(BiasDetail)
    return kept.crystals if kept else ()


@lru_cache(maxsize=1)  # DFT's curves are fitted once for all runs of a board
def _dft(library: Library) -> Evidence:
    answers = dft_answers(library)
    numbers: dict[Kind, dict[Hashable, float]] = {
        MODULI: {name: curve.bulk_modulus for name, curve in answers.curves.by_id.items()},
        DIFFERENCES: {
            (material, element): value
            for material, own in answers.curves.differences.items()
            for element, value in own.items()
        },
    }
    return Evidence(answers.grids, numbers)


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two grids (eV/atom) agree but for their zero, wherever both are known."""
    if one.shape != other.shape:
        return False
    both = np.isfinite(one) & np.isfinite(other)
    difference = (one - other)[both]
    # a flat landscape is nobody's in particular
    varied = both.any() and np.ptp(other[both]) > SAME_EV
    return bool(varied and np.ptp(difference) <= SAME_EV)


def _spread(one: np.ndarray, other: np.ndarray) -> float:
    """Return by how much two grids differ but for their zero, in meV/atom; inf for flat ones."""
    if one.shape != other.shape:
        return np.inf
    both = np.isfinite(one) & np.isfinite(other)
    if not both.any() or np.ptp(other[both]) <= SAME_EV:
        return np.inf
    return float(1000 * np.std((one - other)[both]))


def first_names(names: list[str]) -> str:
    """Name the first few, count the rest."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
