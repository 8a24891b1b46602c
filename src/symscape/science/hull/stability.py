"""Who is called stable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: energies above hull nearer than this to a threshold are on it, eV/atom: rounding
_ROUNDING_EV = 1e-7


@dataclass(frozen=True)
class Verdicts:
    """How many crystals model and DFT call stable; ratios are NaN where nothing is divided by.

    Parameters
    ----------
    both, neither
        Stable for both, for neither.
    model_only, dft_only
        Stable for one of the two.
    """

    both: int
    model_only: int
    dft_only: int
    neither: int

    @property
    def count(self) -> int:
        """All crystals."""
        return self.both + self.model_only + self.dft_only + self.neither

    @property
    def model_only_share(self) -> float:
        """Of those that are unstable in DFT, the share that the model calls stable."""
        return _ratio(self.model_only, self.model_only + self.neither)

    @property
    def dft_only_share(self) -> float:
        """Of those that are stable in DFT, the share that the model calls unstable."""
        return _ratio(self.dft_only, self.both + self.dft_only)

    @property
    def precision(self) -> float:
        """Of those that the model calls stable, the share that is."""
        return _ratio(self.both, self.both + self.model_only)

    @property
    def recall(self) -> float:
        """Of those that are stable in DFT, the share that the model finds."""
        return _ratio(self.both, self.both + self.dft_only)

    @property
    def harmonic_mean(self) -> float:
        """Harmonic mean of precision and recall."""
        return _ratio(2 * self.both, 2 * self.both + self.model_only + self.dft_only)


def classify(
    above_dft: np.ndarray, above_model: np.ndarray, threshold_meV: float = 0.0
) -> Verdicts:
    """Compare whom model and DFT call stable.

    A crystal is stable if it is at most ``threshold_meV`` above the hull of the same method.

    Parameters
    ----------
    above_dft, above_model
        Energies above the own hull, eV/atom, shape (n,).
    threshold_meV
        meV/atom.
    """
    limit = threshold_meV / 1000 + _ROUNDING_EV
    dft, model = np.asarray(above_dft) <= limit, np.asarray(above_model) <= limit
    return Verdicts(
        int((dft & model).sum()),
        int((~dft & model).sum()),
        int((dft & ~model).sum()),
        int((~dft & ~model).sum()),
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
