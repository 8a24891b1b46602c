"""A metric's name is written in its question, in the tolerance files and in the docs alone.

Elsewhere it comes from the `Metric` itself, so that nothing can say another thing of it.
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
METRICS = {m.name: m for q in QUESTIONS.values() for m in (*q.metrics, *q.derived)}
NAMES = {*METRICS, *(metric.column for metric in METRICS.values())}

#: names that are words of another meaning elsewhere, and as what they may stand there
OTHERWISE = {
    "n": "a column of tables: how many rows a row sums up",
    "space_group": "a column of tables and a field of files: a crystal's space group",
    "stable": "numpy's sort that keeps the order of equals",
    "unstable": "a column: crystals that DFT puts above its hull",
    "spearman": "a column: rank correlation of errors with degrees of freedom",
    "precision": "the number format of a network's weights",
    "largest": "what the script of the page reads: where a colour scale ends",
    "failed_points": "points that DFT did not converge, in the file of a reference",
}
#: where those may stand that are not on everybody's lips
WHERE = {
    "unstable": {"hull", "bulk"},
    "spearman": {"hull", "bulk"},
    "largest": {"page"},
    "failed_points": {"dft"},
}


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of every string in a module that is no docstring."""
    tree = ast.parse(path.read_text("utf-8"))
    told = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.lineno, node.value


def named_in(text: str) -> set[str]:
    """Names of metrics that a string is, or of which one follows a question: ``energies.mae``."""
    question, _, rest = text.partition(".")
    return {text, rest if question in QUESTIONS else text} & NAMES


@cache
def places() -> list[tuple[str, str, str]]:
    """Every place outside the questions that writes a metric's name: package, where, name."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        inside = path.relative_to(SOURCE)
        if inside.parts[0] != "questions":
            for line, text in literals(path):
                found += [(inside.parts[0], f"{inside}:{line}", n) for n in named_in(text)]
    return found


def test_no_module_but_its_question_writes_a_metrics_name():
    wrong = [
        f"{where} writes {name!r}"
        for package, where, name in places()
        if name not in OTHERWISE or package not in WHERE.get(name, {package})
    ]
    assert not wrong, "import the Metric and ask it for its name: " + "; ".join(wrong)


def test_no_page_writes_a_metrics_name():
    """Templates see what was made of a metric; an attribute of its name would be one more place."""
    # columns of one table, in words too; differences between models, where there is no DFT
    names = NAMES - set(OTHERWISE) - {"recall", "f1", "rmse"}
    for path in sorted(SOURCE.rglob("*.j2")):
        for code in re.findall(r"{[{%].*?[}%]}", path.read_text("utf-8"), re.S):
            found = names & set(re.findall(r"\w+", code))
            assert not found, f"{path.name} writes {found} in {code}"


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_is_allowed_is_needed(name):
    """An exception that nothing needs any more would hide the next fault."""
    used = {package for package, _, found in places() if found == name}
    assert used
    assert used == WHERE.get(name, used)
