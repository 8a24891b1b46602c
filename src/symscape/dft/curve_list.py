"""A list of equations of state to compute, to be held against those that others verified.

The settings of grids and hull crystals, on crystals whose all-electron curves are known: what the
engine's datasets, cut-off and meshes are worth becomes a number.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from symscape.dft.kinds import CURVES, read_file
from symscape.dft.plan import DEFAULT_LICENCE
from symscape.dft.plan_tables import complaints_about, read_table
from symscape.dft.settings import EngineSpec, Settings
from symscape.errors import PlanError, shown
from symscape.references.equations import EquationsOfState


@dataclass(frozen=True)
class GroupTable:
    """One ``[[group]]`` of a list: crystals, and what of the settings is their own."""

    crystals: tuple[str, ...] = ()
    k_density_A: float | None = None
    cutoff_eV: float | None = None

    def settings(self, common: Settings) -> Settings:
        """Return the settings of the group's crystals."""
        density = common.k_density_A if self.k_density_A is None else self.k_density_A
        cutoff = common.cutoff_eV if self.cutoff_eV is None else self.cutoff_eV
        return replace(common, k_density_A=density, cutoff_eV=cutoff)


@dataclass(frozen=True)
class CurvesTable:
    """A list as its file states it; see `CurveList`."""

    group: tuple[GroupTable, ...] = ()
    settings: Settings = field(default_factory=Settings)
    engine: EngineSpec = field(default_factory=EngineSpec)
    licence: str = DEFAULT_LICENCE
    notes: str = ""


@dataclass(frozen=True, eq=False)
class PlannedCurve:
    """A crystal whose equation of state is to be computed.

    Parameters
    ----------
    id
        As the reference has it: ``Ti-BCC``.
    settings
        With the one k-mesh of all its volumes.
    volumes
        angstrom^3/atom, shape (m,).
    cells, positions
        Primitive cells, (m, 3, 3), and positions, (m, n_atoms, 3), in angstrom.
    numbers
        Atomic numbers, shape (n_atoms,).
    """

    id: str
    settings: Settings
    volumes: np.ndarray
    cells: np.ndarray
    positions: np.ndarray
    numbers: np.ndarray

    @property
    def k_mesh(self) -> tuple[int, int, int]:
        """The one k-mesh of all volumes."""
        assert self.settings.k_mesh is not None
        return self.settings.k_mesh

    @property
    def key(self) -> tuple[str, float]:
        """What a list holds once: the crystal and the cut-off in eV."""
        return self.id, self.settings.cutoff_eV


@dataclass(frozen=True, eq=False)
class CurveList:
    """Curves to be computed in one way, in this order.

    Parameters
    ----------
    path
        The TOML file; the journal lies next to it.
    curves
        What is to be computed.
    settings
        Of all; groups may have another cut-off or density of k-points.
    engine
        The code.
    licence, notes
        Go into the result.
    """

    path: Path
    curves: tuple[PlannedCurve, ...]
    settings: Settings
    engine: EngineSpec
    licence: str
    notes: str

    @property
    def output_folder(self) -> Path:
        """Where the workers and their codes write logs."""
        return self.path.with_suffix(".out")

    @property
    def journal_path(self) -> Path:
        """The append-only record of everything that was computed for the list."""
        return self.path.with_suffix(".journal.jsonl")


def load_curve_list(path: str | Path, equations: EquationsOfState) -> CurveList:
    """Read a list of curves; each ``[[group]]`` names crystals computed with the same settings.

    Raises
    ------
    PlanError
        If the file can't be read, holds an unknown key, or names a crystal that the reference
        doesn't hold or that is listed twice at one cut-off.
    """
    path = Path(path)
    document = read_file(path, CURVES)
    with complaints_about(path):
        return _read(path, document, equations)


def _read(path: Path, document: dict[str, Any], equations: EquationsOfState) -> CurveList:
    stated = read_table(CurvesTable, document, str(path))
    settings = stated.settings.checked()
    if not stated.group:
        raise PlanError("there is nothing to compute; add [[group]] tables.")
    curves: dict[tuple[str, float], PlannedCurve] = {}
    for number, group in enumerate(stated.group, 1):
        own = group.settings(settings).checked(f"group {number}")
        for name in group.crystals:
            if (name, own.cutoff_eV) in curves:
                raise PlanError(
                    f"the crystal {shown(name)} is listed twice at {own.cutoff_eV:g} eV; "
                    "remove one."
                )
            curves[name, own.cutoff_eV] = _planned(name, own, equations)
    return CurveList(
        path,
        tuple(curves.values()),
        settings,
        stated.engine.checked(),
        stated.licence,
        stated.notes,
    )


def _planned(name: str, settings: Settings, equations: EquationsOfState) -> PlannedCurve:
    if name not in equations.ids:
        raise PlanError(f"the reference of equations of state holds no crystal {shown(name)}.")
    crystal = equations[np.array([equations.ids.index(name)])]
    volumes = crystal.sampled_volumes()
    structures = crystal.structures(volumes)
    atoms = [structures.arrays(k) for k in range(volumes.shape[1])]
    cells = np.array([cell for _, _, cell in atoms])
    positions = np.array([place for _, place, _ in atoms])
    return PlannedCurve(name, settings.with_mesh(cells), volumes[0], cells, positions, atoms[0][0])
