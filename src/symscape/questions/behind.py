"""Which crystals are behind a failed check about crystals, and by how much each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from symscape.questions.case import CaseResult
from symscape.questions.notes import BehindRow

if TYPE_CHECKING:
    import pandas as pd

#: crystals named for one check
_MOST = 3
#: share of the largest value; a crystal that contributes less is not what a check failed for
_NEGLIGIBLE = 0.1


def largest(table: pd.DataFrame, column: str, unit: str = "meV/atom") -> tuple[BehindRow, ...]:
    """Return the crystals with the largest values of either sign, largest first.

    Parameters
    ----------
    table
        With ``id`` and the column; rows without a value or with zero are passed over, and those
        with less than a tenth of the largest.
    unit
        Of the column; ``%`` for a share, which is printed in per cent.
    """
    values = table[column].to_numpy(dtype=float)
    size = np.abs(values)
    size[~np.isfinite(size)] = 0.0
    there = np.flatnonzero((size > 0) & (size >= _NEGLIGIBLE * size.max(initial=0.0)))
    order = there[np.argsort(-size[there], kind="stable")[:_MOST]]
    factor = 100 if unit == "%" else 1
    ids = table["id"].to_numpy()
    return tuple(BehindRow(str(ids[k]), factor * float(values[k]), unit) for k in order)


def named(ids: Iterable[str]) -> tuple[BehindRow, ...]:
    """Return crystals that are behind a count, where there is no value to tell of each."""
    return tuple(BehindRow(str(k), None) for k in ids)


@dataclass(frozen=True)
class BehindCrystal:
    """A crystal behind a failed check: its id, and its value in words, empty behind a count."""

    id: str
    value: str

    @property
    def text(self) -> str:
        """``As-A7 (+82 %)``."""
        return f"{self.id} ({self.value})" if self.value else self.id


def behind_crystals(case: CaseResult) -> dict[str, tuple[BehindCrystal, ...]]:
    """Return the crystals behind each failed check, worst first."""
    found = case.notes.behind or {}
    failed = (check.metric for check in case.checks if not check.passed)
    crystals = {
        metric: tuple(BehindCrystal(row.id, _value(row)) for row in found.get(metric, ()))
        for metric in failed
    }
    return {metric: named for metric, named in crystals.items() if named}


def behind_texts(case: CaseResult) -> dict[str, str]:
    """Return the crystals behind each failed check in words: ``As-A7 (+82 %), Se-A8 (+53 %)``."""
    found = behind_crystals(case)
    return {metric: ", ".join(crystal.text for crystal in named) for metric, named in found.items()}


def _value(row: BehindRow) -> str:
    if row.value is None:
        return ""
    # less than a per cent is not nothing; adding zero turns −0 into 0
    digits = ".0f" if row.unit == "%" and abs(row.value) >= 1 else ".3g"
    return f"{row.value + 0.0:+{digits}} {row.unit}".rstrip()
