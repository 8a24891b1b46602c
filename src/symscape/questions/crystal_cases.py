"""What the questions about crystals have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any, Unpack, get_type_hints

from symscape.questions.behind import largest, named
from symscape.questions.case import CaseResult, Check
from symscape.questions.known import KnownOfCrystals
from symscape.questions.metric import Metric
from symscape.questions.notes import BehindRow, Notes
from symscape.science.hull.procedure import ComparisonSettings

if TYPE_CHECKING:
    import pandas as pd
    from _typeshed import DataclassInstance

    from symscape.questions.contracts import CheckedCrystal
    from symscape.questions.limits import LimitsByCase
    from symscape.questions.question import Question
    from symscape.questions.subjects import Subject, SystemCrystals

#: as many crystals without energy are named; a data set may have thousands
MOST_NAMED = 20
#: crystals of which the model gave no energy
FAILED_CRYSTALS = Metric("failed_crystals", "crystals without energy", counts=True, gap=True)
N_CRYSTALS = Metric("n_crystals", "crystals", ideal=None, counts=True)


@dataclass(frozen=True)
class CrystalRow:
    """One crystal in a case about hulls: names, symmetry, energies and errors in meV/atom."""

    id: str
    system: str
    formula: str
    material: str
    prototype: str
    symbol: str
    crystal_system: str
    chemistry: str
    n_lattice: int
    n_wyckoff: int
    site_symmetry_order: int
    n_atoms: int
    formation_dft: float
    formation_model: float
    above_hull_dft: float
    above_hull_model: float
    above_dft_hull_model: float
    error_total: float
    error_formation: float
    error_above_hull: float


@dataclass(frozen=True)
class MadeBy:
    """What cases about energies of crystals keep in common: what made them."""

    settings: ComparisonSettings = field(default_factory=ComparisonSettings)


@dataclass(frozen=True)
class ContractsOnCrystals:
    """What a case about contracts on crystals keeps: the worst by the metric, and all."""

    worst_crystals: Mapping[str, str] = field(default_factory=dict)
    crystals_checked: tuple[str, ...] = ()


#: eV/atom in the table, meV/atom in the rows
_ENERGIES = (
    "formation_dft", "formation_model", "above_hull_dft", "above_hull_model",
    "above_dft_hull_model",
)  # fmt: skip
#: decimals of what verdicts are worked out again from: crystals are counted, and one at the edge of
#: what is counted must not change sides by being written
_WORKED_FROM = {"formation_model": 6}


def judge_crystal_contracts(
    question: Question,
    subject: SystemCrystals,
    crystals: Sequence[CheckedCrystal],
    tolerances: LimitsByCase,
    *,
    model: str,
    **known: Unpack[KnownOfCrystals],
) -> CaseResult:
    """Hold the worst that contracts found on the crystals of a system against the tolerances.

    Parameters
    ----------
    question
        Of invariance or of forces on crystals.
    subject
        The chemical system.
    crystals
        Those of the system; contracts that ask nothing are not judged.
    """
    metrics: dict[str, float] = {}
    worst: dict[str, str] = {}
    for crystal in crystals:
        for one in crystal.found:
            if not one.result.applies:
                continue
            name, value = one.metric.name, one.result.value
            # of numbers and NaN, NaN is the worst
            if name not in metrics or isnan(value) or value > metrics[name]:
                metrics[name], worst[name] = value, crystal.id
    detail = ContractsOnCrystals(worst, tuple(crystal.id for crystal in crystals))
    behind = {name: named([id]) for name, id in worst.items()}
    return judged_crystals(question, subject, metrics, detail, behind, tolerances, model, known)


def by_errors(table: pd.DataFrame, columns: Mapping[str, str]) -> dict[str, tuple[BehindRow, ...]]:
    """Name the crystals with the largest errors of the kind that each metric is made of.

    Parameters
    ----------
    columns
        By the metric's name, the column of these errors.
    """
    found = {column: largest(table, column) for column in set(columns.values())}
    return {name: found[column] for name, column in columns.items()}


def rows_of(table: pd.DataFrame) -> tuple[CrystalRow, ...]:
    """Return what reports need of each crystal, of a table with energies in eV/atom."""
    hints = get_type_hints(CrystalRow)

    def value(record: Mapping[Any, Any], name: str) -> str | int | float:
        if hints[name] is not float:
            return hints[name](record[name])  # type: ignore[no-any-return]
        factor = 1000 if name in _ENERGIES else 1
        return round(factor * float(record[name]), _WORKED_FROM.get(name, 3))

    return tuple(
        CrystalRow(**{name: value(record, name) for name in hints})  # type: ignore[arg-type]
        for record in table.to_dict("records")
    )


def judged_crystals(
    question: Question,
    subject: Subject,
    metrics: Mapping[str, float],
    detail: DataclassInstance,
    behind: Mapping[str, Sequence[BehindRow]],
    tolerances: LimitsByCase,
    model: str,
    known: KnownOfCrystals,
) -> CaseResult:
    """Hold metrics about crystals against the tolerances; a crystal without energy fails them.

    Parameters
    ----------
    detail
        The question's own.
    behind
        By the metric's name, the crystals that make it what it is.
    known
        As those of `judge_hull`: see `KnownOfCrystals`.
    """
    limits = tolerances.case(
        question.name, material=subject.material, slice=subject.slice, model=model
    )
    found = limits.check(metrics, question)
    # crystals that the model has no energy of are no reason to judge the others alone
    missing: Sequence[str] = known.get("missing", ())
    gaps = Check(FAILED_CRYSTALS.name, float(len(missing)), (None, 0.0), "", not missing)
    checks = (*(check for check in found if check.metric in metrics), gaps)
    shown = missing[:MOST_NAMED]
    warnings = [*known.get("warnings", ()), *(f"no energy of {name}" for name in shown)]
    if len(missing) > len(shown):
        warnings.append(f"no energy of {len(missing) - len(shown)} more crystals")
    reasons = {name: tuple(rows) for name, rows in behind.items()}
    notes = Notes(
        behind={**reasons, FAILED_CRYSTALS.name: named(shown)},
        missing_crystals=tuple(shown),
        digest=known.get("digest", ""),
        warnings=tuple(warnings),
    )
    return CaseResult(
        question=question.name,
        model=model,
        material=subject.material,
        slice=subject.slice,
        status="passed" if all(check.passed for check in checks) else "failed",
        checks=checks,
        metrics=metrics,
        detail=detail,
        notes=notes,
        fingerprint=known.get("fingerprint", ""),
        seconds=known.get("seconds", 0.0),
    )
