"""Which code made something that is kept: a digest of modules and of versions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib import metadata, resources
from importlib.resources.abc import Traversable

#: packages and modules whose source a verdict on given energies follows from
JUDGING = (
    "symscape.science.contracts",
    "symscape.crystal",
    "symscape.science.equation_of_state",
    "symscape.science.hull",
    "symscape.science.landscape",
    "symscape.rounding",
    "symscape.questions",
    "symscape.verdict",
)


@cache
def code_digest(modules: tuple[str, ...], distributions: tuple[str, ...] = ()) -> str:
    """Return a digest of the source of modules and of the versions of installed distributions.

    Nothing is imported but the packages that the modules are in.

    Parameters
    ----------
    modules
        Modules, or packages with everything in them.
    distributions
        As pip calls them; one that is not installed counts as that.
    """
    digest = hashlib.sha256()
    for name in distributions:
        digest.update(f"{name} {_version(name)};".encode())
    for module in modules:
        package, _, name = module.rpartition(".")
        inside = resources.files(package)
        folder = inside.joinpath(name)
        files = _sources(folder) if folder.is_dir() else [inside.joinpath(f"{name}.py")]
        for file in files:
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _sources(folder: Traversable) -> Iterator[Traversable]:
    """Yield the source files of a package, always in the same order."""
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        if path.name.endswith(".py"):
            yield path
        elif path.is_dir() and path.name != "__pycache__":
            yield from _sources(path)


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
