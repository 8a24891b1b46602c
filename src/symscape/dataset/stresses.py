"""Stresses with the wrong sign or in another unit, told from energies of strained cells.

Between two cells of the same atoms, one strained by a small ``e`` against the other, the energy
changes by the work of the stress, ``V sum(s e)``, whatever the functional. What a file states as
stress is held against that, in the unit and sign of its format; nothing else of a data set needs
stresses, so they are not kept.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import logm

from symscape.dataset.record import CrystalRecord
from symscape.dataset.stress_units import CONVENTIONS, StressConvention

#: fewer pairs of cells than this show nothing
LEAST_PAIRS = 4
#: how far a factor may be from one of the known ones, relative
_NEAR = 0.15
#: strains beyond this are not small
_MOST_STRAIN = 0.06
#: cells whose atoms moved by more, as fractions of the cell, are not only strained
_SAME_PLACES = 1e-3
#: changes of energy by less than this are rounding, eV
_LEAST_WORK_EV = 1e-5
#: different cells that are remembered
_MOST_KEPT = 2_000


class StressCheck:
    """Holds stated stresses against energies, crystal after crystal, in bounded memory."""

    def __init__(self) -> None:
        #: the last crystal with these atoms
        self._last: dict[bytes, CrystalRecord] = {}
        #: by what the stresses should be: their work and that of the energies, eV
        self._pairs: dict[StressConvention, list[tuple[float, float]]] = {}

    def add(self, record: CrystalRecord) -> None:
        """Compare a crystal with the last one that has the same atoms."""
        if record.stress is None or not np.isfinite(record.energy_eV):
            return
        key = record.numbers.tobytes() + str(record.stress.convention).encode()
        before = self._last.get(key)
        if before is None and len(self._last) >= _MOST_KEPT:
            return
        self._last[key] = record
        if before is not None and (pair := _work(before, record)):
            self._pairs.setdefault(record.stress.convention, []).append(pair)

    def mistake(self) -> str:
        """Say what is wrong with the stresses, a sentence a convention; empty if nothing is."""
        return " ".join(filter(None, (_told(own, pairs) for own, pairs in self._pairs.items())))


def _told(expected: StressConvention, pairs: list[tuple[float, float]]) -> str:
    """Say which convention stresses have if it is another one than expected."""
    if len(pairs) < LEAST_PAIRS:
        return ""
    stated, done = np.array(pairs).T
    factor = float(stated @ done / (done @ done))
    left = np.linalg.norm(stated - factor * done) / np.linalg.norm(stated)
    own = [c for c in CONVENTIONS if abs(factor / c.per_eV_A3 - 1) < _NEAR and left < _NEAR]
    if not own or own[0] == expected:
        return ""
    if own[0].unit == expected.unit:
        what = f"have the wrong sign: they are expected to be positive for {expected.positive}"
    else:
        what = f"are in {own[0]}, rather than in {expected}"
    times = factor / expected.per_eV_A3
    return (
        f"the stresses {what} (they are {times:.3g} times what the energies of {len(done)} pairs "
        "of strained cells give); nothing here needs them, but don't train or judge forces and "
        "stress with this file."
    )


def _work(a: CrystalRecord, b: CrystalRecord) -> tuple[float, float] | None:
    """Return the work between two cells by their stresses and by their energies.

    The latter in eV, the former in the stresses' unit times angstrom^3. None where they differ by
    more than a small strain, or by too little to tell.
    """
    gaps = b.positions - a.positions
    if a.stress is None or b.stress is None or not np.isfinite(gaps).all():
        return None
    if np.abs(gaps - np.round(gaps)).max() > _SAME_PLACES:
        return None
    if min(abs(np.linalg.det(a.cell)), abs(np.linalg.det(b.cell))) < 1e-6:
        return None
    stretch = np.linalg.solve(a.cell, b.cell)
    # a rotation does no work; the symmetric part of the logarithm is the strain
    strain = np.real(logm(stretch))
    strain = (strain + strain.T) / 2
    if np.abs(strain).max() > _MOST_STRAIN:
        return None
    done = b.energy_eV - a.energy_eV
    if abs(done) < _LEAST_WORK_EV:
        return None
    volumes = [abs(np.linalg.det(record.cell)) for record in (a, b)]
    # the mean of V s at both ends is exact to second order in the strain
    mean = (volumes[0] * a.stress.values + volumes[1] * b.stress.values) / 2
    return float(np.sum(mean * strain)), done
