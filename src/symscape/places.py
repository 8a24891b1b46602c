"""Where the benchmarks and the references are that come with the package."""

from __future__ import annotations

from pathlib import Path

#: what a folder must have for a run
PARTS = ("benchmarks", "references")
#: what stands for the references that come with the package, where a folder is asked for
INSTALLED = "installed"


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


def benchmark_files() -> list[Path]:
    """Return the test files that come with the package, measurements of speed left out."""
    suite = suite_folder()
    files = sorted((suite / "benchmarks").glob("test_*.py")) if suite else []
    return [file for file in files if not file.name.startswith("test_speed_")]


def references_folder(folder: str | Path | None, start: Path | None = None) -> Path:
    """Return a folder of references.

    Parameters
    ----------
    folder
        A path; ``installed`` for the references that come with the package, unless there is a
        folder of that name; None for ``references`` or, where that holds nothing, the installed
        ones.
    start
        Where relative paths start; by default the current folder.
    """
    start = start or Path()
    suite = suite_folder()
    own = start / (folder or "references")
    if suite is None or (folder is not None and str(folder) != INSTALLED):
        return own
    kept = own.is_dir() if folder else any(own.glob("*/*.json"))
    return own if kept else suite / "references"
