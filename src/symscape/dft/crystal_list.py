"""A list of crystals to relax for hulls, read from a TOML file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.dft.crystals import read_crystal
from symscape.dft.plan import DEFAULT_LICENCE, Plan, RelaxTarget
from symscape.dft.settings import EngineSpec, Settings, k_mesh, read_table, refuse_unknown
from symscape.dft.toml import complaints_about, read_toml
from symscape.errors import PlanError, SymscapeError
from symscape.references.crystal_checks import MAX_FORCE_EV_A, MAX_STRESS_GPA

_TOP = ("licence", "citation", "notes", "settings", "engine", "relax", "crystal")
_OWN = ("id", "prototype", "k_density_A")


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
    document = read_toml(path, "list of crystals")
    with complaints_about(path):
        return _read(path, document)


def _read(path: Path, document: Mapping[str, Any]) -> CrystalList:
    document = refuse_unknown(document, list(_TOP), "the list")
    settings = Settings.from_dict(document.get("settings", {}))
    tables = document.get("crystal", [])
    if not isinstance(tables, list) or not tables:
        raise PlanError("there is nothing to relax; add [[crystal]] tables.")
    crystals: dict[str, PlannedCrystal] = {}
    for table in tables:
        planned = _planned(table, settings, path.parent)
        if planned.id in crystals:
            raise PlanError(f"the crystal {planned.id!r} is listed twice; rename one.")
        crystals[planned.id] = planned
    citation = document.get("citation", [])
    return CrystalList(
        path,
        tuple(crystals.values()),
        settings,
        EngineSpec.from_dict(document.get("engine", {})),
        _target(document.get("relax", {}), settings),
        str(document.get("licence", DEFAULT_LICENCE)),
        (citation,) if isinstance(citation, str) else tuple(str(text) for text in citation),
        str(document.get("notes", "")),
    )


def _planned(table: Any, settings: Settings, folder: Path) -> PlannedCrystal:
    if not isinstance(table, Mapping) or "id" not in table:
        raise PlanError("each [[crystal]] table needs an id.")
    name = str(table["id"])
    if not re.fullmatch(r"[A-Za-z0-9][\w.+-]*", name):
        raise PlanError(f"id {name!r} can't be a file's name; write it like Mg2Si-CaF2.")
    geometry = {key: value for key, value in table.items() if key not in _OWN}
    try:
        content = read_crystal(geometry, folder)
        crystal = content.crystal
        density = float(table.get("k_density_A", settings.k_density_A))
    except (TypeError, ValueError) as error:
        raise PlanError(f"{name}: a value is of the wrong type ({error}).") from None
    except SymscapeError as error:
        raise PlanError(f"{name}: {error}") from None
    if not np.isfinite(density) or density < settings.k_density_A:
        raise PlanError(
            f"{name}: k_density_A is {density:g}, but must be at least the common "
            f"{settings.k_density_A:g}."
        )
    mesh = k_mesh((crystal.group.primitive_cell @ crystal.lattice)[None], density)
    if crystal.symbol[0] in "FIR":  # symmetry mixes all three vectors of these primitive cells
        mesh = (max(mesh),) * 3
    own = replace(settings, k_density_A=density, k_mesh=mesh)
    return PlannedCrystal(name, str(table.get("prototype", "")), crystal, own, content.notices)


def _target(values: Any, settings: Settings) -> RelaxTarget:
    """Read when a crystal is relaxed; one cut-off serves relaxation and energy."""
    own = {
        "force_eV_A": 0.75 * MAX_FORCE_EV_A,
        "pressure_GPa": 0.75 * MAX_STRESS_GPA,
        "max_steps": 60,
    }
    values = own | refuse_unknown(values, list(own), "[relax]")
    target = read_table(RelaxTarget, values | {"cutoff_eV": settings.cutoff_eV}, "[relax]")
    if not (
        0 < target.force_eV_A <= MAX_FORCE_EV_A
        and 0 < target.pressure_GPa <= MAX_STRESS_GPA
        and target.max_steps > 0
    ):
        raise PlanError(
            f"[relax]: force_eV_A must be at most {MAX_FORCE_EV_A:g}, pressure_GPa at most "
            f"{MAX_STRESS_GPA:g} and max_steps positive, or the library refuses the crystals."
        )
    return target
