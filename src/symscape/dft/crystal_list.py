"""A list of crystals to relax for hulls, read from a TOML file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from symscape.crystal.crystal import Crystal
from symscape.dft.kinds import CRYSTALS, read_file
from symscape.dft.plan import DEFAULT_LICENCE, Plan, RelaxTarget, as_list
from symscape.dft.plan_crystal import CrystalTable, read_crystal
from symscape.dft.plan_tables import complaints_about, read_table
from symscape.dft.settings import EngineSpec, Settings, k_mesh
from symscape.errors import PlanError, SymscapeError, shown
from symscape.references.crystal_checks import MAX_FORCE_EV_A, MAX_STRESS_GPA


@dataclass(frozen=True, kw_only=True)
class ListedCrystal(CrystalTable):
    """One ``[[crystal]]`` of a list; see `PlannedCrystal`."""

    id: str
    prototype: str = ""
    k_density_A: float | None = None


@dataclass(frozen=True)
class ListedTarget:
    """``[relax]`` of a list: by default what the library accepts with something to spare."""

    force_eV_A: float = 0.75 * MAX_FORCE_EV_A
    pressure_GPa: float = 0.75 * MAX_STRESS_GPA
    max_steps: int = 60


@dataclass(frozen=True)
class ListTable:
    """A list as its file states it; see `CrystalList`."""

    crystal: tuple[ListedCrystal, ...] = ()
    settings: Settings = field(default_factory=Settings)
    engine: EngineSpec = field(default_factory=EngineSpec)
    relax: ListedTarget = field(default_factory=ListedTarget)
    licence: str = DEFAULT_LICENCE
    citation: str | tuple[str, ...] = ()
    notes: str = ""


@dataclass(frozen=True, eq=False)
class PlannedCrystal:
    """A crystal to relax.

    Parameters
    ----------
    id
        Unique name, formula and prototype: ``Mg2Si-CaF2``.
    prototype
        Name of the structure type.
    crystal
        Where the relaxation starts; it keeps this space group.
    settings
        With the k-mesh that it keeps.
    notices
        What the user should know of the crystal's file, one sentence each.
    """

    id: str
    prototype: str
    crystal: Crystal
    settings: Settings
    notices: tuple[str, ...] = ()

    @property
    def system(self) -> str:
        """Chemical system, elements in alphabetical order: ``Mg-Si``."""
        from ase.data import chemical_symbols

        return "-".join(sorted({str(chemical_symbols[z]) for z in self.crystal.numbers}))


@dataclass(frozen=True, eq=False)
class CrystalList:
    """Crystals to be computed in one way.

    Parameters
    ----------
    path
        The TOML file.
    crystals
        In the order in which they are computed.
    settings
        For all of them; crystals may have more k-points.
    engine
        The code.
    relax
        When a crystal is relaxed.
    licence, citation, notes
        Go into the references.
    """

    path: Path
    crystals: tuple[PlannedCrystal, ...]
    settings: Settings
    engine: EngineSpec
    relax: RelaxTarget
    licence: str
    citation: tuple[str, ...]
    notes: str

    def plan_of(self, planned: PlannedCrystal, folder: Path) -> Plan:
        """Return the plan of one crystal, whose journal and result lie in ``folder``."""
        return Plan(
            path=folder / f"{planned.id}.toml",
            material=planned.id,
            crystal=planned.crystal,
            axes=None,
            settings=planned.settings,
            engine=self.engine,
            relax=self.relax,
        )


def load_crystal_list(path: str | Path) -> CrystalList:
    """Read a list of crystals.

    Raises
    ------
    PlanError
        If the file can't be read, holds an unknown key or an impossible crystal, or names a
        crystal twice.
    """
    path = Path(path)
    document = read_file(path, CRYSTALS)
    with complaints_about(path):
        return _read(path, document)


def _read(path: Path, document: dict[str, Any]) -> CrystalList:
    stated = read_table(ListTable, document, str(path))
    settings = stated.settings.checked()
    if not stated.crystal:
        raise PlanError("there is nothing to relax; add [[crystal]] tables.")
    crystals: dict[str, PlannedCrystal] = {}
    for table in stated.crystal:
        planned = _planned(table, settings, path.parent)
        if planned.id in crystals:
            raise PlanError(f"the crystal {planned.id!r} is listed twice; rename one.")
        crystals[planned.id] = planned
    return CrystalList(
        path,
        tuple(crystals.values()),
        settings,
        stated.engine.checked(),
        _target(stated.relax, settings),
        stated.licence,
        as_list(stated.citation),
        stated.notes,
    )


def _planned(table: ListedCrystal, settings: Settings, folder: Path) -> PlannedCrystal:
    name = table.id
    if not re.fullmatch(r"[A-Za-z0-9][\w.+-]*", name):
        raise PlanError(f"id {shown(name)} can't be a file's name; write it like Mg2Si-CaF2.")
    try:
        content = read_crystal(table, folder)
    except SymscapeError as error:
        raise PlanError(f"{name}: {error}") from None
    crystal = content.crystal
    density = settings.k_density_A if table.k_density_A is None else table.k_density_A
    if density < settings.k_density_A:
        raise PlanError(
            f"{name}: k_density_A is {density:g}, but must be at least the common "
            f"{settings.k_density_A:g}."
        )
    mesh = k_mesh((crystal.group.primitive_cell @ crystal.lattice)[None], density)
    if crystal.symbol[0] in "FIR":  # symmetry mixes all three vectors of these primitive cells
        mesh = (max(mesh),) * 3
    own = replace(settings, k_density_A=density, k_mesh=mesh)
    return PlannedCrystal(name, table.prototype, crystal, own, content.notices)


def _target(stated: ListedTarget, settings: Settings) -> RelaxTarget:
    """Return when a crystal is relaxed; one cut-off serves relaxation and energy."""
    if not (
        0 < stated.force_eV_A <= MAX_FORCE_EV_A
        and 0 < stated.pressure_GPa <= MAX_STRESS_GPA
        and stated.max_steps > 0
    ):
        raise PlanError(
            f"[relax]: force_eV_A must be at most {MAX_FORCE_EV_A:g}, pressure_GPa at most "
            f"{MAX_STRESS_GPA:g} and max_steps positive, or the library refuses the crystals."
        )
    return RelaxTarget(stated.force_eV_A, stated.pressure_GPa, settings.cutoff_eV, stated.max_steps)
