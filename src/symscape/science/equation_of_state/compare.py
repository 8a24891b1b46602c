"""How far two equations of state are apart: the measures of verification studies.

Each curve counts from its own minimum, so that an error of the absolute energy plays no part. The
integrals go over 94 to 106 % of the mean of the two volumes, as in the study that defined epsilon:
E. Bosoni et al., Nat. Rev. Phys. 6, 45 (2024). Delta is that of K. Lejaeghere et al., Science 351,
aad3000 (2016).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symscape.references.birch_murnaghan import GPA, BirchMurnaghan

#: half of the window, relative to its centre
HALF_WINDOW = 0.06
#: epsilon at or below which the study calls two curves in excellent or in good agreement
EXCELLENT, GOOD = 0.06, 0.20

#: 10 GPa in eV/angstrom^3: errors of smaller bulk moduli count in per cent of it. There the energy
#: rises by less than 3 meV/atom from the minimum to the window's edge (B0 V 0.06^2 / 2 with 25
#: angstrom^3/atom), and how many per cent of next to nothing that is says little of a potential
SOFTEST = 10 / GPA

# exact to machine precision for functions as smooth as these
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def epsilon(a: BirchMurnaghan, b: BirchMurnaghan) -> np.ndarray:
    """Return the root of the mean squared difference in units of the curves' own variation.

    epsilon^2 = <(Ea - Eb)^2> / sqrt(<(Ea - <Ea>)^2> <(Eb - <Eb>)^2>), where <> is the mean over the
    window. It has no unit and does not depend on how stiff a crystal is.

    Parameters
    ----------
    a, b
        Curves of the same crystals.

    Returns
    -------
    numpy.ndarray
        Shape (n,), NaN where a curve has no minimum.
    """
    first, second = _curves(a, b)
    variances = _variance(first) * _variance(second)
    return np.sqrt(_mean((first - second) ** 2) / np.sqrt(variances))


def delta(a: BirchMurnaghan, b: BirchMurnaghan) -> np.ndarray:
    """Return the root of the mean squared difference in meV/atom, shape (n,)."""
    first, second = _curves(a, b)
    return 1000 * np.sqrt(_mean((first - second) ** 2))


def relative_difference(value: np.ndarray, reference: np.ndarray, least: float = 0.0) -> np.ndarray:
    """Return by how many per cent values are larger than the reference's.

    Parameters
    ----------
    least
        Differences count against this where the reference is smaller.
    """
    return 100 * (value - reference) / np.maximum(reference, least)


@dataclass(frozen=True, eq=False)
class CurveErrors:
    """How far a model's curves are from DFT's; arrays of shape (n,), NaN without a minimum.

    Parameters
    ----------
    epsilon
        No unit.
    delta
        meV/atom.
    volume, bulk_modulus
        Signed, per cent of DFT's; of 10 GPa where DFT's bulk modulus is smaller.
    """

    epsilon: np.ndarray
    delta: np.ndarray
    volume: np.ndarray
    bulk_modulus: np.ndarray

    @classmethod
    def of(cls, model: BirchMurnaghan, dft: BirchMurnaghan) -> CurveErrors:
        """Compare a model's curves with DFT's."""
        return cls(
            epsilon(model, dft),
            delta(model, dft),
            relative_difference(model.volume, dft.volume),
            relative_difference(model.bulk_modulus, dft.bulk_modulus, SOFTEST),
        )

    @property
    def known(self) -> np.ndarray:
        """Which crystals have a minimum near DFT's for the model too, shape (n,)."""
        found: np.ndarray = np.isfinite(self.epsilon)
        return found


def _curves(a: BirchMurnaghan, b: BirchMurnaghan) -> tuple[np.ndarray, np.ndarray]:
    """Return both curves at the nodes of the window, each above its own minimum, eV/atom."""
    centre = (a.volume + b.volume) / 2
    volumes = centre[:, None] * (1 + HALF_WINDOW * _NODES)
    return (
        a.energies(volumes) - a.energy[:, None],
        b.energies(volumes) - b.energy[:, None],
    )


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over the window of what is given at its nodes."""
    return values @ _WEIGHTS / 2


def _variance(values: np.ndarray) -> np.ndarray:
    return _mean((values - _mean(values)[:, None]) ** 2)
