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
    changed and missing files, too.

    Example:
      symscape reference verify references
    """
    from symscape.references import manifest

    if write:
        names = manifest.write_manifest(folder)
        print(f"{folder / manifest.MANIFEST}: {names} files")
        return
    found = manifest.verify_library(folder)
    for problem in found.problems:
        print(problem, file=sys.stderr)
    if found.problems:
        raise typer.Exit(1)
    print(f"{folder}: {found.listed} files are as {manifest.MANIFEST} says.")
