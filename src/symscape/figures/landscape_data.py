"""What a landscape figure shows: grids of energies, their axes and names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class LandscapeData:
    """What a landscape figure shows. Grids have shape (n_u, n_v), first axis along the rows.

    Parameters
    ----------
    u, v
        Grid values of the axes, shapes (n_u,) and (n_v,), increasing.
    labels
        Names of the axes as printed, ``("z(Ti)", "z(O)")``.
    reference, model
        eV/atom above the common zero, NaN where unknown; ``model`` is None where a run says nothing
        about the model's energies.
    masked
        True where two atoms are too close.
    minimum
        Grid indices of the DFT minimum.
    window
        Width in eV/atom of the judged window.
    worst
        Grid indices of the worst point, if there is one.
    baseline
        An earlier model's energies, as ``model``; None if there are none.
    model_name, reference_name, title
        Printed above the panels.
    """

    u: np.ndarray
    v: np.ndarray
    labels: tuple[str, str]
    reference: np.ndarray
    model: np.ndarray | None
    masked: np.ndarray
    minimum: tuple[int, int]
    window: float = 0.5
    worst: tuple[int, int] | None = None
    baseline: np.ndarray | None = None
    model_name: str = "model"
    reference_name: str = "DFT"
    title: str = ""

    @property
    def error(self) -> np.ndarray:
        """Model minus DFT in eV/atom, shape (n_u, n_v); NaN without a model."""
        if self.model is None:
            return np.full(self.reference.shape, np.nan)
        return self.model - self.reference

    @property
    def change(self) -> np.ndarray:
        """Model minus baseline in eV/atom, shape (n_u, n_v); NaN without either."""
        if self.model is None or self.baseline is None:
            return np.full(self.reference.shape, np.nan)
        return self.model - self.baseline

    @property
    def model_minimum(self) -> tuple[int, int] | None:
        """Grid indices of the model's lowest energy among the points that DFT has."""
        return self._lowest(self.model)

    @property
    def baseline_minimum(self) -> tuple[int, int] | None:
        """Grid indices of the baseline's lowest energy among the points that DFT has."""
        return self._lowest(self.baseline)

    def _lowest(self, energies: np.ndarray | None) -> tuple[int, int] | None:
        if energies is None:
            return None
        known = np.isfinite(energies) & np.isfinite(self.reference)
        if not known.any():
            return None
        i, j = np.unravel_index(np.argmin(np.where(known, energies, np.inf)), known.shape)
        return int(i), int(j)
