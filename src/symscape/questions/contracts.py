"""Judging on a slice what a potential owes to physics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from symscape.questions.case import CaseResult
from symscape.questions.notes import Notes
from symscape.questions.slices import begin
from symscape.science.contracts.details import ContractDetail, Skipped

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from symscape.crystal.crystal import Crystal
    from symscape.questions.limits import LimitsByCase
    from symscape.questions.metric import Metric
    from symscape.questions.question import Question
    from symscape.references.reference import LandscapeReference
    from symscape.science.contracts.catalogue import CrystalContract
    from symscape.science.contracts.potential import Potential
    from symscape.science.contracts.result import ContractResult


@dataclass(frozen=True)
class ContractsDetail:
    """What a case about contracts keeps for reports.

    Parameters
    ----------
    contracts
        What the contract behind each metric found, by the metric's name.
    """

    contracts: dict[str, ContractDetail] = field(default_factory=dict)


@dataclass(frozen=True)
class MetricContract:
    """A metric, and the contract about a crystal that it measures."""

    metric: Metric
    contract: CrystalContract


@dataclass(frozen=True)
class MetricResult:
    """A metric, and what the contract behind it found."""

    metric: Metric
    result: ContractResult


@dataclass(frozen=True)
class CheckedCrystal:
    """What contracts found on one crystal.

    Parameters
    ----------
    id
        The crystal's.
    found
        One for each metric.
    """

    id: str
    found: tuple[MetricResult, ...]


def check_once(
    potential: Potential, crystal: Crystal, asked: Sequence[MetricContract]
) -> tuple[MetricResult, ...]:
    """Check the contracts behind metrics on a crystal, as far as no earlier run has."""
    from symscape.science.contracts.checked_once import check_crystal_once

    found = check_crystal_once(potential, crystal, [one.contract for one in asked])
    return tuple(
        MetricResult(one.metric, checked.result) for one, checked in zip(asked, found, strict=True)
    )


def judge_contracts(
    question: Question,
    reference: LandscapeReference,
    results: Sequence[MetricResult],
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
        What the contract behind each metric found; those that ask nothing here are not judged.
    """
    metrics = {one.metric.name: one.result.value for one in results if one.result.applies}
    details = {one.metric.name: one.result.detail for one in results}
    detail = ContractsDetail({name: kept for name, kept in details.items() if kept is not None})
    not_checked = tuple(
        f"{name.replace('_', ' ')} not checked: {kept.skipped}"
        for name, kept in details.items()
        if isinstance(kept, Skipped)
    )
    judged = judge_metrics(
        question, reference, metrics, detail, tolerances, model, fingerprint, seconds
    )
    return replace(judged, notes=Notes(warnings=not_checked))


def judge_metrics(
    question: Question,
    reference: LandscapeReference,
    metrics: dict[str, float],
    detail: DataclassInstance | None,
    tolerances: LimitsByCase,
    model: str,
    fingerprint: str,
    seconds: float,
) -> CaseResult:
    """Hold metrics of a slice against the tolerances; one that was not computed is not judged.

    Parameters
    ----------
    detail
        The question's own dataclass; None where there is nothing to keep.
    """
    blank, limits = begin(question, reference, tolerances, model, fingerprint, seconds)
    checks = tuple(check for check in limits.check(metrics, question) if check.metric in metrics)
    return replace(
        blank,
        status="passed" if all(check.passed for check in checks) else "failed",
        checks=checks,
        metrics=metrics,
        detail=detail,
    )
