"""Relaxations of a submission, done again for some of the crystals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from symscape.science.hull.relax import SAME_VOLUME, Relaxed, relax_many

if TYPE_CHECKING:
    from ase import Atoms

    from symscape.leaderboard.answers import Answers
    from symscape.leaderboard.library import Library
    from symscape.models.evaluate import Evaluator

#: relative volumes of other starts: where rounding chooses among minima, they reach several
_STARTS = (1.003, 0.997, 1.01, 0.99)


def relaxation_differences(
    answers: Answers,
    library: Library,
    potential: Evaluator,
    chosen: np.ndarray,
    agreement: float,
) -> Iterator[str]:
    """Hold relaxed crystals against the stated ones: energy, volume, and whether symmetry broke.

    A crystal that ends elsewhere than stated is relaxed from slightly larger and smaller volumes
    too. If any of these ends as stated, the end is the model's, and rounding has chosen it.

    Parameters
    ----------
    chosen
        Indices of crystals.
    agreement
        Of energies relaxed at fixed symmetry, meV/atom.
    """
    if library.crystals is None:
        return
    crystals = [library.crystals.crystals[k] for k in chosen]
    starts = [crystal.to_atoms() for crystal in crystals]
    found = relax_many(starts, potential)
    for crystal, start, relaxed in zip(crystals, starts, found, strict=True):
        stated = answers.relaxed[crystal.id]
        if not _same(relaxed, stated, agreement) and not any(
            _same(other, stated, agreement) for other in _from_other_volumes(start, potential)
        ):
            yield (
                f"the relaxation of {crystal.id}: the model {_words(relaxed)}, the file says that "
                f"it {_words(stated)}"
            )


def _same(one: Relaxed, other: Relaxed, agreement: float) -> bool:
    if math.isnan(one.energy_fixed) or math.isnan(other.energy_fixed):
        return math.isnan(one.energy_fixed) and math.isnan(other.energy_fixed)
    return (
        abs(one.energy_fixed - other.energy_fixed) <= agreement / 1000
        and abs(one.volume_change - other.volume_change) <= SAME_VOLUME
        and one.kept_symmetry == other.kept_symmetry
    )


def _from_other_volumes(start: Atoms, potential: Evaluator) -> list[Relaxed]:
    """Relax a crystal from other volumes; changes count from its own."""
    scaled = []
    for factor in _STARTS:
        atoms = start.copy()
        atoms.set_cell(start.cell.array * np.cbrt(factor), scale_atoms=True)
        scaled.append(atoms)
    return [
        replace(relaxed, volume_change=(1 + relaxed.volume_change) * factor - 1)
        for relaxed, factor in zip(relax_many(scaled, potential), _STARTS, strict=True)
    ]


def _words(relaxed: Relaxed) -> str:
    if math.isnan(relaxed.energy_fixed):
        return "gives none"
    end = "keeps" if relaxed.kept_symmetry else "breaks"
    return (
        f"gives {relaxed.energy_fixed:.4f} eV/atom at {100 * relaxed.volume_change:+.1f} % of "
        f"volume and {end} the symmetry"
    )
