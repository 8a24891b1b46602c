"""Model and DFT on one grid, with one zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class AlignedGrid:
    """Energies of DFT and model relative to the same grid point, the DFT minimum.

    Parameters
    ----------
    reference, model
        eV/atom above the zero, shape (n_u, n_v), NaN where not ``valid``. The reference is never
        negative; the model is where it puts a point below the DFT minimum.
    valid
        True where both have an energy, shape (n_u, n_v).
    zero
        Grid indices of the common zero.
    """

    reference: np.ndarray
    model: np.ndarray
    valid: np.ndarray
    zero: tuple[int, int]

    @property
    def error(self) -> np.ndarray:
        """Model minus DFT in eV/atom, shape (n_u, n_v)."""
        return self.model - self.reference

    def window(self, width: float) -> np.ndarray:
        """Mark the points at most ``width`` eV/atom above the DFT minimum, shape (n_u, n_v)."""
        with np.errstate(invalid="ignore"):
            # the tiny slack keeps a point that lies on the rim inside after rounding
            return self.valid & (self.reference <= width + 1e-12)


def align(reference: np.ndarray, model: np.ndarray, valid: np.ndarray | None = None) -> AlignedGrid:
    """Put the energies of DFT and model on a common zero, the DFT minimum.

    Parameters
    ----------
    reference, model
        Energies in eV/atom, shape (n_u, n_v), each with a zero of its own; NaN where unknown.
    valid
        Points to use, default: wherever the reference is finite.

    Raises
    ------
    ValueError
        If the shapes differ, the reference has no valid point, or the model has no energy at the
        DFT minimum, without which there is no common zero.
    """
    reference = np.asarray(reference, dtype=float)
    model = np.asarray(model, dtype=float)
    if reference.shape != model.shape:
        raise ValueError(f"grids differ in shape: {reference.shape} and {model.shape}")
    wanted = np.isfinite(reference) if valid is None else valid & np.isfinite(reference)
    if not wanted.any():
        raise ValueError("the reference has no valid point")
    flat = int(np.nanargmin(np.where(wanted, reference, np.nan)))
    i, j = (int(k) for k in np.unravel_index(flat, reference.shape))
    if not np.isfinite(model[i, j]):
        raise ValueError(f"the model has no energy at the DFT minimum, grid point ({i}, {j})")
    valid = wanted & np.isfinite(model)
    return AlignedGrid(
        np.where(valid, reference - reference[i, j], np.nan),
        np.where(valid, model - model[i, j], np.nan),
        valid,
        (i, j),
    )
