"""What a report says about one slice and each question asked on it, before it takes any form."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal, get_args

import numpy as np

from symscape.page.checks import severity
from symscape.page.words import remark_text
from symscape.questions.case import CaseResult, Check
from symscape.questions.energies import (
    ENERGIES,
    MAE,
    N_POINTS,
    SOFTENING_SCALE,
    points_without_energy,
)
from symscape.questions.forces import ForcesDetail
from symscape.questions.named_points import FailedPoint
from symscape.questions.notes import MetricChange, Notes
from symscape.questions.registry import QUESTIONS, question_title
from symscape.questions.subjects import Subject, subject_of
from symscape.results.run_results import ReferenceSummary
from symscape.science.landscape.metrics import DEFAULT_WINDOW

#: a status, but what was declared a known failure is told apart: ``known`` if it failed,
#: ``surprise`` if it did not; what could not be judged stands before all that was
Outcome = Literal["error", "failed", "surprise", "known", "passed"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
#: so many tolerances off and more are equally bad
BEYOND = 10.0


@dataclass(frozen=True)
class CaseView:
    """One question on one slice, its checks worst first.

    Parameters
    ----------
    case
        The result.
    day
        Day of the run; known failures that expired before it are failures.
    """

    case: CaseResult
    day: date = date.min

    @property
    def status(self) -> Outcome:
        """What the case amounts to, known failures told apart."""
        expires = self.notes.known_failure_expires
        if self.notes.known_failure and not (expires and date.fromisoformat(expires) < self.day):
            declared: dict[str, Outcome] = {"failed": "known", "passed": "surprise"}
            return declared.get(self.case.status, self.case.status)
        return self.case.status

    @property
    def title(self) -> str:
        """Words for the question."""
        return question_title(self.case.question)

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
        """The worst check's; infinite for a case that could not be evaluated."""
        if self.case.status == "error":
            return math.inf
        return max((severity(check) for check in self.case.checks), default=0.0)

    @property
    def notes(self) -> Notes:
        """What any case keeps: warnings, why it was not judged, what the baseline said."""
        return self.case.notes

    @property
    def without_energy(self) -> tuple[FailedPoint, ...]:
        """Grid points without energy; none where it is not about energies."""
        return points_without_energy(self.case)

    @cached_property
    def shifts(self) -> dict[str, MetricChange]:
        """How each metric changed since the baseline; empty if it lacks the case."""
        known = self.notes.baseline
        return {change.metric: change for change in known.metrics} if known else {}

    @property
    def window(self) -> str:
        """Judged window in meV/atom as it is called in the metrics; empty if there is none."""
        windows = self.case.windows
        return "" if windows is None else f"{float(windows.judged):g}"

    @property
    def judged(self) -> Mapping[str, float]:
        """Metrics of the judged window; empty where the question has no windows."""
        return self.case.windows.values if self.case.windows else {}

    @property
    def compared(self) -> int:
        """How many grid points were compared in the judged window; 0 where none was."""
        count = N_POINTS.of(self.judged)
        return int(count) if math.isfinite(count) else 0


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
        """``PbTiO3-P4mm-Ti_z-O_z``; the material alone for a case without a slice."""
        return f"{self.material}-{self.slice}" if self.slice else self.material

    @property
    def about(self) -> Literal["slices", "crystals", "curves"]:
        """Whether the questions are about a slice, crystals, or their equations of state."""
        known = (QUESTIONS.get(view.case.question) for view in self.cases)
        asked = {question.about for question in known if question}
        if asked == {"curves"}:
            return "curves"
        return "crystals" if not self.slice or asked == {"crystals"} else "slices"

    @property
    def slug(self) -> str:
        """The id as a file name and anchor; a hash keeps altered ones apart."""
        slug = re.sub(r"[^A-Za-z0-9_.-]+", "_", self.id).lstrip(".-")[:120]
        if slug == self.id:
            return slug
        return f"{slug}-{hashlib.sha256(self.id.encode()).hexdigest()[:8]}"

    @property
    def subject(self) -> Subject:
        """What its questions are about."""
        return subject_of(self.material, self.slice)

    @property
    def title(self) -> str:
        """The id in words: ``PbTiO₃ P4mm z(Ti), z(O)``, ``Mg-Si hull``."""
        if self.reference is None:
            return self.subject.title
        return f"{self.reference.title} {', '.join(self.axis_labels)}"

    @property
    def status(self) -> Outcome:
        """``failed`` if any question failed, else what else stands out, else ``passed``."""
        return min((view.status for view in self.cases), key=OUTCOMES.index)

    @property
    def severity(self) -> float:
        """The worst question's."""
        return max(view.severity for view in self.cases)

    @property
    def told(self) -> tuple[CaseView, ...]:
        """Questions to be told in full: those that did not pass, and the energies."""
        full = [v for v in self.cases if v.status != "passed" or v.case.question == ENERGIES.name]
        return tuple(full) or self.cases

    @property
    def folded(self) -> tuple[CaseView, ...]:
        """The other questions, which passed."""
        return tuple(view for view in self.cases if view not in self.told)

    @property
    def worst_check(self) -> Check | None:
        """The failed check that is most tolerances off, of questions that failed."""
        failed = [view for view in self.cases if view.status == "failed"]
        checks = [check for view in failed for check in view.failed_checks]
        return max(checks, key=severity, default=None)

    @property
    def energies(self) -> CaseView | None:
        """The question that carries the grid of energies and the pointwise metrics."""
        return next((view for view in self.cases if view.case.question == ENERGIES.name), None)

    @property
    def judged(self) -> Mapping[str, float]:
        """Pointwise metrics of the judged window; empty if the energies were not judged."""
        return self.energies.judged if self.energies else {}

    @property
    def compared(self) -> int:
        """How many grid points were compared in the judged window."""
        return self.energies.compared if self.energies else 0

    @property
    def mean_error(self) -> float:
        """Mean absolute error in the judged window, meV/atom; NaN where it isn't known."""
        return MAE.of(self.judged)

    @property
    def scale(self) -> float:
        """Softening scale in the judged window; NaN where it isn't known."""
        return SOFTENING_SCALE.of(self.judged)

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
        return (self.subject.words,) if self.slice else ()

    def remarks(self, case: CaseView) -> list[str]:
        """Return the warnings of one of its cases as pages print them."""
        axes = [axis.name for axis in self.reference.axes] if self.reference else []
        return [remark_text(warning, axes) for warning in case.case.warnings]

    @cached_property
    def model(self) -> np.ndarray | None:
        """The model's energies in eV/atom above the DFT minimum, NaN where there are none.

        Above the model's own lowest energy if it has none at the DFT minimum.
        """
        return self._relative(self.energies.case.energies) if self.energies else None

    @cached_property
    def baseline(self) -> np.ndarray | None:
        """The energies of the earlier run that this one was judged by, as those of the model."""
        known = self.energies.notes.baseline if self.energies else None
        return self._relative(known.energies) if known else None

    @property
    def arrows(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Forces per grid step of DFT and model, each of shape (n_u, n_v, 2), if they were kept."""
        kept = (case.case.kept(ForcesDetail) for case in self.cases)
        drawn = next((detail.arrows for detail in kept if detail), None)
        return (np.array(drawn.reference), np.array(drawn.model)) if drawn else None

    def _relative(self, energies: Sequence[Sequence[float | None]] | None) -> np.ndarray | None:
        if self.reference is None or energies is None:
            return None
        grid = np.array(energies, dtype=float)
        if not np.isfinite(grid).any():
            return grid
        zero = grid[self.reference.minimum]
        return grid - (zero if np.isfinite(zero) else np.nanmin(grid))

    @property
    def changed(self) -> bool:
        """Whether any question's answer is better or worse than in the baseline."""
        changes = {view.notes.baseline.change for view in self.cases if view.notes.baseline}
        return bool(changes & {"better", "worse"})

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


def question_order(view: CaseView) -> tuple[int, int, str]:
    """Order of the questions about a slice: what stands out first, then as they are listed."""
    order = list(QUESTIONS)
    question = view.case.question
    place = order.index(question) if question in order else len(order)
    return OUTCOMES.index(view.status), place, question


def slice_order(item: SliceView) -> tuple[int, float, bool, float, str]:
    """Order of the slices and groups of crystals, as `RunView.slices` says."""
    capped = min(item.severity, BEYOND)
    status = OUTCOMES.index(item.status)
    return status, -capped, item.about != "slices", -item.severity, item.id
