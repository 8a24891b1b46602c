"""Which code of a model no installer put where it lies: working copies, followed by their imports.

Such code changes while its version stays the same, so that its sources tell models apart.
"""

from __future__ import annotations

import ast
import csv
import inspect
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from importlib.util import find_spec
from pathlib import Path

#: endings of the files that decide what a package computes
_CODE = (".py", ".so", ".pyd", ".dylib", ".cu", ".cpp")


def places(package: str) -> list[Path]:
    """Return the folders of a top-level package, or the file of a module; imports nothing.

    There are several if it is a namespace that folders share, none if it can't be found.
    """
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return []
    if spec is None:
        return []
    if spec.submodule_search_locations:
        return [Path(folder) for folder in spec.submodule_search_locations]
    return [Path(spec.origin)] if spec.has_location and spec.origin else []


def code_files(place: Path) -> list[Path]:
    """Return the files at a place of `places` that decide what is computed."""
    if place.is_file():
        return [place]
    return [path for path in place.rglob("*") if path.suffix in _CODE and path.is_file()]


def edited_places(package: str, names: Iterable[str]) -> list[Path]:
    """Return the places of a package that no installer filled.

    Parameters
    ----------
    package
        Import name.
    names
        Of the distributions that it is said to be of.
    """
    known = tuple(names)
    return [place for place in places(package) if not _is_installed(place, package, known)]


def _is_installed(place: Path, package: str, names: tuple[str, ...]) -> bool:
    """Whether a place is where a distribution's installer put it, and not a working copy."""
    resolved = place.resolve()
    if not {"site-packages", "dist-packages"}.intersection(resolved.parts):
        return False
    file = package if place.is_dir() else place.name
    for name in names:
        try:
            if Path(str(distribution(name).locate_file(file))).resolve() == resolved:
                return True
        except PackageNotFoundError:
            continue
    return False


def reached_copies(package: str) -> tuple[str, ...]:
    """Return other packages and modules that are working copies and that this one imports.

    Imports are read from the sources, those within functions too, and followed through one working
    copy after the other; those of an installed package are not, since its version tells it apart.
    """
    return _reached_from(package, tuple(places(package)))


@lru_cache(maxsize=64)  # what this process has imported from a place does not change under it
def _reached_from(package: str, _: tuple[Path, ...]) -> tuple[str, ...]:
    """Return `reached_copies` of a package at its places: another folder may hold one so named."""
    found: dict[str, None] = {}
    waiting = [package]
    while waiting:
        name = waiting.pop()
        if name in found or not edited_places(name, distributions_of(name)):
            continue
        found[name] = None
        waiting += sorted(_imports(name) - found.keys())
    return tuple(sorted(found.keys() - {package}))


def _imports(package: str) -> set[str]:
    """Return the top-level names that a package's sources import, if they may be working copies."""
    names = {
        name
        for place in places(package)
        for path in code_files(place)
        if path.suffix == ".py"
        for name in _imported(path)
    }
    names -= {*sys.stdlib_module_names, "symscape"}
    usual = {Path(sysconfig.get_path(kind)).resolve() for kind in ("purelib", "platlib")}
    return {n for n in names if any(p.resolve().parent not in usual for p in places(n))}


def _imported(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return  # a template, or for another Python: nothing imports it
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield a module's statements, those within others too, which is where imports may stand.

    Expressions, most of a source, are not looked into, unlike by `ast.walk`.
    """
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for name in _BODIES:
            waiting += getattr(node, name, ())


#: fields of statements that hold statements, or clauses that do
_BODIES = ("body", "orelse", "handlers", "finalbody", "cases")


def distributions_of(package: str) -> list[str]:
    """Return the distributions that install a package; its own name if none says so."""
    return sorted({one.metadata["Name"] for one in _distributions().get(package, ())}) or [package]


@cache
def _distributions() -> Mapping[str, list[Distribution]]:
    """Return distributions by the packages they install; reads the file lists of all of them.

    As `importlib.metadata.packages_distributions`, which makes a path of every installed file and
    reads what every distribution says of itself, and takes several times as long.
    """
    found: dict[str, list[Distribution]] = {}
    for one in distributions():
        for package in _top_levels(one):
            found.setdefault(package, []).append(one)
    return found


def _top_levels(one: Distribution) -> set[str]:
    """Return the packages and modules that a distribution installs."""
    declared = one.read_text("top_level.txt")
    if declared and declared.strip():
        return set(declared.split())
    record = one.read_text("RECORD")
    files = [str(file) for file in one.files or ()] if record is None else _first_cells(record)
    parts = (file.partition("/") for file in files)
    names = {first if slash else inspect.getmodulename(first) for first, slash, _ in parts}
    return {name for name in names if name and "." not in name}


def _first_cells(table: str) -> list[str]:
    return [row[0] for row in csv.reader(table.splitlines()) if row]
