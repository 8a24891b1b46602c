"""A model's energies on the grid of a slice."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from symscape.crystal.slice import Slice
from symscape.models.base import EnergyModel
from symscape.models.evaluate import Evaluator, Progress, evaluate
from symscape.notebook import map_html, table_html
from symscape.progress import shown_in_notebook
from symscape.rounding import ENERGY_DECIMALS

if TYPE_CHECKING:
    from symscape.models.cache import EnergyCache


@dataclass(frozen=True, eq=False)
class SliceEvaluation:
    """What a model says about the grid of a slice.

    Parameters
    ----------
    energies
        eV/atom, rounded to `ENERGY_DECIMALS`, shape (n_u, n_v); NaN where not asked for or where
        the model failed.
    failures
        Reason for each grid point at which the model gave no energy.
    n_evaluated
        How many structures the model was asked for, symmetry-equivalent points not counted twice.
    n_cached
        How many of these the cache answered.
    seconds
        Wall time of the evaluation.
    """

    energies: np.ndarray
    failures: dict[tuple[int, int], str]
    n_evaluated: int
    n_cached: int
    seconds: float

    def __repr__(self) -> str:
        n_u, n_v = self.energies.shape
        return (
            f"SliceEvaluation({n_u} x {n_v}, {self.n_evaluated} evaluated, {self.n_cached} of them "
            f"cached, {len(self.failures)} failed, {self.seconds:.2g} s)"
        )

    def _repr_html_(self) -> str:
        """Return a map of the energies and the counts, for notebooks."""
        rows = [
            ("evaluated", self.n_evaluated),
            ("from the cache", self.n_cached),
            ("failed", len(self.failures)),
            ("seconds", float(self.seconds)),
        ]
        return table_html(rows) + map_html(self.energies, "energies of the model")


def evaluate_slice(
    model: EnergyModel | Evaluator,
    the_slice: Slice,
    points: np.ndarray | None = None,
    *,
    cache: EnergyCache | None = None,
    progress: Progress | None = None,
) -> SliceEvaluation:
    """Evaluate a model on the grid of a slice, in primitive cells, without forces.

    Of grid points that are equivalent by symmetry one is evaluated and the others are filled in.

    Parameters
    ----------
    model
        The potential, or its evaluator where it is asked more than once.
    points
        True where an energy is wanted, shape (n_u, n_v); default: every point not masked.
    cache
        Asked first; told of every finished batch, so that an interrupted evaluation goes on. An
        evaluator has its own.
    progress
        Called with (structures done, structures in all). By default a notebook shows a bar, and
        nothing else shows anything.
    """
    wanted = ~the_slice.mask if points is None else points & ~the_slice.mask
    sources = the_slice.representatives[wanted]
    chosen, inverse = np.unique(sources, return_inverse=True)
    structures = the_slice.structures()[chosen]
    potential = model.model if isinstance(model, Evaluator) else model
    title = f"{potential.card.name}, {the_slice.name}"
    bar = shown_in_notebook(title, "structures", len(structures))
    with bar if progress is None else nullcontext(progress) as tell:
        outcome = evaluate(model, structures, cache=cache, progress=tell)
    per_atom = outcome.energies / structures.n_atoms
    energies = np.full(the_slice.shape, np.nan)
    energies[wanted] = np.round(per_atom[inverse], ENERGY_DECIMALS)
    where = np.argwhere(wanted)
    failures = {
        (int(i), int(j)): outcome.failures[int(k)]
        for (i, j), k in zip(where, inverse, strict=True)
        if int(k) in outcome.failures
    }
    return SliceEvaluation(energies, failures, len(chosen), outcome.n_cached, outcome.seconds)
