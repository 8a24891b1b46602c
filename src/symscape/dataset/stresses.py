"""Stresses with the wrong sign or in another unit, told from energies of strained cells.

Between two cells of the same atoms, one strained by a small ``e`` against the other, the energy
changes by the work of the stress, ``V sum(s e)``, whatever the functional. What a file states as
stress is held against that; nothing else of a data set needs stresses, so they are not kept.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import logm

from symscape.dataset.record import CrystalRecord

#: GPa per eV/angstrom^3 (CODATA 2018 elementary charge)
_GPA = 160.2176634
#: what stated stresses are, by the factor between them and eV/angstrom^3 with positive tension
_MISTAKES = {
    -1.0: "have the wrong sign: positive is tension, the derivative of the energy by strain",
    _GPA: "are in GPa rather than eV/angstrom^3",
    -_GPA: "are in GPa and have the wrong sign: eV/angstrom^3 are expected, positive for tension",
    10 * _GPA: "are in kbar rather than eV/angstrom^3",
    -10 * _GPA: "are VASP's, in kbar with the other sign: eV/angstrom^3 are expected, positive for "
    "tension",
}
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
        #: work by the stated stresses and by the energies, eV
        self._pairs: list[tuple[float, float]] = []

    def add(self, record: CrystalRecord) -> None:
        """Compare a crystal with the last one that has the same atoms."""
        if record.stress_eV_A3 is None or not np.isfinite(record.energy_eV):
            return
        key = record.numbers.tobytes()
        before = self._last.get(key)
        if before is None and len(self._last) >= _MOST_KEPT:
            return
        self._last[key] = record
        if before is not None and (pair := _work(before, record)):
            self._pairs.append(pair)

    def mistake(self) -> str:
        """Say what is wrong with the stresses, one sentence; empty if nothing can be told."""
        if len(self._pairs) < LEAST_PAIRS:
            return ""
        stated, done = np.array(self._pairs).T
        factor = float(stated @ done / (done @ done))
        left = np.linalg.norm(stated - factor * done) / np.linalg.norm(stated)
        for known, what in _MISTAKES.items():
            if abs(factor / known - 1) < _NEAR and left < _NEAR:
                return (
                    f"the stresses {what} (they are {factor:.3g} times what the energies of "
                    f"{len(done)} pairs of strained cells give); nothing here needs them, but "
                    "don't train or judge forces and stress with this file."
                )
        return ""


def _work(a: CrystalRecord, b: CrystalRecord) -> tuple[float, float] | None:
    """Return the work between two cells by their stresses and by their energies, eV.

    None where they differ by more than a small strain, or by too little to tell.
    """
    gaps = b.positions - a.positions
    if a.stress_eV_A3 is None or b.stress_eV_A3 is None or not np.isfinite(gaps).all():
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
    mean = (volumes[0] * a.stress_eV_A3 + volumes[1] * b.stress_eV_A3) / 2
    return float(np.sum(mean * strain)), done
