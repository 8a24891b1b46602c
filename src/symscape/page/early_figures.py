"""Figures of slices drawn in a process of their own while later questions are computed.

A picture is recognized by what it shows. So nothing depends on what is drawn here: a picture that
turns out to be another's, or has not been drawn when the run ends, is drawn with the report.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from symscape.page.processes import background

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from pathlib import Path

    from symscape.questions.case import CaseResult
    from symscape.results.run_results import RunResults

#: seconds after which a run is one whose figures are worth a process of their own
PATIENCE_s = 10.0
#: drawing yields to computing
_NICE = 10


def decide_figures(cases: Sequence[CaseResult], arrows: bool) -> bool:
    """Whether results about a slice are all that its figures show.

    Parameters
    ----------
    arrows
        Whether figures show forces.
    """
    from symscape.questions.energies import ENERGIES
    from symscape.questions.forces import FORCES
    from symscape.questions.minima import MINIMA

    wanted = {ENERGIES.name, MINIMA.name, *([FORCES.name] if arrows else [])}
    return wanted <= {case.question for case in cases}


class EarlyFigures:
    """Draws one slice after the other in the background.

    Parameters
    ----------
    relief
        Whether to draw each landscape as a surface too.
    """

    def __init__(self, *, relief: bool = False):
        self.relief = relief
        self.began = time.monotonic()
        self._known: set[Path] = set()
        self._waiting: list[tuple[Path, Callable[[], RunResults]]] = []
        self._pool: Executor | None = None
        self._over = False

    def add(self, folder: Path, name: str, make: Callable[[], RunResults]) -> None:
        """Have a slice's figures drawn, once, if the run has lasted or will last long enough.

        Parameters
        ----------
        folder
            The model's folder, ``reports/<model>``.
        name
            The slice's.
        make
            Returns what is known of the slice, which must decide its figures.
        """
        if self._over or folder / name in self._known:
            return
        self._known.add(folder / name)
        self._waiting.append((folder, make))
        if time.monotonic() - self.began < PATIENCE_s:
            return
        try:
            if self._pool is None:
                self._pool = background(_NICE)
            for place, known in self._waiting:
                self._pool.submit(_draw, place, known(), self.relief)
        except (OSError, RuntimeError):
            # no process can be started, or it died: the report draws what is missing
            self._over = True
        self._waiting.clear()

    def end(self) -> None:
        """Begin no further slice, and wait for the one that is being drawn."""
        self._over = True
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def _draw(folder: Path, run: RunResults, relief: bool) -> None:
    """Draw the slices of a run, in the background process."""
    from symscape.page.report import draw_slices

    draw_slices(folder, run, relief=relief)


def about_the_same(cases: Sequence[CaseResult], last: CaseResult) -> list[CaseResult]:
    """Return the results about the model and subject of the last one."""
    wanted = (last.model, last.material, last.slice)
    return [case for case in cases if (case.model, case.material, case.slice) == wanted]
