"""Judging on a slice what a potential owes to physics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from symscape.contracts.details import ContractDetail, Skipped
from symscape.questions.case import CaseResult
from symscape.questions.detail import plain
from symscape.questions.slices import begin

if TYPE_CHECKING:
    from symscape.contracts.result import ContractResult
    from symscape.questions.limits import LimitsByCase
    from symscape.questions.question import Question
    from symscape.references.reference import LandscapeReference


@dataclass(frozen=True)
class ContractsDetail:
    """What a case about contracts keeps for reports.

    Parameters
    ----------
    contracts
        What each contract found, by its name (`symscape.contracts.result.ContractResult`).
    warnings
        What was not checked, and why.
    """

    contracts: dict[str, ContractDetail] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def judge_contracts(
    question: Question,
    reference: LandscapeReference,
    results: Mapping[str, ContractResult],
    tolerances: LimitsByCase,
    *,
    model: str,
    fingerprint: str = "",
    seconds: float = 0.0,
) -> CaseResult:
    """Hold what contracts found against the tolerances.

    Parameters
    ----------
    question
        Of invariance or of conservative forces.
    reference
        The slice on which they were checked.
    results
        Results by the contract's name; those that ask nothing here are not judged.
    """
    metrics = {name: r.value for name, r in results.items() if r.applies}
    detail = ContractsDetail(
        {name: r.detail for name, r in results.items() if r.detail is not None},
        tuple(
            f"{name.replace('_', ' ')} not checked: {r.detail.skipped}"
            for name, r in results.items()
            if isinstance(r.detail, Skipped)
        ),
    )
    return judge_metrics(
        question, reference, metrics, detail, tolerances, model, fingerprint, seconds
    )


def judge_metrics(
    question: Question,
    reference: LandscapeReference,
    metrics: dict[str, float],
    detail: object,
    tolerances: LimitsByCase,
    model: str,
    fingerprint: str,
    seconds: float,
) -> CaseResult:
    """Hold metrics of a slice against the tolerances; one that was not computed is not judged.

    Parameters
    ----------
    detail
        The question's own dataclass.
    """
    blank, limits = begin(question, reference, tolerances, model, fingerprint, seconds)
    checks = tuple(check for check in limits.check(metrics, question) if check.metric in metrics)
    return replace(
        blank,
        status="passed" if all(check.passed for check in checks) else "failed",
        checks=checks,
        metrics=metrics,
        detail=plain(detail),
    )
