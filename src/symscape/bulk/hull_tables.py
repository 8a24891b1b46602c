"""From finished chunks and DFT's energies to formation energies, hulls and tables of errors."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from symscape.bulk.chunk_store import TABLES, finished_chunks, read_chunk
from symscape.bulk.compare import GEOMETRIES, compare_run, notice_of_u, reasons_against
from symscape.bulk.headline import Headline, headline_of
from symscape.bulk.manifest import RunManifest, read_manifest
from symscape.bulk.plan import check_elements, dataset_digest
from symscape.bulk.results_file import save_run_results
from symscape.bulk.summaries import (
    CLASSES,
    ERRORS,
    near_hull,
    polymorphs,
    relaxation,
    stability,
    underprediction,
)
from symscape.dataset.folder import dataset_info, parquet
from symscape.dataset.read import load_dataset
from symscape.errors import ScaleError, writing
from symscape.files import write_atomically
from symscape.questions.hull import ABOVE_HULL_MAE, FORMATION_MAE
from symscape.science.hull.analysis import Each
from symscape.science.hull.conventions import Basis
from symscape.science.hull.phases import select_system
from symscape.science.hull.shifts import shifted_elements
from symscape.science.hull.systems import elements_of_system, system_of
from symscape.science.hull.table import Symmetry

#: columns with few different values
_FEW = (
    "symbol", "crystal_system", "site_symmetries", "chemistry", "failed", "correction_failed",
    "relaxed_failed",
)  # fmt: skip
#: columns of results that tables need
_RESULTS = (
    "row", "id", "energy_model", "failed", "correction", "correction_failed",
    *(field.name for field in fields(Symmetry)),
)  # fmt: skip


@dataclass(frozen=True)
class TablesSummary:
    """What was made.

    Parameters
    ----------
    path
        Folder of the tables.
    crystals, n_left_out
        How many were compared, and how many could not be.
    systems
        Chemical systems present.
    headline
        The numbers that people ask for first.
    notices
        What the user should know of the energies, one sentence each.
    """

    path: Path
    crystals: int
    n_left_out: int
    systems: int
    headline: Headline
    notices: tuple[str, ...] = ()


def make_tables(
    run: str | Path,
    *,
    dataset: str | Path | None = None,
    left_out: tuple[str, ...] = (),
    system: str = "",
    basis: Basis = Basis.SHARED,
    each: Each = map,
) -> TablesSummary:
    """Compare a finished run with DFT and write the tables.

    Structures are not read; 150,000 crystals take 1.2 GB.

    Parameters
    ----------
    run
        The run's folder; tables go into its folder ``tables``, or ``tables-Mg-Si`` for a system.
    dataset
        Where the data set is now, if it was moved.
    left_out
        Elements whose crystals are left out.
    system
        A chemical system, to take only its crystals and those of its subsystems.
    basis
        As in `compare_run`; the tables go into ``tables-raw`` or ``tables-mixing``. Those of the
        whole data set on its own basis are summed up in ``results.json`` in the run's folder too,
        which a leaderboard reads.
    each
        As in `symscape.science.hull.analysis.compare`.

    Returns
    -------
    TablesSummary
        What was made.

    Raises
    ------
    ScaleError
        If the run is not finished, its chunks are damaged, the data set is another one, or the
        disk is full.
    HullError
        If an element has no reference energy, or the chemical system is empty.
    """
    check_elements(left_out)
    folder = Path(run)
    manifest = read_manifest(folder)
    table = _collect(folder, manifest, Path(dataset or manifest.made.dataset))
    reasons = reasons_against(table, manifest, left_out, basis)
    rejected = table.loc[reasons != "", ["id", "formula", "system"]].assign(
        reason=reasons[reasons != ""]
    )
    kept = table[reasons == ""]
    if system:
        system = system_of(elements_of_system(system))
        kept = select_system(kept, system)
    if kept.empty:
        raise ScaleError(
            f"{folder}: there is no crystal with energies of both DFT and model; left_out.csv "
            "would name all of them."
        )
    compared = compare_run(kept, manifest, basis, each)
    target = folder / "-".join(
        [TABLES, *([system] if system else []), *([] if basis is Basis.SHARED else [basis])]
    )
    made = _tables(compared, manifest)
    headline = headline_of(made)
    found = (notice_of_u(table, manifest, basis), shifted_elements(compared))
    notices = tuple(filter(None, found))
    document = {
        "crystals": len(compared),
        "left_out": len(rejected),
        "systems": int(compared["system"].nunique()),
        "levels_of_theory": {
            str(k): int(n) for k, n in compared["level_of_theory"].value_counts().items() if n
        },
        "headline": headline.document(),
        "notices": list(notices),
        "settings": compared.attrs["settings"],
    }
    _write(target, compared, {**made, "left_out": rejected}, document)
    if basis is Basis.SHARED and not system:
        failed = table["failed"].astype(str) != ""
        others = list(table.loc[(reasons != "") & ~failed, "id"])
        lacking = list(table.loc[failed, "id"])
        save_run_results(folder, manifest, compared, made, lacking, others)
    return TablesSummary(
        target,
        len(compared),
        len(rejected),
        document["systems"],
        headline,
        notices,
    )


def compare_part(run: str | Path, ids: Collection[str]) -> pd.DataFrame:
    """Compare a finished run with DFT on some crystals of its data set, within hulls of their own.

    Returns
    -------
    DataFrame
        As `compare_run` makes it.

    Raises
    ------
    ScaleError, HullError
        As `make_tables`.
    """
    folder = Path(run)
    manifest = read_manifest(folder)
    table = _collect(folder, manifest, Path(manifest.made.dataset))
    return compare_run(table[table["id"].isin(set(ids))].reset_index(drop=True), manifest)


def _collect(folder: Path, manifest: RunManifest, dataset: Path) -> pd.DataFrame:
    """Put results beside what the data set says, in its order."""
    info = dataset_info(dataset)
    if dataset_digest(info) != manifest.dataset.digest:
        raise ScaleError(
            f"{dataset}: this is not the data set that {folder} was run on; name that with "
            "--dataset."
        )
    finished = finished_chunks(folder)
    relaxed = manifest.settings.relax
    columns = [*_RESULTS]
    if relaxed != "none":
        columns += [f"relaxed_{name}" for name in _RELAXED]
    parts = []
    for file in finished.files.values():
        part = read_chunk(file, columns)
        parts.append(part.astype({name: "category" for name in _FEW if name in part}))
    done = sum(map(len, parts))
    if done != info.crystals:
        raise ScaleError(
            f"{folder}: only {done} of {info.crystals} crystals are done; run the same 'symscape "
            "hull run' again first."
        )
    results = _joined(parts).sort_values("row", ignore_index=True)
    known = load_dataset(
        dataset, columns=["id", "formula", "system", "n_atoms", "volume", "energy",
                          "level_of_theory", "correction_stated", "correction_makers"]
    )  # fmt: skip
    if list(results["id"]) != list(known["id"]):
        raise ScaleError(f"{folder}: the chunks are not those of {dataset}; run again elsewhere.")
    table = pd.concat([known, results.drop(columns=["row", "id"])], axis=1)
    table.attrs = {}
    return table


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Put tables together whose categories differ."""
    from pandas.api.types import union_categoricals

    columns: dict[str, Any] = {}
    for name in parts[0]:
        own = [part[name] for part in parts]
        few = name in _FEW
        columns[str(name)] = (
            union_categoricals(own, sort_categories=True) if few else pd.concat(own).to_numpy()
        )
    return pd.DataFrame(columns)


