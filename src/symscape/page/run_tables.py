"""Tables of a run: metrics, checks, and underprediction by slice and by degrees of freedom.

Units stand in the names of the columns. Means over slices count each slice once, however many
points it has, so that a fine grid does not outweigh a coarse one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from symscape.arguments import named_arguments
from symscape.files import write_atomically
from symscape.page.checks import severity
from symscape.page.view import RunView
from symscape.questions.energies import (
    MAE,
    MEAN_SIGNED_ERROR,
    N_POINTS,
    SHARE_UNDERPREDICTED,
    SOFTENING_SCALE,
)
from symscape.questions.registry import metric_named
from symscape.results.run_results import RunResults

if TYPE_CHECKING:
    import pandas as pd

#: averaged over the slices of a group
AVERAGED = (MEAN_SIGNED_ERROR, SHARE_UNDERPREDICTED, SOFTENING_SCALE)


@named_arguments
def metrics_table(run: RunResults) -> pd.DataFrame:
    """Every metric: one row for each case and energy window, one column for each metric.

    ``judged`` tells the window that was held against the tolerances.
    """
    import pandas as pd

    rows = []
    for case in run.cases:
        reference = run.reference(case)
        head = {
            "model": case.model,
            "material": case.material,
            "slice": case.slice,
            "question": case.question,
            "status": case.status,
            "level_of_theory_model": run.model.level_of_theory,
            "level_of_theory_reference": reference.level_of_theory if reference else None,
        }
        windows = case.windows
        of_windows = windows.by_width.items() if windows else [(None, case.metrics)]
        for window, values in of_windows:
            judged = not windows or not window or float(window) == float(windows.judged)
            row = {"window_meV_per_atom": None if window is None else float(window)}
            named = {metric_named(name).column: value for name, value in values.items()}
            rows.append({**head, **row, "judged": judged, **named})
    return pd.DataFrame(rows)


def checks_table(run: RunResults) -> pd.DataFrame:
    """Every check: value, tolerance, and how many tolerances it is away from perfect."""
    import pandas as pd

    rows = [
        {
            "model": case.model,
            "material": case.material,
            "slice": case.slice,
            "question": case.question,
            "metric": check.metric,
            "unit": check.unit,
            "value": check.value,
            "low": check.limit[0],
            "high": check.limit[1],
            "times_tolerance": severity(check),
            "passed": check.passed,
        }
        for case in run.cases
        for check in case.checks
    ]
    return pd.DataFrame(rows)


def underprediction_table(run: RunResults) -> pd.DataFrame:
    """Signed errors in the judged window, one row a slice whose energies were judged."""
    import pandas as pd

    rows = []
    for view in sorted(run.seen_as(RunView).slices, key=lambda v: v.id):
        if not view.judged or view.reference is None:
            continue
        reference = view.reference
        rows.append(
            {
                "material": view.material,
                "slice": view.slice,
                "spacegroup_number": reference.spacegroup_number,
                "crystal_system": reference.crystal_system,
                "n_lattice": reference.n_lattice,
                "n_wyckoff": reference.n_wyckoff,
                "level_of_theory_model": run.model.level_of_theory,
                "level_of_theory_reference": reference.level_of_theory,
                "window_meV_per_atom": 1000 * view.window,
                **{metric.column: metric.of(view.judged) for metric in (*AVERAGED, MAE)},
                N_POINTS.column: view.compared,
            }
        )
    return pd.DataFrame(rows)


def underprediction_by(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Average the rows of `underprediction_table` that agree in one column.

    Parameters
    ----------
    table
        From `underprediction_table`.
    column
        ``n_lattice``, ``n_wyckoff``, ``crystal_system``, ...

    Returns
    -------
    One row a group: numbers of materials, slices and points, and means over the slices.
    """
    import pandas as pd

    if table.empty:
        return pd.DataFrame()
    groups = table.groupby(column)
    counts = pd.DataFrame(
        {
            "n_materials": groups["material"].nunique(),
            "n_slices": groups.size(),
            N_POINTS.column: groups[N_POINTS.column].sum(),
        }
    )
    return counts.join(groups[[metric.column for metric in AVERAGED]].mean()).reset_index()


def write_tables(folder: str | Path, run: RunResults) -> list[Path]:
    """Write every table as CSV and return the paths.

    Raises
    ------
    OSError
        If a file can't be written.
    """
    under = underprediction_table(run)
    tables = {
        "metrics": metrics_table(run),
        "checks": checks_table(run),
        "underprediction": under,
        "underprediction_by_n_lattice": underprediction_by(under, "n_lattice"),
        "underprediction_by_n_wyckoff": underprediction_by(under, "n_wyckoff"),
    }
    paths = []
    for name, table in tables.items():
        path = Path(folder) / f"{name}.csv"
        write_atomically(path, table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
        paths.append(path)
    return paths
