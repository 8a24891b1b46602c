"""``symscape run``: pytest on the benchmarks, wherever they are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from symscape.errors import SymscapeError
from symscape.places import PARTS, suite_folder

#: what is not an option of this command goes to pytest
PASS_ON: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True}
#: where hypothesis is installed, its plugin imports all of it at the end of every run
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest"]


def run(
    context: typer.Context,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PYTEST_ARGS",
            help="Options of the suite (--mlip, --tolerances, --baseline, ...) and of pytest.",
        ),
    ] = None,
    suite: Annotated[
        Path | None,
        typer.Option(
            help="Folder with benchmarks/ and references/; default: here, or the installed ones."
        ),
    ] = None,
) -> None:
    """Run the benchmark: pytest on benchmarks/, with the suite's options and pytest's own.

    The exit code is pytest's: 0 all cases passed, 1 some failed, 2 interrupted, 4 wrong options,
    5 no case chosen. Reports are written to reports/ in the current folder.
    """
    given = [*(arguments or ()), *context.args]
    command = [*PYTEST, *pytest_arguments(given, suite, Path.cwd())]
    if os.name == "posix":
        # this process becomes pytest, so that signals and the exit code are pytest's own
        sys.stdout.flush()
        os.execv(command[0], command)
    raise typer.Exit(subprocess.call(command))


def pytest_arguments(given: Sequence[str], suite: Path | None, here: Path) -> list[str]:
    """Return the arguments that make pytest run the benchmarks.

    Parameters
    ----------
    given
        What the user typed. A test file, or a test in one, takes the place of the whole folder;
        it is looked for in the current folder and in the suite's.
    suite
        Folder with ``benchmarks/`` and ``references/``. None for the current one or, where that
        has neither, the suite that is installed.
    here
        The current folder.

    Raises
    ------
    SymscapeError
        If the suite has no benchmarks, or no references and the user names none.
    """
    folder = _installed_or(here) if suite is None else suite.expanduser().resolve()
    options = [argument.partition("=")[0] for argument in given]
    _check_suite(
        folder,
        named=suite is not None,
        # own benchmarks may use the installed references; a suite that is named has its own
        references="--references" in options or (suite is None and suite_folder() is not None),
    )
    # pytest looks for both beside whatever path it is given, a checkpoint's too: say where they are
    # the installed suite has no place among a user's paths: its benchmarks are named as a clone's
    apart = folder == suite_folder() != here and suite is None
    added = [] if "--rootdir" in options else [f"--rootdir={here if apart else folder}"]
    settings = folder / "pyproject.toml"
    if settings.is_file() and not {"-c", "--config-file"} & set(options):
        added.append(f"--config-file={settings}")
    if folder != here and "--report-dir" not in options:
        added.append(f"--report-dir={here / 'reports'}")
    if folder == suite_folder() != here:
        # an installed package may be read-only
        added.append(f"--override-ini=cache_dir={here / '.pytest_cache'}")
    tests = [_test_path(argument, folder, here) for argument in given]
    passed = [test or argument for test, argument in zip(tests, given, strict=True)]
    return [*added, *passed, *([] if any(tests) else [str(folder / "benchmarks")])]


def _installed_or(here: Path) -> Path:
    """Return the installed suite, unless the current folder has benchmarks or references."""
    if any((here / part).is_dir() for part in PARTS):
        return here
    return suite_folder() or here


def _check_suite(folder: Path, *, named: bool, references: bool) -> None:
    wanted = ["benchmarks"] if references else ["benchmarks", "references"]
    missing = [name for name in wanted if not (folder / name).is_dir()]
    if missing:
        what = " and no ".join(f"{name}/" for name in missing)
        hint = (
            "name a clone of symscape"
            if named
            else "run in a clone of symscape, or name one with --suite DIR"
        )
        raise SymscapeError(f"{folder}: no {what} here; {hint}.")


def _test_path(argument: str, folder: Path, here: Path) -> str | None:
    """Return the path of a test inside the benchmarks, None if the argument names none."""
    path, colons, test = argument.partition("::")
    # a bare word is some option's value, even if there is a folder of that name
    if argument.startswith("-") or not ("/" in path or path.endswith(".py")):
        return None
    for start in (here, folder):
        found = (start / path).resolve()
        if found.exists() and found.is_relative_to((folder / "benchmarks").resolve()):
            return f"{found}{colons}{test}"
    return None
