"""Reading the TOML file of a plan or list."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from symscape.errors import PlanError, SymscapeError


def read_toml(path: Path, kind: str) -> dict[str, Any]:
    """Return a file's document.

    Parameters
    ----------
    path
        The file.
    kind
        What it is, for sentences: ``plan``.

    Raises
    ------
    PlanError
        If it is not there, can't be read or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PlanError(f"{path}: there is no such {kind}; check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{path}: the {kind} can't be read ({error}).") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PlanError(f"{path}: not valid TOML ({error}); correct the file.") from None


@contextmanager
def complaints_about(path: Path) -> Iterator[None]:
    """Let every complaint name the file that it is about.

    Raises
    ------
    PlanError
        In place of any other error of symscape's own.
    """
    try:
        yield
    except SymscapeError as error:
        text = str(error)
        if isinstance(error, PlanError) and text.startswith(str(path)):
            raise
        raise PlanError(f"{path}: {text}") from None
