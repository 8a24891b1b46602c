"""A plan: what is to be computed, read from a TOML file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.slice import Slice
from symscape.dft.kinds import PLAN, read_file
from symscape.dft.plan_crystal import CrystalTable, crystal_digest, read_crystal
from symscape.dft.plan_tables import complaints_about, read_table, refuse_negative
from symscape.dft.relaxed import RelaxedCrystal, relaxed_crystal, relaxed_path
from symscape.dft.settings import EngineSpec, Settings
from symscape.errors import PlanError, SymscapeError, shown

DEFAULT_LICENCE = "CC-BY-4.0"
_RELAX_NUMBERS = ("force_eV_A", "pressure_GPa", "cutoff_eV", "max_steps")


#: 3d, 4f and 5f elements whose compounds are magnetic as a rule
OPEN_SHELLS = frozenset(
    ("V", "Cr", "Mn", "Fe", "Co", "Ni", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy")
).union(("Ho", "Er", "Tm", "Yb", "Pa", "U", "Np", "Pu", "Am", "Cm"))


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


@dataclass(frozen=True)
class AxisTable:
    """One of a plan's ``[[axes]]``; its range is given in one of three ways.

    Parameters
    ----------
    name, terms
        One or both; see `Axis`.
    start, stop
        The range outright.
    span, relative_span
        Below and above the crystal's own value: as they are, or in parts of that value.
    points, period
        See `Axis`.
    origin
        The crystal's value, where it isn't the crystal's own.
    """

    name: str = ""
    terms: dict[str, float] = field(default_factory=dict)
    start: float | None = None
    stop: float | None = None
    span: tuple[float, float] | None = None
    relative_span: tuple[float, float] | None = None
    points: int = 11
    origin: float | None = None
    period: float | None = None


@dataclass(frozen=True, kw_only=True)
class PlanTable:
    """A plan as its file states it; see `Plan`."""

    crystal: CrystalTable
    axes: tuple[AxisTable, ...] | None = None
    settings: Settings = field(default_factory=Settings)
    engine: EngineSpec = field(default_factory=EngineSpec)
    relax: RelaxTarget | None = None
    material: str = ""
    kind: Literal["local", "global"] = "local"
    mask_ratio: float = 0.7
    licence: str = DEFAULT_LICENCE
    citation: str | tuple[str, ...] = ()
    notes: str = ""
    stress: bool = True


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
        What the relaxation left behind, None if it has not been done.
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
    relaxed: RelaxedCrystal | None = None
    stated_settings: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    stress: bool = True

    def warnings(self) -> list[str]:
        """Sentences about settings that are too low, or that leave out what the elements need."""
        from ase.data import chemical_symbols

        found = self.settings.warnings()
        elements = {chemical_symbols[number] for number in self.crystal.numbers}
        unsaid = (OPEN_SHELLS & elements) - self.settings.magnetic_moments.keys()
        if unsaid and self.engine.name != "import":
            found.append(
                f"the shell of {', '.join(sorted(unsaid))} is open, so that the energies need spin "
                "polarization and, with oxygen or fluorine, +U; give start values under [settings] "
                "magnetic_moments, 0 where there are none."
            )
        return found

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
    document = read_file(path, PLAN)
    with complaints_about(path):
        return _plan_from_document(path, document)


def _plan_from_document(path: Path, document: dict[str, Any]) -> Plan:
    stated = read_table(PlanTable, document, str(path))
    target = stated.relax
    if target is not None:
        refuse_negative(target, _RELAX_NUMBERS, "[relax]")
    start = read_crystal(stated.crystal, path.parent)
    crystal, relaxed = start.crystal, None
    if target is not None and (relaxed := relaxed_crystal(path)) is not None:
        crystal = _as_relaxed(crystal, relaxed, path)
    material = stated.material or material_name(crystal)
    if not re.fullmatch(r"[A-Za-z0-9][\w.+-]*", material):
        raise PlanError(
            f"material {shown(material)} can't be a folder's name; write it like TiO2-Pnma."
        )
    plan = Plan(
        path=path,
        material=material,
        crystal=crystal,
        axes=_axes(stated.axes, crystal) if stated.axes is not None else None,
        settings=stated.settings.checked(),
        engine=stated.engine.checked(),
        kind=stated.kind,
        mask_ratio=stated.mask_ratio,
        licence=stated.licence,
        citation=as_list(stated.citation),
        notes=stated.notes,
        relax=target,
        relaxed=relaxed,
        stated_settings=tuple(document.get("settings", {})),
        notices=start.notices,
        stress=stated.stress,
    )
    if plan.axes is not None:
        _ = plan.slice  # refuses axes that do not fit the crystal
    return plan


def _as_relaxed(crystal: Crystal, relaxed: RelaxedCrystal, path: Path) -> Crystal:
    """Return the plan's crystal with the cell and positions that its relaxation found."""
    if relaxed.start != crystal_digest(crystal):
        raise PlanError(
            f"{relaxed_path(path).name} was relaxed from another crystal than the plan's; "
            "restore the crystal, or remove that file to relax anew."
        )
    try:
        return relaxed.of(crystal)
    except PlanError as error:
        raise PlanError(
            f"{relaxed_path(path)}: the relaxed crystal is damaged ({error}); remove it and relax "
            "again."
        ) from None


def material_name(crystal: Crystal) -> str:
    """Return ``PbTiO3-P4mm``; a slash in the space group's symbol is left out."""
    return f"{crystal.formula}-{crystal.symbol.replace('/', '')}"


def as_list(citation: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return citations, of which a file may state a single one without a list."""
    return (citation,) if isinstance(citation, str) else citation


def _axes(tables: tuple[AxisTable, ...], crystal: Crystal) -> tuple[Axis, Axis]:
    if len(tables) != 2:
        raise PlanError("a plan has two [[axes]] tables.")
    first, second = (_axis(table, crystal, f"axis {k}") for k, table in enumerate(tables, 1))
    return first, second


def _axis(table: AxisTable, crystal: Crystal, where: str) -> Axis:
    """Make an axis; its range is given outright or about the crystal's own value."""
    if not (table.name or table.terms):
        raise PlanError(f"{where} needs a name or a table of terms.")
    terms = table.terms or {table.name: 1.0}
    name = table.name or next(iter(terms))
    where = f"axis {name!r}"
    origin = _origin(terms, crystal, where) if table.origin is None else table.origin
    start, stop = _range(table, origin, where)
    try:
        return Axis(name, dict(terms), start, stop, table.points, origin, table.period)
    except (TypeError, ValueError, OverflowError) as error:
        raise PlanError(f"{where} holds an impossible value ({error}).") from None


def _range(table: AxisTable, origin: float, where: str) -> tuple[float, float]:
    """Return where an axis starts and stops."""
    given = [x is not None for x in (table.start, table.span, table.relative_span)]
    if sum(given) != 1 or (table.start is None) != (table.stop is None):
        raise PlanError(
            f"{where} needs its range in one way: start and stop, or span = [below, above] "
            "about the crystal's value, or relative_span in parts of that value."
        )
    if table.start is not None and table.stop is not None:
        return table.start, table.stop
    # four decimals keep the axis values readable; the crystal itself is not rounded
    centre = round(origin, 4)
    scale = 1.0 if table.relative_span is None else centre
    below, above = table.span or table.relative_span or (0.0, 0.0)
    return round(centre + scale * below, 10), round(centre + scale * above, 10)


def _origin(terms: Mapping[str, float], crystal: Crystal, where: str) -> float:
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
