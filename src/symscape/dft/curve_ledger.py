"""What the journal of a list of curves says: which energies are there, which curves are whole."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from symscape.dft.curve_list import CurveList, PlannedCurve
from symscape.dft.events import OF_CURVES, CurvesStarted, VolumeDone
from symscape.dft.journal import read_journal
from symscape.dft.ledger import Ledger

#: volumes nearer than this (angstrom^3/atom) are one volume
_SAME_VOLUME = 1e-6


@dataclass(kw_only=True)
class CurveLedger(Ledger[tuple[str, float]]):
    """The state of a list of curves, named by crystal and cut-off in eV.

    A curve of which a volume failed is tried again by the next run; its failures are not kept.

    Parameters
    ----------
    plan
        The list.
    energies
        Of each curve, eV/atom, shape (m,), NaN where there is none.
    starts
        The journal's events about who computed what follows.
    """

    plan: CurveList
    energies: dict[tuple[str, float], np.ndarray]
    starts: list[CurvesStarted]

    attempts: ClassVar[int] = 1

    @property
    def finished(self) -> Collection[tuple[str, float]]:
        """Curves all of whose volumes are computed."""
        return {key for key, energies in self.energies.items() if np.isfinite(energies).all()}

    def curves(self) -> list[tuple[PlannedCurve, np.ndarray]]:
        """Return each finished curve with its energies in eV/atom."""
        finished = self.finished
        return [(c, self.energies[c.key]) for c in self.plan.curves if c.key in finished]


def open_curve_ledger(plan: CurveList) -> CurveLedger:
    """Read a list's journal.

    Raises
    ------
    PlanError
        If the journal is damaged.
    """
    events = read_journal(plan.journal_path, OF_CURVES)
    found: dict[tuple[str, float], list[VolumeDone]] = {}
    for event in events:
        if isinstance(event, VolumeDone):
            found.setdefault((event.crystal, event.cutoff_eV), []).append(event)
    return CurveLedger(
        order=[curve.key for curve in plan.curves],
        plan=plan,
        energies={curve.key: _energies(curve, found.get(curve.key, [])) for curve in plan.curves},
        starts=[event for event in events if isinstance(event, CurvesStarted)],
    )


def _energies(curve: PlannedCurve, events: list[VolumeDone]) -> np.ndarray:
    """Return what a journal holds of a curve at its mesh, NaN where nothing."""
    energies = np.full(len(curve.volumes), np.nan)
    for event in events:
        if event.k_mesh == curve.k_mesh:
            near = np.abs(curve.volumes - event.volume_A3_atom) < _SAME_VOLUME
            energies[near] = event.energy_eV_atom
    return energies
