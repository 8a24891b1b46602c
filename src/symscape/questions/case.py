"""The outcome of one benchmark case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from symscape.notebook import noun_html
from symscape.questions.notes import Notes
from symscape.questions.subjects import Subject, subject_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Kind = TypeVar("Kind")
Status = Literal["passed", "failed", "error"]


@dataclass(frozen=True)
class Check:
    """One metric held against its tolerance.

    Parameters
    ----------
    metric
        Name of the metric, as in docs/metrics.md; `metric_named` says what it is.
    value
        The model's value, in ``unit``.
    limit
        The tolerance: a maximum, a minimum, or an interval (low, high).
    unit
        ``meV/atom``, ``angstrom`` or empty for a pure number.
    passed
        Whether the value is within the limit.
    """

    metric: str
    value: float
    limit: tuple[float | None, float | None]
    unit: str
    passed: bool


@dataclass(frozen=True)
class Windows:
    """Metrics of a grid, for several energy windows above the DFT minimum.

    Parameters
    ----------
    judged
        The one that tolerances are held against.
    by_width
        Name to value of each metric, by the window's width in meV/atom: ``500``.
    """

    judged: str
    by_width: Mapping[str, Mapping[str, float]]

    @property
    def values(self) -> Mapping[str, float]:
        """Metrics of the judged window."""
        return self.of(float(self.judged))

    def of(self, width: float) -> Mapping[str, float]:
        """Return the metrics of a window of so many meV/atom; none where it has none."""
        return next((v for name, v in self.by_width.items() if float(name) == width), {})


@dataclass(frozen=True)
class CaseResult:
    """One question asked of one model on one slice: a record of ``results.json``.

    Parameters
    ----------
    question
        ``energies``, ``minima``, ``saddles``, ...: one test function of the suite.
    model, material, slice
        Names; ``slice`` as in ``Ti_z-O_z``.
    status
        ``passed``, ``failed``, or ``error`` when the model could not be evaluated.
    checks
        The metrics that were held against a tolerance.
    metrics
        Every metric computed, name to value; where there are windows, those of the judged one.
    energies
        The model's energies in eV/atom, nested lists (n_u, n_v), None where masked or failed;
        stored once a slice, with the question ``energies``.
    detail
        What the question keeps for reports: its own frozen dataclass (`Question.detail`), or None.
    fingerprint
        Identifies the weights, package version and number format.
    seconds
        What asking took.
    windows
        The metrics of each energy window, where the question has windows.
    notes
        What any case may keep: why it was not judged, warnings, crystals behind a failed check.
    """

    question: str
    model: str
    material: str
    slice: str
    status: Status
    checks: tuple[Check, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    energies: list[list[float | None]] | None = None
    detail: DataclassInstance | None = None
    fingerprint: str = ""
    seconds: float = 0.0
    windows: Windows | None = None
    notes: Notes = field(default_factory=Notes)

    def __post_init__(self) -> None:
        if self.detail is not None and not is_dataclass(self.detail):
            raise TypeError(
                f"the detail of a case of question {self.question!r} is a "
                f"{type(self.detail).__name__}, but must be the question's own frozen dataclass or "
                "None."
            )

    def __repr__(self) -> str:
        failed = sum(not check.passed for check in self.checks)
        what = f", {failed} of {len(self.checks)} checks failed" if self.checks else ""
        return f"CaseResult({self.id}, {self.question}: {self.status}{what})"

    def _repr_html_(self) -> str:
        """Return the checks by title, for notebooks; `registry.case_html` knows the titles."""
        return noun_html(self)

    @property
    def id(self) -> str:
        """``chgnet-PbTiO3-P4mm-Ti_z-O_z``."""
        return f"{self.model}-{self.material}-{self.slice}"

    @property
    def subject(self) -> Subject:
        """What the question was asked about."""
        return subject_of(self.material, self.slice)

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return self.status == "passed"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should know before trusting the numbers."""
        return self.notes.warnings or ()

    def kept(self, kind: type[Kind]) -> Kind | None:
        """Return what the question keeps, if it is of a kind."""
        return self.detail if isinstance(self.detail, kind) else None
