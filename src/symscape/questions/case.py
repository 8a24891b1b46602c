"""The outcome of one benchmark case."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

import numpy as np

from symscape.notebook import map_html, table_html
from symscape.questions.subjects import Subject, subject_of

Status = Literal["passed", "failed", "error"]

#: what stands where a tolerance has no end
NOTHING = "–"


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
        Every metric computed, name to value; nested by window in meV/atom where it has one.
    energies
        The model's energies in eV/atom, nested lists (n_u, n_v), None where masked or failed;
        stored once a slice, with the question ``energies``.
    detail
        Further facts for the report (worst point, its closest pair, failed points, warnings, ...).
    """

    question: str
    model: str
    material: str
    slice: str
    status: Status
    checks: tuple[Check, ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict)
    energies: list[list[float | None]] | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    fingerprint: str = ""
    seconds: float = 0.0

    def __repr__(self) -> str:
        failed = sum(not check.passed for check in self.checks)
        what = f", {failed} of {len(self.checks)} checks failed" if self.checks else ""
        return f"CaseResult({self.id}, {self.question}: {self.status}{what})"

    def _repr_html_(self) -> str:
        """Return the checks as a table and, where they are kept, the energies as a map."""
        rows = [
            (
                "✓" if c.passed else "✗",
                c.metric,
                c.value,
                *(NOTHING if e is None else e for e in c.limit),
                c.unit,
            )
            for c in self.checks
        ]
        head = ("", f"{self.question}: {self.status}", "value", "low", "high", "unit")
        if self.energies is None:
            return table_html(rows, head)
        energies = np.array(self.energies, dtype=float)
        return table_html(rows, head) + map_html(energies, f"energies of {self.id}")

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

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, lists and numbers, which travel between processes."""
        found = {known.name: getattr(self, known.name) for known in fields(self)}
        return {**found, "checks": [asdict(check) for check in self.checks]}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> CaseResult:
        """Return the result that ``to_dict`` took apart."""
        checks = (Check(**{**check, "limit": tuple(check["limit"])}) for check in record["checks"])
        return cls(**{**record, "checks": tuple(checks)})
