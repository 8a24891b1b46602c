"""A plan: what is to be computed, read from a TOML file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.slice import Slice
from symscape.dft.crystals import (
    crystal_digest,
    read_crystal,
    relaxed_crystal,
    relaxed_path,
)
from symscape.dft.settings import (
    EngineSpec,
    Settings,
    read_table,
    refuse_negative,
    refuse_unknown,
)
from symscape.dft.toml import complaints_about, read_toml
from symscape.errors import PlanError, SymscapeError, shown
from symscape.references.values import finite_array

_TOP = (
    "material", "kind", "mask_ratio", "licence", "citation", "notes",
    "crystal", "axes", "settings", "engine", "relax", "stress",
)  # fmt: skip
_AXIS = ("name", "terms", "start", "stop", "span", "relative_span", "points", "origin", "period")
DEFAULT_LICENCE = "CC-BY-4.0"


@dataclass(frozen=True)
class RelaxTarget:
    """When a relaxation is finished, and at which cut-off its stress is computed.

    Parameters
    ----------
    force_eV_A
        Largest force on an atom, eV/angstrom.
    pressure_GPa
        Largest component of the stress, GPa.
    cutoff_eV
        Plane-wave cut-off in eV; higher than the grid's, since the stress converges slower.
    max_steps
        Optimizer steps after which the relaxation has failed.
    cell
        Whether the cell relaxes with the positions.
    """

    force_eV_A: float = 0.01
    pressure_GPa: float = 0.1
    cutoff_eV: float = 600.0
    max_steps: int = 80
    cell: bool = True


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be computed, by which code, and under which names and licence it is stored.

    Parameters
    ----------
    path
        The TOML file; journal, logs and relaxed crystal lie next to it.
    material
        Formula and space group: ``PbTiO3-P4mm``.
    crystal
        The axes' origin; already relaxed if the plan asks for it and it has been done.
    axes
        Two axes, or none in a plan that only relaxes its crystal.
    settings, engine
        How energies are computed.
    kind
        ``local`` or ``global``.
    mask_ratio
        See ``Slice``.
    licence, citation, notes
        Go into the reference.
    relax
        Target of the relaxation, None if the crystal is taken as it is.
    relaxed
        What the relaxation left behind (its file's content), None if it has not been done.
    stated_settings
        The keys that the plan's ``[settings]`` holds; the others are defaults.
    notices
        What the user should know of the crystal's file, one sentence each.
    stress
        Whether stresses belong to the grid: not where a fixed cut-off makes them differ from the
        slope of the energy (Pulay stress). Slopes along the lattice are then not judged.
    """

    path: Path
    material: str
    crystal: Crystal
    axes: tuple[Axis, Axis] | None
    settings: Settings
    engine: EngineSpec
    kind: str = "local"
    mask_ratio: float = 0.7
    licence: str = DEFAULT_LICENCE
    citation: tuple[str, ...] = ()
    notes: str = ""
    relax: RelaxTarget | None = None
    relaxed: dict[str, Any] | None = None
    stated_settings: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    stress: bool = True

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @property
    def journal_path(self) -> Path:
        """The append-only record of everything that was computed for the plan."""
        return self.path.with_suffix(".journal.jsonl")

    @property
    def output_folder(self) -> Path:
        """Where the workers and their codes write logs."""
        return self.path.with_suffix(".out")

    @cached_property
    def slice(self) -> Slice:
        """The slice.

        Raises
        ------
        PlanError
            If the plan has no axes, or they do not fit the crystal.
        """
        if self.axes is None:
            raise PlanError(f"{self.path}: the plan has no [[axes]]; add two to compute a grid.")
        try:
            return Slice(self.crystal, self.axes, self.mask_ratio)
        except SymscapeError as error:
            raise PlanError(f"{self.path}: {error}") from None

    @property
    def needs_relaxation(self) -> bool:
        """Whether the plan asks for a relaxation that has not been done."""
        return self.relax is not None and self.relaxed is None

    @cached_property
    def moves_lattice(self) -> bool:
        """Whether an axis deforms the cell."""
        return any(lattice_axes(self.slice))

    def grid_settings(self) -> Settings:
        """Return the settings with one k-mesh for all unmasked points of the grid."""
        unmasked = ~self.slice.mask.ravel()
        if not unmasked.any():
            raise PlanError(
                f"{self.path}: every grid point is masked because atoms are too close; correct the "
                "axes or the mask_ratio."
            )
        return self.settings.with_mesh(self.slice.structures().cells[unmasked])


