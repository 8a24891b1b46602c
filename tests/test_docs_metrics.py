"""What the pages say of metrics is what questions and profiles say."""

from __future__ import annotations

import importlib.util
import math
import re
from pathlib import Path

import pytest

from symscape.page.words import unit_text
from symscape.questions.metric import Limit, Metric
from symscape.questions.question import Question
from symscape.questions.registry import QUESTIONS
from symscape.verdict.tolerances import PROFILES, load_tolerances

DOCS = Path(__file__).parents[1] / "docs"
#: which questions each page is about
PAGES = {
    "metrics": ("energies",),
    "metrics-topology": (
        "minima", "saddles", "smoothness", "forces", "invariance", "conservative_forces",
    ),
    "metrics-hull": ("hull", "stability", "underprediction", "relaxation"),
    "metrics-equation-of-state": ("equation_of_state", "prototype_differences"),
}  # fmt: skip


def tables(text: str) -> list[list[dict[str, str]]]:
    """Return the rows of each table of a page by the heads of its columns."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        heads, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]]
                           for line in block.splitlines())  # fmt: skip
        found.append([dict(zip(heads, row, strict=False)) for row in rows])
    return found


def said(limit: Limit, metric: Metric) -> set[str]:
    """Return the ways of writing a limit that pages may choose among."""
    low, high = (None if end is None or math.isinf(end) else end for end in limit)
    if low is None and high is None:
        return {"–"}
    if high is None or high == metric.highest:
        return {f"≥ {low:g}"}
    return {f"{high:g}", f"±{high:g}"} if low == -high else {f"{low:g}–{high:g}"}


def limits_on(page: str, profile: str, name: str) -> set[str]:
    asked = load_tolerances(profile)
    ways = set()
    for question in (QUESTIONS[own] for own in PAGES[page]):
        limits = asked.case(question.name, material="", slice="", model="").limits
        for metric in (*question.metrics, *question.derived):
            if metric.name == name:
                ways |= said(limits.get(name, (None, None)), metric)
    return ways


@pytest.mark.parametrize("page", PAGES)
def test_tables_have_the_limits_and_units_of_the_metrics(page):
    held = 0
    units = {m.name: unit_text(m.unit) for own in PAGES[page] for m in QUESTIONS[own].metrics}
    for row in (row for table in tables((DOCS / f"{page}.md").read_text("utf-8")) for row in table):
        first = next(iter(row.values()))
        names = [name for name in re.findall(r"`(\w+)`", first) if name in units]
        for profile in set(PROFILES) & set(row):
            cells = row[profile].split(", ")
            for name, cell in zip(names, cells * (len(names) // len(cells)), strict=True):
                assert cell in limits_on(page, profile, name), (name, profile, cell)
                held += 1
        said_units = row.get("unit", "").split(", ") if "unit" in row else []
        in_brackets = re.search(r"\((\S+)\)$", first)
        if in_brackets:
            said_units = [in_brackets[1]]
        for name, unit in zip(names, said_units * len(names), strict=False):
            assert unit.strip("–") == units[name], (name, unit)
    assert held >= 15


@pytest.mark.parametrize("question", [q for q in QUESTIONS.values() if q.scoring])
def test_the_leaderboards_page_has_the_scores(question: Question):
    (row,) = (
        row
        for table in tables((DOCS / "leaderboard.md").read_text("utf-8"))
        for row in table
        if row.get("question", "").partition(",")[0].replace(" ", "_") == question.name
    )
    assert row["weight"] == {1.0: "1", 0.5: "½"}[question.scoring.weight]
    found = {}
    for part in row["metrics: perfect, useless"].split("; "):
        pair = re.search(r"[\d.]+, [\d.]+(?: ± [\d.]+)?", part)
        for name in re.findall(r"`(\w+)`", part):
            found[name] = pair[0], "(log)" in part
    assert found == {
        metric.name: (perfect_and_useless(metric), metric.score.logarithmic)
        for metric in question.scored
    }


def perfect_and_useless(metric: Metric) -> str:
    score, ideal = metric.score, metric.ideal
    if not ideal:
        return f"{score.perfect:g}, {score.useless:g}"
    worst = (
        f"{ideal - score.useless:g}"
        if metric.highest == ideal
        else f"{ideal:g} ± {score.useless:g}"
    )
    return f"{ideal - score.perfect:g}, {worst}"


def test_the_built_page_has_every_metric():
    spec = importlib.util.spec_from_file_location("hooks", DOCS / "hooks.py")
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    page = (DOCS / "metrics.md").read_text("utf-8")
    built = hooks.on_page_markdown(page)
    own = built[len(page.partition(hooks.EVERY_METRIC)[0]) :]
    for question in QUESTIONS.values():
        section = own.partition(f"(`{question.name}`)")[2].partition("###")[0]
        for metric in (*question.metrics, *question.derived):
            (line,) = (x for x in section.splitlines() if x.startswith(f"| `{metric.name}` |"))
            assert f"| {metric.title} | {unit_text(metric.unit)} |" in line
    assert hooks.on_page_markdown("nothing to say") == "nothing to say"
