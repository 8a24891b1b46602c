"""A model's equations of state: energies at a few volumes, and a fit around the model's minimum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symscape.models.evaluate import Evaluator, Progress
from symscape.references.birch_murnaghan import BirchMurnaghan
from symscape.references.equations import STRAINS, EquationsOfState
from symscape.science.equation_of_state.fit import fit

#: how often the volumes may be moved; the last ones are centred 18 % off the DFT minimum at most
ROUNDS = 4


@dataclass(frozen=True, eq=False)
class ModelCurves:
    """What a model says about the crystals of a reference.

    Parameters
    ----------
    volumes
        angstrom^3/atom, shape (n, 7): the last volumes that each crystal was asked at.
    energies
        eV/atom at these, shape (n, 7), NaN where the model failed.
    fitted
        The model's curves, NaN for a crystal whose minimum was not found.
    failures
        Reason for each crystal of which the model gave no energy at some volume.
    seconds
        Wall time.
    """

    volumes: np.ndarray
    energies: np.ndarray
    fitted: BirchMurnaghan
    failures: dict[int, str]
    seconds: float


def sample_curves(
    evaluator: Evaluator, equations: EquationsOfState, *, progress: Progress | None = None
) -> ModelCurves:
    """Ask a model at seven volumes around its own minimum, which is looked for from DFT's.

    As in the study: where the minimum isn't among the volumes, they are moved to the side on which
    the energy is lowest, and asked for again.

    Parameters
    ----------
    progress
        Called with (structures done, structures in all) of each round.
    """
    volumes = equations.sampled_volumes()
    energies = np.full(volumes.shape, np.nan)
    failures: dict[int, str] = {}
    seconds = 0.0
    pending = np.arange(len(equations))
    for _ in range(ROUNDS):
        volumes[pending] *= _step(energies[pending])[:, None]
        structures = equations[pending].structures(volumes[pending])
        found = evaluator.evaluate(structures, progress=progress)
        seconds += found.seconds
        energies[pending] = (found.energies / structures.n_atoms).reshape(len(pending), -1)
        failures |= {int(pending[i // len(STRAINS)]): why for i, why in found.failures.items()}
        lost = np.isnan(fit(volumes[pending], energies[pending]).volume)
        pending = np.array([i for i in pending[lost] if i not in failures], dtype=int)
        if not len(pending):
            break
    return ModelCurves(volumes, energies, fit(volumes, energies), failures, seconds)


def _step(energies: np.ndarray) -> np.ndarray:
    """Return by which factor the volumes move on: to where the energy was lowest, if it was asked.

    Parameters
    ----------
    energies
        eV/atom, shape (n, 7).
    """
    asked = np.isfinite(energies).all(axis=1)
    return np.where(asked, STRAINS[np.where(asked[:, None], energies, 0.0).argmin(axis=1)], 1.0)