def lattice_axes(the_slice: Slice) -> tuple[bool, bool]:
    """Return for each axis whether it deforms the cell."""
    free = {coordinate.name for coordinate in the_slice.crystal.free_coordinates}
    first, second = (not set(axis.terms) <= free for axis in the_slice.axes)
    return first, second


def load_plan(path: str | Path) -> Plan:
    """Read a plan.

    Raises
    ------
    PlanError
        If the file can't be read, holds an unknown key or a value that makes no sense, or if its
        axes do not fit its crystal.
    """
    path = Path(path)
    document = read_toml(path, "plan")
    with complaints_about(path):
        return _plan_from_document(path, document)


def _plan_from_document(path: Path, document: dict[str, Any]) -> Plan:
    document = refuse_unknown(document, list(_TOP), "the plan")
    if "crystal" not in document:
        raise PlanError("the plan has no [crystal] table; give its file, or cell and sites.")
    relax = _relax_target(document["relax"]) if "relax" in document else None
    start = read_crystal(document["crystal"], path.parent)
    crystal = start.crystal
    relaxed = None
    if relax is not None:
        relaxed = relaxed_crystal(path)
        if relaxed is not None:
            if relaxed.get("start") != crystal_digest(crystal):
                raise PlanError(
                    f"{relaxed_path(path).name} was relaxed from another crystal than the plan's; "
                    "restore the crystal, or remove that file to relax anew."
                )
            crystal = _as_relaxed(crystal, relaxed, path)
    head = _head(document)
    material = head.material or material_name(crystal)
    if not re.fullmatch(r"[A-Za-z0-9][\w.+-]*", material):
        raise PlanError(
            f"material {shown(material)} can't be a folder's name; write it like TiO2-Pnma."
        )
    plan = Plan(
        path=path,
        material=material,
        crystal=crystal,
        axes=_axes(document["axes"], crystal) if "axes" in document else None,
        settings=Settings.from_dict(document.get("settings", {})),
        engine=EngineSpec.from_dict(document.get("engine", {})),
        kind=head.kind,
        mask_ratio=head.mask_ratio,
        licence=head.licence,
        citation=head.citation,
        notes=head.notes,
        relax=relax,
        relaxed=relaxed,
        stated_settings=tuple(document.get("settings", {})),
        notices=start.notices,
        stress=head.stress,
    )
    if plan.axes is not None:
        _ = plan.slice  # refuses axes that do not fit the crystal
    return plan


def _as_relaxed(crystal: Crystal, relaxed: Mapping[str, Any], path: Path) -> Crystal:
    """Return the plan's crystal with the cell and positions that its relaxation found."""
    try:
        lattice = finite_array(relaxed, "lattice_A", (3, 3))
        atoms = {"positions": [atom[1:] for atom in relaxed["atoms"]]}
        positions = finite_array(atoms, "positions", (len(crystal), 3))
    except (TypeError, ValueError):
        raise PlanError(
            f"{relaxed_path(path)}: the relaxed crystal is damaged; remove it and relax again."
        ) from None
    return Crystal(lattice, positions, crystal.numbers, crystal.hall_number)


def material_name(crystal: Crystal) -> str:
    """Return ``PbTiO3-P4mm``; a slash in the space group's symbol is left out."""
    return f"{crystal.formula}-{crystal.symbol.replace('/', '')}"


