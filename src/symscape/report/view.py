"""What a report says about a run, before it takes any form: slices, verdict, notices."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symscape.landscape.metrics import DEFAULT_WINDOW
from symscape.report.points import CaseDetail, read_detail
from symscape.report.results import ReferenceSummary, RunResults, axis_label
from symscape.report.words import (
    count_text,
    limit_text,
    metric_text,
    metric_title,
    unit_text,
)
from symscape.verdict.case import CaseResult, Check, Status
from symscape.verdict.questions import QUESTIONS

#: mean signed errors below this many meV/atom are no bias: references converge no better
SIGNIFICANT_BIAS = 1.0
_STATUS_ORDER: dict[Status, int] = {"failed": 0, "error": 1, "passed": 2}


def severity(check: Check) -> float:
    """How many tolerances a value is away from perfect; above 1 where the check failed.

    Perfect is 0 where the tolerance allows it, else 1 (softening scale, correlation), else the
    middle of the interval. Where nothing else than perfect is allowed, 1 and the deviation itself:
    a missing minimum weighs as much as an error twice too large. Infinite if the value is unknown.
    """
    if math.isnan(check.value):
        return math.inf
    perfect, allowed = _allowance(check)
    apart = abs(check.value - perfect)
    if apart == 0 or allowed == math.inf:
        return 0.0
    return apart / allowed if allowed > 0 else 1 + apart


def _allowance(check: Check) -> tuple[float, float]:
    """Return the perfect value and how far it may be missed on the value's side."""
    low = -math.inf if check.limit[0] is None else check.limit[0]
    high = math.inf if check.limit[1] is None else check.limit[1]
    inside = [perfect for perfect in (0.0, 1.0) if low <= perfect <= high]
    if inside:
        perfect = inside[0]
    elif math.isfinite(low) and math.isfinite(high):
        perfect = (low + high) / 2
    else:
        perfect = low if math.isfinite(low) else high
    return perfect, high - perfect if check.value > perfect else perfect - low


def times_text(check: Check) -> str:
    """How many times its tolerance a value is off, in words: ``2.4 ×``."""
    if math.isnan(check.value):
        return "undefined"
    if _allowance(check)[1] == 0 and not check.passed:
        return "none allowed"
    return f"{severity(check):.{0 if severity(check) >= 100 else 1}f} ×"


@dataclass(frozen=True)
class CaseView:
    """One question on one slice, its checks worst first."""

    case: CaseResult

    @property
    def title(self) -> str:
        """Words for the question."""
        known = QUESTIONS.get(self.case.question)
        return known.title if known else self.case.question.replace("_", " ").capitalize()

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """Failed checks first, by how much; then those that passed."""
        return tuple(sorted(self.case.checks, key=lambda c: (c.passed, -severity(c))))

    @property
    def failed_checks(self) -> tuple[Check, ...]:
        """Failed checks, worst first."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def severity(self) -> float:
        """The worst check's; 0 without checks."""
        return max((severity(check) for check in self.case.checks), default=0.0)

    @cached_property
    def detail(self) -> CaseDetail:
        """Worst point, failed points, warnings."""
        return read_detail(self.case)

    @property
    def window(self) -> str:
        """Judged window in meV/atom as it is called in the metrics; empty if there is none."""
        window = self.case.metrics.get("window")
        return "" if window is None else f"{float(window):g}"

    @property
    def judged(self) -> dict[str, float]:
        """Metrics of the judged window; those without a window where there is none."""
        windows: dict[str, dict[str, float]] = self.case.metrics.get("windows", {})
        return windows.get(self.window, {})


