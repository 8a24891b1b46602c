"""Finished runs to the tables and figures of one page: the study of underprediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from symscape.bulk.chunk_store import TABLES
from symscape.bulk.hull_tables import compare_part
from symscape.bulk.manifest import read_manifest
from symscape.dataset.folder import parquet
from symscape.errors import ScaleError, writing
from symscape.files import write_atomically
from symscape.science.hull import study
from symscape.science.hull.duplicates import structural_duplicates

#: what stands between the two is replaced
BEGIN, END = "<!-- made by symscape hull study -->", "<!-- end -->"
#: atoms of a data set that are held at once, a hundred thousand crystals
_ALL_ATOMS = 3_000_000
_NAMES = {
    "error_formation": "formation energy",
    "error_above_hull": "energy above hull",
    "error_above_hull_fixed": "energy above hull, relaxed",
}


def make_study(runs: Sequence[Path], relaxed: Sequence[Path], page: Path) -> tuple[Path, ...]:
    """Write the tables into a page, and the figure beside it.

    Parameters
    ----------
    runs
        Folders of runs at DFT's geometry, one a model, with their tables.
    relaxed
        Folders of runs that relaxed at fixed symmetry; may be empty.
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
        If a run has no tables, two are of one model, or the page lacks the lines.
    """
    from symscape.figures.study_figure import draw_signed_errors

    single, moved = _load(runs), _load(relaxed)
    twice = {name for run in (*runs[:1], *relaxed[:1]) for name in duplicates_of(run)}
    common = _shared(runs, single)
    single, moved, common = (_without(tables, twice) for tables in (single, moved, common))
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
        _overview_table(study.overview(single), trained, "Each model on all of its crystals"),
        f"![signed errors of energies above hull]({figure.name})",
    ]
    if common:
        title = "All models on the crystals that they share, within hulls of these alone"
        parts.append(_overview_table(study.overview(common), trained, title))
    parts += [_sample_table(study.sample(table)) for table in list(single.values())[:1]]
    parts.append(_stability_table(study.false_stability(single)))
    if moved:
        parts.append(_volume_table(study.volumes(moved)))
    parts += [
        _folded(_errors_table(errors, "Single points")),
        _folded(_trends_table(study.trends(single), "Single points")),
    ]
    if moved:
        own, ranks = study.signed_errors(moved), study.trends(moved)
        parts += [
            _folded(_errors_table(own[own["error"] == "error_above_hull_fixed"], "Relaxed")),
            _folded(_trends_table(ranks[ranks["error"] == "error_above_hull_fixed"], "Relaxed")),
        ]
    body = "\n\n".join(parts)
    with writing(page, "the page", "choose another place", ScaleError):
        draw_signed_errors(errors).savefig(figure, metadata={"Software": None})
        write_atomically(page, f"{before}{BEGIN}\n\n{body}\n\n{END}{after}")
    return page, figure


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
        file = run / TABLES / "crystals.parquet"
        if name in tables:
            raise ScaleError(f"{run}: there are two runs of {name}; give one a model.")
        if not file.is_file():
            raise ScaleError(f"{run}: the run has no tables; run 'symscape hull tables {run}'.")
        tables[name] = parquet().read_table(file).to_pandas()
    return tables


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


def _markdown(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return f"**{title}**\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _interval(row: pd.Series, decimals: int, factor: float = 1.0) -> str:
    mean, low, high = (factor * row[name] for name in ("mean", "low", "high"))
    return f"{mean:+.{decimals}f} ({low:+.{decimals}f}, {high:+.{decimals}f})"


def _folded(table: str) -> str:
    """Put a table of `_markdown` behind its title."""
    title, _, body = table.partition("\n\n")
    return f"<details markdown><summary>{title.strip('*')}</summary>\n\n{body}\n\n</details>"


def _overview_table(found: pd.DataFrame, trained: Mapping[str, str], title: str) -> str:
    """One row a model: means with their intervals, rank tests, false stability."""
    rows = [
        [
            str(row["model"]), trained[str(row["model"])] or "–", str(row["n"]),
            *(
                f"{row[name]:+.1f} ({row[f'{name}_low']:+.1f}, {row[f'{name}_high']:+.1f})"
                for name in ("formation", "above_hull", "near", "far")
            ),
            f"{row['spearman']:+.3f}, {_p(row['p'])}",
            f"{row['partial']:+.3f}, {_p(row['p_partial'])}",
            f"{100 * row['on_hull']:.1f} %",
        ]
        for _, row in found.iterrows()
    ]  # fmt: skip
    heads = [
        "model", "trained on", "n", "formation energy", "energy above hull", f"{study.WINDOWS[0]}",
        f"{study.WINDOWS[-2]}", "rank, p", f"rank {study.WINDOWS[0]}, p", "falsely on the hull",
    ]  # fmt: skip
    caption = (
        "mean signed errors (95 % interval) in meV/atom, energies above hull near DFT's hull and "
        "beyond too; Spearman's rank correlation of errors above hull with `n_wyckoff`, over all "
        "and near the hull with DFT's energy above hull taken out"
    )
    return _markdown(f"{title}: {caption}", heads, rows)


def _sample_table(found: pd.DataFrame) -> str:
    rows = [
        [
            row["window"], row["class"], str(row["n"]), f"{100 * row['share']:.0f} %",
            str(row["elements"]), row["which"] or "–",
        ]
        for _, row in found.iterrows()
    ]  # fmt: skip
    heads = ["meV/atom above hull", "`n_wyckoff`", "n", "share", "elements", "which"]
    return _markdown(
        "Crystals that are counted, and how many are polymorphs of elements", heads, rows
    )


def _errors_table(errors: pd.DataFrame, title: str) -> str:
    """Mean signed errors of each class, a column a window."""
    windows = list(dict.fromkeys(errors["window"]))
    rows = []
    # 'all' stands once, not once a kind of freedom
    once = errors[(errors["class"] != "all") | (errors["by"] == study.DEGREES[0])]
    for key, group in once.groupby(["model", "error", "by", "class"], sort=False):
        model, error, by, name = map(str, key)  # type: ignore[arg-type]
        cells = group.set_index("window")
        what = "all" if name == "all" else f"`{by}` {name}"
        values = [
            f"{_interval(cells.loc[w], 1)}, {cells.loc[w, 'n']}" if w in cells.index else "–"
            for w in windows
        ]
        rows.append([model, _NAMES[error], what, *(v.replace("+nan", "–") for v in values)])
    heads = ["model", "error of", "class", *(f"{w}" for w in windows)]
    caption = "mean signed error (95 % interval) in meV/atom, number; by meV/atom above DFT's hull"
    return _markdown(f"{title}: {caption}", heads, rows)


def _trends_table(trends: pd.DataFrame, title: str) -> str:
    rows = [
        [
            row["model"], _NAMES[row["error"]], f"`{row['by']}`", row["window"], str(row["n"]),
            f"{row['spearman']:+.3f}", _p(row["p"]),
            "–" if pd.isna(row["partial"]) else f"{row['partial']:+.3f}",
            "–" if pd.isna(row["partial"]) else _p(row["p_partial"]),
        ]
        for _, row in trends.iterrows()
    ]  # fmt: skip
    heads = [
        "model", "error of", "with", "meV/atom above hull", "n", "Spearman", "p",
        "given DFT's energy above hull", "p",
    ]  # fmt: skip
    return _markdown(f"{title}: rank correlation of signed errors", heads, rows)


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= 1e-4 else "< 0.0001"


def _stability_table(found: pd.DataFrame) -> str:
    rows = [
        [
            row["model"], row["class"], str(row["unstable"]), str(row["on_hull"]),
            f"{row['share']:.3f} ({row['low']:.3f}, {row['high']:.3f})",
        ]
        for _, row in found.iterrows()
    ]  # fmt: skip
    heads = ["model", "`n_wyckoff`", "above DFT's hull", "on the model's", "share"]
    return _markdown("Crystals on the model's hull that are above DFT's", heads, rows)


def _volume_table(found: pd.DataFrame) -> str:
    rows = [
        [
            row["model"], row["class"], str(row["n"]), str(row["other"]), _interval(row, 1, 100.0),
            "" if pd.isna(row["p"]) else f"{row['spearman']:+.3f}, {_p(row['p'])}",
        ]
        for _, row in found.iterrows()
    ]  # fmt: skip
    heads = [
        "model",
        "`n_wyckoff`",
        "n",
        "changed by more than 20 %",
        "mean change (%)",
        "Spearman with `n_wyckoff`, p",
    ]
    return _markdown("Change of volume when the model relaxes at fixed symmetry", heads, rows)
