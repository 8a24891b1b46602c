"""Finished runs to the tables and figures of one page: the study of underprediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from symscape.bulk.chunk_store import TABLES
from symscape.bulk.hull_tables import compare_part
from symscape.bulk.manifest import read_manifest
from symscape.bulk.study_tables import (
    errors_table,
    folded,
    overview_table,
    relaxed_table,
    sample_table,
    stability_table,
    trends_table,
    volume_table,
)
from symscape.dataset.folder import parquet
from symscape.errors import ScaleError, writing
from symscape.files import write_atomically
from symscape.science.hull import study
from symscape.science.hull.duplicates import structural_duplicates

#: what stands between the two is replaced
BEGIN, END = "<!-- made by symscape hull study -->", "<!-- end -->"
#: atoms of a data set that are held at once, a hundred thousand crystals
_ALL_ATOMS = 3_000_000


def make_study(runs: Sequence[Path], relaxed: Sequence[Path], page: Path) -> tuple[Path, ...]:
    """Write the tables into a page, and the figure beside it.

    Parameters
    ----------
    runs
        Folders of runs at DFT's geometry, one a model, with their tables.
    relaxed
        Folders of runs that relaxed at fixed symmetry, one a model and data set; may be empty.
    page
        A Markdown file with the lines `BEGIN` and `END`; what lies between is replaced. The figure
        gets the page's name.

    Returns
    -------
    tuple of Path
        What was written.

    Raises
    ------
    ScaleError
        If a run has no tables, two are of one model and data set, or the page lacks the lines.
    """
    from symscape.figures.study_figure import draw_signed_errors

    single = _load(runs)
    sets = _by_dataset(relaxed)
    moved = {cells: _load(own) for cells, own in sets.items()}
    first = (*runs[:1], *(own[0] for own in sets.values()))
    twice = {name for run in first for name in duplicates_of(run)}
    common = _without(_shared(runs, single), twice)
    single = _without(single, twice)
    try:
        text = page.read_text(encoding="utf-8")
    except OSError as error:
        raise ScaleError(f"{page}: the page can't be read ({error.strerror}).") from error
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ScaleError(f"{page}: the page lacks the lines {BEGIN!r} and {END!r}; add them.")
    errors = study.signed_errors(single)
    figure = page.with_suffix(".png")
    manifests = [read_manifest(run) for run in runs]
    trained = {known.model.name: ", ".join(known.made.training_sets) for known in manifests}
    parts = [
        f"Crystals that are another one's structure again, which were left out: {len(twice)}.",
        overview_table(study.overview(single), trained, "Each model on all of its crystals"),
        f"![signed errors of energies above hull]({figure.name})",
    ]
    if common:
        title = "All models on the crystals that they share, within hulls of these alone"
        parts.append(overview_table(study.overview(common), trained, title))
    parts += [sample_table(study.sample(table)) for table in list(single.values())[:1]]
    parts.append(stability_table(study.false_stability(single)))
    for cells, tables in moved.items():
        parts += relaxed_parts(_without(tables, twice), cells)
    parts += [
        folded(errors_table(errors, "Single points")),
        folded(trends_table(study.trends(single), "Single points")),
    ]
    for cells, tables in moved.items():
        parts += long_relaxed_parts(_without(tables, twice), cells)
    body = "\n\n".join(parts)
    with writing(page, "the page", "choose another place", ScaleError):
        draw_signed_errors(errors).savefig(figure, metadata={"Software": None})
        write_atomically(page, f"{before}{BEGIN}\n\n{body}\n\n{END}{after}")
    return page, figure


def relaxed_parts(tables: Mapping[str, pd.DataFrame], cells: str) -> list[str]:
    """Return the tables of models that relaxed the same cells."""
    return [
        relaxed_table(study.relaxed_overview(tables), cells),
        volume_table(study.volumes(tables), cells),
    ]


def long_relaxed_parts(tables: Mapping[str, pd.DataFrame], cells: str) -> list[str]:
    """Return the long tables of models that relaxed the same cells, folded."""
    own, ranks = study.signed_errors(tables), study.trends(tables)
    title = f"Relaxed, {cells}"
    return [
        folded(errors_table(own[own["error"] == study.RELAXED_ERROR], title)),
        folded(trends_table(ranks[ranks["error"] == study.RELAXED_ERROR], title)),
    ]


def _by_dataset(runs: Sequence[Path]) -> dict[str, list[Path]]:
    """Return runs by the cells of their data set, in words, the largest set first.

    A model may have relaxed another set than the next one, or two.
    """
    stamps = {run: read_manifest(run).dataset for run in runs}
    sets = sorted(set(stamps.values()), key=lambda stamp: -stamp.crystals)
    found = {}
    for stamp in sets:
        own = [run for run in runs if stamps[run] == stamp]
        # models without +U have a part of the set: ask them all
        most = max(int(_compared(run)["n_atoms"].max()) for run in own)
        found[f"{stamp.crystals:,} entries, cells of at most {most} atoms"] = own
    return found


def _shared(runs: Sequence[Path], tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Compare models on the crystals that all have; empty if all have the same."""
    ids = study.shared_crystals(tables)
    if all(len(table) == len(ids) for table in tables.values()):
        return {}
    return {read_manifest(run).model.name: compare_part(run, ids) for run in runs}


def _load(runs: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Return the compared tables of runs by their model's name."""
    tables: dict[str, pd.DataFrame] = {}
    for run in runs:
        name = read_manifest(run).model.name
        if name in tables:
            raise ScaleError(f"{run}: there are two runs of {name}; give one a model and data set.")
        tables[name] = _compared(run)
    return tables


def _compared(run: Path) -> pd.DataFrame:
    """Return the table of a run's crystals."""
    file = run / TABLES / "crystals.parquet"
    if not file.is_file():
        raise ScaleError(f"{run}: the run has no tables; run 'symscape hull tables {run}'.")
    found: pd.DataFrame = parquet().read_table(file).to_pandas()
    return found


def duplicates_of(run: Path) -> Mapping[str, str]:
    """Return the structural duplicates of a run's data set, with what each is the same as.

    Raises
    ------
    DatasetError
        If the data set is no longer where the run found it.
    """
    from symscape.dataset.read import iterate_chunks

    columns = ["id", "formula", "space_group", "volume", "energy"]
    known = parquet().read_table(run / TABLES / "crystals.parquet", columns=columns).to_pandas()
    found: dict[str, str] = {}
    places = {name: k for k, name in enumerate(known["id"])}
    # structures of a formula may lie in any chunk: few enough for one where a study is made
    for chunk in iterate_chunks(read_manifest(run).made.dataset, max_atoms=_ALL_ATOMS):
        own = [k for k, name in enumerate(chunk.table["id"]) if name in places]
        table = known.iloc[[places[chunk.table["id"].iloc[k]] for k in own]]
        found |= structural_duplicates(table, chunk.structures[np.array(own)])
    return found


def _without(tables: dict[str, pd.DataFrame], ids: set[str]) -> dict[str, pd.DataFrame]:
    """Leave crystals out of what is counted; hulls have them, and are the same without."""
    return {name: table[~table["id"].isin(ids)] for name, table in tables.items()}
