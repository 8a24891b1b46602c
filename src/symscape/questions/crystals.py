"""What the questions about crystals have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from symscape.questions.behind import largest, named
from symscape.questions.case import CaseResult, Check
from symscape.questions.metric import Metric

if TYPE_CHECKING:
    import pandas as pd

    from symscape.contracts.result import ContractResult
    from symscape.questions.limits import LimitsByCase
    from symscape.questions.question import Question

#: crystals of which the model gave no energy
FAILED_CRYSTALS = Metric("failed_crystals", "crystals without energy", counts=True)
N_CRYSTALS = Metric("n_crystals", "crystals", ideal=None, counts=True)

#: what stands for the material of a case that is about crystals of many systems
ALL_CRYSTALS = "crystals"
#: what stands for the slice of a case about all of them
ALL = "all"
#: what stands for the slice of a case about a chemical system
OF_HULL = "hull"
#: what stands for the slice of a case about contracts on a system's crystals
OF_CONTRACTS = "contracts"
#: text columns of the rows that reports are made from
_TEXT = (
    "id", "system", "formula", "material", "prototype", "symbol", "crystal_system", "chemistry",
)  # fmt: skip
_NUMBERS = ("n_lattice", "n_wyckoff", "site_symmetry_order", "n_atoms")
#: eV/atom in the table, meV/atom in the rows
_ENERGIES = (
    "formation_dft", "formation_model", "above_hull_dft", "above_hull_model",
    "above_dft_hull_model",
)  # fmt: skip
_ERRORS = ("error_total", "error_formation", "error_above_hull")


def judge_crystal_contracts(
    question: Question,
    system: str,
    results: Mapping[str, Mapping[str, ContractResult]],
    tolerances: LimitsByCase,
    *,
    model: str,
    **known: Any,
) -> CaseResult:
    """Hold the worst that contracts found on the crystals of a system against the tolerances.

    Parameters
    ----------
    question
        Of invariance or of forces on crystals.
    results
        By the crystal's id and the contract's name; those that ask nothing are not judged.
    """
    metrics: dict[str, float] = {}
    worst: dict[str, str] = {}
    for crystal, found in results.items():
        for name, result in found.items():
            if not result.applies:
                continue
            # of numbers and NaN, NaN is the worst
            if name not in metrics or isnan(result.value) or result.value > metrics[name]:
                metrics[name], worst[name] = result.value, crystal
    detail = {"worst_crystals": worst, "crystals_checked": list(results)}
    detail["behind"] = {name: named([crystal]) for name, crystal in worst.items()}
    return judged_crystals(
        question, system, OF_CONTRACTS, metrics, detail, tolerances, model, known
    )


def by_errors(table: pd.DataFrame, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Name the crystals with the largest errors of the kind that each metric is made of."""
    kinds = {"formation": "error_formation", "total": "error_total"}
    columns = {name: kinds.get(name.partition("_")[0], "error_above_hull") for name in metrics}
    found = {column: largest(table, column) for column in set(columns.values())}
    return {name: found[column] for name, column in columns.items()}


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what reports need of each crystal: names, symmetry, energies in meV/atom."""
    rows = []
    for record in table.to_dict("records"):
        row: dict[str, Any] = {name: str(record[name]) for name in _TEXT}
        row |= {name: int(record[name]) for name in _NUMBERS}
        row |= {name: round(1000 * float(record[name]), 3) for name in _ENERGIES}
        row |= {name: round(float(record[name]), 3) for name in _ERRORS}
        rows.append(row)
    return rows


def judged_crystals(
    question: Question,
    material: str,
    slice: str,
    metrics: dict[str, Any],
    detail: dict[str, Any],
    tolerances: LimitsByCase,
    model: str,
    known: dict[str, Any],
) -> CaseResult:
    """Hold metrics about crystals against the tolerances; a crystal without energy fails them."""
    limits = tolerances.case(question.name, material=material, slice=slice, model=model)
    found = limits.check(metrics, question)
    # crystals that the model has no energy of are no reason to judge the others alone
    missing: Sequence[str] = known.get("missing", ())
    gaps = Check(FAILED_CRYSTALS.name, float(len(missing)), (None, 0.0), "", not missing)
    checks = (*(check for check in found if check.metric in metrics), gaps)
    warnings = [*known.get("warnings", ()), *(f"no energy of {name}" for name in missing)]
    detail = {**detail, "missing_crystals": list(missing)}
    detail["behind"] = {**detail.get("behind", {}), FAILED_CRYSTALS.name: named(missing)}
    return CaseResult(
        question=question.name,
        model=model,
        material=material,
        slice=slice,
        status="passed" if all(check.passed for check in checks) else "failed",
        checks=checks,
        metrics=metrics,
        detail={**detail, "digest": known.get("digest", ""), "warnings": warnings},
        fingerprint=known.get("fingerprint", ""),
        seconds=known.get("seconds", 0.0),
    )
