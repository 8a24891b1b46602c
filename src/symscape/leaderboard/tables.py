"""leaderboard.csv, leaderboard.json and leaderboard.md."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

from symscape.decode import dumps, encode
from symscape.leaderboard.collect import Board
from symscape.leaderboard.presets import PRESETS
from symscape.leaderboard.provenance import Provenance
from symscape.leaderboard.ranking import RAW_METRICS, Ranking, RawMetric, Standing
from symscape.leaderboard.scores import combine, scoring_of
from symscape.page.summary import escape_markdown
from symscape.page.words import NOTHING, count_text, number_text
from symscape.questions.energies import ENERGIES, MAE, MEAN_SIGNED_ERROR, SOFTENING_SCALE
from symscape.questions.metric import Metric, Score

SCHEMA = "symscape-leaderboard/1"
#: how a cell begins that a spreadsheet takes for a formula
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")

_EXPLANATION = (
    "Scores from 0 (useless) to 100 (perfect), with 95 % intervals over materials. A case in which "
    "a model was not judged scores 0. What counts is explained on the page, index.html, and in "
    "docs/leaderboard.md."
)


def leaderboard_json(ranking: Ranking) -> str:
    """Return the leaderboard as JSON: versions, scales, standings, scores of every slice."""
    board, table = ranking.board, ranking.table
    document = {
        "schema": SCHEMA,
        "symscape": board.suite,
        "levels_of_theory": list(board.levels_of_theory),
        "references": [
            {
                "material": r.material,
                "slice": r.slice,
                "formula": r.formula,
                "spacegroup_number": r.spacegroup_number,
                "spacegroup_symbol": r.spacegroup_symbol,
                "crystal_system": r.crystal_system,
                "n_lattice": r.n_lattice,
                "n_wyckoff": r.n_wyckoff,
                "level_of_theory": r.level_of_theory,
                "digest": r.digest,
            }
            for r in table.slices
        ],
        "questions": [
            {
                "question": q.name,
                "weight": scoring_of(q).weight,
                "metrics": [_scale_record(m, m.score) for m in q.scored if m.score],
            }
            for q in table.questions
        ],
        "presets": [
            {
                "preset": preset.name,
                "title": preset.title,
                "why": preset.why,
                "weights": {
                    q.name: float(weight)
                    for q, weight in zip(table.questions, preset.of(table.questions), strict=True)
                    if weight
                },
            }
            for preset in PRESETS
        ],
        "models": [_model_record(ranking, standing) for standing in ranking.standings],
        "anchors": [
            {
                "model": anchor.name,
                "what": anchor.what,
                "score": _rounded(anchor.score),
                "questions": {
                    q.name: _rounded(float(score))
                    for q, score in zip(table.questions, anchor.questions, strict=True)
                },
            }
            for anchor in ranking.anchors
        ],
        "not_run": list(board.not_run),
        "not_compared": [
            {"model": aside.entry.name, "reason": aside.reason} for aside in board.asides
        ],
    }
    return dumps(encode(document)) + "\n"


def _scale_record(metric: Metric, score: Score) -> dict[str, Any]:
    return {
        "metric": metric.name,
        "unit": metric.unit,
        "target": metric.ideal,
        "perfect": score.perfect,
        "useless": score.useless,
        "scale": "logarithmic" if score.logarithmic else "linear",
    }


def value_text(metric: Metric, badness: float) -> str:
    """Write the value that is so far from the ideal: ``70``, ``1 ± 0.5``, ``0.5``."""
    ideal = metric.ideal or 0.0
    if not ideal or not badness:
        return f"{ideal + badness:g}"
    if metric.highest == ideal:
        return f"{ideal - badness:g}"
    return f"{ideal:g} ± {badness:g}"


def _model_record(ranking: Ranking, standing: Standing) -> dict[str, Any]:
    table, i = ranking.table, standing.index
    card = standing.entry.run.model
    names = [q.name for q in table.questions]
    return {
        "model": standing.name,
        "family": card.family,
        "level_of_theory": card.level_of_theory,
        "ranked": standing.ranked,
        "checked": standing.checked,
        "rank": standing.rank,
        "rank_interval": list(standing.rank_interval),
        "score": _rounded(standing.score),
        "interval": [_rounded(end) for end in standing.interval],
        "coverage": _rounded(standing.coverage),
        "questions": {
            name: {"score": _rounded(float(score)), "interval": [_rounded(float(e)) for e in ends]}
            for name, score, ends in zip(
                names, standing.questions, standing.question_intervals, strict=True
            )
        },
        "presets": {
            preset.name: _rounded(float(combine(standing.questions, preset.of(table.questions))))
            for preset in PRESETS
        },
        "metrics": {name: _rounded(value) for name, value in standing.raw.items()},
        "seconds_per_point": _rounded(standing.seconds_per_point),
        "scores": {
            unit.id: {
                name: _rounded(float(table.cells[i, k, q]))
                for q, name in enumerate(names)
                if not math.isnan(table.cells[i, k, q])
            }
            for k, unit in enumerate(table.units)
        },
        "fingerprint": standing.entry.run.fingerprint,
        "started": standing.entry.run.started,
    }


def _rounded(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


def leaderboard_csv(ranking: Ranking) -> str:
    """Return one row a model: rank, score with interval, coverage, questions, metrics.

    Models of another level of theory, and those without a published value that their weights
    reproduce (``checked`` 0), have ranks of their own and ``ranked`` 0.
    """
    rows = []
    for standing in ranking.standings:
        card = standing.entry.run.model
        row: dict[str, Any] = {
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


def _provenance_cells(board: Board, standing: Standing) -> dict[str, Any]:
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


def _cell(value: Any) -> Any:
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
