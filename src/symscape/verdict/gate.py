"""The gate: an earlier run as the measure of a new one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path

from symscape.questions.case import CaseResult
from symscape.questions.metric import outside
from symscape.questions.registry import metric_title, question_words
from symscape.verdict.baseline import DEFAULT_MARGIN, judge_against

Key = tuple[str, str, str]


@dataclass(frozen=True, eq=False)
class Baseline:
    """An earlier run, and by how much a case may be worse than in it.

    Parameters
    ----------
    name
        What the user called it.
    path
        Its results file.
    cases
        Results by (question, material, slice).
    digests
        Digest of the reference by (material, slice): a case is compared only if it is the same.
    """

    name: str
    path: Path
    cases: dict[Key, CaseResult]
    digests: dict[tuple[str, str], str]
    margin: float = DEFAULT_MARGIN

    def judge(self, result: CaseResult, digest: str) -> CaseResult:
        """Judge a case by the earlier one; a case that it does not have keeps its verdict."""
        return judge_against(result, self.find(result, digest), self.margin)[0]

    def find(self, result: CaseResult, digest: str) -> CaseResult | None:
        """Return the same question asked of the same reference, or None.

        What could not be evaluated is held against whatever the baseline has: no reference may have
        been read.
        """
        case = self.cases.get((result.question, result.material, result.slice))
        if result.status == "error":
            return case
        if case is not None and case.notes.digest == digest:  # a case about crystals
            return case
        return case if self.digests.get((result.material, result.slice)) == digest else None

    def gone(self, judged: Collection[Key], left_out: Collection[Key] = ()) -> list[str]:
        """Return what the baseline judged and a run did not, whatever the reason.

        Parameters
        ----------
        judged
            Cases that the run judged or could not evaluate, by (question, material, slice).
        left_out
            Cases that the user chose to leave out of the run.
        """
        missing = [
            (material, slice, question)
            for (question, material, slice), case in self.cases.items()
            if case.status != "error"
            and (question, material, slice) not in judged
            and (question, material, slice) not in left_out
        ]
        return [f"{m}-{s}: {question}" for m, s, question in sorted(missing)]


def borne_out(result: CaseResult) -> CaseResult:
    """Return a result with the status that its checks bear out, whoever made it.

    Passed is what was held against a limit, all of it within: a case without checks was not judged.
    """
    if result.status != "passed":
        return result
    if not result.checks:
        message = (
            "nothing was held against a limit; name one in a tolerance file, in its table "
            f"[{result.question}]."
        )
        return replace(result, status="error", notes=replace(result.notes, message=message))
    within = [check.passed and outside(check.value, check.limit) == 0 for check in result.checks]
    if all(within):
        return result
    checks = (replace(c, passed=ok) for c, ok in zip(result.checks, within, strict=True))
    return replace(result, status="failed", checks=tuple(checks))


def _gone(name: str) -> str:
    """Name a case that is gone by its question and its test: ``hull  Mg-Si-hull``."""
    subject, _, question = name.partition(": ")
    return f"{question_words(question)}  {subject}".strip()


def change_table(cases: list[CaseResult], baseline: Baseline, gone: list[str]) -> list[str]:
    """Return the lines of the table of changes: worse first, then better, new, gone, same."""
    rows: list[tuple[int, str]] = []
    order = ("worse", "better", "new", "gone", "same")
    width = max((len(question_words(case.question)) for case in cases), default=0)
    for case in cases:
        said = case.notes.baseline
        change = said.change if said else "new"
        metrics = sorted(said.metrics if said else (), key=lambda m: -abs(m.worsening))
        what = ""
        if metrics and change in ("worse", "better"):
            m = metrics[0]
            old, now = (f"{v:.4g}" if isfinite(v) else "no value" for v in (m.old, m.new))
            what = f"{metric_title(m.metric)} {old} -> {now} {m.unit}".rstrip()
        asked = question_words(case.question)
        rows.append((order.index(change), f"{change:<7} {asked:<{width}} {case.id}  {what}"))
    rows += [(order.index("gone"), f"{'gone':<7} {_gone(name)}") for name in gone]
    counts = [f"{sum(k == n for k, _ in rows)} {order[n]}" for n in range(len(order))]
    lines = [f"against {baseline.name} (margin {100 * baseline.margin:g} % of the tolerance):"]
    lines.append("  " + ", ".join(counts))
    # what did not change is counted, not listed
    shown = [row for row in sorted(rows) if row[0] != order.index("same")]
    return lines + [f"  {text}".rstrip() for _, text in shown]
