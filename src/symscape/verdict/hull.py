"""The questions about crystals: hulls, polymorphs, stability, underprediction, relaxation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from symscape.questions.case import CaseResult, Check
from symscape.questions.hull import FAILED_CRYSTALS
from symscape.questions.hull import HULL as HULL_QUESTION
from symscape.questions.registry import QUESTIONS
from symscape.questions.stability import STABILITY
from symscape.verdict.behind import largest, named

if TYPE_CHECKING:
    import pandas as pd

    from symscape.contracts.result import ContractResult
    from symscape.verdict.tolerances import Tolerances

#: what stands for the material of a case that is about crystals of many systems
ALL_CRYSTALS = "crystals"
#: what stands for the slice of a case about all of them
ALL = "all"
#: what stands for the slice of a case about a chemical system
HULL = "hull"
#: what stands for the slice of a case about contracts on a system's crystals
CONTRACTS = "contracts"
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


def judge_hull(
    table: pd.DataFrame, system: str, tolerances: Tolerances, *, model: str, **known: Any
) -> CaseResult:
    """Judge hull and polymorphs of one chemical system.

    Parameters
    ----------
    table
        The system's rows of what `symscape.hull.analysis.compare` returned.
    system
        Chemical system: ``Mg-Si``.
    known
        ``fingerprint``, ``seconds``, ``digest`` of the crystals, ``warnings``, and ``missing``, the
        ids of crystals of the case that the model has no energy of: any of them fails it.
    """
    from symscape.hull.stability import classify, polymorph_order

    settings = tolerances.case("hull", material=system, slice=HULL, model=model).settings
    threshold = HULL_QUESTION.setting("threshold", settings)
    order = polymorph_order(table, resolution_meV=HULL_QUESTION.setting("resolution", settings))
    above = table["above_hull_dft"].to_numpy(), table["above_hull_model"].to_numpy()
    stability = classify(*above, threshold)
    pairs = int(order["pairs"].sum())
    metrics = {
        "formation_mae": float(table["error_formation"].abs().mean()),
        "formation_bias": float(table["error_formation"].mean()),
        "above_hull_mae": float(table["error_above_hull"].abs().mean()),
        "above_hull_bias": float(table["error_above_hull"].mean()),
        "max_above_hull_error": float(table["error_above_hull"].abs().max()),
        "wrong_order_share": float(order["wrong_pairs"].sum()) / pairs if pairs else 0.0,
        "ground_states_missed": int(order["ground_state_missed"].sum()),
        "polymorph_mae": float(order["polymorph_mae"].mean()) if len(order) else 0.0,
        "n_crystals": len(table),
        **{name: stability[name] for name in ("false_stable", "false_unstable")},
    }
    detail = {"crystals": rows_of(table), "polymorphs": order.to_dict("records")}
    detail["settings"] = order.attrs["settings"]
    detail["behind"] = _by_errors(table, metrics)
    return judge_crystals("hull", system, HULL, metrics, detail, tolerances, model, known)


def judge_stability(
    table: pd.DataFrame, tolerances: Tolerances, *, model: str, **known: Any
) -> CaseResult:
    """Judge over all systems whom the model calls stable."""
    from symscape.hull.stability import classify

    settings = tolerances.case("stability", material=ALL_CRYSTALS, slice=ALL, model=model).settings
    threshold = STABILITY.setting("threshold", settings)
    above = table["above_hull_dft"].to_numpy(), table["above_hull_model"].to_numpy()
    metrics = {
        **classify(*above, threshold),
        **{f"{name}_at_0": value for name, value in classify(*above, 0.0).items() if name != "n"},
        "threshold": threshold,
    }
    stable = 1000 * table[["above_hull_dft", "above_hull_model"]] <= threshold
    wrong = table["id"][stable["above_hull_model"] & ~stable["above_hull_dft"]]
    detail = {"false_stable": list(wrong), "settings": table.attrs.get("settings", {})}
    differ = table[stable["above_hull_model"] != stable["above_hull_dft"]]
    detail["behind"] = dict.fromkeys(metrics, largest(differ, "error_above_hull"))
    return judge_crystals("stability", ALL_CRYSTALS, ALL, metrics, detail, tolerances, model, known)


def judge_underprediction(
    table: pd.DataFrame, name: str, tolerances: Tolerances, *, model: str, **known: Any
) -> CaseResult:
    """Judge the bias of one symmetry class.

    Parameters
    ----------
    table
        The class's rows of what `symscape.hull.analysis.compare` returned.
    name
        Column and class: ``n_wyckoff-3-4``.
    """
    from symscape.hull.statistics import error_summary

    metrics: dict[str, float] = {}
    for prefix, column in (
        ("", "error_above_hull"),
        ("formation_", "error_formation"),
        ("total_", "error_total"),
    ):
        summary = error_summary(table[column].to_numpy())
        metrics |= {f"{prefix}{key}": value for key, value in summary.items() if key != "n"}
    metrics["n_crystals"] = len(table)
    detail = {"crystals": rows_of(table), "settings": table.attrs.get("settings", {})}
    detail["behind"] = _by_errors(table, metrics)
    return judge_crystals(
        "underprediction", ALL_CRYSTALS, name, metrics, detail, tolerances, model, known
    )


def judge_relaxation(
    table: pd.DataFrame,
    system: str,
    tolerances: Tolerances,
    *,
    model: str,
    near_meV: float = 25.0,
    **known: Any,
) -> CaseResult:
    """Judge what becomes of a system's crystals when the model relaxes them.

    Parameters
    ----------
    table
        The system's rows with ``above_hull_dft``, the columns of `symscape.hull.relax.relax_table`,
        and ``error_fixed`` and ``error_free``, the errors of the energies above hull after both
        relaxations (meV/atom). Symmetry and volume are judged on those that DFT puts near the hull:
        far above it a crystal may well be unstable in truth.
    near_meV
        What is near, meV/atom.
    """
    near = table[1000 * table["above_hull_dft"] <= near_meV]
    metrics = {
        "above_hull_mae_fixed": float(table["error_fixed"].abs().mean()),
        "above_hull_mae_free": float(table["error_free"].abs().mean()),
        "broken_near_hull": int((~near["kept_symmetry"].astype(bool)).sum()),
        "max_gained_near_hull": float(near["gained"].max()),
        "max_volume_change_near_hull": float(near["volume_change"].abs().max()),
        "broken_share": float((~table["kept_symmetry"].astype(bool)).mean()),
        "not_converged": int((~table["converged_fixed"].astype(bool)).sum()),
        "n_crystals": len(table),
    }
    columns = [
        "id", "energy_fixed", "energy_free", "gained", "kept_symmetry", "space_group",
        "space_group_free", "volume_change", "lattice_change", "converged_fixed", "converged_free",
        "steps",
    ]  # fmt: skip
    records = table[columns].to_dict("records")
    detail = {"relaxed": records, "settings": table.attrs.get("settings", {})}
    broken = named(table["id"][~table["kept_symmetry"].astype(bool)])
    detail["behind"] = {
        "above_hull_mae_fixed": largest(table, "error_fixed"),
        "above_hull_mae_free": largest(table, "error_free"),
        "broken_near_hull": named(near["id"][~near["kept_symmetry"].astype(bool)]),
        "max_gained_near_hull": largest(near, "gained"),
        "max_volume_change_near_hull": largest(near, "volume_change", "%"),
        "broken_share": broken,
        "not_converged": named(table["id"][~table["converged_fixed"].astype(bool)]),
    }
    return judge_crystals("relaxation", system, HULL, metrics, detail, tolerances, model, known)


def judge_contracts(
    question: str,
    system: str,
    results: Mapping[str, Mapping[str, ContractResult]],
    tolerances: Tolerances,
    *,
    model: str,
    **known: Any,
) -> CaseResult:
    """Hold the worst that contracts found on the crystals of a system against the tolerances.

    Parameters
    ----------
    question
        ``crystal_invariance`` or ``crystal_forces``.
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
    return judge_crystals(question, system, CONTRACTS, metrics, detail, tolerances, model, known)


