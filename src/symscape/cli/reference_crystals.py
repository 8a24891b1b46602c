"""``symscape reference crystals``: relax a list of crystals for the hulls."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symscape.cli.computing import command_line, resumable
from symscape.progress import on_stderr, say

if TYPE_CHECKING:
    from symscape.dft.crystal_ledger import CrystalLedger
    from symscape.dft.crystal_list import CrystalList, PlannedCrystal


def crystals(
    plan: Annotated[Path, typer.Argument(help="A list of crystals (TOML).")],
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Crystals at once.")] = 1,
    nice: Annotated[int, typer.Option(help="Added to the workers' niceness.")] = 0,
    folder: Annotated[
        Path | None,
        typer.Option(help="For journals and results; the list's name with .out by default."),
    ] = None,
    retry_failed: Annotated[bool, typer.Option(help="Try failed crystals again.")] = False,
    finish: Annotated[
        bool, typer.Option(help="Compute nothing; store what has been relaxed.")
    ] = False,
    status: Annotated[
        bool, typer.Option(help="Compute and store nothing; show how far the list is.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(help="Compute what is stored again with tighter settings, and store that."),
    ] = False,
    references: Annotated[
        Path, typer.Option("--references", help="Folder of the reference library to add to.")
    ] = Path("references"),
) -> None:
    """Relax crystals for the hulls; interrupt it whenever you like, the same command goes on."""
    from symscape.dft.crystal_ledger import open_crystal_ledger, status_lines
    from symscape.dft.crystal_list import load_crystal_list
    from symscape.dft.crystal_run import run_crystals
    from symscape.dft.crystal_store import store_crystals

    the_list = load_crystal_list(plan)
    folder = folder or plan.with_suffix(".out")
    command = command_line()
    if check:
        _check(the_list, folder, references, jobs, nice)
        return
    if status or finish:
        ledger = open_crystal_ledger(the_list, folder, references)
    else:
        for text in the_list.settings.warnings():
            say(f"{plan.name}: {text}")
        for planned in the_list.crystals:
            for text in planned.notices:
                say(f"{plan.name}, {planned.id}: {text}")

        def store(ledger: CrystalLedger, planned: PlannedCrystal) -> None:
            store_crystals(ledger, references, command, [planned.system])

        with resumable():
            ledger = run_crystals(
                the_list,
                folder,
                library=references,
                jobs=jobs,
                nice=nice,
                retry_failed=retry_failed,
                command=command,
                progress=on_stderr(),
                on_done=store,
            )
    print("\n".join(status_lines(ledger)))
    for name in ledger.failed:
        print(f"{name}: {ledger.reason(name)}", file=sys.stderr)
    if not status:
        files, notices = store_crystals(ledger, references, command)
        for text in [*map(str, files), *notices]:
            say(text)


def _check(the_list: CrystalList, folder: Path, library: Path, jobs: int, nice: int) -> None:
    from symscape.cli.library_summary import checked_line
    from symscape.dft.crystal_check import check_crystals

    with resumable():
        check_crystals(the_list, folder, library, jobs=jobs, nice=nice, progress=on_stderr())
    print(checked_line([library]) or "no formation energy has been checked yet")
