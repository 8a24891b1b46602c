"""Computing a point of a stored reference again, to see that it can be reproduced."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from symscape.dft.engine import make_engine
from symscape.dft.settings import EngineSpec, Settings
from symscape.dft.worker import LiveCalculator
from symscape.errors import PlanError
from symscape.references.reference import LandscapeReference


def settings_from_method(method: dict[str, Any]) -> Settings:
    """Return the numerical settings that a stored reference states.

    Raises
    ------
    PlanError
        If it does not state cut-off and k-points.
    """
    stated: dict[str, Any] = {
        key: method[key]
        for key in ("functional", "cutoff_eV", "k_density_A", "k_mesh", "smearing_eV")
        if method.get(key) is not None
    }
    # the first grids state them in words
    if "cutoff_eV" not in stated:
        words = re.search(r"([\d.]+) eV", str(method.get("mode", "")))
        if words:
            stated["cutoff_eV"] = float(words.group(1))
    if "k_density_A" not in stated:
        density = (method.get("kpoints") or {}).get("density_per_inverse_angstrom")
        if density is not None:
            stated["k_density_A"] = density
    if "cutoff_eV" not in stated or not {"k_density_A", "k_mesh"} & stated.keys():
        raise PlanError("the reference does not state its cut-off and k-points; add them.")
    return Settings.from_dict(stated, "the stored method")


def recompute_point(reference: LandscapeReference, point: tuple[int, int], folder: Path) -> float:
    """Compute one point of a GPAW reference again.

    Parameters
    ----------
    reference
        The stored reference.
    point
        Grid indices.
    folder
        Where GPAW may write its log.

    Returns
    -------
    float
        The energy in eV/atom.

    Raises
    ------
    EngineError
        If GPAW is not installed.
    PlanError
        If the reference states too little of its method, or the point can't be computed.
    """
    settings = settings_from_method(reference.method)
    live = LiveCalculator(make_engine(EngineSpec(), settings), settings, folder)
    index = point[0] * reference.slice.shape[1] + point[1]
    numbers, positions, cell = reference.structures().arrays(index)
    result = live.compute({"numbers": numbers, "positions": positions, "cell": cell})
    if "failed" in result:
        raise PlanError(f"point {point} of {reference.id} can't be computed ({result['failed']}).")
    return float(result["energy_eV"]) / len(numbers)
