"""What a report says about a run, before it takes any form: slices, verdict, notices."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Literal

from symscape.page.case_views import (
    OUTCOMES,
    CaseView,
    Outcome,
    SliceView,
    question_order,
    slice_order,
)
from symscape.page.headline import headline
from symscape.results.run_results import ReferenceSummary, RunResults


@dataclass(frozen=True, eq=False)
class RunView:
    """A run, ready to be reported: its slices in the order worst first."""

    run: RunResults

    @cached_property
    def slices(self) -> tuple[SliceView, ...]:
        """Slices not judged; then failed ones, worst first; then passed ones, nearest first.

        Beyond ``BEYOND`` tolerances all is wrong, and how many they are says no more: among those,
        landscapes come first, for they are what the suite asks about.
        """
        grouped: dict[tuple[str, str], list[CaseView]] = {}
        for case in self.run.cases:
            key = (case.material, case.slice)
            grouped.setdefault(key, []).append(CaseView(case, self.day))
        views = []
        for (material, name), cases in grouped.items():
            cases.sort(key=question_order)
            reference = self.run.reference(cases[0].case)
            views.append(SliceView(material, name, reference, tuple(cases)))
        return tuple(sorted(views, key=slice_order))

    @cached_property
    def day(self) -> date:
        """Day of the run."""
        return datetime.fromisoformat(self.run.started).date()

    def with_status(self, status: Outcome) -> tuple[SliceView, ...]:
        """Return the slices of one status, worst first."""
        return tuple(view for view in self.slices if view.status == status)

    @property
    def status(self) -> Literal["failed", "error", "passed"]:
        """``failed`` if anything failed or passed unexpectedly, else ``error`` if one was.

        A run that lacks cases is not judged either.
        """
        found = {case.status for view in self.slices for case in view.cases}
        if found & {"failed", "surprise"}:
            return "failed"
        return "error" if "error" in found or self.run.lacking else "passed"

    @property
    def counts(self) -> dict[Outcome, int]:
        """Number of cases of each outcome."""
        statuses = [case.status for view in self.slices for case in view.cases]
        return {status: statuses.count(status) for status in OUTCOMES}

    @property
    def sentence(self) -> str:
        """One sentence that says what is wrong, without a full stop."""
        return headline(self.run, self.slices)

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
            found.append(case.notes.message or "")
        return list(dict.fromkeys(filter(None, found)))

    def remarks(self, view: SliceView) -> list[str]:
        """List the warnings that came with the questions told in full, each once."""
        return list(dict.fromkeys(w for case in view.told for w in view.remarks(case)))
