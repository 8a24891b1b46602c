"""What pymatgen writes of a structure twice: lattice by vectors and lengths, sites in two bases.

Who edits one and not the other has a file of two crystals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

#: lengths may differ by this share, angles by so many degrees, sites by so many angstrom: rounding
_LENGTH, _ANGLE, _SITE_A = 2e-3, 0.1, 0.02
_LENGTHS, _ANGLES = ("a", "b", "c"), ("alpha", "beta", "gamma")


def two_crystals(structure: Mapping[str, Any]) -> str:
    """Say what differs between the two forms of ``Structure.as_dict()``, empty if nothing does.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is malformed.
    """
    lattice = structure["lattice"]
    if "matrix" not in lattice:
        return ""
    matrix = np.array(lattice["matrix"], dtype=float).reshape(3, 3)
    if not (np.isfinite(matrix).all() and abs(np.linalg.det(matrix)) > 1e-6):
        return ""  # for others to refuse
    return _lattice(lattice, matrix) or _sites(structure["sites"], matrix)


def _lattice(lattice: Mapping[str, Any], matrix: np.ndarray) -> str:
    from ase.geometry import cell_to_cellpar

    own = dict(zip((*_LENGTHS, *_ANGLES), cell_to_cellpar(matrix), strict=True))
    own["volume"] = abs(float(np.linalg.det(matrix)))
    for key, value in own.items():
        stated = lattice.get(key)
        if isinstance(stated, bool) or not isinstance(stated, int | float):
            continue
        allowed = _ANGLE if key in _ANGLES else _LENGTH * value * (3 if key == "volume" else 1)
        if abs(stated - value) > allowed:
            return f"the lattice's {key} is {stated:g}, but its matrix has {value:g}"
    return ""


def _sites(sites: Any, matrix: np.ndarray) -> str:
    if not sites or not all("abc" in site and "xyz" in site for site in sites):
        return ""
    places = np.array([site["abc"] for site in sites], dtype=float).reshape(-1, 3)
    cartesian = np.array([site["xyz"] for site in sites], dtype=float).reshape(-1, 3)
    if len(places) != len(cartesian):
        return ""
    with np.errstate(invalid="ignore"):
        gaps = places - np.linalg.solve(matrix.T, cartesian.T).T
        apart = np.linalg.norm((gaps - np.round(gaps)) @ matrix, axis=1)
    if not (apart > _SITE_A).any():
        return ""
    k = int(np.nanargmax(apart))
    return f"the site {k + 1} is {apart[k]:.2f} angstrom elsewhere by its xyz than by its abc"
