"""Packages build on each other in the order that docs/design.md draws, and no module on itself.

Imports within functions are looked at too: they save time at the start and open no circle. Those
for type hints alone, which never run, may go both ways within a package, not between packages.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import symscape

FOLDER = Path(symscape.__file__).parent
DESIGN = FOLDER.parents[1] / "docs" / "design.md"


def module_name(path: Path) -> str:
    parts = ("symscape", *path.relative_to(FOLDER).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): ast.parse(path.read_text()) for path in FOLDER.rglob("*.py")}


def statements(node: ast.AST, *, late: bool, hints: bool) -> Iterator[ast.AST]:
    """Yield what is below a node, leaving out functions or what only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not late:
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING" and not hints:
            continue
        yield child
        yield from statements(child, late=late, hints=hints)


def imported(tree: ast.AST, *, late: bool, hints: bool) -> set[str]:
    """Return the modules of symscape that a module imports."""
    names = set()
    for node in statements(tree, late=late, hints=hints):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= (inside & MODULES.keys()) or {node.module or ""}
    return names & MODULES.keys()


def package(module: str) -> str:
    """Return ``models`` for ``symscape.models.cache``, ``symscape`` for the package itself.

    The sciences are packages of their own: ``science.hull`` for ``symscape.science.hull.convex``.
    """
    first, *rest = module.split(".")
    return ".".join(rest[: 2 if rest[:1] == ["science"] else 1]) or first


def layers() -> dict[str, int]:
    """Return the level of each package in the figure of docs/design.md, the lowest line being 0."""
    figure = re.search(r"## Packages\n.*?```\n(.*?)```", DESIGN.read_text(), re.DOTALL)
    assert figure
    lines = [line.split() for line in figure[1].splitlines() if line.strip(" ^|")]
    return {name: level for level, names in enumerate(reversed(lines)) for name in names}


@pytest.mark.parametrize("late", [False, True], ids=["at module level", "anywhere"])
def test_no_module_imports_itself_by_way_of_others(late):
    graph = {name: imported(tree, late=late, hints=False) for name, tree in MODULES.items()}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_packages_import_only_what_is_drawn_below_them():
    levels = layers()
    wrong = {
        f"{name} imports {other}"
        for name, tree in MODULES.items()
        for other in imported(tree, late=True, hints=True)
        if package(other) != package(name) and levels[package(other)] >= levels[package(name)]
    }
    assert wrong == set()


def test_every_package_is_drawn_and_every_drawn_package_is_there():
    # `science` is a shelf: nothing but its packages
    assert layers().keys() == {package(name) for name in MODULES} - {"science"}
    assert len(MODULES["symscape.science"].body) == 1


def test_a_circle_would_be_found():
    tree = ast.parse("def f():\n    from symscape.models import cache\nimport symscape.errors")
    assert imported(tree, late=True, hints=False) == {"symscape.models.cache", "symscape.errors"}
    assert imported(tree, late=False, hints=False) == {"symscape.errors"}
