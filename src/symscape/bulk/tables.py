"""From finished chunks and DFT's energies to formation energies, hulls and tables of errors."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from symscape.bulk.hulls import (
    Compositions,
    aligned_errors,
    compositions,
    energies_above_hull,
    formation_energies,
    reference_energies,
)
from symscape.bulk.plan import check_elements, dataset_digest
from symscape.bulk.store import TABLES, finished_chunks, read_chunk, read_manifest
from symscape.bulk.summaries import (
    CLASSES,
    ERRORS,
    near_hull,
    polymorphs,
    relaxation,
    stability,
    underprediction,
)
from symscape.bulk.symmetry import Symmetry
from symscape.dataset.read import load_dataset
from symscape.dataset.store import dataset_info, parquet
from symscape.errors import ScaleError
from symscape.files import write_atomically
from symscape.hull.classes import lattice_class, wyckoff_class
from symscape.hull.conventions import bring_together, shared_convention
from symscape.hull.phases import select_system

#: columns with few different values
_FEW = (
    "symbol", "crystal_system", "site_symmetries", "chemistry", "failed", "correction_failed",
    "relaxed_failed",
)  # fmt: skip
#: relaxed geometries, and where their energies are
_GEOMETRIES = {"fixed": "relaxed_energy_fixed", "free": "relaxed_energy_free"}
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
    crystals, left_out
        How many were compared, and how many could not be.
    systems
        Chemical systems present.
    headline
        MAE and bias of formation energies and energies above hull (meV/atom), false-stable share.
    """

    path: Path
    crystals: int
    left_out: int
    systems: int
    headline: dict[str, float]


def make_tables(
    run: str | Path,
    *,
    dataset: str | Path | None = None,
    left_out: tuple[str, ...] = (),
    system: str = "",
    raw: bool = False,
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
    raw
        As in `compare_many`; the tables go into ``tables-raw``.

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
    table = _collect(folder, manifest, Path(dataset or manifest["made"]["dataset"]))
    reasons = _reasons(table, manifest, left_out, raw)
    rejected = table.loc[reasons != "", ["id", "formula", "system"]].assign(
        reason=reasons[reasons != ""]
    )
    kept = table[reasons == ""]
    if system:
        system = "-".join(sorted(system.split("-")))
        kept = select_system(kept, system)
    if kept.empty:
        raise ScaleError(
            f"{folder}: there is no crystal with energies of both DFT and model; left_out.csv "
            "would name all of them."
        )
    compared = compare_many(kept, manifest, raw)
    target = folder / "-".join([TABLES, *([system] if system else []), *(["raw"] if raw else [])])
    made = _tables(compared, manifest)
    headline = _headline(made)
    document = {
        "crystals": len(compared),
        "left_out": len(rejected),
        "systems": int(compared["system"].nunique()),
        "levels_of_theory": {
            str(k): int(n) for k, n in compared["level_of_theory"].value_counts().items() if n
        },
        "headline": headline,
        "settings": compared.attrs["settings"],
    }
    _write(target, compared, {**made, "left_out": rejected}, document)
    return TablesSummary(target, len(compared), len(rejected), document["systems"], headline)


def _collect(folder: Path, manifest: dict[str, Any], dataset: Path) -> pd.DataFrame:
    """Put results beside what the data set says, in its order."""
    info = dataset_info(dataset)
    if dataset_digest(info) != manifest["dataset"]["digest"]:
        raise ScaleError(
            f"{dataset}: this is not the data set that {folder} was run on; name that with "
            "--dataset."
        )
    finished = finished_chunks(folder)
    relaxed = manifest["settings"]["relax"]
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
                          "level_of_theory"]
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


def _convention(table: pd.DataFrame, manifest: dict[str, Any], raw: bool) -> str:
    """Return the convention that both sides are compared in."""
    own = str(manifest["model"]["energy_convention"])
    return own if raw else shared_convention(table.get("level_of_theory", ())) or own


def _reasons(
    table: pd.DataFrame, manifest: dict[str, Any], left_out: tuple[str, ...], raw: bool
) -> pd.Series:
    """Say why crystals can't be compared; empty for those that can."""
    reasons = pd.Series("", index=table.index, dtype=object)
    lacking = ~np.isfinite(table["energy"].to_numpy(dtype=float))
    reasons[lacking] = "DFT's energy is no number"
    failed = table["failed"].astype(str).to_numpy(dtype=object)
    reasons[failed != ""] = failed[failed != ""]
    if _convention(table, manifest, raw) == "MP2020":
        lacking = ~np.isfinite(table["correction"].to_numpy(dtype=float))
        reasons[lacking] = "its MP2020 correction is neither stated nor can it be computed"
        failed = table["correction_failed"].astype(str).to_numpy(dtype=object)
        reasons[failed != ""] = failed[failed != ""]
    for element in left_out:
        own = [element in name.split("-") for name in table["system"]]
        reasons[own] = f"the element {element} is left out"
    return reasons


