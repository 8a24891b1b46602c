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
from symscape.questions.crystals import FAILED_CRYSTALS, N_CRYSTALS
from symscape.questions.hull import COUNTED, HULL, hull_metrics
from symscape.questions.registry import QUESTIONS
from symscape.questions.stability import ON_THE_HULL, STABILITY, N
from symscape.questions.subjects import AllCrystals, Subject, SymmetryClass
from symscape.questions.underprediction import (
    PREFIXES,
    UNDERPREDICTION,
    underprediction_metrics,
)
from symscape.results.run_results import RunResults, save_results
from symscape.verdict.tolerances import Tolerances, load_tolerances

#: name of the file in the folder of a run
RESULTS = "results.json"
#: as many crystals without energy are named
_MOST_NAMED = 20


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
    judged: dict[tuple[str, Subject], dict[str, float]] = {
        (HULL.name, AllCrystals()): _hull(compared, tables),
        (STABILITY.name, AllCrystals()): _stability(tables),
        **_underprediction(tables["underprediction"]),
    }
    cases = tuple(
        _case(question, subject, metrics, manifest, compared, tolerances, failed)
        for (question, subject), metrics in judged.items()
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
    found = hull_metrics(compared, tables["polymorphs"], HULL.settings["threshold"])
    return {name: value for name, value in found.items() if name not in {m.name for m in COUNTED}}


def _stability(tables: dict[str, pd.DataFrame]) -> dict[str, float]:
    table = tables["stability"]
    single = table[table["geometry"] == "single point"].drop(columns="geometry")
    made: dict[str, float] = {}
    for threshold, ending in ((0.0, ON_THE_HULL), (25.0, "")):
        (row,) = single[single["threshold"] == threshold].to_dict("records")
        made |= {f"{name}{ending}": float(value) for name, value in row.items()}
    once = (N.name, "threshold")
    return {k: v for k, v in made.items() if k not in {name + ON_THE_HULL for name in once}}


def _underprediction(table: pd.DataFrame) -> dict[tuple[str, Subject], dict[str, float]]:
    """Metrics of each class of free coordinates and of free lattice parameters."""
    made: dict[tuple[str, Subject], dict[str, float]] = {}
    for column, names in CLASS_OF.items():
        own = table[table["by"] == f"{column}_class"]
        for name in dict.fromkeys(names(n) for n in range(10)):
            metrics: dict[str, float] = {}
            for row in own[own["class"] == name].to_dict("records"):
                prefix = PREFIXES.get(str(row["error"]))
                if prefix is None:
                    continue
                metrics[N_CRYSTALS.name] = row[N.name]
                metrics |= underprediction_metrics(row, prefix)
            if metrics:
                made[UNDERPREDICTION.name, SymmetryClass(column, name)] = metrics
    return made


def _case(
    question: str,
    subject: Subject,
    metrics: dict[str, float],
    manifest: dict[str, Any],
    compared: pd.DataFrame,
    tolerances: Tolerances,
    failed: list[str],
) -> CaseResult:
    """Hold metrics against the suite's tolerances; crystals without energy fail every case."""
    model = str(manifest["model"]["name"])
    limits = tolerances.case(question, material=subject.material, slice=subject.slice, model=model)
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
        material=subject.material,
        slice=subject.slice,
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
