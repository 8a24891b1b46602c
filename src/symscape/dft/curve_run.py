"""Computing a list of equations of state: resumable, volume by volume."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from symscape.decode import Finite
from symscape.dft.curve_ledger import CurveLedger, open_curve_ledger
from symscape.dft.curve_list import CurveList, PlannedCurve
from symscape.dft.events import CurvesStarted, VolumeDone
from symscape.dft.journal import Journal, now
from symscape.dft.results import Computed, Failure, WorkerSetup
from symscape.dft.single_points import Geometry, PointError, compute
from symscape.dft.version import symscape_version
from symscape.progress import Progress, quiet
from symscape.references.method import Method


class _CurvePoints:
    """The volumes of one crystal; see `Points`."""

    stress = False

    def __init__(self, curve: PlannedCurve, journal: Journal) -> None:
        self.curve = curve
        self.journal = journal

    def geometry(self, index: int) -> Geometry:
        """Return the crystal at one volume."""
        curve = self.curve
        return Geometry(curve.numbers, curve.positions[index], curve.cells[index])

    def computed(self, index: int, care: int, result: Computed) -> None:
        """Journal an energy."""
        self.journal.append(
            VolumeDone(
                crystal=self.curve.id,
                k_mesh=self.curve.k_mesh,
                cutoff_eV=Finite(self.curve.settings.cutoff_eV),
                volume_A3_atom=self._volume(index),
                energy_eV_atom=Finite(round(result.energy_eV / len(self.curve.numbers), 8)),
                seconds=result.seconds,
            )
        )

    def failed(self, index: int, care: int, result: Failure) -> None:
        """Write nothing: attempts at a volume are in no journal."""

    def given_up(self, index: int, reason: str) -> None:
        """Give the curve up."""
        raise PointError(
            f"{self.curve.id} at {self._volume(index)} angstrom^3/atom failed ({reason})."
        )

    def _volume(self, index: int) -> Finite:
        return Finite(round(float(self.curve.volumes[index]), 6))


def run_curves(
    plan: CurveList,
    *,
    jobs: int = 1,
    nice: int = 0,
    command: str = "",
    progress: Progress | None = None,
) -> CurveLedger:
    """Compute all curves that are not in the journal yet.

    Killing it at any moment loses at most the energies being computed; the same call goes on. A
    crystal that fails is reported and left out.

    Returns
    -------
    CurveLedger
        The state after the run.

    Raises
    ------
    PlanError
        If another process computes the list.
    EngineError
        If the engine can't be loaded.
    """
    report = progress or quiet()
    with Journal(plan.journal_path) as journal:
        ledger = open_curve_ledger(plan)
        wanted = set(ledger.todo)
        todo = [curve for curve in plan.curves if curve.key in wanted]

        def started(method: Method) -> None:
            # a curve states itself what differs from curve to curve
            common = replace(method, k_mesh=None, k_density_A=None, cutoff_eV=None)
            version = symscape_version()
            journal.append(
                CurvesStarted(time=now(), command=command, symscape=version, method=common)
            )

        with report.task(plan.path.stem, len(todo), jobs):
            for curve in todo:
                missing = np.flatnonzero(np.isnan(ledger.energies[curve.key])).tolist()
                setup = WorkerSetup(plan.engine, curve.settings, str(plan.output_folder), nice)
                workers = min(jobs, len(missing))
                try:
                    compute(_CurvePoints(curve, journal), missing, setup, workers, started=started)
                except PointError as error:
                    report.fail(str(error))
                else:
                    report.advance(0.0)
    return open_curve_ledger(plan)
