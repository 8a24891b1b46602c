"""The results file of a run on a data set: aggregates that a leaderboard reads.

It has the questions of the suite that can be asked of any set of crystals. The rows behind them
stay in ``tables/crystals.parquet``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from symscape.bulk.manifest import MANIFEST, RunManifest
from symscape.questions.crystal_cases import N_CRYSTALS, MadeBy, judged_crystals
from symscape.questions.hull import COUNTED, HULL, hull_metrics
from symscape.questions.known import KnownOfCrystals
from symscape.questions.registry import QUESTIONS
from symscape.questions.stability import ON_THE_HULL, STABILITY, N, StabilityDetail
from symscape.questions.subjects import AllCrystals, Subject, SymmetryClass
from symscape.questions.underprediction import (
    PREFIXES,
    UNDERPREDICTION,
    underprediction_metrics,
)
from symscape.results.files import save_results
from symscape.results.run_results import RunResults
from symscape.science.hull.classes import CLASS_OF
from symscape.science.hull.procedure import ComparisonSettings
from symscape.verdict.tolerances import load_tolerances

#: name of the file in the folder of a run
RESULTS = "results.json"


def save_run_results(
    folder: Path,
    manifest: RunManifest,
    compared: pd.DataFrame,
    tables: dict[str, pd.DataFrame],
    failed: list[str],
    left_out: Sequence[str] = (),
) -> Path:
    """Write ``results.json`` into the folder of a run.

    Parameters
    ----------
    folder
        Of the run.
    manifest
        What it is of.
    compared
        What `compare_run` returned.
    tables
        The tables made of it, by name.
    failed
        Ids of the crystals that the model gave no energy of.
    left_out
        Ids of those that it can't be compared on for another reason. Without them it is another set
        of crystals, and no leaderboard puts its numbers beside those of the whole.

    Raises
    ------
    OSError
        If it can't be written.
    """
    tolerances = load_tolerances("default")
    judged: dict[tuple[str, Subject], dict[str, float]] = {
        (HULL.name, AllCrystals()): _hull(compared, tables),
        (STABILITY.name, AllCrystals()): _stability(tables),
        **_underprediction(tables["underprediction"]),
    }
    known: KnownOfCrystals = {
        "missing": failed,
        "digest": _digest(manifest.dataset.digest, left_out),
        "fingerprint": manifest.model.fingerprint,
    }
    made = replace(_settings(manifest, compared), n_left_out=len(left_out))
    threshold = STABILITY.settings["threshold"]
    details = {STABILITY.name: StabilityDetail(threshold=threshold, settings=made)}
    model = manifest.model.name
    cases = tuple(
        judged_crystals(
            QUESTIONS[name],
            subject,
            metrics,
            details.get(name, MadeBy(made)),
            {},
            tolerances,
            model,
            known,
        )
        for (name, subject), metrics in judged.items()
    )
    # what it was made from is as old as the run, however often tables are made
    began = datetime.fromtimestamp((folder / MANIFEST).stat().st_mtime, UTC)
    run = RunResults(
        model=manifest.card,
        fingerprint=manifest.model.fingerprint,
        cases=cases,
        references=(),
        versions=dict(manifest.made.versions),
        started=began.isoformat(timespec="seconds"),
        wall_seconds=0.0,
        tolerances=tolerances.name,
    )
    return save_results(folder / RESULTS, run)


def _digest(dataset: str, left_out: Sequence[str]) -> str:
    """Return the digest of a data set without some of its crystals."""
    if not left_out:
        return dataset
    return hashlib.sha256("\n".join([dataset, *sorted(left_out)]).encode()).hexdigest()


def _hull(compared: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> dict[str, float]:
    """Metrics of all hulls together; counts of systems are left out, for they grow with a set."""
    found = hull_metrics(compared, tables["polymorphs"], HULL.settings["threshold"])
    return {name: value for name, value in found.items() if name not in {m.name for m in COUNTED}}


def _stability(tables: dict[str, pd.DataFrame]) -> dict[str, float]:
    table = tables["stability"]
    single = table[table["geometry"] == "single point"].drop(columns="geometry")
    made: dict[str, float] = {}
    for threshold, ending in ((0.0, ON_THE_HULL), (STABILITY.settings["threshold"], "")):
        (row,) = (
            single[single["threshold"] == threshold].drop(columns="threshold").to_dict("records")
        )
        made |= {f"{name}{ending}": float(value) for name, value in row.items()}
    del made[N.name + ON_THE_HULL]
    return made


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
                metrics[N_CRYSTALS.name] = row["n"]
                metrics |= underprediction_metrics(row, prefix)
            if metrics:
                made[UNDERPREDICTION.name, SymmetryClass(column, name)] = metrics
    return made


def _settings(manifest: RunManifest, compared: pd.DataFrame) -> ComparisonSettings:
    levels = sorted(map(str, np.unique(compared["level_of_theory"].astype(str))))
    return ComparisonSettings(
        model=manifest.model.name,
        level_of_theory_model=manifest.made.level_of_theory,
        # with MP2020's corrections PBE+U is a part of what is called PBE
        level_of_theory_reference="PBE" if set(levels) == {"PBE", "PBE+U"} else "/".join(levels),
        energy_convention=manifest.model.energy_convention,
        geometry="DFT's, single point",
        corrections=compared.attrs["settings"]["corrections"],
    )
