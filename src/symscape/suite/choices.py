"""What the user asked for: command-line options, ini values and defaults in one place."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from symscape.errors import ModelError, did_you_mean
from symscape.models.several import match_checkpoints
from symscape.models.spec import ModelSpec, read_batch_size, read_options
from symscape.places import references_folder

DEFAULT_MODEL = "chgnet"
#: figures that a report has on demand
FIGURES = ("relief", "forces")


@dataclass(frozen=True)
class SuiteSettings:
    """The options of one run.

    Parameters
    ----------
    models
        The potentials, at least one.
    explicit
        Whether the user named them, which turns what is missing from a skip into an error.
    figures
        What reports show beyond what they always do, of ``FIGURES``.
    history
        Folder with the reports of earlier runs, which reports show beside this one.
    """

    models: tuple[ModelSpec, ...]
    explicit: bool
    point_timeout: float | None
    references: tuple[Path, ...]
    materials: tuple[str, ...]
    tolerances: str
    report_dir: Path
    cache_dir: Path | None
    use_cache: bool
    baseline: str | None
    baseline_margin: float
    allow_gone: bool
    proposal: Path | None
    figures: tuple[str, ...] = ()
    history: Path | None = None


def read_settings(config: pytest.Config) -> SuiteSettings:
    """Read the options; the command line wins over the ini file, which wins over the defaults.

    Raises
    ------
    pytest.UsageError
        If options contradict each other or have no sensible value.
    """

    def given(option: str, ini: str | None = None) -> Any:
        value = config.getoption(option)
        return value if value is not None or ini is None else config.getini(ini) or None

    named = given("--mlip", "symscape_mlip")
    mlips = _names(named)
    if named and not mlips:
        raise pytest.UsageError(
            f"--mlip is {', '.join(named)!r}, which names no potential; see 'symscape models'."
        )
    checkpoints, name = given("--checkpoint") or [], given("--mlip-name")
    if checkpoints and not mlips:
        raise pytest.UsageError(
            "--checkpoint goes with --mlip FAMILY, e.g. --mlip mace --checkpoint run.model."
        )
    try:
        wanted = match_checkpoints(mlips or (DEFAULT_MODEL,), checkpoints)
        if name and (not mlips or len(wanted) != 1):
            raise pytest.UsageError("--mlip-name renames one potential; give it with one --mlip.")
        shared = ModelSpec(
            DEFAULT_MODEL,
            mlip_name=name,
            device=given("--device", "symscape_device") or "auto",
            batch_size=read_batch_size(given("--batch-size", "symscape_batch_size")),
            dtype=given("--dtype", "symscape_dtype"),
            options=read_options(given("--model-option", "symscape_model_option") or []),
            level_of_theory=given("--level-of-theory") or "unknown",
        )
    except ModelError as error:
        raise pytest.UsageError(str(error)) from None
    start = partial(_start, config)
    roots = given("--references", "symscape_references")
    report_dir = given("--report-dir", "symscape_report_dir")
    cache_dir = given("--cache-dir", "symscape_cache_dir")
    history = given("--history", "symscape_history")
    return SuiteSettings(
        models=tuple(
            replace(shared, name=_file_from(mlip, start("--mlip")), checkpoint=checkpoint)
            for mlip, checkpoint in wanted
        ),
        explicit=bool(mlips),
        point_timeout=_timeout(given("--point-timeout", "symscape_point_timeout")),
        references=tuple(
            references_folder(root, start("--references")) for root in roots or [None]
        ),
        materials=_names(given("--material")),
        tolerances=_name_or_path(
            given("--tolerances", "symscape_tolerances"), start("--tolerances")
        )
        or "default",
        report_dir=start("--report-dir") / (report_dir or "reports"),
        cache_dir=start("--cache-dir") / cache_dir if cache_dir else None,
        use_cache=not config.getoption("--no-cache"),
        baseline=_name_or_path(given("--baseline", "symscape_baseline"), start("--baseline")),
        allow_gone=bool(given("--allow-gone")),
        baseline_margin=_margin(given("--baseline-margin", "symscape_baseline_margin")),
        proposal=_proposal(given("--update-tolerances")),
        figures=_figures(given("--figures", "symscape_figures")),
        history=start("--history") / history if history else None,
    )


def _file_from(name: str, start: Path) -> str:
    """Return ``calculators.py:make`` with the path of its file, where ``start`` has it."""
    file, colon, attribute = name.rpartition(":")
    if not file.endswith(".py"):
        return name
    return f"{_name_or_path(file, start)}{colon}{attribute}"


def _names(values: Iterable[str] | None) -> tuple[str, ...]:
    """Split comma-separated, repeated options; a name given twice counts once."""
    parts = (part.strip() for value in values or () for part in value.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def _timeout(value: str | None) -> float | None:
    return None if value is None else _positive("--point-timeout", value)


def _positive(option: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise pytest.UsageError(f"{option} is {value!r}, but must be a positive number.")
    return number


def _figures(values: Iterable[str] | None) -> tuple[str, ...]:
    names = _names(values)
    for name in names:
        if name not in FIGURES:
            raise pytest.UsageError(
                f"--figures has {name!r}, but there are {' and '.join(FIGURES)}"
                f"{did_you_mean(name, FIGURES)}"
            )
    return names


def _margin(value: Any) -> float:
    from symscape.verdict.baseline import DEFAULT_MARGIN

    if value is None:
        return DEFAULT_MARGIN
    try:
        margin = float(value)
    except ValueError:
        margin = -1.0
    if not 0 <= margin < float("inf"):
        raise pytest.UsageError(f"--baseline-margin is {value!r}, but must be a number from 0 up.")
    return margin


def _proposal(value: str | None) -> Path | None:
    """Return where to write a proposal: a file that is not there yet."""
    if value is None:
        return None
    path = Path(value)
    if path.exists():
        raise pytest.UsageError(
            f"--update-tolerances {value}: the file exists; name a new one, then compare the two."
        )
    return path


def check_places(settings: SuiteSettings) -> None:
    """Refuse before anything is evaluated to write where nothing can be written.

    Raises
    ------
    pytest.UsageError
        If the report, the cache or the proposed tolerances can't be where the user wants them.
    """
    places = (
        ("--report-dir", settings.report_dir),
        ("--cache-dir", settings.cache_dir if settings.use_cache else None),
        ("--update-tolerances", settings.proposal.parent if settings.proposal else None),
    )
    if settings.history and not settings.history.is_dir():
        raise pytest.UsageError(
            f"--history {settings.history}: there is no such folder; make it, and keep the reports "
            "of earlier runs there."
        )
    for option, folder in places:
        if folder is None:
            continue
        # the nearest one that is there; those below it are made when they are needed
        there = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
        if not there.is_dir():
            raise pytest.UsageError(f"{option} {folder}: {there} is no folder; name another place.")
        if not os.access(there, os.W_OK):
            raise pytest.UsageError(
                f"{option} {folder}: {there} can't be written to; name another place."
            )


def _start(config: pytest.Config, option: str) -> Path:
    """Return the folder that a relative path starts from.

    What is typed starts where it is typed; what stands in the ini file, and a default, starts at
    the root folder.
    """
    typed = config.getoption(option) is not None
    return config.invocation_params.dir if typed else config.rootpath


def _name_or_path(value: str | None, start: Path) -> str | None:
    """Return a path if ``start`` has it, as short as the user wrote it if that is the same."""
    if not value or not (start / value).exists():
        return value
    same = Path(value).exists() and Path(value).samefile(start / value)
    return value if same else str(start / value)
