"""The earlier run that a user names as the measure of a new one."""

from __future__ import annotations

from pathlib import Path

from symscape.errors import ResultsFileError
from symscape.results.files import load_results
from symscape.results.run_results import RunResults
from symscape.verdict.baseline import DEFAULT_MARGIN
from symscape.verdict.gate import Baseline

#: where the results of the registered models lie that the leaderboard was made from
LEADERBOARD_RESULTS = Path("reports") / "leaderboard" / "results"


def load_baseline(name: str, model: str, root: Path, margin: float = DEFAULT_MARGIN) -> Baseline:
    """Load the run that a user names as the baseline of a model.

    Parameters
    ----------
    name
        A results file; a folder with ``<model>/results.json`` or ``results.json``; or the name of a
        model whose results the leaderboard holds.
    model
        The model to be judged.
    root
        The project's folder, whose leaderboard knows models by name.

    Raises
    ------
    ResultsFileError
        If there is no such run or its file can't be read.
    """
    path = Path(name)
    candidates = [path / model / "results.json", path / "results.json"]
    found = [path] if path.is_file() else [p for p in candidates if p.is_file()]
    if found:
        return _baseline(name, found[0], load_results(found[0]), margin)
    committed = root / LEADERBOARD_RESULTS / f"{name}.json"
    if committed.is_file():
        return _baseline(name, committed, load_results(committed), margin)
    raise ResultsFileError(
        f"baseline {name!r}: neither a results file, nor a folder that holds results of {model}, "
        "nor a model of the leaderboard."
    )


def _baseline(name: str, path: Path, run: RunResults, margin: float) -> Baseline:
    return Baseline(
        name,
        path,
        {(case.question, case.material, case.slice): case for case in run.cases},
        {(r.material, r.slice): r.digest for r in run.references},
        margin,
    )