def _by_errors(table: pd.DataFrame, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Name the crystals with the largest errors of the kind that each metric is made of."""
    kinds = {"formation": "error_formation", "total": "error_total"}
    return {
        name: largest(table, kinds.get(name.partition("_")[0], "error_above_hull"))
        for name in metrics
    }


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


def judge_crystals(
    question: str,
    material: str,
    slice: str,
    metrics: dict[str, Any],
    detail: dict[str, Any],
    tolerances: Tolerances,
    model: str,
    known: dict[str, Any],
) -> CaseResult:
    """Hold metrics against the tolerances; any crystal without energy fails the case.

    Parameters
    ----------
    detail
        What the result keeps; ``behind`` names the crystals behind each metric.
    known
        As that of `judge_hull`.
    """
    limits = tolerances.case(question, material=material, slice=slice, model=model)
    found = limits.check(metrics, QUESTIONS[question])
    # crystals that the model has no energy of are no reason to judge the others alone
    missing: Sequence[str] = known.get("missing", ())
    gaps = Check(FAILED_CRYSTALS.name, float(len(missing)), (None, 0.0), "", not missing)
    checks = (*(check for check in found if check.metric in metrics), gaps)
    warnings = [*known.get("warnings", ()), *(f"no energy of {name}" for name in missing)]
    detail = {**detail, "missing_crystals": list(missing)}
    detail["behind"] = {**detail.get("behind", {}), FAILED_CRYSTALS.name: named(missing)}
    return CaseResult(
        question=question,
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
