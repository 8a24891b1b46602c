"""What the lines of journals say: an event each, named by its ``event``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from symscape.decode import Finite, OpenRecord
from symscape.dft.results import Computed, Failure, StoredGeometry
from symscape.dft.settings import EngineSpec, Settings
from symscape.references.convergence import ConvergenceCheck
from symscape.references.method import Method
from symscape.references.provenance import EquivalentsCheck, PartialProvenance


@dataclass(frozen=True, kw_only=True)
class Event(OpenRecord):
    """A line of a journal."""

    #: how the line calls itself
    event: ClassVar[str]


@dataclass(frozen=True, kw_only=True)
class Forgiven(Event):
    """Failures before this line no longer count."""

    event: ClassVar[str] = "forgiven"

    time: str = ""


@dataclass(frozen=True, kw_only=True)
class Started(Event):
    """Who computed what follows."""

    event: ClassVar[str] = "start"

    time: str
    command: str
    symscape: str


@dataclass(frozen=True, kw_only=True)
class CurvesStarted(Started):
    """How the curves that follow were computed, but for what each states itself."""

    method: Method


@dataclass(frozen=True, kw_only=True)
class GridStarted(Started):
    """How the grid points that follow were computed, or from where they were imported.

    Parameters
    ----------
    settings, engine
        The plan's, with the k-mesh of the grid.
    material, slice
        What the plan is of.
    computes
        Whether they were computed here.
    provenance
        What was said of imported points.
    """

    settings: Settings
    engine: EngineSpec
    method: Method
    material: str = ""
    slice: str = ""
    computes: bool = False
    provenance: PartialProvenance | None = None


@dataclass(frozen=True, kw_only=True)
class AtPoint(Event):
    """Where on the grid: indices and axis values; with which care, or from where imported."""

    i: int
    j: int
    u: Finite
    v: Finite
    care: int | None = None
    imported: str = ""


@dataclass(frozen=True, kw_only=True)
class PointDone(StoredGeometry, Computed, AtPoint):
    """A grid point has an energy."""

    event: ClassVar[str] = "point"


@dataclass(frozen=True, kw_only=True)
class PointFailed(Failure, AtPoint):
    """An attempt at a grid point failed."""

    event: ClassVar[str] = "failed"


@dataclass(frozen=True, kw_only=True)
class CheckPoint(Event):
    """A grid point was computed at a check's own settings."""

    event: ClassVar[str] = "check_point"

    u: Finite
    v: Finite
    settings: Settings
    energy_eV: Finite
    seconds: Finite | None = None
    crystal: str


@dataclass(frozen=True, kw_only=True)
class OfCrystal(Event):
    """When, and to which crystal (`crystal_digest`)."""

    time: str
    crystal: str


@dataclass(frozen=True, kw_only=True)
class RelaxStep(StoredGeometry, Computed, OfCrystal):
    """A step of the crystal's relaxation.

    Parameters
    ----------
    made_with
        Digest of the settings, the engine and its version; journals of earlier versions lack it.
    """

    event: ClassVar[str] = "relax"

    made_with: str = ""


@dataclass(frozen=True, kw_only=True)
class ConvergenceChecked(OfCrystal):
    """A check of convergence was done."""

    event: ClassVar[str] = "convergence"

    result: ConvergenceCheck


@dataclass(frozen=True, kw_only=True)
class EquivalentsChecked(OfCrystal):
    """Equivalent points were held against each other."""

    event: ClassVar[str] = "equivalents"

    result: EquivalentsCheck


@dataclass(frozen=True, kw_only=True)
class VolumeDone(Event):
    """A crystal of a list of curves has an energy at a volume."""

    event: ClassVar[str] = "energy"

    crystal: str
    k_mesh: tuple[int, ...]
    cutoff_eV: Finite
    volume_A3_atom: Finite
    energy_eV_atom: Finite
    seconds: Finite | None = None


@dataclass(frozen=True, kw_only=True)
class Listed(Event):
    """Which crystal of a list, and when."""

    id: str
    time: str = ""


@dataclass(frozen=True, kw_only=True)
class CrystalFailed(Failure, Listed):
    """A crystal of a list could not be relaxed."""

    event: ClassVar[str] = "failed"


#: what may stand in the journal of a plan, of a list of curves, and in a list's record of failures
OF_PLANS = (
    GridStarted, PointDone, PointFailed, Forgiven, RelaxStep, CheckPoint, ConvergenceChecked,
    EquivalentsChecked,
)  # fmt: skip
OF_CURVES = (CurvesStarted, VolumeDone)
OF_LISTS = (CrystalFailed, Forgiven)
