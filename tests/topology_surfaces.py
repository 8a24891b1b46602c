"""Surfaces with known minima and saddles."""

from __future__ import annotations

import numpy as np

# K. Mueller, L. D. Brown, Theor. Chim. Acta 53, 75 (1979): minima and saddles as tabulated there
MUELLER_BROWN_MINIMA = (
    (-0.558, 1.442, -146.700),
    (0.623, 0.028, -108.167),
    (-0.050, 0.467, -80.768),
)
MUELLER_BROWN_SADDLES = ((-0.822, 0.624, -40.665), (0.212, 0.293, -72.249))


def mueller_brown(x, y):
    height = (-200.0, -100.0, -170.0, 15.0)
    a, b, c = (-1, -1, -6.5, 0.7), (0, 0, 11, 0.6), (-10, -10, -6.5, 0.7)
    x0, y0 = (1, 0, -0.5, -1), (0, 0.5, 1.5, 1)
    return sum(
        height[k]
        * np.exp(
            a[k] * (x - x0[k]) ** 2 + b[k] * (x - x0[k]) * (y - y0[k]) + c[k] * (y - y0[k]) ** 2
        )
        for k in range(4)
    )


def double_well(x, y, barrier=0.1, tilt=0.0):
    """Minima at (-1, 0) and (1, 0), saddle at (0, 0), untilted."""
    return barrier * (x**2 - 1) ** 2 + tilt * x + 0.3 * y**2


def egg_carton(n, periods=1, amplitude=0.05):
    """Minima of -2 and maxima of 2 amplitudes, saddles at 0, on a grid without the repeated end."""
    x = 2 * np.pi * periods * np.arange(n) / n
    return -amplitude * (np.cos(x)[:, None] + np.cos(x)[None, :])


def mesh(x, y):
    return np.meshgrid(x, y, indexing="ij")
