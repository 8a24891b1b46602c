"""Packages and weights on disk, looked at without importing them."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from symscape.errors import ModelError


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's message, at most 200 characters, without its stop."""
    lines = str(error).strip().splitlines()
    return lines[0][:200].rstrip(". ") if lines else "no message"


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


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's files with their names.

    Raises
    ------
    ModelError
        If the file can't be read.
    """
    path = path.resolve()
    try:
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        stamps = tuple((str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files)
        return _hash_files(str(path), stamps)
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