def _relax_target(values: Any) -> RelaxTarget:
    target = read_table(RelaxTarget, values, "[relax]")
    numbers = ("force_eV_A", "pressure_GPa", "cutoff_eV", "max_steps")
    refuse_negative(target, numbers, "[relax]")
    return target


@dataclass(frozen=True)
class _Head:
    """What a plan says beside its tables."""

    material: str = ""
    kind: Literal["local", "global"] = "local"
    mask_ratio: float = 0.7
    licence: str = DEFAULT_LICENCE
    citation: tuple[str, ...] = ()
    notes: str = ""
    stress: bool = True


def _head(document: Mapping[str, Any]) -> _Head:
    known = [field.name for field in fields(_Head)]
    values = {key: value for key, value in document.items() if key in known}
    if isinstance(values.get("citation"), str):
        values["citation"] = [values["citation"]]
    return read_table(_Head, values, "the plan")


def _axes(tables: Any, crystal: Crystal) -> tuple[Axis, Axis]:
    if not isinstance(tables, list) or len(tables) != 2:
        raise PlanError("a plan has two [[axes]] tables.")
    first, second = (_axis(table, crystal, f"axis {k}") for k, table in enumerate(tables, 1))
    return first, second


def _axis(table: Mapping[str, Any], crystal: Crystal, where: str) -> Axis:
    """Make an axis; its range is given outright or about the crystal's own value."""
    table = refuse_unknown(table, list(_AXIS), where)
    name, terms = table.get("name"), table.get("terms")
    if not isinstance(terms or {}, Mapping) or not isinstance(name or "", str):
        raise PlanError(f"{where} needs a name (text) or a table of terms.")
    if not (name or terms):
        raise PlanError(f"{where} needs a name or a table of terms.")
    terms = terms or {name: 1.0}
    name = name or next(iter(terms))
    where = f"axis {name!r}"
    points = table.get("points", 11)
    if type(points) is not int:
        raise PlanError(f"{where} has points = {shown(points)}, but needs a whole number.")
    try:
        weights = {str(term): float(weight) for term, weight in terms.items()}
        origin = float(table["origin"]) if "origin" in table else _origin(weights, crystal, where)
        given = [key for key in ("start", "span", "relative_span") if key in table]
        if len(given) != 1 or ("start" in table) != ("stop" in table):
            raise PlanError(
                f"{where} needs its range in one way: start and stop, or span = [below, above] "
                "about the crystal's value, or relative_span in parts of that value."
            )
        if "start" in table:
            start, stop = float(table["start"]), float(table["stop"])
        else:
            # four decimals keep the axis values readable; the crystal itself is not rounded
            centre = round(origin, 4)
            below, above = (float(x) for x in table[given[0]])
            scale = centre if given[0] == "relative_span" else 1.0
            start, stop = (round(centre + scale * x, 10) for x in (below, above))
        period = None if table.get("period") is None else float(table["period"])
        return Axis(name, weights, start, stop, points, origin, period)
    except (TypeError, ValueError, OverflowError) as error:
        raise PlanError(f"{where} holds a value of the wrong type ({error}).") from None


def _origin(terms: dict[str, float], crystal: Crystal, where: str) -> float:
    """Return the axis value of the crystal: its first term's value over that term's weight."""
    from symscape.crystal.lattice import lattice_values

    values = lattice_values(crystal.group, crystal.lattice, len(crystal))
    values |= {free.name: free.value for free in crystal.free_coordinates}
    name, weight = next(iter(terms.items()))
    if name not in values:
        raise PlanError(
            f"{where} names {name!r}, but {crystal.formula} in {crystal.symbol} has the free "
            f"coordinates and lattice parameters {', '.join(values)}."
        )
    if not weight:
        raise PlanError(f"{where} gives {name!r} the weight 0; take another or leave it out.")
    return values[name] / weight
