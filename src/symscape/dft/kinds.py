"""What a file of computations is: a plan of a grid, or a list of crystals, curves or lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symscape.errors import PlanError
from symscape.tomltext import read_toml

PLAN = "plan"
CRYSTALS = "list of crystals"
CURVES = "list of curves"
LINES = "list of lines"

#: the array of tables that tells what a list holds, the kind and the command that takes it
_LISTS = {
    "crystal": (CRYSTALS, "crystals"),
    "group": (CURVES, "curves"),
    "line": (LINES, "lines"),
}


def read_file(path: Path, wanted: str) -> dict[str, Any]:
    """Read a file of computations.

    Parameters
    ----------
    path
        TOML.
    wanted
        The kind that is needed: `PLAN`, `CRYSTALS`, `CURVES` or `LINES`.

    Raises
    ------
    PlanError
        If it can't be read or is of another kind, whose command is then named.
    """
    document = read_toml(path, wanted, PlanError)
    found, command = _kind(document)
    if found not in (wanted, ""):
        raise PlanError(
            f"{path} is a {found}, not a {wanted}; give it to 'symscape reference {command}'."
        )
    return document


def is_list(path: Path) -> bool:
    """Whether a file holds crystals, curves or lines; not if it can't be read."""
    try:
        return _kind(read_toml(path, PLAN, PlanError))[0] not in (PLAN, "")
    except PlanError:
        return False


def _kind(document: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a document is and the command that takes it; empty if nothing tells."""
    for table, known in _LISTS.items():
        if isinstance(document.get(table), list):
            return known
    return (PLAN, "run") if isinstance(document.get("crystal"), dict) else ("", "")
