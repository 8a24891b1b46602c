"""TOML files to values, with one sentence for whatever is wrong with them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from symscape.errors import SymscapeError


def read_toml(path: Path, kind: str, error: type[SymscapeError]) -> dict[str, Any]:
    """Return a file's document.

    Parameters
    ----------
    path
        The file.
    kind
        What it is, for sentences: ``plan``.
    error
        What is raised.

    Raises
    ------
    SymscapeError
        Of the kind ``error``, if the file is not there, can't be read or is no TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise error(f"{path}: there is no such {kind}; check the path.") from None
    except (OSError, ValueError) as problem:  # no UTF-8, or a null character in the path
        raise error(f"{path}: the {kind} can't be read ({problem}).") from None
    try:
        return tomllib.loads(text)
    # Python's own ValueError: an integer of more than 4,300 digits
    except (ValueError, RecursionError) as problem:
        raise error(f"{path}: not valid TOML ({problem}); correct the file.") from None
