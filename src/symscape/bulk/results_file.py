"""The results file of a run on a data set: aggregates that a leaderboard reads.

It has the questions of the suite that can be asked of any set of crystals. The rows behind them
stay in ``tables/crystals.parquet``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from symscape.bulk.store import MANIFEST
from symscape.hull.classes import CLASS_OF
from symscape.models.card import ModelCard
from symscape.questions.case import CaseResult, Check
from symscape.questions.crystals import ALL, ALL_CRYSTALS, FAILED_CRYSTALS
from symscape.questions.registry import QUESTIONS
from symscape.results.run_results import RunResults, save_results
from symscape.verdict.tolerances import Tolerances, load_tolerances

#: name of the file in the folder of a run
RESULTS = "results.json"
#: as many crystals without energy are named
_MOST_NAMED = 20
#: columns of errors, and what begins the names of their metrics
_PREFIXES = {"error_above_hull": "", "error_formation": "formation_", "error_total": "total_"}


def save_run_results(
    folder: Path, compared: pd.DataFrame, tables: dict[str, pd.DataFrame], failed: list[str]
) -> Path:
    """Write ``results.json`` into the folder of a run.

    Parameters
    ----------
    folder
        Of the run.
    compared
        What `compare_run` returned.
    tables
        The tables made of it, by name.
    failed
        Ids of the crystals that the model gave no energy of.

    Raises
    ------
    OSError
        If it can't be written.
    """
    manifest = compared.attrs["settings"]
    tolerances = load_tolerances("default")
    judged = {
        ("hull", ALL): _hull(compared, tables),
        ("stability", ALL): _stability(tables),
        **_underprediction(tables["underprediction"]),
    }
    cases = tuple(
        _case(question, name, metrics, manifest, compared, tolerances, failed)
        for (question, name), metrics in judged.items()
    )
    # what it was made from is as old as the run, however often tables are made
    began = datetime.fromtimestamp((folder / MANIFEST).stat().st_mtime, UTC)
    run = RunResults(
        model=_card(manifest),
        fingerprint=str(manifest["model"]["fingerprint"]),
        cases=cases,
        references=(),
        versions=dict(manifest["made"]["versions"]),
        started=began.isoformat(timespec="seconds"),
        wall_seconds=0.0,
        tolerances=tolerances.name,
    )
    return save_results(folder / RESULTS, run)


def _card(manifest: dict[str, Any]) -> ModelCard:
    model, made = manifest["model"], manifest["made"]
    return ModelCard(
        str(model["name"]),
        str(made["family"]),
        made["checkpoint"],
        str(made["level_of_theory"]),
        str(model["energy_convention"]),
        options=dict(made["options"]),
    )


def _hull(compared: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> dict[str, float]:
    """Metrics of all hulls together; counts of systems are left out, for they grow with a set."""
    order = tables["polymorphs"]
    pairs = int(order["pairs"].sum()) if len(order) else 0
    formation, above = compared["error_formation"], compared["error_above_hull"]
    return {
        "formation_mae": float(formation.abs().mean()),
        "formation_bias": float(formation.mean()),
        "above_hull_mae": float(above.abs().mean()),
        "above_hull_bias": float(above.mean()),
        "max_above_hull_error": float(above.abs().max()),
        "wrong_order_share": float(order["wrong_pairs"].sum()) / pairs if pairs else 0.0,
        "polymorph_mae": float(order["polymorph_mae"].mean()) if len(order) else 0.0,
        "n_crystals": len(compared),
    }


def _stability(tables: dict[str, pd.DataFrame]) -> dict[str, float]:
    table = tables["stability"]
    single = table[table["geometry"] == "single point"].drop(columns="geometry")
    made: dict[str, float] = {}
    for threshold, ending in ((0.0, "_at_0"), (25.0, "")):
        (row,) = single[single["threshold"] == threshold].to_dict("records")
        made |= {f"{name}{ending}": float(value) for name, value in row.items()}
    return {k: v for k, v in made.items() if k not in ("n_at_0", "threshold_at_0")}


def _underprediction(table: pd.DataFrame) -> dict[tuple[str, str], dict[str, float]]:
    """Metrics of each class of free coordinates and of free lattice parameters."""
    made: dict[tuple[str, str], dict[str, float]] = {}
    for column, names in CLASS_OF.items():
        own = table[table["by"] == f"{column}_class"]
        for name in dict.fromkeys(names(n) for n in range(10)):
            metrics: dict[str, float] = {}
            for row in own[own["class"] == name].to_dict("records"):
                prefix = _PREFIXES.get(str(row["error"]))
                if prefix is None:
                    continue
                metrics["n_crystals"] = int(row["n"])
                summed = {k: v for k, v in row.items() if k not in ("error", "by", "class", "n")}
                metrics |= {f"{prefix}{key}": float(value) for key, value in summed.items()}
            if metrics:
                made["underprediction", f"{column}-{name}"] = metrics
    return made


def _case(
    question: str,
    name: str,
    metrics: dict[str, float],
    manifest: dict[str, Any],
    compared: pd.DataFrame,
    tolerances: Tolerances,
    failed: list[str],
) -> CaseResult:
    """Hold metrics against the suite's tolerances; crystals without energy fail every case."""
    model = str(manifest["model"]["name"])
    limits = tolerances.case(question, material=ALL_CRYSTALS, slice=name, model=model)
    found = [c for c in limits.check(metrics, QUESTIONS[question]) if c.metric in metrics]
    gaps = Check(FAILED_CRYSTALS.name, float(len(failed)), (None, 0.0), "", not failed)
    checks = (*found, gaps)
    levels = sorted(map(str, np.unique(compared["level_of_theory"].astype(str))))
    settings = {
        "model": model,
        "level_of_theory_model": manifest["made"]["level_of_theory"],
        # with MP2020's corrections PBE+U is a part of what is called PBE
        "level_of_theory_reference": "PBE" if set(levels) == {"PBE", "PBE+U"} else "/".join(levels),
        "energy_convention": manifest["model"]["energy_convention"],
        "corrections": manifest["corrections"],
        "geometry": "DFT's, single point",
    }
    return CaseResult(
        question=question,
        model=model,
        material=ALL_CRYSTALS,
        slice=name,
        status="passed" if all(check.passed for check in checks) else "failed",
        checks=checks,
        metrics=metrics,
        detail={
            "settings": settings,
            "digest": manifest["dataset"]["digest"],
            "missing_crystals": failed[:_MOST_NAMED],
        },
        fingerprint=str(manifest["model"]["fingerprint"]),
    )
