"""What contracts say beside the size of the worst violation, a dataclass for each kind."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Skipped:
    """Why a contract asks nothing here."""

    skipped: str


@dataclass(frozen=True)
class WorstVariant:
    """How many ways of writing a structure down were compared, and which is furthest off.

    Parameters
    ----------
    worst
        Its name, or its number where it has none.
    structure
        Number of the structure, where several were asked about.
    """

    variants: int
    worst: int | str
    structure: int | None = None


@dataclass(frozen=True)
class WorstOrbit:
    """Grid indices of the equivalent points furthest apart, and the names of the symmetries."""

    points: tuple[tuple[int, int], ...]
    symmetries: tuple[str, ...]


@dataclass(frozen=True)
class ForcesOffSymmetry:
    """The atom whose force is furthest off symmetry, and what it compares with.

    Parameters
    ----------
    largest_force
        On any atom, meV/angstrom.
    stress
        How far the stress is off symmetry, meV/angstrom^3; None where there is none.
    """

    atom: int
    largest_force: float
    stress: float | None = None


@dataclass(frozen=True)
class ForceMismatches:
    """Forces against gradients by direction, meV/angstrom, and the worst direction."""

    worst: str
    mismatches: dict[str, float]


@dataclass(frozen=True)
class StressMismatches:
    """Stress against strain derivatives by lattice parameter, meV/angstrom^3; the worst in GPa."""

    worst: str
    GPa: float
    mismatches: dict[str, float]


@dataclass(frozen=True)
class Loops:
    """Work around closed loops.

    Parameters
    ----------
    corners
        Grid indices of two opposite corners of the worst.
    loops, uncertainty
        Work around each and how far its integral may be off, meV/atom.
    """

    corners: tuple[tuple[int, int], ...]
    loops: tuple[float, ...]
    uncertainty: tuple[float, ...]


@dataclass(frozen=True)
class Roughness:
    """Steps along lines: where the largest is, and what else is rough.

    Parameters
    ----------
    worst, at
        The line with the largest jump, and where on it, angstrom.
    kink, ripple
        The largest of any line, meV/atom/angstrom and meV/atom.
    structures
        How many were looked at.
    """

    worst: str
    at: float
    kink: float
    ripple: float
    structures: int


#: the first that fits is taken when results are read: what says more stands before what says less
ContractDetail = (
    Skipped
    | WorstVariant
    | WorstOrbit
    | ForcesOffSymmetry
    | StressMismatches
    | ForceMismatches
    | Loops
    | Roughness
)
