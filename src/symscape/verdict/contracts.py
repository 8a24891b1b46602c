"""Symmetry, conservation and forces: what a potential owes to physics, and its slopes to DFT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symscape.contracts.result import ContractResult
from symscape.landscape.forces import ForceComparison, spread_by_symmetry
from symscape.questions.case import CaseResult
from symscape.questions.registry import QUESTIONS
from symscape.references.reference import LandscapeReference
from symscape.verdict.tolerances import Tolerances


def judge_contracts(
    question: str,
    reference: LandscapeReference,
    results: Mapping[str, ContractResult],
    tolerances: Tolerances,
    *,
    model: str,
    fingerprint: str = "",
    seconds: float = 0.0,
) -> CaseResult:
    """Hold what contracts found against the tolerances.

    Parameters
    ----------
    question
        ``invariance`` or ``conservative_forces``.
    reference
        The slice on which they were checked.
    results
        Results by the contract's name; those that ask nothing here are not judged.
    """
    metrics = {name: r.value for name, r in results.items() if r.applies}
    detail = {
        "contracts": {name: r.detail for name, r in results.items()},
        "warnings": [
            f"{name.replace('_', ' ')} not checked: {r.detail['skipped']}"
            for name, r in results.items()
            if not r.applies
        ],
    }
    return _judge(question, reference, metrics, detail, tolerances, model, fingerprint, seconds)


def judge_forces(
    reference: LandscapeReference,
    comparison: ForceComparison,
    tolerances: Tolerances,
    *,
    model: str,
    fingerprint: str = "",
    seconds: float = 0.0,
    arrows: bool = False,
) -> CaseResult:
    """Hold the model's forces along the axes against DFT's.

    Parameters
    ----------
    arrows
        Whether to keep the forces of both, for figures; in ``detail``, meV/atom per grid step.
    """
    metrics = comparison.metrics()
    detail: dict[str, Any] = {}
    if arrows:
        sides = {"reference": comparison.reference, "model": comparison.model}
        detail["arrows"] = {
            name: _without_nan(spread_by_symmetry(reference.slice, forces.per_step))
            for name, forces in sides.items()
        }
    return _judge("forces", reference, metrics, detail, tolerances, model, fingerprint, seconds)


def _without_nan(forces: np.ndarray) -> list[Any]:
    """Nested lists, rounded to 0.001 meV/atom, None in place of NaN."""
    nested = np.round(forces, 3).astype(object)
    nested[~np.isfinite(forces)] = None
    found: list[Any] = nested.tolist()
    return found


def _judge(
    question: str,
    reference: LandscapeReference,
    metrics: dict[str, float],
    detail: dict[str, Any],
    tolerances: Tolerances,
    model: str,
    fingerprint: str,
    seconds: float,
) -> CaseResult:
    limits = tolerances.case(
        question, material=reference.material, slice=reference.slice.name, model=model
    )
    checks = tuple(
        check for check in limits.check(metrics, QUESTIONS[question]) if check.metric in metrics
    )
    return CaseResult(
        question=question,
        model=model,
        material=reference.material,
        slice=reference.slice.name,
        status="passed" if all(check.passed for check in checks) else "failed",
        checks=checks,
        metrics=metrics,
        detail=detail,
        fingerprint=fingerprint,
        seconds=seconds,
    )
