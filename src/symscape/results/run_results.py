"""What one run found out about one model: the nouns of ``results.json``.

docs/results-schema.md describes the file. The leaderboard is built from such files and from
nothing else, so each stands alone: it carries the model card, every case and, of every reference,
what is needed to draw and to group.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from symscape.crystal.labels import axis_label, crystal_label
from symscape.models.card import ModelCard
from symscape.notebook import table_html
from symscape.questions.case import CaseResult
from symscape.questions.registry import question_title
from symscape.results.structure import StructureSummary, summarize_structure

if TYPE_CHECKING:
    from symscape.references.reference import LandscapeReference


#: decimals of energies in eV/atom: a thousandth of a meV
ENERGY_DECIMALS = 6

View = TypeVar("View")


@dataclass(frozen=True)
class AxisSummary:
    """One axis of a slice, as a figure needs it.

    Parameters
    ----------
    name
        As in case ids: ``Ti_z``.
    label
        As on figures: ``z(Ti)``, with the unit where there is one.
    values
        Grid values: fractional coordinate, or the lattice parameter's own unit.
    terms
        Free coordinates that move along the axis, each with its weight.
    period
        Where the axis spans a full period: its length.
    """

    name: str
    label: str
    values: tuple[float, ...]
    terms: dict[str, float] = field(default_factory=dict)
    period: float | None = None


@dataclass(frozen=True)
class ReferenceSummary:
    """What a report needs to know of a reference.

    Parameters
    ----------
    material, slice, formula, kind
        As in the reference.
    spacegroup_number, spacegroup_symbol, crystal_system
        ``99``, ``P4mm``, ``tetragonal``.
    n_lattice, n_wyckoff
        Symmetry degrees of freedom of the crystal: free lattice parameters, free Wyckoff
        coordinates.
    level_of_theory
        Functional of the reference, e.g. ``PBE``.
    digest
        SHA-256 of the reference file.
    axes
        The two axes; the first runs along the rows of the grids.
    energies
        DFT energies in eV/atom above the grid's minimum, rounded to 1e-6, (n_u, n_v); None where
        there is none.
    mask
        1 where two atoms are too close for the point to count, else 0, (n_u, n_v).
    minimum
        Grid indices of the DFT minimum, the common zero.
    structure
        The crystal and how it changes along the axes; None in files of earlier versions.
    """

    material: str
    slice: str
    formula: str
    spacegroup_number: int
    spacegroup_symbol: str
    crystal_system: str
    n_lattice: int
    n_wyckoff: int
    level_of_theory: str
    digest: str
    kind: str
    axes: tuple[AxisSummary, AxisSummary]
    energies: tuple[tuple[float | None, ...], ...]
    mask: tuple[tuple[int, ...], ...]
    minimum: tuple[int, int]
    structure: StructureSummary | None = None

    @property
    def id(self) -> str:
        """``PbTiO3-P4mm-Ti_z-O_z``."""
        return f"{self.material}-{self.slice}"

    @property
    def title(self) -> str:
        """``PbTiO₃ P4mm``."""
        return crystal_label(self.formula, self.spacegroup_symbol)

    @property
    def words(self) -> str:
        """``PbTiO₃ P4mm over z(Ti) and z(O)``."""
        return f"{self.title} over {self.axes[0].label} and {self.axes[1].label}"

    @cached_property
    def relative(self) -> np.ndarray:
        """DFT energies in eV/atom above the minimum, shape (n_u, n_v), NaN where there is none."""
        return np.array(self.energies, dtype=float)

    @cached_property
    def masked(self) -> np.ndarray:
        """True where two atoms are too close, shape (n_u, n_v)."""
        return np.array(self.mask, dtype=bool)


@dataclass(frozen=True)
class BaselineSummary:
    """The earlier run that a run was judged by.

    Parameters
    ----------
    name
        What the user called it.
    model, fingerprint
        Of the earlier run.
    margin
        By how much of its tolerance a metric may be worse.
    gone
        Ids of the slices that it has and the library has no more.
    """

    name: str
    model: str
    margin: float
    fingerprint: str = ""
    gone: tuple[str, ...] = ()


@dataclass(frozen=True)
class Selection:
    """Which part of the suite a run was asked for.

    Parameters
    ----------
    how
        What left the others out: ``quick half``, or options as typed: ``-k GeTe``.
    asked, total
        Cases asked, and cases of the whole suite.
    """

    how: str
    asked: int
    total: int

    def __str__(self) -> str:
        """``quick half: 112 of 239 cases asked``."""
        return f"{self.how}: {self.asked} of {self.total} cases asked"


@dataclass(frozen=True)
class RunResults:
    """One run of the suite for one model.

    Cases and references are kept in the order of their names, whatever order they were run in, so
    that runs with any number of workers leave the same file.

    Parameters
    ----------
    model
        The card of the model.
    fingerprint
        Identifies the weights, package version and number format.
    cases
        Every case that was run.
    references
        Every slice that a case was run on.
    versions
        ``python``, ``symscape``, ``torch``, the model's package, ``platform``, ``threads``,
        ``device``.
    started
        Begin of the run, ISO 8601.
    wall_seconds
        Duration of the run.
    tolerances
        Tolerance profile or file.
    baseline_notes
        What the run was compared with, one sentence each.
    baseline
        The earlier run that it was judged by; None if it was judged by the tolerances alone.
    selection
        Which part of the suite was asked for; None if it was all of it, and in older files.
    lacking
        Cases that it has no answer to though it was asked, for something ended it before, or though
        its baseline judged them, unless the user accepted that: ``Mg-Si-hull: stability``.
    """

    model: ModelCard
    fingerprint: str
    cases: tuple[CaseResult, ...]
    references: tuple[ReferenceSummary, ...]
    versions: dict[str, str]
    started: str
    wall_seconds: float
    tolerances: str
    baseline_notes: tuple[str, ...] = ()
    baseline: BaselineSummary | None = None
    selection: Selection | None = None
    lacking: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        order = sorted(self.cases, key=lambda c: (c.material, c.slice, c.question))
        object.__setattr__(self, "cases", tuple(order))
        object.__setattr__(self, "references", tuple(sorted(self.references, key=lambda r: r.id)))

    def __repr__(self) -> str:
        failed = sum(case.status == "failed" for case in self.cases)
        return f"RunResults({self.model.name}, {failed} of {len(self.cases)} cases failed)"

    def _repr_html_(self) -> str:
        """Return the cases as a table, for notebooks."""
        rows = [(c.subject.title, question_title(c.question), c.status) for c in self.cases]
        return table_html(rows, ("about", "question", "status"))

    def reference(self, case: CaseResult) -> ReferenceSummary | None:
        """Return the slice that a case was run on; None for a case without one."""
        return self._by_slice.get((case.material, case.slice))

    @cached_property
    def _by_slice(self) -> dict[tuple[str, str], ReferenceSummary]:
        return {(r.material, r.slice): r for r in self.references}

    def seen_as(self, view: Callable[[RunResults], View]) -> View:
        """Return a view of the run, made once: all parts of a report read the same cases.

        Parameters
        ----------
        view
            Takes the run.
        """
        if view not in self._views:
            self._views[view] = view(self)
        found: View = self._views[view]
        return found

    @cached_property
    def _views(self) -> dict[Any, Any]:
        return {}


def summarize_reference(reference: LandscapeReference) -> ReferenceSummary:
    """Take from a reference what a results file keeps of it."""
    crystal = reference.slice.crystal
    relative = np.round(reference.relative, ENERGY_DECIMALS)
    return ReferenceSummary(
        material=reference.material,
        slice=reference.slice.name,
        formula=reference.formula or crystal.formula,
        spacegroup_number=crystal.space_group_number,
        spacegroup_symbol=crystal.symbol,
        crystal_system=crystal.system,
        n_lattice=crystal.n_lattice,
        n_wyckoff=crystal.n_wyckoff,
        level_of_theory=reference.level_of_theory,
        digest=reference.digest,
        kind=reference.kind,
        axes=tuple(  # type: ignore[arg-type]
            AxisSummary(
                axis.name,
                axis_label(axis.name),
                # the last digits of linspace are noise and differ between platforms
                tuple(float(v) for v in np.round(axis.values, 10)),
                dict(axis.terms),
                axis.period,
            )
            for axis in reference.slice.axes
        ),
        energies=tuple(tuple(float(e) if e == e else None for e in row) for row in relative),
        mask=tuple(tuple(int(m) for m in row) for row in reference.mask),
        minimum=reference.minimum,
        structure=summarize_structure(reference.slice),
    )
