"""The tables of the study's page, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from symscape.science.hull import study

_NAMES = {
    "error_formation": "formation energy",
    "error_above_hull": "energy above hull",
    "error_above_hull_fixed": "energy above hull, relaxed",
}


def _markdown(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return f"**{title}**\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _interval(row: pd.Series, decimals: int, factor: float = 1.0) -> str:
    mean, low, high = (factor * row[name] for name in ("mean", "low", "high"))
    return f"{mean:+.{decimals}f} ({low:+.{decimals}f}, {high:+.{decimals}f})"


def folded(table: str) -> str:
    """Put a table of `_markdown` behind its title."""
    title, _, body = table.partition("\n\n")
    return f"<details markdown><summary>{title.strip('*')}</summary>\n\n{body}\n\n</details>"


def overview_table(found: pd.DataFrame, trained: Mapping[str, str], title: str) -> str:
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


def relaxed_table(found: pd.DataFrame, cells: str) -> str:
    """Give one row a model that relaxed, from `study.relaxed_overview`, of the cells named."""
    rows = [
        [
            str(row["model"]), str(row["n"]), str(row["unconverged"]), str(row["failed"]),
            *(
                f"{row[name]:+.1f} ({row[f'{name}_low']:+.1f}, {row[f'{name}_high']:+.1f})"
                for name in ("above_hull", "near", "far")
            ),
            f"{row['spearman']:+.3f}, {_p(row['p'])}",
            f"{row['partial']:+.3f}, {_p(row['p_partial'])}",
            f"{row['on_hull']} of {row['unstable']}",
        ]
        for _, row in found.iterrows()
    ]  # fmt: skip
    heads = [
        "model", "crystals relaxed", "not converged", "failed", "energy above hull",
        f"{study.WINDOWS[0]}", f"{study.WINDOWS[-2]}", "rank, p", f"rank {study.WINDOWS[0]}, p",
        "falsely on the hull",
    ]  # fmt: skip
    caption = (
        "mean signed errors of energies above hull (95 % interval) in meV/atom, of all, near DFT's "
        "hull and beyond; Spearman's rank correlation with `n_wyckoff`, over all and near the hull "
        "with DFT's energy above hull taken out"
    )
    return _markdown(f"Relaxed at fixed symmetry, {cells}: {caption}", heads, rows)


def sample_table(found: pd.DataFrame) -> str:
    """Say what the crystals are that are counted, from `study.sample`."""
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


def errors_table(errors: pd.DataFrame, title: str) -> str:
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


def trends_table(trends: pd.DataFrame, title: str) -> str:
    """Give rank correlations, from `study.trends`."""
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


def stability_table(found: pd.DataFrame) -> str:
    """Say what models falsely put on their hulls, from `study.false_stability`."""
    rows = [
        [
            row["model"], row["class"], str(row["unstable"]), str(row["on_hull"]),
            f"{row['share']:.3f} ({row['low']:.3f}, {row['high']:.3f})",
        ]
        for _, row in found.iterrows()
    ]  # fmt: skip
    heads = ["model", "`n_wyckoff`", "above DFT's hull", "on the model's", "share"]
    return _markdown("Crystals on the model's hull that are above DFT's", heads, rows)


def volume_table(found: pd.DataFrame, cells: str) -> str:
    """Say how volumes change, from `study.volumes`, of the cells that a phrase names."""
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
    return _markdown(
        f"Change of volume when the model relaxes at fixed symmetry, {cells}", heads, rows
    )
