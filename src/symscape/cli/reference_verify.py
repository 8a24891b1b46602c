"""``symscape reference verify``: is the library what its manifest says?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def verify(
    folder: Annotated[Path, typer.Argument(help="Folder of the library.")] = Path("references"),
    write: Annotated[
        bool, typer.Option("--write", help="Write the manifest from the files as they are.")
    ] = False,
) -> None:
    """Hold a library against the digests in its manifest.sha256: an edited energy is found.

    The exit code is 1 if a file is changed, missing or not listed. A run of the suite refuses
    changed and missing files, too. The symmetry of crystals is searched for and held against what
    is stated.

    Example:
      symscape reference verify references
    """
    from symscape.references import manifest

    if write:
        _search_for_symmetry(folder)
        names = manifest.write_manifest(folder)
        print(f"{folder / manifest.MANIFEST}: {names} files")
        return
    found = manifest.verify_library(folder)
    for problem in found.problems:
        print(problem, file=sys.stderr)
    if found.problems:
        raise typer.Exit(1)
    _search_for_symmetry(folder)
    print(f"{folder}: {found.listed} files are as {manifest.MANIFEST} says.")


def _search_for_symmetry(folder: Path) -> None:
    """Hold crystals against the symmetry they state; a run takes it from what the manifest names.

    Raises
    ------
    ReferenceFileError
        If a file of crystals is wrong in any other way, too.
    """
    from symscape.references.crystal_files import find_crystal_files
    from symscape.references.crystals import load_crystals

    if find_crystal_files([folder]):
        load_crystals([folder], closely=True)
