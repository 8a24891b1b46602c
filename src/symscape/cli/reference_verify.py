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
    changed and missing files, too. The symmetry of crystals is searched for, and what is masked on
    slices computed, and held against what is stated.

    Example:
      symscape reference verify references
    """
    from symscape.references import manifest

    if write:
        _look_closely(folder)
        names = manifest.write_manifest(folder)
        print(f"{folder / manifest.MANIFEST}: {names} files")
        return
    found = manifest.verify_library(folder)
    for problem in found.problems:
        print(problem, file=sys.stderr)
    if found.problems:
        raise typer.Exit(1)
    _look_closely(folder)
    print(f"{folder}: {found.listed} files are as {manifest.MANIFEST} says.")


def _look_closely(folder: Path) -> None:
    """Compute what a run takes from files that the manifest names: symmetries and masks.

    Raises
    ------
    ReferenceFileError
        If a crystal has not the symmetry that is stated, a point is masked against the slice's
        rule, or a file is wrong in any other way.
    """
    from symscape.references.crystal_files import find_crystal_files
    from symscape.references.crystals import load_crystals
    from symscape.references.landscape_files import load_reference
    from symscape.references.library import find_references

    if find_crystal_files([folder]):
        load_crystals([folder], closely=True)
    for entry in find_references([folder]):
        load_reference(entry.path, closely=True)
