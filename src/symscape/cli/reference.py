"""``symscape reference``: compute, check and import the DFT grids that models are compared with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symscape.cli.computing import command_line, resumable
from symscape.cli.reference_crystals import crystals
from symscape.cli.reference_curves import curves
from symscape.cli.reference_lines import lines
from symscape.cli.reference_verify import verify
from symscape.cli.structures import (
    Block,
    CloseAtoms,
    Elements,
    MaxSize,
    StructureReader,
    Symprec,
)
from symscape.crystal.read import MAX_SIZE_MB
from symscape.errors import PlanError, SymscapeError, writing
from symscape.progress import on_stderr, say

if TYPE_CHECKING:
    from symscape.dft.grid_ledger import GridLedger

app = typer.Typer(
    name="reference",
    help="Compute, check and import the DFT grids that models are compared with.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command()(crystals)
app.command()(curves)
app.command()(lines)
app.command()(verify)

Plans = Annotated[list[Path], typer.Argument(help="Plan files (TOML).")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Worker processes, one core each.")]
Nice = Annotated[int, typer.Option(help="Added to the workers' niceness.")]
Timeout = Annotated[
    float | None, typer.Option(help="Seconds for one point, in place of the plan's.")
]
Library = Annotated[
    Path, typer.Option("--references", help="Folder of the reference library to write into.")
]
_DEFAULT_LIBRARY = Path("references")
_DEFAULT_PLANS = Path("references/plans")


@app.command()
def plan(
    target: Annotated[Path, typer.Argument(help="A plan (TOML), or a crystal to propose one for.")],
    points: Annotated[int, typer.Option(help="Grid values along each proposed axis.")] = 11,
    number: Annotated[int, typer.Option("--slice", help="Which of the proposed slices.")] = 1,
    write: Annotated[Path | None, typer.Option(help="Write the proposed plan here.")] = None,
    symprec: Symprec = None,
    block: Block = "",
    elements: Elements = "",
    max_size: MaxSize = MAX_SIZE_MB,
    close_atoms: CloseAtoms = False,
) -> None:
    """Show what a plan would compute and cost, or propose a plan for a crystal."""
    from symscape.dft.describe import describe_plan
    from symscape.dft.plan import load_plan
    from symscape.dft.plan_proposal import propose_plan, save_plan

    if target.suffix == ".toml":
        print(describe_plan(load_plan(target)))
        return
    reading = StructureReader.told(symprec, block, elements, max_size, close_atoms)
    content = reading.crystal_file(target)
    text = propose_plan(content.crystal, number=number, points=points, notices=content.notices)
    if write is None:
        print(text, end="")
        say("write it with --write FILE.toml, then: symscape reference plan FILE.toml")
        return
    save_plan(text, write)
    print(describe_plan(load_plan(write)))


@app.command()
def run(
    plans: Plans,
    jobs: Jobs = 1,
    nice: Nice = 0,
    timeout: Timeout = None,
    retry_failed: Annotated[bool, typer.Option(help="Try failed points again.")] = False,
    finish: Annotated[
        bool, typer.Option(help="Compute nothing; write the reference from what is finished.")
    ] = False,
    references: Library = _DEFAULT_LIBRARY,
) -> None:
    """Compute plans; interrupt it whenever you like, the same command goes on."""
    from symscape.dft.grid_ledger import open_ledger
    from symscape.dft.grid_run import run_plan
    from symscape.dft.plan import load_plan
    from symscape.dft.relax import relax_plan

    _check_positive("--timeout", timeout)
    _check_library(references)
    progress = on_stderr()
    for path in plans:
        the_plan = load_plan(path)
        with resumable():
            if finish:
                ledger = open_ledger(the_plan)
            else:
                if the_plan.needs_relaxation:
                    the_plan = relax_plan(
                        the_plan, nice=nice, command=command_line(), progress=progress
                    )
                for text in (*the_plan.notices, *the_plan.warnings()):
                    say(f"{path.name}: {text}")
                ledger = run_plan(
                    the_plan,
                    jobs=jobs,
                    nice=nice,
                    timeout_s=timeout,
                    retry_failed=retry_failed,
                    command=command_line(),
                    progress=progress,
                )
        _store(ledger, references)


def _check_positive(option: str, value: float | None) -> None:
    """Refuse what can't be a time, a cut-off or a density."""
    if value is not None and not 0 < value < float("inf"):
        raise SymscapeError(f"{option} is {value:g}, but must be a number above zero.")


def _check_library(folder: Path) -> None:
    """Refuse before anything is computed to write into what is no folder."""
    if folder.exists() and not folder.is_dir():
        raise SymscapeError(f"--references {folder}: this is no folder; name another.")


