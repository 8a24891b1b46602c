"""``symscape reference curves``: our own DFT against equations of state that others verified."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symscape.cli.computing import command_line, resumable
from symscape.errors import PlanError
from symscape.progress import on_stderr, say


def curves(
    plan: Annotated[Path, typer.Argument(help="A list of crystals to compute (TOML).")],
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Volumes at once.")] = 1,
    nice: Annotated[int, typer.Option(help="Added to the workers' niceness.")] = 0,
    finish: Annotated[
        bool, typer.Option(help="Compute nothing; store what has been computed.")
    ] = False,
    references: Annotated[
        Path, typer.Option("--references", help="Folder of the reference library.")
    ] = Path("references"),
) -> None:
    """Compute equations of state and compare; interrupt it, the same command goes on."""
    from symscape.dft.curve_ledger import open_curve_ledger
    from symscape.dft.curve_list import load_curve_list
    from symscape.dft.curve_run import run_curves
    from symscape.dft.curve_store import store_curves
    from symscape.references.equations import load_equations
    from symscape.references.own_curves import load_own_curves
    from symscape.science.equation_of_state.own import OwnErrors, as_markdown, own_differences

    equations = load_equations([references])
    if equations is None:
        raise PlanError(
            f"{references}: this library holds no equations of state to compare with; name "
            "another with --references."
        )
    the_list = load_curve_list(plan, equations)
    if not finish:
        with resumable():
            run_curves(the_list, jobs=jobs, nice=nice, command=command_line(), progress=on_stderr())
    path = store_curves(open_curve_ledger(the_list), references)
    result = OwnErrors.of(load_own_curves(references, equations))
    print(as_markdown(result, own_differences(result)))
    say(f"{path}: {len(result.own.energies)} of {len(the_list.curves)} curves")
    for name in result.not_good:
        say(f"{name}: epsilon is above 0.20; look into its dataset, cut-off and k-mesh")
