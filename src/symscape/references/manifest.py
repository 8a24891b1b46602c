"""The digests of a reference library, by which an energy that was edited by hand is found.

``manifest.sha256`` lies in the library's folder, in the format of ``sha256sum``, which
checks it, too. A library without one makes no claim and is not checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from symscape.errors import ReferenceFileError
from symscape.files import checksum, write_atomically

MANIFEST = "manifest.sha256"
#: folder of a library that holds no reference: what is to be computed
_PLANS = "plans"
_DATA = frozenset({".json", ".csv"})
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


@dataclass(frozen=True)
class Verification:
    """A library held against its manifest; paths relative to the library, sorted.

    Parameters
    ----------
    folder
        The library.
    listed
        How many files the manifest names.
    changed
        Files whose content is not what the manifest says.
    missing
        Files that the manifest names and that are not there.
    unlisted
        Files that lie in the library and are not in the manifest.
    """

    folder: Path
    listed: int
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    unlisted: tuple[str, ...]

    @property
    def problems(self) -> list[str]:
        """One sentence for each file that is not as the manifest says."""
        again = f"symscape reference verify {self.folder} --write"
        return [
            *(
                f"{self.folder / name}: changed since {MANIFEST} was written; restore the file, or "
                f"run '{again}' if the change is meant."
                for name in self.changed
            ),
            *(
                f"{self.folder / name}: is in {MANIFEST} but not there; restore it, or run "
                f"'{again}' if it was meant to go."
                for name in self.missing
            ),
            *(
                f"{self.folder / name}: is not in {MANIFEST}; run '{again}' to add it."
                for name in self.unlisted
            ),
        ]


def reference_files(folder: Path) -> list[str]:
    """Return the data files of a library, relative to it and sorted, with forward slashes."""
    found = (path.relative_to(folder) for path in folder.glob("*/*") if path.suffix in _DATA)
    return sorted(
        path.as_posix()
        for path in found
        if path.parts[0] != _PLANS and not path.parts[0].startswith(".")
    )


def verify_library(folder: str | Path) -> Verification:
    """Hold the files of a library against its manifest.

    Raises
    ------
    ReferenceFileError
        If there is no manifest, or it can't be read.
    """
    folder = Path(folder)
    stated = _read(folder)
    present = set(reference_files(folder))
    return Verification(
        folder,
        len(stated),
        tuple(n for n in sorted(present & stated.keys()) if checksum(folder / n) != stated[n]),
        tuple(sorted(stated.keys() - present)),
        tuple(sorted(present - stated.keys())),
    )


def vouched(paths: Iterable[Path]) -> frozenset[Path]:
    """Return the files ``<library>/<folder>/<file>`` that are as their library's manifest says.

    What it took to write the manifest (`symscape reference verify --write`) need not be asked of
    them again.

    Raises
    ------
    ReferenceFileError
        If a manifest can't be read.
    """
    stated: dict[Path, dict[str, str]] = {}
    found = set()
    for path in paths:
        folder = path.parent.parent
        if folder not in stated:
            stated[folder] = _read(folder) if (folder / MANIFEST).is_file() else {}
        digest = stated[folder].get(path.relative_to(folder).as_posix())
        if digest is not None and digest == checksum(path):
            found.add(path)
    return frozenset(found)


def refuse_changed(folders: Iterable[str | Path]) -> None:
    """Refuse libraries with files that their manifests say otherwise; additions are welcome.

    Raises
    ------
    ReferenceFileError
        If a listed file is changed or missing: the first one's sentence, and how many more.
    """
    for folder in map(Path, folders):
        if not (folder / MANIFEST).is_file():
            continue
        found = verify_library(folder)
        wrong = found.problems[: len(found.changed) + len(found.missing)]
        if wrong:
            more = f" ({len(wrong) - 1} more such files)" if len(wrong) > 1 else ""
            raise ReferenceFileError(wrong[0] + more)


def write_manifest(folder: str | Path) -> int:
    """Write the manifest of a library and return how many files it names.

    Raises
    ------
    ReferenceFileError
        If the library holds no reference.
    """
    folder = Path(folder)
    names = reference_files(folder)
    if not names:
        raise ReferenceFileError(f"{folder}: no references here that a manifest could name.")
    lines = [f"{checksum(folder / name)}  {name}\n" for name in names]
    write_atomically(folder / MANIFEST, "".join(lines))
    return len(names)


def _read(folder: Path) -> dict[str, str]:
    """Return name to digest."""
    path = folder / MANIFEST
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise ReferenceFileError(
            f"{path}: there is none; 'symscape reference verify {folder} --write' makes one."
        ) from None
    except (OSError, ValueError) as error:
        raise ReferenceFileError(f"{path}: can't be read ({error}).") from None
    stated: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise ReferenceFileError(
                f"{path}: line {number} is no digest and name, as sha256sum writes them."
            )
        stated[match[2]] = match[1]
    return stated
