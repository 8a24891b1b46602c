"""Run a part of a submission again: the check that no file can pass by what it says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from symscape.leaderboard.library import Asked
from symscape.leaderboard.recompute import stated_answers
from symscape.leaderboard.rerun_cases import Cases, answered_by_the_model, case_differences
from symscape.leaderboard.rerun_crystals import crystal_differences
from symscape.leaderboard.rerun_curves import curve_differences
from symscape.leaderboard.rerun_relaxed import relaxation_differences
from symscape.models.evaluate import Evaluator, evaluator_of
from symscape.questions.energies import ENERGIES

if TYPE_CHECKING:
    from symscape.leaderboard.library import Library
    from symscape.models.base import EnergyModel
    from symscape.questions.case import CaseResult
    from symscape.references.reference import LandscapeReference
    from symscape.results.run_results import RunResults

#: meV/atom by which a model's energy may differ between machines, devices and batches
RERUN_AGREEMENT = 1.0


@dataclass(frozen=True)
class Rerun:
    """What came of a spot check.

    Parameters
    ----------
    seed
        Of the draw; the same seed draws the same.
    n_points, n_crystals, n_curves, n_relaxed
        How many energies on slices, formation energies of crystals, equations of state and
        relaxations were computed again.
    n_cases
        How many cases were asked again whole, of the questions that no stored energy decides.
    problems
        Where the model answers otherwise than the file, a sentence each.
    """

    seed: int
    n_points: int
    n_crystals: int
    n_curves: int
    n_relaxed: int
    n_cases: int
    problems: tuple[str, ...]

    @property
    def n_drawn(self) -> int:
        """How many answers were computed again."""
        counts = (self.n_points, self.n_crystals, self.n_curves, self.n_relaxed, self.n_cases)
        return sum(counts)


def rerun(
    run: RunResults,
    library: Library,
    model: EnergyModel | Evaluator,
    *,
    share: float,
    seed: int,
) -> Rerun:
    """Draw from everything that a run answers, and put that to the model again.

    What follows from the energies can be worked out without the model (`recompute`), and is not
    drawn.

    Parameters
    ----------
    share
        Part of each slice's points, of the crystals, of the equations of state, of the
        relaxations, and of the cases of each question that no stored energy decides; above 0 and
        up to 1, at least one of each.
    seed
        Of the draw. Whoever submits must not know it before.

    Raises
    ------
    ValueError
        If the share is not above 0 and up to 1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"the share of points is {share:g}, but must be above 0 and up to 1")
    draw, potential = np.random.default_rng(seed), evaluator_of(model)
    n_points = 0
    problems: list[str] = []
    for case, reference in _answered(run, library):
        valid = np.argwhere(reference.valid)
        chosen = valid[_drawn(np.arange(len(valid)), share, draw)]
        n_points += len(chosen)
        problems += _differences(case, reference, potential, chosen)
    answers = stated_answers(run, library)
    ids = list(library.described["id"]) if library.crystals else []
    crystals = _drawn(_indices(ids, answers.formation), share, draw)
    problems += crystal_differences(answers, library, potential, crystals, RERUN_AGREEMENT)
    ids = list(library.equations.ids) if library.equations else []
    curves = _drawn(_indices(ids, answers.curves.by_id), share, draw)
    problems += curve_differences(
        answers.curves, library.equations, potential, curves, RERUN_AGREEMENT
    )
    ids = list(library.described["id"]) if library.crystals else []
    relaxed = _drawn(_indices(ids, answers.relaxed), share, draw)
    problems += relaxation_differences(answers, library, potential, relaxed, RERUN_AGREEMENT)
    cases = _drawn_cases(run, library, share, draw)
    problems += case_differences(run, Cases(run, library, potential).again, cases)
    return Rerun(
        seed, n_points, len(crystals), len(curves), len(relaxed), len(cases), tuple(problems)
    )


def _drawn_cases(
    run: RunResults, library: Library, share: float, draw: np.random.Generator
) -> list[Asked]:
    return [
        answered[k]
        for answered in answered_by_the_model(run, library).values()
        for k in _drawn(np.arange(len(answered)), share, draw)
    ]


def _indices(ids: Iterable[str], stated: Iterable[str]) -> np.ndarray:
    """Return the indices of the ids that a run states an answer for, ascending."""
    known = set(stated)
    return np.array([k for k, name in enumerate(ids) if name in known], dtype=int)


def _drawn(indices: np.ndarray, share: float, draw: np.random.Generator) -> np.ndarray:
    """Draw a share of some indices, at least one where there are any; they stay ascending."""
    return np.sort(draw.choice(indices, math.ceil(share * len(indices)), replace=False))


def _answered(run: RunResults, library: Library) -> Iterator[tuple[CaseResult, LandscapeReference]]:
    for case in run.cases:
        reference = library.by_slice.get((case.material, case.slice))
        if case.question == ENERGIES.name and case.energies is not None and reference is not None:
            yield case, reference


def _differences(
    case: CaseResult, reference: LandscapeReference, potential: Evaluator, chosen: np.ndarray
) -> Iterator[str]:
    """Hold the chosen points, indices of shape (n, 2), against the stated energies."""
    flat = np.ravel_multi_index(chosen.T, reference.energies.shape)
    structures = reference.structures()[flat]
    again = potential.evaluate(structures).energies / structures.n_atoms
    stated = np.array(case.energies, dtype=float)[tuple(chosen.T)]
    off = 1000 * np.abs(again - stated)
    # an energy where the other side has none is a difference, too
    wrong = (off > RERUN_AGREEMENT) | (np.isfinite(again) != np.isfinite(stated))
    if not wrong.any():
        return
    worst = int(np.argmax(np.where(wrong, np.nan_to_num(off, nan=np.inf), -1.0)))
    i, j = chosen[worst]
    yield (
        f"{reference.id}: at {int(wrong.sum())} of {len(chosen)} points the model's energy is not "
        f"the file's; at ({i}, {j}) it gives {again[worst]:.4f} eV/atom, the file says "
        f"{stated[worst]:.4f}"
    )