def _store(ledger: GridLedger, folder: Path) -> None:
    """Write the reference and say what it holds."""
    import numpy as np

    from symscape.dft.grid_store import edge_warning, finish
    from symscape.references.landscape_files import load_reference

    advice = "make room or name another folder with --references, and run it again with --finish"
    with writing(folder, "the reference", advice):
        path = finish(ledger, folder)
    reference = load_reference(path)
    print(
        f"{path}: {len(ledger.done)} of {len(ledger.order)} points computed, "
        f"{len(ledger.failed)} failed, {int(np.isfinite(reference.energies).sum())} grid points "
        f"with an energy, up to {np.nanmax(reference.relative):.3f} eV/atom"
    )
    for k in ledger.failed:
        i, j = divmod(k, ledger.plan.slice.shape[1])
        say(f"{ledger.plan.name}: point ({i}, {j}): {ledger.reason(k)}")
    if ledger.strangers:
        say(f"{ledger.plan.name}: {ledger.strangers} points of the journal lie on another grid")
    warning = edge_warning(reference.slice, reference.energies)
    if warning is not None and reference.kind == "local":
        say(f"{ledger.plan.name}: {warning}")


@app.command()
def status(
    plans: Annotated[
        list[Path] | None,
        typer.Argument(help="Plan files; all of references/plans if none are given."),
    ] = None,
) -> None:
    """Show how far plans are; one that can't be read gets a sentence and exit code 1."""
    from rich.console import Console
    from rich.table import Table

    from symscape.dft.describe import grid_plans, status_row

    paths = plans or grid_plans(_DEFAULT_PLANS)
    if not paths:
        raise PlanError(f"{_DEFAULT_PLANS}: there are no plans; name some.")
    table = Table("plan", "state", "done", "failed", "s/point", "left (1 core)")
    problems = []
    for path in paths:
        try:
            table.add_row(path.stem, *status_row(path))
        except SymscapeError as error:
            table.add_row(path.stem, "unreadable", "", "", "", "")
            problems.append(error)
    Console(width=None if sys.stdout.isatty() else 140).print(table)
    for problem in problems:
        say(f"symscape: {problem}")
    if problems:
        raise typer.Exit(1)


@app.command()
def relax(plans: Plans, nice: Nice = 0) -> None:
    """Relax the crystals of plans at fixed symmetry, as 'run' does before a grid."""
    from symscape.dft.plan import load_plan
    from symscape.dft.relax import relax_plan

    for path in plans:
        with resumable():
            the_plan = relax_plan(
                load_plan(path), nice=nice, command=command_line(), progress=on_stderr()
            )
        assert the_plan.relaxed is not None
        summary = the_plan.relaxed.summary
        values = {**summary.lattice_parameters, **summary.free_coordinates}
        numbers = ", ".join(f"{name} = {value:g}" for name, value in values.items())
        print(f"{path.stem}: {numbers}; largest force {summary.largest_force_eV_A} eV/angstrom")


@app.command()
def check(
    targets: Annotated[
        list[Path], typer.Argument(help="Plans (TOML) or stored references (JSON).")
    ],
    cutoff: Annotated[
        float | None, typer.Option(help="Cut-off to check against, eV; 700/520 of the plan's.")
    ] = None,
    k_density: Annotated[
        float | None, typer.Option(help="k-points per inverse angstrom; the plan's and 1 more.")
    ] = None,
    equivalents: Annotated[int, typer.Option(min=0, help="Equivalent points to compute.")] = 2,
    compute: Annotated[
        bool, typer.Option(help="Check convergence and equivalent points, which computes some.")
    ] = True,
    jobs: Jobs = 1,
    nice: Nice = 0,
    references: Library = _DEFAULT_LIBRARY,
) -> None:
    """Check grids: convergence, equivalent points, forces against energies, smoothness."""
    from symscape.dft.quality import GridData

    _check_positive("--cutoff", cutoff)
    _check_positive("--k-density", k_density)
    bad = False
    for path in targets:
        if path.suffix != ".toml":
            bad |= _check_stored(path.stem, GridData.from_reference(path))
            continue
        with resumable():
            bad |= _check_plan(
                path, cutoff, k_density, equivalents, compute, jobs, nice, references
            )
    if bad:
        raise typer.Exit(1)