def compare_many(table: pd.DataFrame, manifest: dict[str, Any], raw: bool = False) -> pd.DataFrame:
    """Put a model's energies beside DFT's, as `symscape.hull.analysis.compare` does for few.

    Parameters
    ----------
    table
        One row a crystal: ``id``, ``formula``, ``energy`` (DFT, eV/atom), ``energy_model``,
        ``correction``, the columns of `Symmetry`, and relaxed energies if there are any.
    manifest
        Of the run.
    raw
        Whether energies of several levels of theory are compared without the corrections that
        make one hull of them.

    Returns
    -------
    DataFrame
        ``table`` with the columns of `compare`; for relaxed geometries ``above_hull_model_fixed``
        and ``error_above_hull_fixed`` and so on, NaN where the relaxation failed.

    Raises
    ------
    HullError
        If an element has no reference energy.
    """
    model = manifest["model"]
    made = table.copy()
    made["energy"], made["energy_model"], done = bring_together(
        table["energy"].to_numpy(dtype=float),
        table["energy_model"].to_numpy(dtype=float),
        table["correction"].to_numpy(dtype=float),
        reference_convention="uncorrected",
        model_convention=model["energy_convention"],
        shared=_convention(table, manifest, raw),
    )
    parts = compositions(table["formula"])
    method = f"DFT and {model['name']}"
    for name, column in (("dft", "energy"), ("model", "energy_model")):
        formation = _formation(parts, made, made[column], method)
        made[f"formation_{name}"] = formation
        made[f"above_hull_{name}"] = energies_above_hull(parts, formation)
    floor = made["formation_dft"] - made["above_hull_dft"]
    made["above_dft_hull_model"] = made["formation_model"] - floor
    made["error_total"] = 1000 * aligned_errors(
        parts, (made["energy_model"] - made["energy"]).to_numpy()
    )
    made["error_formation"] = 1000 * (made["formation_model"] - made["formation_dft"])
    made["error_above_hull"] = 1000 * (made["above_hull_model"] - made["above_hull_dft"])
    for geometry, column in _GEOMETRIES.items():
        if column in made and made[column].notna().any():
            # what was added to the model's energies belongs to the relaxed ones too
            added = made["energy_model"] - table["energy_model"]
            _add_relaxed(made, geometry, made[column] + added, f"{method}, relaxed")
    made["n_wyckoff_class"] = [wyckoff_class(n) for n in made["n_wyckoff"]]
    made["n_lattice_class"] = [lattice_class(n) for n in made["n_lattice"]]
    made.attrs["settings"] = {**manifest, "corrections": done}
    return made


def _formation(
    parts: Compositions, table: pd.DataFrame, energies: pd.Series, method: str
) -> np.ndarray:
    values = energies.to_numpy(dtype=float)
    return formation_energies(parts, values, reference_energies(parts, values, table["id"], method))


def _add_relaxed(made: pd.DataFrame, geometry: str, energies: pd.Series, method: str) -> None:
    """Add energies above the hull of the relaxed crystals, of those that could be relaxed."""
    known = made[energies.notna()]
    parts = compositions(known["formula"])
    formation = _formation(parts, known, energies[energies.notna()], method)
    above = pd.Series(energies_above_hull(parts, formation), index=known.index)
    made[f"above_hull_model_{geometry}"] = above
    made[f"error_above_hull_{geometry}"] = 1000 * (above - made["above_hull_dft"])


def _tables(compared: pd.DataFrame, manifest: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Return the tables by name."""
    # an element's ground state is zero for both by definition: it has no error to count
    ground = (compared["chemistry"] == "element") & (compared["above_hull_dft"] < 1e-9)
    counted = compared[~ground]
    errors = [*ERRORS, *(str(k) for k in compared if str(k).startswith("error_above_hull_"))]
    geometries = {"single point": "above_hull_model"}
    for geometry in _GEOMETRIES:
        if f"above_hull_model_{geometry}" in compared:
            geometries[geometry] = f"above_hull_model_{geometry}"
    made = {
        "underprediction": underprediction(counted, CLASSES, errors),
        "near_hull": near_hull(counted, errors),
        "stability": stability(compared, geometries),
        "polymorphs": polymorphs(compared),
        "systems": _systems(compared),
    }
    if manifest["settings"]["relax"] != "none":
        free = manifest["settings"]["relax"] == "free"
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
            "formation_mae": grouped["absolute"].mean(),
            "above_hull_mae": grouped["absolute_hull"].mean(),
            "stable_dft": grouped["stable_dft"].sum(),
            "stable_model": grouped["stable_model"].sum(),
        }
    ).reset_index()


def _headline(made: dict[str, pd.DataFrame]) -> dict[str, float]:
    """Return the numbers that people ask for first."""
    table, stable = made["underprediction"], made["stability"]
    whole = {row["error"]: row for row in table[table["by"] == "all"].to_dict("records")}
    formation, hull = whole["error_formation"], whole["error_above_hull"]
    chosen = (stable["geometry"] == "single point") & (stable["threshold"] == 25.0)
    (at_25,) = stable[chosen].to_dict("records")
    return {
        "formation_mae": float(formation["mae"]),
        "formation_bias": float(formation["mean_signed_error"]),
        "above_hull_mae": float(hull["mae"]),
        "above_hull_bias": float(hull["mean_signed_error"]),
        "share_underpredicted": float(hull["share_underpredicted"]),
        "false_stable_share": float(at_25["false_stable_share"]),
        "f1": float(at_25["f1"]),
    }


def _write(
    target: Path, compared: pd.DataFrame, made: dict[str, pd.DataFrame], document: dict[str, Any]
) -> None:
    import pyarrow as pa

    try:
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
    except OSError as error:
        raise ScaleError(
            f"{target}: the tables can't be written ({error.strerror or error}); make room and run "
            "'symscape hull tables' again."
        ) from error
