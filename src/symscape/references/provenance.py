"""Where the energies of a stored reference are from: what its file says under ``provenance``."""

from __future__ import annotations

from dataclasses import dataclass, field

from symscape.decode import Finite, OpenRecord
from symscape.references.convergence import ConvergenceCheck


@dataclass(frozen=True, kw_only=True)
class RelaxationSummary(OpenRecord):
    """What was relaxed, and how far; lengths in angstrom, angles in degrees."""

    relaxed: str
    space_group: str
    code: str = ""
    version: str = ""
    functional: str = ""
    cutoff_eV: Finite | None = None
    k_mesh: tuple[int, int, int] | None = None
    largest_force_eV_A: Finite
    steps: int
    lattice_parameters: dict[str, Finite]
    free_coordinates: dict[str, Finite]
    largest_stress_GPa: Finite | None = None


@dataclass(frozen=True, kw_only=True)
class EquivalentPair(OpenRecord):
    """Two grid points that symmetry makes equal, both computed, and how far apart they are."""

    computed: tuple[int, int]
    equivalent: tuple[int, int]
    difference_meV_atom: Finite


@dataclass(frozen=True, kw_only=True)
class EquivalentsCheck(OpenRecord):
    """Energies of pairs of equivalent grid points held against each other."""

    pairs: tuple[EquivalentPair, ...]
    largest_difference_meV_atom: Finite


@dataclass(frozen=True, kw_only=True)
class PartialProvenance(OpenRecord):
    """Where a grid's energies are from, as far as it is said; a file may say more.

    Parameters
    ----------
    licence, source, citation, notes
        Of the energies.
    command, plan, symscape
        What was called, on which plan, by which version.
    complete
        Whether all points of the plan are done.
    computed, protocol
        When, and how a run moves over the grid.
    crystal
        How the crystal was relaxed.
    failed_points
        How many points could not be computed.
    convergence, equivalents
        What the checks found.
    """

    licence: str = ""
    source: str = ""
    command: str = ""
    plan: str = ""
    symscape: str = ""
    complete: bool | None = None
    computed: str = ""
    protocol: str = ""
    citation: str | tuple[str, ...] = ()
    notes: str = ""
    crystal: RelaxationSummary | None = None
    failed_points: int | None = None
    convergence: ConvergenceCheck | None = None
    equivalents: EquivalentsCheck | None = None

    @property
    def citations(self) -> tuple[str, ...]:
        """All of them, of which a file may state a single one without a list."""
        return (self.citation,) if isinstance(self.citation, str) else self.citation


@dataclass(frozen=True, kw_only=True)
class GridProvenance(PartialProvenance):
    """The provenance of a stored grid, which must state its licence and what made it."""

    licence: str
    command: str


@dataclass(frozen=True, kw_only=True)
class LeftOut(OpenRecord):
    """Why a crystal that was computed is not listed, and what it was computed from."""

    start: str = ""
    k_mesh: tuple[int, ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class CrystalsProvenance(OpenRecord):
    """Where a file's crystals are from, and which of those that were planned it leaves out."""

    licence: str
    citation: str | tuple[str, ...] = ()
    notes: str = ""
    command: str
    symscape: str = ""
    relaxation: str = ""
    complete: bool | None = None
    failed: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, LeftOut] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CurvesProvenance(OpenRecord):
    """Where our own equations of state are from."""

    licence: str
    notes: str = ""
    command: str = ""
    symscape: str = ""
    complete: bool | None = None
