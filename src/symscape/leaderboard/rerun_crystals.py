"""Formation energies of a submission, computed again for some of the crystals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from symscape.science.hull.systems import elements_of_system

if TYPE_CHECKING:
    from symscape.leaderboard.answers import Answers
    from symscape.leaderboard.library import Library
    from symscape.models.evaluate import Evaluator


def crystal_differences(
    answers: Answers,
    library: Library,
    potential: Evaluator,
    chosen: np.ndarray,
    agreement: float,
) -> Iterator[str]:
    """Hold the formation energies of some crystals against the stated ones.

    Parameters
    ----------
    chosen
        Indices of crystals. Those of their elements are asked as well: they are the zero.
    agreement
        meV/atom.
    """
    from symscape.science.hull.phases import formation_energies

    if not len(chosen) or library.crystals is None:
        return
    described, structures = library.described, library.crystals.structures
    wanted = {e for name in described["system"].iloc[chosen] for e in elements_of_system(name)}
    zeros = np.flatnonzero(
        described["system"].isin(wanted) & described["id"].isin(list(answers.formation))
    )
    asked = np.union1d(chosen, zeros)
    energies = potential.evaluate(structures[asked]).energies / structures[asked].n_atoms
    table = described.iloc[asked].assign(energy=energies).reset_index(drop=True)
    again = dict(zip(table["id"], formation_energies(table), strict=True))
    for name in described["id"].iloc[chosen]:
        stated = answers.formation[name]
        if not abs(again[name] - stated) <= agreement / 1000:
            yield (
                f"the formation energy of {name}: the model gives {again[name]:.4f} eV/atom, the "
                f"file says {stated:.4f}"
            )
