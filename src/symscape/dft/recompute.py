"""Computing a point of a stored reference again, to see that it can be reproduced."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from symscape.decode import Finite
from symscape.dft.engine import make_engine
from symscape.dft.results import Failure, Task
from symscape.dft.settings import EngineSpec, Settings
from symscape.dft.worker import LiveCalculator
from symscape.errors import PlanError
from symscape.references.method import Method
from symscape.references.reference import LandscapeReference


def settings_from_method(method: Method) -> Settings:
    """Return the numerical settings that a stored reference states.

    Raises
    ------
    PlanError
        If it does not state cut-off and k-points.
    """
    cutoff = method.cutoff_eV
    # the first grids state it in words
    if cutoff is None and (words := re.search(r"([\d.]+) eV", method.mode)):
        cutoff = Finite(float(words.group(1)))
    if cutoff is None or not (method.density or method.k_mesh):
        raise PlanError("the reference does not state its cut-off and k-points; add them.")
    settings = Settings(functional=method.functional, cutoff_eV=cutoff, k_mesh=method.k_mesh)
    if method.density is not None:
        settings = replace(settings, k_density_A=method.density)
    if method.smearing_eV is not None:
        settings = replace(settings, smearing_eV=method.smearing_eV)
    return settings.checked("the stored method")


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
    result = live.compute(Task.of(numbers, positions, cell))
    if isinstance(result, Failure):
        raise PlanError(f"point {point} of {reference.id} can't be computed ({result.failed}).")
    return result.energy_eV / len(numbers)