_RELAXED = (
    "energy_fixed", "energy_free", "space_group", "space_group_free", "volume_change",
    "lattice_change", "converged_fixed", "converged_free", "failed",
)  # fmt: skip


def _tables(compared: pd.DataFrame, manifest: RunManifest) -> dict[str, pd.DataFrame]:
    """Return the tables by name."""
    # an element's ground state is zero for both by definition: it has no error to count
    ground = (compared["chemistry"] == "element") & (compared["above_hull_dft"] < 1e-9)
    counted = compared[~ground]
    errors = [*ERRORS, *(str(k) for k in compared if str(k).startswith("error_above_hull_"))]
    geometries = {"single point": "above_hull_model"}
    for geometry in GEOMETRIES:
        if f"above_hull_model_{geometry}" in compared:
            geometries[geometry] = f"above_hull_model_{geometry}"
    made = {
        "underprediction": underprediction(counted, CLASSES, errors),
        "near_hull": near_hull(counted, errors),
        "stability": stability(compared, geometries),
        "polymorphs": polymorphs(compared),
        "systems": _systems(compared),
    }
    if manifest.settings.relax != "none":
        free = manifest.settings.relax == "free"
        made["relaxation"] = relaxation(compared, CLASSES, free)
    return made


def _systems(compared: pd.DataFrame) -> pd.DataFrame:
    """Return counts and mean absolute errors of each chemical system."""
    work = compared.assign(
        absolute=compared["error_formation"].abs(),
        absolute_hull=compared["error_above_hull"].abs(),
        stable_dft=compared["above_hull_dft"] <= 1e-7,
        stable_model=compared["above_hull_model"] <= 1e-7,
    )
    grouped = work.groupby("system", sort=True, observed=True)
    return pd.DataFrame(
        {
            "n": grouped.size(),
            FORMATION_MAE.name: grouped["absolute"].mean(),
            ABOVE_HULL_MAE.name: grouped["absolute_hull"].mean(),
            "stable_dft": grouped["stable_dft"].sum(),
            "stable_model": grouped["stable_model"].sum(),
        }
    ).reset_index()


def _write(
    target: Path, compared: pd.DataFrame, made: dict[str, pd.DataFrame], document: dict[str, Any]
) -> None:
    import pyarrow as pa

    advice = "make room and run 'symscape hull tables' again"
    with writing(target, "the tables", advice, ScaleError):
        target.mkdir(parents=True, exist_ok=True)
        plain = compared.drop(columns=["failed", "correction_failed"])
        plain.attrs = {}
        parquet().write_table(
            pa.Table.from_pandas(plain, preserve_index=False),
            target / "crystals.parquet",
            compression="zstd",
        )
        for name, table in made.items():
            write_atomically(target / f"{name}.csv", table.to_csv(index=False))
        text = json.dumps(document, indent=1, ensure_ascii=False, default=str)
        write_atomically(target / "summary.json", text + "\n")
