"""Where the benchmarks and the references are that come with the package."""

from __future__ import annotations

from pathlib import Path

#: what a folder must have for a run
PARTS = ("benchmarks", "references")


def suite_folder() -> Path | None:
    """Return the folder of the suite that this installation has.

    Returns
    -------
    pathlib.Path or None
        A folder with ``benchmarks/`` and ``references/``: inside the package, where a wheel was
        installed; the clone, where the installation is editable. None where a source was copied
        without them.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "_suite", package.parent.parent):
        if has_suite(folder):
            return folder
    return None


def has_suite(folder: Path) -> bool:
    """Whether a folder has all that a run needs."""
    return all((folder / part).is_dir() for part in PARTS)