@dataclass(frozen=True, eq=False)
class SliceView:
    """Everything that a run says about one slice.

    Parameters
    ----------
    reference
        The slice's reference; None if it could not be loaded.
    cases
        Every question asked on it, failed ones first.
    """

    material: str
    slice: str
    reference: ReferenceSummary | None
    cases: tuple[CaseView, ...]

    @property
    def id(self) -> str:
        """``PbTiO3-P4mm-Ti_z-O_z``."""
        return f"{self.material}-{self.slice}"

    @property
    def slug(self) -> str:
        """The id as a file name and anchor; a hash keeps altered ones apart."""
        slug = re.sub(r"[^A-Za-z0-9_.-]+", "_", self.id).lstrip(".-")[:120]
        if slug == self.id:
            return slug
        return f"{slug}-{hashlib.sha256(self.id.encode()).hexdigest()[:8]}"

    @property
    def status(self) -> Status:
        """``failed`` if any question failed, else ``error`` if one was not judged."""
        return min((view.case.status for view in self.cases), key=_STATUS_ORDER.__getitem__)

    @property
    def severity(self) -> float:
        """The worst question's."""
        return max(view.severity for view in self.cases)

    @property
    def energies(self) -> CaseView | None:
        """The question that carries the grid of energies and the pointwise metrics."""
        return next((view for view in self.cases if view.case.question == "energies"), None)

    @property
    def judged(self) -> dict[str, float]:
        """Pointwise metrics of the judged window; empty if the energies were not judged."""
        return self.energies.judged if self.energies else {}

    @property
    def window(self) -> float:
        """Judged window in eV/atom."""
        text = self.energies.window if self.energies else ""
        return float(text) / 1000 if text else DEFAULT_WINDOW

    @property
    def axis_labels(self) -> tuple[str, ...]:
        """Axes as printed; from the slice's name where there is no reference."""
        if self.reference:
            return tuple(axis.label for axis in self.reference.axes)
        return tuple(axis_label(name) for name in self.slice.split("-"))

    @cached_property
    def model(self) -> np.ndarray | None:
        """The model's energies in eV/atom above the DFT minimum, NaN where there are none.

        Above the model's own lowest energy if it has none at the DFT minimum.
        """
        if self.reference is None or self.energies is None or self.energies.case.energies is None:
            return None
        energies = np.array(self.energies.case.energies, dtype=float)
        if not np.isfinite(energies).any():
            return energies
        zero = energies[self.reference.minimum]
        return energies - (zero if np.isfinite(zero) else np.nanmin(energies))

    @property
    def points(self) -> dict[str, int]:
        """How many grid points there are of each kind."""
        if self.reference is None:
            return {}
        reference, masked = self.reference.relative, self.reference.masked
        wanted = np.isfinite(reference) & ~masked
        model = np.full(reference.shape, np.nan) if self.model is None else self.model
        return {
            "all": reference.size,
            "compared": int((wanted & np.isfinite(model)).sum()),
            "masked": int(masked.sum()),
            "without DFT energy": int((~wanted & ~masked).sum()),
            "without model energy": int((wanted & ~np.isfinite(model)).sum()),
        }


