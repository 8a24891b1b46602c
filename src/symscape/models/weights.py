"""Packages and weights on disk, looked at without importing them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.metadata import (
    PackageNotFoundError,
    distribution,
    packages_distributions,
    version,
)
from importlib.util import find_spec
from pathlib import Path

from symscape.errors import ModelError, message_of

#: endings of the files that decide what a package computes
_CODE = (".py", ".so", ".pyd", ".dylib", ".cu", ".cpp")


def reason_of(error: BaseException) -> str:
    """Return the first line of an exception's message as part of a sentence: without its stop."""
    return message_of(error).rstrip(". ")


@lru_cache(maxsize=64)  # a look through all of sys.path, before each evaluation
def package_folder(package: str) -> Path | None:
    """Return the folder of an installed top-level package, or None; imports nothing."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin).parent if spec.origin else None


@lru_cache(maxsize=64)  # each look reads a file, and every fingerprint asks
def distribution_version(distribution: str) -> str:
    """Return the installed version of a distribution, or ``unknown``."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"


@lru_cache(maxsize=64)  # what this process has imported does not change under it
def package_identity(package: str, name: str) -> str:
    """Return what tells a package's code apart: its version, and its sources where needed.

    The version of an editable install, of a copy that shadows the installed one, or of a folder
    that no distribution knows stays the same when the code changes. Their sources are hashed.

    Parameters
    ----------
    package
        Import name.
    name
        Of the distribution.
    """
    label = f"{name} {distribution_version(name)}"
    folder = package_folder(package)
    if folder is None or _is_installed(folder, package, name):
        return label
    files = [path for path in folder.rglob("*") if path.suffix in _CODE and path.is_file()]
    return f"{label}, sources {_hash_files(str(folder), _stamps(files))}"


def module_identity(module: str) -> str:
    """Return the `package_identity` of a module's package, by all distributions that install it."""
    top = module.partition(".")[0]
    names = sorted(set(_distributions().get(top, []))) or [top]
    return ", ".join(package_identity(top, name) for name in names)


@cache
def _distributions() -> Mapping[str, list[str]]:
    """Return distributions by the packages they install; reads the file lists of all of them."""
    return packages_distributions()


def _is_installed(folder: Path, package: str, name: str) -> bool:
    """Whether a folder is where the distribution's installer put it, and not a working copy."""
    try:
        known = Path(str(distribution(name).locate_file(package)))
    except PackageNotFoundError:
        return False
    inside = {"site-packages", "dist-packages"}.intersection(folder.resolve().parts)
    return bool(inside) and folder.resolve() == known.resolve()


def _stamps(files: list[Path]) -> tuple[tuple[str, int, int], ...]:
    """Return names, sizes and times of files, in the order of the names."""
    return tuple((str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in sorted(files))


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's files with their names.

    Raises
    ------
    ModelError
        If the file can't be read.
    """
    path = path.resolve()
    try:
        files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
        return _hash_files(str(path), _stamps(files))
    except OSError as error:
        raise ModelError(f"Can't read the checkpoint {path}: {error.strerror}.") from error


@lru_cache(maxsize=64)
def _hash_files(root: str, stamps: tuple[tuple[str, int, int], ...]) -> str:
    """Hash the files; size and time in the key make a rewritten file be read again."""
    whole = hashlib.sha256()
    for name, _, _ in stamps:
        if name != root:
            whole.update(Path(name).relative_to(root).as_posix().encode() + b"\0")
        with open(name, "rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()
