"""Packages and weights on disk, looked at without importing them."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from symscape.errors import ModelError, message_of
from symscape.files import checksum
from symscape.models.working_copies import (
    code_files,
    distributions_of,
    edited_places,
    places,
    reached_copies,
)


def reason_of(error: BaseException) -> str:
    """Return the first line of an exception's message as part of a sentence: without its stop."""
    return message_of(error).rstrip(". ")


@lru_cache(maxsize=64)  # a look through all of sys.path, before each evaluation
def package_folder(package: str) -> Path | None:
    """Return the folder of an installed top-level package, or None; imports nothing."""
    for place in places(package):
        return place.parent if place.is_file() else place
    return None


@lru_cache(maxsize=64)  # each look reads a file, and every fingerprint asks
def distribution_version(distribution: str) -> str:
    """Return the installed version of a distribution, or ``unknown``."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"


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
    return _identity_at(package, name, tuple(places(package)))


@lru_cache(maxsize=64)  # what this process has imported from a place does not change under it
def _identity_at(package: str, name: str, _: tuple[Path, ...]) -> str:
    """Return `package_identity` at its places: another folder may hold a package so named."""
    label = f"{name} {distribution_version(name)}"
    hashes = [
        _hash_files(str(place), _stamps(code_files(place)))
        for place in edited_places(package, [name])
    ]
    return f"{label}, sources {' '.join(hashes)}" if hashes else label


def module_identity(module: str) -> str:
    """Return the `package_identity` of a module's package, and of the working copies it imports.

    It is told for all distributions that install the package.
    """
    top = module.partition(".")[0]
    own = ", ".join(package_identity(top, name) for name in distributions_of(top))
    imported = imported_identity(top)
    return f"{own}, {imported}" if imported else own


def imported_identity(package: str) -> str:
    """Return the `package_identity` of the working copies that a package or module imports."""
    return ", ".join(
        package_identity(copy, name)
        for copy in reached_copies(package)
        for name in distributions_of(copy)
    )


def _stamps(files: list[Path]) -> tuple[tuple[str, int, int], ...]:
    """Return names, sizes and times of files, in the order of the names."""
    return tuple((str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in sorted(files))


def content_hash(path: Path) -> str:
    """Return what tells the content of a file or folder apart: a hash of its files' SHA-256.

    Fingerprints hold it. What a card's ``digest`` is compared with is `sha256_of`.

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


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, as ``sha256sum`` prints it.

    Raises
    ------
    ModelError
        If the file can't be read.
    """
    path = path.resolve()
    try:
        (stamp,) = _stamps([path])
        return _sha256(*stamp)
    except OSError as error:
        raise ModelError(f"Can't read the checkpoint {path}: {error.strerror}.") from error


@lru_cache(maxsize=64)
def _sha256(name: str, size: int, time: int) -> str:
    """Hash a file; size and time in the key make a rewritten one be read again."""
    return checksum(Path(name))


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
