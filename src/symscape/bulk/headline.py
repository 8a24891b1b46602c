"""The numbers of a run that people ask for first, and their words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symscape.questions.energies import MAE, MEAN_SIGNED_ERROR, SHARE_UNDERPREDICTED
from symscape.questions.hull import ABOVE_HULL_BIAS, ABOVE_HULL_MAE, FORMATION_BIAS, FORMATION_MAE
from symscape.questions.stability import F1, FALSE_STABLE_SHARE

if TYPE_CHECKING:
    import pandas as pd

#: whoever is this near to the hull counts as stable, meV/atom
STABLE_meV = 25.0


@dataclass(frozen=True)
class Headline:
    """Errors in meV/atom, and stability up to `STABLE_meV`; NaN where nothing can be divided by.

    Parameters
    ----------
    formation, formation_signed
        Mean absolute and mean signed error of formation energies.
    above_hull, above_hull_signed
        The same of energies above hull.
    too_low
        Share of the crystals whose energy above hull is too low.
    falsely_stable
        Of the crystals that DFT calls unstable, the share that the model calls stable.
    stability
        F1 of who is called stable.
    """

    formation: float
    formation_signed: float
    above_hull: float
    above_hull_signed: float
    too_low: float
    falsely_stable: float
    stability: float

    def document(self) -> dict[str, float | None]:
        """Return the numbers as ``summary.json`` names them; None for one that is undefined."""
        numbers = {
            FORMATION_MAE.name: self.formation,
            FORMATION_BIAS.name: self.formation_signed,
            ABOVE_HULL_MAE.name: self.above_hull,
            ABOVE_HULL_BIAS.name: self.above_hull_signed,
            SHARE_UNDERPREDICTED.name: self.too_low,
            FALSE_STABLE_SHARE.name: self.falsely_stable,
            F1.name: self.stability,
        }
        return {name: None if math.isnan(value) else value for name, value in numbers.items()}

    def lines(self) -> tuple[str, ...]:
        """Return the numbers as lines of text, which say why one is undefined."""
        return (
            f"formation  {self._formation()}",
            f"above hull {self._above_hull()}",
            f"stability  {self._false_stability()}, {self._f1()} ({STABLE_meV:g} meV/atom)",
        )

    def _formation(self) -> str:
        if math.isnan(self.formation):
            return _ONLY_ELEMENTS
        return f"MAE {self.formation:.1f}, bias {self.formation_signed:+.1f} meV/atom"

    def _above_hull(self) -> str:
        if math.isnan(self.above_hull):
            return _ONLY_ELEMENTS
        return (
            f"MAE {self.above_hull:.1f}, bias {self.above_hull_signed:+.1f} meV/atom, "
            f"{self.too_low:.0%} underpredicted"
        )

    def _false_stability(self) -> str:
        if math.isnan(self.falsely_stable):
            return "nothing above the hull, so no false-stable share"
        return f"false-stable share {self.falsely_stable:.3f}"

    def _f1(self) -> str:
        if math.isnan(self.stability):
            return "nothing stable for DFT or the model, so no F1"
        return f"F1 {self.stability:.3f}"


_ONLY_ELEMENTS = "no error: there are ground states of elements only, which are zero by definition"


def headline_of(made: Mapping[str, pd.DataFrame]) -> Headline:
    """Return the numbers that people ask for first.

    Parameters
    ----------
    made
        The tables ``underprediction`` and ``stability``.
    """
    table, stable = made["underprediction"], made["stability"]
    whole = {row["error"]: row for row in table[table["by"] == "all"].to_dict("records")}
    formation, hull = whole["error_formation"], whole["error_above_hull"]
    chosen = (stable["geometry"] == "single point") & (stable["threshold"] == STABLE_meV)
    (at_25,) = stable[chosen].to_dict("records")
    return Headline(
        formation=MAE.of(formation),
        formation_signed=MEAN_SIGNED_ERROR.of(formation),
        above_hull=MAE.of(hull),
        above_hull_signed=MEAN_SIGNED_ERROR.of(hull),
        too_low=SHARE_UNDERPREDICTED.of(hull),
        falsely_stable=FALSE_STABLE_SHARE.of(at_25),
        stability=F1.of(at_25),
    )
