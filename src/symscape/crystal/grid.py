"""Axes and the rectangular grid that a slice spans with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Axis:
    """One direction in the space of free Wyckoff coordinates and free lattice parameters.

    Parameters
    ----------
    name
        Short name used in case ids and on figures: ``Ti_z``, ``O_z``, ``c/a``.
    terms
        Which free coordinates move, each with its weight: ``{"O1_z": 1.0, "O2_z": 1.0}``; or one
        lattice parameter: ``{"c/a": 1.0}``.
    start, stop
        First and last value of the axis (both on the grid): a fractional coordinate, or the
        lattice parameter's own unit (angstrom, degrees, ratio, angstrom^3/atom for ``volume``).
    points
        Number of grid values.
    origin
        The axis value at which the slice's crystal itself sits.
    period
        The coordinate's period if the slice spans all of it, else None.
    """

    name: str
    terms: dict[str, float]
    start: float
    stop: float
    points: int
    origin: float
    period: float | None = None

    @property
    def values(self) -> np.ndarray:
        """Grid values, shape (points,)."""
        return np.linspace(self.start, self.stop, self.points)
