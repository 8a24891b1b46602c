"""Which crystals are behind a failed check about crystals, and by how much each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.questions.case import CaseResult

if TYPE_CHECKING:
    import pandas as pd

#: crystals named for one check
_MOST = 3


def largest(table: pd.DataFrame, column: str, unit: str = "meV/atom") -> list[dict[str, Any]]:
    """Return the crystals with the largest values of either sign, largest first.

    Parameters
    ----------
    table
        With ``id`` and the column; rows without a value or with zero are passed over.
    unit
        Of the column; ``%`` for a share, which is printed in per cent.
    """
    values = table[column].to_numpy(dtype=float)
    there = np.flatnonzero(np.isfinite(values) & (values != 0))
    order = there[np.argsort(-np.abs(values[there]), kind="stable")[:_MOST]]
    factor = 100 if unit == "%" else 1
    ids = table["id"].to_numpy()
    return [{"id": str(ids[k]), "value": factor * float(values[k]), "unit": unit} for k in order]


def named(ids: Iterable[str]) -> list[dict[str, Any]]:
    """Return crystals that are behind a count, where there is no value to tell of each."""
    return [{"id": str(k), "value": None, "unit": ""} for k in ids]


@dataclass(frozen=True)
class BehindCrystal:
    """A crystal behind a failed check: its id, and the same with its value in words."""

    id: str
    text: str


def behind_crystals(case: CaseResult) -> dict[str, tuple[BehindCrystal, ...]]:
    """Return the crystals behind each failed check, worst first.

    Parameters
    ----------
    case
        Its ``detail`` may come from anybody's file: what isn't as it should be is passed over.
    """
    found = case.detail.get("behind")
    if not isinstance(found, Mapping):
        return {}
    crystals = {}
    for check in case.checks:
        rows = found.get(check.metric)
        if not check.passed and isinstance(rows, list):
            known = [r for r in rows if isinstance(r, Mapping) and "id" in r]
            crystals[check.metric] = tuple(BehindCrystal(str(r["id"]), _text(r)) for r in known)
    return {metric: named for metric, named in crystals.items() if named}


def behind_texts(case: CaseResult) -> dict[str, str]:
    """Return the crystals behind each failed check in words: ``As-A7 (+82 %), Se-A8 (+53 %)``."""
    found = behind_crystals(case)
    return {metric: ", ".join(crystal.text for crystal in named) for metric, named in found.items()}


def _text(row: Mapping[str, Any]) -> str:
    value = row.get("value")
    if not isinstance(value, int | float):
        return str(row["id"])
    unit = str(row.get("unit", ""))
    number = f"{value:+.0f}" if unit == "%" else f"{value:+.3g}"
    return f"{row['id']} ({number} {unit}".rstrip() + ")"
