"""leaderboard.csv and leaderboard.md."""

from __future__ import annotations

import csv
import io
import math

from symscape.leaderboard.case_scores import scoring_of
from symscape.leaderboard.collect import Board
from symscape.leaderboard.provenance import Provenance
from symscape.leaderboard.ranking import RAW_METRICS, Ranking, RawMetric, Standing
from symscape.page.summary import escape_markdown
from symscape.page.words import NOTHING, count_text, number_text
from symscape.questions.energies import ENERGIES, MAE, MEAN_SIGNED_ERROR, SOFTENING_SCALE
from symscape.questions.metric import Metric

#: what stands in a row of the CSV table
Cell = str | int | float
#: how a cell begins that a spreadsheet takes for a formula
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")

_EXPLANATION = (
    "Scores from 0 (useless) to 100 (perfect), with 95 % intervals over materials. A case in which "
    "a model was not judged scores 0. What counts is explained on the page, index.html, and in "
    "docs/leaderboard.md."
)


def value_text(metric: Metric, badness: float) -> str:
    """Write the value that is so far from the ideal: ``70``, ``1 ± 0.5``, ``0.5``."""
    ideal = metric.ideal or 0.0
    if not ideal or not badness:
        return f"{ideal + badness:g}"
    if metric.highest == ideal:
        return f"{ideal - badness:g}"
    return f"{ideal:g} ± {badness:g}"


def leaderboard_csv(ranking: Ranking) -> str:
    """Return one row a model: rank, score with interval, coverage, questions, metrics.

    Models of another level of theory, and those without a published value that their weights
    reproduce (``checked`` 0), have ranks of their own and ``ranked`` 0.
    """
    rows = []
    for standing in ranking.standings:
        card = standing.entry.run.model
        row: dict[str, Cell] = {
            "ranked": int(standing.ranked),
            "checked": int(standing.checked),
            "rank": standing.rank,
            "model": standing.name,
            "family": card.family,
            "level_of_theory_model": card.level_of_theory,
            "level_of_theory_reference": " ".join(ranking.board.levels_of_theory),
            "score": standing.score,
            "score_low": standing.interval[0],
            "score_high": standing.interval[1],
            "coverage": standing.coverage,
        }
        for question, score in zip(ranking.table.questions, standing.questions, strict=True):
            row[f"score_{question.name}"] = float(score)
        for metric in RAW_METRICS:
            row[f"{metric.question}_{metric.metric.column}"] = standing.raw[metric.name]
        row |= _provenance_cells(ranking.board, standing)
        row["seconds_per_point"] = standing.seconds_per_point
        rows.append({key: _cell(value) for key, value in row.items()})
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _provenance_cells(board: Board, standing: Standing) -> dict[str, Cell]:
    """Return who submitted a model's results, and what of them was computed again."""
    known = board.provenance.get(standing.name, Provenance())
    check = known.check_of(standing.entry.run)
    return {
        "held_back_score": board.held_back.get(standing.name, math.nan),
        "submitted_by": known.submitted_by,
        "rerun_share": check.share if check else math.nan,
        "rerun_on": check.date if check else "",
        "rerun_by": check.by if check else "",
        "rerun_agreed": str(check.agreed).lower() if check else "",
    }


def _cell(value: Cell) -> Cell:
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else ""
    if isinstance(value, str) and value.startswith(_FORMULAS):
        # spreadsheets run what begins so
        return f"'{value}"
    return value


def leaderboard_markdown(ranking: Ranking) -> str:
    """Return the leaderboard in GitHub's Markdown."""
    board, table = ranking.board, ranking.table
    levels = " and ".join(board.levels_of_theory)
    extent = (
        f"{count_text(len(ranking.standings), 'model')} on "
        f"{count_text(len(table.slices), 'slice')} of "
        f"{count_text(len(board.materials), 'material')}, {levels} references, "
        f"symscape {board.suite}."
    )
    lines = ["# Leaderboard", "", extent, "", _EXPLANATION]
    heads = [scoring_of(question).head for question in table.questions]
    head = ["", "model", "score", "95 %", "coverage", *heads,
            "MAE (meV/atom)", "signed error (meV/atom)", "softening"]  # fmt: skip
    for own in ranking.lists:
        lines += ["", f"## {escape_markdown(own.title)}", ""]
        if own.note:
            lines += [own.note, ""]
        rows = [_row(standing, own.has_ranks) for standing in own.standings]
        rules = ["--:", ":--", *["--:"] * (len(head) - 2)]
        lines += ["| " + " | ".join(cells) + " |" for cells in (head, rules, *rows)]
    if ranking.anchors:
        lines += ["", "## What the scores mean", ""]
        lines += [f"- {points_text(a.score, 1)}: {a.name}, {a.what}" for a in ranking.anchors]
    if board.not_run:
        lines += ["", f"Not run by any model yet: {', '.join(board.not_run)}."]
    if board.asides:
        lines += ["", "## Not compared", ""]
        lines += [
            f"- {escape_markdown(a.entry.name)}: {escape_markdown(a.reason)}" for a in board.asides
        ]
    return "\n".join(lines) + "\n"


#: what the table in words says of energies
_MAE, _BIAS, _SCALE = (
    RawMetric(ENERGIES.name, metric) for metric in (MAE, MEAN_SIGNED_ERROR, SOFTENING_SCALE)
)


def _row(standing: Standing, has_rank: bool) -> list[str]:
    name = escape_markdown(standing.name)
    if not standing.same_theory:
        name += f" ({escape_markdown(standing.entry.run.model.level_of_theory)})"
    return [
        str(standing.rank) if has_rank else "",
        name,
        points_text(standing.score, 1),
        interval_text(standing.interval),
        percent_text(standing.coverage),
        *(points_text(float(score)) for score in standing.questions),
        number_text(standing.raw[_MAE.name], 1),
        number_text(standing.raw[_BIAS.name], 1, sign=True),
        number_text(standing.raw[_SCALE.name], 2),
    ]


def points_text(score: float, decimals: int = 0) -> str:
    """Write a score between 0 and 1 as points out of 100."""
    return number_text(100 * score, decimals)


def interval_text(interval: tuple[float, float]) -> str:
    """Write an interval of scores: ``58–80``."""
    if not all(map(math.isfinite, interval)):
        return NOTHING
    return "–".join(points_text(end) for end in interval)


def percent_text(share: float) -> str:
    """Write a share in percent; 100 only if nothing is missing."""
    percent = 100 * share if share >= 1 else min(100 * share, 99.0)
    return f"{number_text(percent, 0)} %"


def speed_text(standing: Standing) -> str:
    """Write the time for a grid point."""
    seconds = standing.seconds_per_point
    if not math.isfinite(seconds):
        return NOTHING
    return f"{number_text(1000 * seconds, 1 if seconds < 0.1 else 0)} ms"