def _check_plan(
    path: Path,
    cutoff: float | None,
    k_density: float | None,
    equivalents: int,
    compute: bool,
    jobs: int,
    nice: int,
    references: Path,
) -> bool:
    """Check a plan's grid as far as it goes; return whether something is wrong."""
    from symscape.dft.check import check_convergence, check_equivalents
    from symscape.dft.events import GridStarted
    from symscape.dft.grid_ledger import open_ledger
    from symscape.dft.grid_store import finish, grid_points
    from symscape.dft.plan import load_plan
    from symscape.dft.quality import GridData
    from symscape.dft.relax import relax_plan

    the_plan, progress, bad = load_plan(path), on_stderr(), False
    options: dict[str, Any] = {"jobs": jobs, "nice": nice, "progress": progress}
    if compute:
        if the_plan.needs_relaxation:
            the_plan = relax_plan(the_plan, nice=nice, command=command_line(), progress=progress)
        found = check_convergence(
            the_plan, cutoff_eV=cutoff, k_density_A=k_density, command=command_line(), **options
        )
        mesh = " x ".join(map(str, found.k_mesh or ()))
        print(
            f"{path.stem}: against {found.cutoff_eV:g} eV and k-mesh {mesh} relative energies "
            f"differ by up to {found.largest_difference:.2f} meV/atom"
        )
        for p in found.points:
            print(
                f"  ({p.i}, {p.j}): {p.relative_meV_atom:.2f} meV/atom, checked "
                f"{p.checked_relative_meV_atom:.2f}"
            )
        alike = check_equivalents(the_plan, count=equivalents, **options) if equivalents else None
        if alike is not None:
            print(
                f"{path.stem}: {len(alike.pairs)} symmetry-equivalent points agree within "
                f"{alike.largest_difference_meV_atom:.2f} meV/atom"
            )
            bad = alike.largest_difference_meV_atom > 1.0
    ledger = open_ledger(the_plan)
    if ledger.points:
        grid = GridData.from_points(the_plan.slice, grid_points(the_plan.slice, ledger.points, {}))
        bad |= _check_stored(path.stem, grid)
    stored = references / the_plan.material / f"{the_plan.slice.name}.json"
    if compute and stored.exists() and ledger.events_of(GridStarted):
        finish(ledger, references)  # the checks are part of the provenance
    return bad


def _check_stored(name: str, grid: Any) -> bool:
    """Check a grid without computing; return whether something stands out."""
    from symscape.dft.grid_store import edge_warning
    from symscape.dft.quality import check_forces, check_smoothness

    forces = check_forces(grid)
    if forces.compared:
        print(
            f"{name}: forces integrate to the energies within {forces.median_meV_atom:.2f} meV/atom"
            f" (median of {forces.compared} steps; largest {forces.largest_meV_atom:.2f})"
        )
    else:
        print(f"{name}: no forces (or stresses) to check the energies with")
    axes = grid.slice.axes
    rough = check_smoothness(grid.energies, (axes[0].name, axes[1].name))
    for kind, found in (("energy step", forces.deviations), ("point off its neighbours", rough)):
        for deviation in found[:10]:
            print(f"  {kind} {deviation} meV/atom")
        if len(found) > 10:
            print(f"  and {len(found) - 10} more")
    if not rough:
        print(f"{name}: no single point is off its neighbours")
    warning = edge_warning(grid.slice, grid.energies)
    if warning is not None:
        print(f"{name}: {warning}")
    return bool(rough or forces.deviations)


@app.command("import")
def import_(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="Names slice and settings.")],
    files: Annotated[
        list[Path],
        typer.Argument(
            help="extxyz, vasprun.xml, OUTCAR, or folders of them; or a stored reference."
        ),
    ],
    code: Annotated[str | None, typer.Option(help="What computed the energies.")] = None,
    code_version: Annotated[str | None, typer.Option(help="Its version.")] = None,
    datasets: Annotated[str | None, typer.Option(help="Pseudopotentials or PAW datasets.")] = None,
    source: Annotated[str | None, typer.Option(help="Where the grid is from.")] = None,
    licence: Annotated[str | None, typer.Option(help="In place of the plan's.")] = None,
    citation: Annotated[list[str] | None, typer.Option(help="Beside the plan's.")] = None,
    references: Library = _DEFAULT_LIBRARY,
) -> None:
    """Bring in a grid that was computed elsewhere; every geometry must lie on the plan's grid."""
    from symscape.dft.grid_ledger import open_ledger
    from symscape.dft.importer import (
        import_points,
        import_stored,
        read_images,
    )
    from symscape.dft.plan import load_plan

    _check_library(references)
    the_plan = load_plan(plan_file)
    method = {"code": code, "version": code_version, "datasets": datasets}
    provenance = {"source": source, "licence": licence, "citation": citation}
    if [file.suffix for file in files] == [".json"]:
        if any([*method.values(), *provenance.values()]):
            raise PlanError(
                f"{files[0]}: a stored reference brings its own method and provenance; leave out "
                "the options that state them."
            )
        outcome = import_stored(the_plan, files[0], command=command_line())
    else:
        outcome = import_points(
            the_plan,
            read_images(files),
            method={key: value for key, value in method.items() if value},
            provenance={key: value for key, value in provenance.items() if value},
            command=command_line(),
        )
    say(
        f"{plan_file.stem}: {outcome.added} points are new, {outcome.known} were known, "
        f"{outcome.missing} are missing; geometries fit within "
        f"{outcome.largest_deviation_A:.1e} angstrom"
    )
    _store(open_ledger(the_plan), references)
