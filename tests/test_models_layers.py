"""The modules of `symscape.models` build on each other in one direction."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import symscape.models

FOLDER = Path(symscape.models.__file__).parent


def imported(path: Path) -> set[str]:
    """Return the sibling modules that a module imports anywhere, for types or late."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("symscape.models"):
            inside = (node.module or "").split(".")[2:]
            names |= {inside[0]} if inside else {alias.name for alias in node.names}
    return names


def test_no_module_imports_itself_by_way_of_others():
    imports = {path.stem: imported(path) for path in FOLDER.glob("*.py")}
    order = list(TopologicalSorter(imports).static_order())  # raises CycleError
    assert order.index("base") < order.index("evaluate")


def test_modules_can_be_read_in_one_go():
    assert {
        p.name: n for p in FOLDER.glob("*.py") if (n := len(p.read_text().splitlines())) > 400
    } == {}