@dataclass(frozen=True, eq=False)
class RunView:
    """A run, ready to be reported: its slices in the order worst first."""

    run: RunResults

    @cached_property
    def slices(self) -> tuple[SliceView, ...]:
        """Failed slices, worst first; then those not judged; then passed ones, nearest first."""
        grouped: dict[tuple[str, str], list[CaseView]] = {}
        for case in self.run.cases:
            grouped.setdefault((case.material, case.slice), []).append(CaseView(case))
        order = list(QUESTIONS)
        views = []
        for (material, name), cases in grouped.items():
            cases.sort(
                key=lambda v: (
                    _STATUS_ORDER[v.case.status],
                    order.index(v.case.question) if v.case.question in order else len(order),
                    v.case.question,
                )
            )
            reference = self.run.reference(cases[0].case)
            views.append(SliceView(material, name, reference, tuple(cases)))
        return tuple(sorted(views, key=lambda v: (_STATUS_ORDER[v.status], -v.severity, v.id)))

    def with_status(self, status: Status) -> tuple[SliceView, ...]:
        """Return the slices of one status, worst first."""
        return tuple(view for view in self.slices if view.status == status)

    @property
    def status(self) -> Status:
        """``failed`` if anything failed, else ``error`` if anything was not judged."""
        found = {view.status for view in self.slices}
        return min(found, key=_STATUS_ORDER.__getitem__, default="passed")

    @property
    def counts(self) -> dict[Status, int]:
        """Number of cases of each status."""
        statuses = [case.status for case in self.run.cases]
        return {status: statuses.count(status) for status in ("passed", "failed", "error")}

    @property
    def sentence(self) -> str:
        """One sentence that says what is wrong, without a full stop."""
        failed, errors = len(self.with_status("failed")), len(self.with_status("error"))
        total = len(self.slices)
        if not total:
            return "No landscape was evaluated"
        if failed:
            text = f"{failed} of {count_text(total, 'landscape')} outside tolerance"
        elif errors == total:
            text = f"None of {count_text(total, 'landscape')} could be judged"
        elif errors:
            text = f"{total - errors} of {count_text(total, 'landscape')} within tolerance"
        elif total == 1:
            text = "The landscape is within tolerance"
        else:
            text = f"All {total} landscapes within tolerance"
        if errors and errors != total:
            text += f", {errors} could not be judged"
        bias = self._bias()
        return f"{text}; {bias}" if bias else text

    def _bias(self) -> str:
        """Say on how many slices energies are too low or too high, and how soft they are."""
        judged = [view.judged for view in self.slices if view.judged]
        errors = [metrics.get("mean_signed_error", math.nan) for metrics in judged]
        low = sum(error < -SIGNIFICANT_BIAS for error in errors)
        high = sum(error > SIGNIFICANT_BIAS for error in errors)
        if not low and not high:
            return ""
        direction, count = ("under", low) if low >= high else ("over", high)
        scales = [metrics.get("softening_scale", math.nan) for metrics in judged]
        known = [scale for scale in scales if math.isfinite(scale)]
        where = "" if len(judged) == 1 else f" on {count} of {len(judged)} slices"
        text = f"energies are {direction}predicted{where}"
        if known:
            mean = "softening scale" if len(judged) == 1 else "mean softening scale"
            text += f" ({mean} {np.mean(known):.2f})"
        return text

    def theory_notice(self, reference: ReferenceSummary | None) -> str:
        """Say that model and reference differ in level of theory; empty if they don't."""
        if reference is None:
            return ""
        model = self.run.model.level_of_theory
        if model.casefold() == reference.level_of_theory.casefold():
            return ""
        if model == "unknown":
            return (
                "level of theory of the model is not stated, "
                f"reference computed with {reference.level_of_theory}"
            )
        return f"model trained on {model}, reference computed with {reference.level_of_theory}"

    def notices(self, view: SliceView) -> list[str]:
        """List what makes a slice's numbers mean something else than they seem to."""
        found = [self.theory_notice(view.reference)]
        formula = view.reference.formula if view.reference else ""
        untrained = set(re.findall("[A-Z][a-z]?", formula)) & set(self.run.model.untrained)
        if untrained:
            found.append(f"no training data with {', '.join(sorted(untrained))}")
        for case in view.cases:
            found.append(case.detail.message or "")
        return list(dict.fromkeys(filter(None, found)))

    def remarks(self, view: SliceView) -> list[str]:
        """List the warnings that came with a slice's cases, each once."""
        return list(dict.fromkeys(w for case in view.cases for w in case.detail.warnings))


def check_words(check: Check) -> dict[str, Any]:
    """Return a check's parts as printed, shared by summary and page."""
    return {
        "title": metric_title(check.metric),
        "value": metric_text(check.metric, check.value, check.unit),
        "limit": limit_text(check),
        "unit": unit_text(check.unit),
        "times": times_text(check),
        "passed": check.passed,
    }
