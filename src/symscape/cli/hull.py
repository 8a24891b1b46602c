"""``symscape hull``: a model on a data set of any size, and its formation energies and hulls."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np

    from symscape.bulk.hull_tables import TablesSummary
    from symscape.science.hull.conventions import Basis

app = typer.Typer(
    help="Compare a model's formation energies and hulls with those of a data set.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_LeaveOut = Annotated[
    list[str] | None,
    typer.Option(metavar="ELEMENT", help="Leave out the crystals of an element; may be repeated."),
]
_Mixing = Annotated[
    bool,
    typer.Option(
        "--mixing",
        help="Put GGA, GGA+U and r2SCAN energies on one hull by the Materials Project's mixing "
        "scheme, with the adjustments that the source states.",
    ),
]
_Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A run's folder.")]


@app.command()
def run(
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="A data set that 'symscape import' made.")
    ],
    mlip: Annotated[
        str,
        typer.Option(help="A registered model, a family, or package.module:function."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder of the run; default: hulls/DATASET/MODEL."),
    ] = None,
    checkpoint: Annotated[str | None, typer.Option(help="A checkpoint of your own.")] = None,
    mlip_name: Annotated[str | None, typer.Option(help="What tables call the model.")] = None,
    relax: Annotated[
        str,
        typer.Option(
            help="none: DFT's geometry only; fixed: relax at fixed symmetry too; free: and then "
            "freely after a small push."
        ),
    ] = "none",
    optimizer: Annotated[
        str,
        typer.Option(
            help="torch-sim (FIRE), ase (the steps of its BFGS), both in batches, or auto: "
            "torch-sim for networks where it is installed."
        ),
    ] = "auto",
    force: Annotated[
        float, typer.Option(help="Force at which relaxations end, eV/angstrom.")
    ] = 0.01,
    max_steps: Annotated[int, typer.Option(help="Steps after which relaxations end.")] = 500,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            help="Worker processes on this machine; 0: this process; default: one a core, one on "
            "a GPU.",
        ),
    ] = None,
    dask_address: Annotated[
        str,
        typer.Option(
            metavar="ADDR", help="A dask scheduler, tcp://host:8786, or its scheduler file."
        ),
    ] = "",
    chunk_atoms: Annotated[
        int | None, typer.Option(help="Atoms in a chunk, at most; default 20000.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps or auto.")] = "auto",
    batch_size: Annotated[
        str | None, typer.Option(help="Structures in one call of the model, or auto.")
    ] = None,
    dtype: Annotated[str | None, typer.Option(help="float32 or float64.")] = None,
    model_option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Argument of the family's loader, repeatable: modality=mpa, head=omat_pbe.",
        ),
    ] = None,
    convention: Annotated[
        str, typer.Option(help="What a model of your own was trained on: uncorrected or MP2020.")
    ] = "uncorrected",
    level_of_theory: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What a model of your own was trained on: PBE, PBE+U (with U where the Materials "
            "Project has it), r2SCAN. One without U is compared on crystals without U.",
        ),
    ] = "unknown",
    leave_out: _LeaveOut = None,
    mixing: _Mixing = False,
    tables: Annotated[
        bool, typer.Option("--tables/--no-tables", help="Make the tables at the end.")
    ] = True,
) -> None:
    """Evaluate a model on a data set, in chunks, and make the tables.

    Whatever is interrupted or killed, the same command goes on where it stopped. Results do not
    depend on the number of workers nor on the chunks.
    """
    from symscape.bulk.hull_run import run_dataset
    from symscape.bulk.run_settings import RunSettings, usable_cores
    from symscape.models.registry import resolve
    from symscape.models.spec import ModelSpec, read_batch_size, read_options
    from symscape.progress import on_stderr
    from symscape.science.hull.conventions import Basis
    from symscape.science.hull.procedure import RelaxSettings

    basis = Basis.MIXING if mixing else Basis.SHARED
    spec = ModelSpec(
        mlip,
        checkpoint=checkpoint,
        mlip_name=mlip_name,
        device=device,
        batch_size=read_batch_size(batch_size),
        dtype=dtype,
        options=read_options(model_option or []),
        level_of_theory=level_of_theory,
        energy_convention=convention,
    )
    settings = RunSettings(relax, optimizer, RelaxSettings(force_eV_A=force, max_steps=max_steps))
    folder = output or Path("hulls") / dataset.name / resolve(spec).card.name
    progress = on_stderr()
    with progress.task("hull run", unit="crystals"):
        summary = run_dataset(
            dataset,
            spec,
            folder,
            settings,
            jobs=usable_cores(device) if jobs is None else jobs,
            address=dask_address,
            chunk_atoms=chunk_atoms,
            left_out=tuple(leave_out or ()),
            basis=basis,
            say=_say,
            progress=progress.update,
        )
    print(f"crystals   {summary.crystals}, {summary.known} of them done before")
    print(f"wrote {summary.path}")
    if tables:
        _make(folder, dataset, leave_out, "", basis)


@app.command()
def status(folder: _Folder) -> None:
    """Show how far a run is; looks at every chunk and changes nothing."""
    from symscape.bulk.status import run_status

    for label, value in run_status(folder).rows().items():
        print(f"{label:<12} {value}")


@app.command()
def tables(
    folder: _Folder,
    dataset: Annotated[
        Path | None, typer.Option(help="Where the data set is, if it was moved.")
    ] = None,
    leave_out: _LeaveOut = None,
    system: Annotated[
        str, typer.Option(help="Only this chemical system, with all that it contains: Mg-Si.")
    ] = "",
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            help="Compare PBE and PBE+U energies as they are, without the MP2020 corrections that "
            "make one hull of them.",
        ),
    ] = False,
    mixing: _Mixing = False,
) -> None:
    """Make the tables of a finished run: formation energies, hulls, errors by symmetry."""
    from symscape.errors import ScaleError
    from symscape.science.hull.conventions import Basis

    if raw and mixing:
        raise ScaleError("--raw and --mixing exclude each other; give one of them.")
    basis = Basis.RAW if raw else Basis.MIXING if mixing else Basis.SHARED
    _make(folder, dataset, leave_out, system, basis)


@app.command()
def study(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Runs at DFT's geometry, one a model.")
    ],
    page: Annotated[
        Path, typer.Option(help="The Markdown page whose tables and figure are to be made.")
    ],
    relaxed: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN",
            help="A run with relaxations, one a model and data set; may be repeated.",
        ),
    ] = None,
) -> None:
    """Ask of finished runs whether models put symmetric crystals too low: tables and a figure."""
    from symscape.bulk.study_page import make_study

    for path in make_study(runs, relaxed or [], page):
        print(f"wrote {path}")


def _make(
    folder: Path,
    dataset: Path | None,
    leave_out: list[str] | None,
    system: str,
    basis: Basis,
) -> None:
    from symscape.bulk.hull_tables import make_tables

    left_out = tuple(leave_out or ())
    made = make_tables(
        folder, dataset=dataset, left_out=left_out, system=system, basis=basis, each=_side_by_side
    )
    _print(made)


def _side_by_side(
    function: Callable[[np.ndarray], np.ndarray], arrays: Iterable[np.ndarray]
) -> Iterable[np.ndarray]:
    """Apply a function to long arrays, to the first in a process of its own meanwhile."""
    from concurrent.futures import BrokenExecutor

    from symscape.page.processes import background

    first, *others = arrays
    if len(first) < _LONG:
        return map(function, (first, *others))
    with background(0) as process:
        begun = process.submit(function, first)
        done = [function(array) for array in others]
        try:
            return [begun.result(), *done]
        except BrokenExecutor:
            # for lack of memory, say: once more, here
            return [function(first), *done]


#: shorter arrays are done before a process has started
_LONG = 20_000


def _print(made: TablesSummary) -> None:
    for notice in made.notices:
        print(f"note: {notice}", file=sys.stderr)
    print(f"compared   {made.crystals} crystals of {made.systems} chemical systems")
    if made.n_left_out:
        print(f"left out   {made.n_left_out}, {made.path / 'left_out.csv'} says why of each")
    for line in made.headline.lines():
        print(line)
    print(f"wrote {made.path}")


def _say(text: str) -> None:
    print(f"symscape: {text}", file=sys.stderr)
