"""Packages build on each other in the order that docs/design.md draws, and no module on itself.

Imports within functions are looked at too, and those for type hints alone, which never run: they
save time at the start and open no circle.
"""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import symscape

FOLDER = Path(symscape.__file__).parent
DESIGN = FOLDER.parents[1] / "docs" / "design.md"


def module_name(path: Path) -> str:
    parts = ("symscape", *path.relative_to(FOLDER).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): ast.parse(path.read_text()) for path in FOLDER.rglob("*.py")}


def imported(tree: ast.AST) -> set[str]:
    """Return the modules of symscape that a module imports, wherever in it."""
    names = set()
    for node in ast.walk(tree):
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


def test_no_module_imports_itself_by_way_of_others():
    graph = {name: imported(tree) for name, tree in MODULES.items()}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_packages_import_only_what_is_drawn_below_them():
    levels = layers()
    wrong = {
        f"{name} imports {other}"
        for name, tree in MODULES.items()
        for other in imported(tree)
        if package(other) != package(name) and levels[package(other)] >= levels[package(name)]
    }
    assert wrong == set()


def test_every_package_is_drawn_and_every_drawn_package_is_there():
    # `science` is a shelf: nothing but its packages
    assert layers().keys() == {package(name) for name in MODULES} - {"science"}
    assert len(MODULES["symscape.science"].body) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from symscape.models import cache",
        "import symscape.models.cache",
        "def f():\n    from symscape.models.cache import EnergyCache",
        "if TYPE_CHECKING:\n    from symscape.models.cache import EnergyCache",
    ],
)
def test_a_circle_would_be_found(text):
    cache = "symscape.models.cache"
    assert imported(ast.parse(text)) == {cache}
    graph = {name: imported(tree) for name, tree in MODULES.items()}
    below = next(iter(graph[cache]))
    with pytest.raises(CycleError):
        TopologicalSorter({**graph, below: imported(ast.parse(text))}).prepare()
