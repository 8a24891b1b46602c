"""A metric's name is written in its question, in the tolerance files and in the docs alone.

Elsewhere it comes from the `Metric` itself, so that nothing can say another thing of it. All words
of all files of the package and of its benchmarks count: names in code, texts, comments and
templates alike.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import symscape
from symscape.questions.registry import QUESTIONS

SOURCE = Path(symscape.__file__).parent
BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
METRICS = {m.name: m for q in QUESTIONS.values() for m in (*q.metrics, *q.derived)}
NAMES = {*METRICS, *(metric.column for metric in METRICS.values())}
#: where a metric's name belongs, and what others wrote
LEFT_OUT = ("questions", "verdict/profiles", "page/vendor")
SUFFIXES = {".py", ".j2", ".js", ".css", ".toml", ".txt", ".yml", ".md"}

ANYWHERE: frozenset[str] = frozenset()
#: words that mean something else too: what, and in which packages they stand for it
OTHERWISE: dict[str, tuple[str, frozenset[str]]] = {
    "n": ("a count, as everywhere in numerics; a column: how many rows a row sums up", ANYWHERE),
    "largest": ("a word of plain English", ANYWHERE),
    "stable": ("a crystal on its hull; numpy's sort that keeps the order of equals", ANYWHERE),
    "precision": ("of floating-point numbers; of a classifier", ANYWHERE),
    "rotation": ("of a space group's operation, of a crystal", ANYWHERE),
    "translation": ("of a space group's operation, of a crystal", ANYWHERE),
    "space_group": ("a crystal's", ANYWHERE),
    "permutation": ("of atoms; numpy's", ANYWHERE),
    "n_crystals": ("length of an array", ANYWHERE),
    "n_points": ("length of an array", ANYWHERE),
    "epsilon": ("the measure of a verification study, of one curve", ANYWHERE),
    "delta": ("the measure of a verification study, of one curve; a small step", ANYWHERE),
    "supercell": ("of a crystal, in what the reader of CIF says", frozenset({"crystal"})),
    "recall": ("of a classifier; what a page's script does with a view", frozenset(
        {"hull", "page", "leaderboard"}
    )),
    "unstable": ("a column: crystals that DFT puts above its hull", frozenset(
        {"bulk", "hull", "page"}
    )),
    "spearman": ("a column: rank correlation of errors with degrees of freedom", frozenset(
        {"bulk", "hull"}
    )),
    "bottleneck": ("the distance of two persistence diagrams", frozenset({"figures"})),
    "failed_points": (
        "which points DFT failed at, in what a reference keeps", frozenset({"dft", "references"})
    ),
}  # fmt: skip


@cache
def places() -> list[tuple[str, str, str]]:
    """Every place outside the questions that writes a metric's name: package, where, name."""
    found = []
    benchmarks = sorted(BENCHMARKS.glob("*.py"))
    for path in (*sorted(SOURCE.rglob("*")), *benchmarks):
        inside = path.relative_to(BENCHMARKS.parent if path in benchmarks else SOURCE)
        if path.suffix not in SUFFIXES or inside.as_posix().startswith(LEFT_OUT):
            continue
        for line, text in enumerate(path.read_text("utf-8").splitlines(), 1):
            for name in NAMES.intersection(re.findall(r"\w+", text)):
                package = next(part for part in inside.parts if part != "science")
                found.append((package, f"{inside}:{line}", name))
    return found


def test_no_file_but_its_question_writes_a_metrics_name():
    wrong = [
        f"{where} writes {name!r}"
        for package, where, name in places()
        if name not in OTHERWISE or package not in (OTHERWISE[name][1] or {package})
    ]
    assert not wrong, "import the Metric and ask it for its name: " + "; ".join(wrong)


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_is_allowed_is_needed(name):
    """An exception that nothing needs any more would hide the next fault."""
    used = {package for package, _, found in places() if found == name}
    assert used
    assert used == (OTHERWISE[name][1] or used)


def literals(path: Path) -> Iterator[str]:
    """Yield every string in a module that is no docstring."""
    tree = ast.parse(path.read_text("utf-8"))
    told = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def test_only_one_question_writes_a_metrics_name():
    """Another one that has the metric too imports it; stable is a kind of sorting as well."""
    writers: dict[str, set[str]] = {}
    for path in sorted((SOURCE / "questions").glob("*.py")):
        for name in NAMES.intersection(literals(path)):
            writers.setdefault(name, set()).add(path.name)
    several = {
        n: f for n, f in writers.items() if len(f) > 1 and n != "stable"
    }  # a kind of sorting
    assert not several


def test_each_question_has_a_file_of_its_own():
    """Called as the question; what several share is in modules without one."""
    made: dict[str, list[str]] = {}
    for path in sorted((SOURCE / "questions").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Question":
                made.setdefault(path.stem, []).append(ast.literal_eval(node.args[0]))
    own = [q.name for q in QUESTIONS.values() if q.ask.__module__.startswith("symscape.")]
    assert made == {name: [name] for name in own}
    for name in own:
        assert QUESTIONS[name].ask.__module__ == f"symscape.questions.{name}"
