"""``symscape slices FILE``: a crystal's Wyckoff table, its free coordinates and slices of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symscape.cli.structures import (
    Axes,
    Block,
    CloseAtoms,
    Elements,
    MaxSize,
    StructureReader,
    Subgroup,
    Symprec,
    say_notices,
    split_names,
    survey_progress,
)
from symscape.crystal.labels import axis_label, crystal_label
from symscape.crystal.read import MAX_SIZE_MB
from symscape.crystal.slice import MASK_RATIO
from symscape.decode import encode
from symscape.errors import SymscapeError, writing

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from symscape.crystal.crystal import Crystal
    from symscape.crystal.grid import Axis
    from symscape.crystal.propose import Proposal
    from symscape.references.slice_file import WrittenSlice


def slices(
    file: Annotated[Path, typer.Argument(help="Structure file that ASE or pymatgen reads.")],
    symprec: Symprec = None,
    block: Block = "",
    elements: Elements = "",
    max_size: MaxSize = MAX_SIZE_MB,
    close_atoms: CloseAtoms = False,
    points: Annotated[int, typer.Option(help="Grid values along each axis.")] = 15,
    axes: Axes = "",
    subgroup: Subgroup = "",
    plot: Annotated[
        Path | None, typer.Option(help="Draw the closest contacts over each slice into this PNG.")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(help="Write each slice's structures (extxyz) and description (JSON) here."),
    ] = None,
) -> None:
    """Print a crystal's Wyckoff positions and free coordinates, and propose slices.

    Where all atoms sit on special positions, it lists subgroups in which they may move; --subgroup
    takes one of them.
    """
    from symscape.crystal.propose import survey_slices

    reading = StructureReader.told(symprec, block, elements, max_size, close_atoms)
    crystal = reading.crystal_file(file).crystal
    if subgroup:
        from symscape.crystal.subgroups import subgroup_named

        crystal = subgroup_named(crystal, subgroup)
    with survey_progress() as progress:
        survey = survey_slices(crystal, axes=split_names(axes), points=points, progress=progress)
    proposals = survey.proposals
    say_notices(survey.notices)
    console = _console()
    _print_crystal(console, crystal)
    _print_proposals(console, crystal, proposals)
    if not crystal.free_coordinates:
        _print_subgroups(console, crystal)
    if write is not None:
        for path in write_proposals(write, proposals):
            console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)
    if plot is not None:
        plot_proposals(plot, proposals)
        console.print(f"wrote {plot}", markup=False, highlight=False, soft_wrap=True)


# -- text ---------------------------------------------------------------------------------------


def _console() -> Console:
    """Return a console that never breaks a table's lines when the output is not a terminal."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=200)


def _table(console: Console, *columns: str) -> Table:
    """Return a table with rules on a terminal and bare columns elsewhere."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=not console.is_terminal)
    return table


def _print_crystal(console: Console, crystal: Crystal) -> None:
    group = crystal.group
    cell = ", ".join(f"{name} = {value:.5g}" for name, value in crystal.lattice_parameters.items())
    setting = f", setting {group.choice}" if group.choice else ""
    console.print(
        f"{crystal.formula}: {len(crystal)} atoms in the conventional cell, "
        f"{len(crystal.primitive_atoms)} in the primitive cell\n"
        f"space group: {crystal.symbol} (No. {group.number}{setting}, Hall number "
        f"{group.hall_number}), {crystal.system}\n"
        f"lattice: {cell} (angstrom, degrees)\n",
        markup=False,
        highlight=False,
    )
    table = _table(console, "label", "element", "position", "site", "coordinates", "free")
    values = {free.name: free.value for free in crystal.free_coordinates}
    for orbit in crystal.orbits:
        free = [
            f"{orbit.label}_{letter} = {values[f'{orbit.label}_{letter}']:.5f}"
            for letter in orbit.free
        ]
        free += [f"{orbit.label}_{letter} pinned" for letter in orbit.pinned]
        table.add_row(
            orbit.label,
            orbit.element,
            orbit.wyckoff,
            orbit.site_symmetry,
            orbit.coordinates,
            ", ".join(free) or "-",
        )
    console.print(table, markup=False, highlight=False)
    lines = [
        "",
        f"n_lattice = {crystal.n_lattice} ({', '.join(crystal.lattice_parameters)})",
        f"n_wyckoff = {crystal.n_wyckoff}",
    ]
    if crystal.pinned:
        lines.append(
            f"pinned: {', '.join(crystal.pinned)} (the group is polar, and shifting the whole "
            "crystal costs no energy)"
        )
    console.print("\n".join(lines), markup=False, highlight=False)


def _print_proposals(console: Console, crystal: Crystal, proposals: tuple[Proposal, ...]) -> None:
    if not proposals:
        reason = (
            "the only freedom of this crystal is its volume"
            if crystal.n_wyckoff == 0 and crystal.n_lattice == 1
            else "in all of them atoms would be too close at most points"
        )
        console.print(f"\nno slice to propose: {reason}", markup=False, highlight=False)
        return
    console.print("\nproposed slices", markup=False, highlight=False)
    table = _table(console, "slice", "kind", "first axis", "second axis", "grid", "masked")
    table.add_column("distinct")
    for proposal in proposals:
        grid = proposal.slice
        distinct = len(set(grid.representatives[~grid.mask].tolist()))
        table.add_row(
            grid.name,
            proposal.kind,
            *(_axis_text(axis) for axis in grid.axes),
            f"{grid.shape[0]} x {grid.shape[1]}",
            f"{100 * proposal.masked_fraction:.0f} %",
            str(distinct),
        )
    console.print(table, markup=False, highlight=False)
    console.print(
        f"masked: two atoms closer than {MASK_RATIO} of their covalent radii; "
        "distinct: unmasked points not equivalent by symmetry",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _print_subgroups(console: Console, crystal: Crystal) -> None:
    """List the groups in which the atoms of a rigid crystal may move."""
    from symscape.crystal.subgroups import MOST_ATOMS, distortions

    if len(crystal.primitive_atoms) > MOST_ATOMS:
        return
    table = _table(console, "subgroup", "mode at the", "atoms", "free coordinates")
    for distortion in distortions(crystal):
        child = distortion.crystal
        names = ", ".join(free.name for free in child.free_coordinates)
        table.add_row(child.symbol, distortion.where, str(len(child.primitive_atoms)), names)
    if table.row_count:
        console.print("\nsubgroups in which atoms may move (--subgroup)", markup=False)
        console.print(table, markup=False, highlight=False)


def _axis_text(axis: Axis) -> str:
    return f"{axis.name} {axis.start:.4f} ... {axis.stop:.4f}"


# -- files --------------------------------------------------------------------------------------


def file_stem(proposal: Proposal) -> str:
    """Return the name of a proposal's files: ``Ti_z-O_z``, with ``-global`` where it is."""
    return proposal.slice.name + ("-global" if proposal.kind == "global" else "")


def write_proposals(folder: Path, proposals: tuple[Proposal, ...]) -> list[Path]:
    """Write the structures and the description of each slice, and return the paths.

    Structures are primitive cells in row-major order of the grid, masked points included.

    Raises
    ------
    SymscapeError
        If the folder can't be made or written.
    """
    from ase.io import write as write_atoms

    from symscape.files import write_atomically

    written = []
    with writing(folder, "the slices", "choose another place"):
        folder.mkdir(parents=True, exist_ok=True)
        for proposal in proposals:
            grid = proposal.slice
            images = list(grid.structures())
            for flat, atoms in enumerate(images):
                i, j = divmod(flat, grid.shape[1])
                atoms.info = {
                    "i": i,
                    "j": j,
                    "u": float(grid.grid_values[flat, 0]),
                    "v": float(grid.grid_values[flat, 1]),
                    "masked": bool(grid.mask[i, j]),
                }
            structures = folder / f"{file_stem(proposal)}.extxyz"
            write_atoms(structures, images, format="extxyz")
            description = structures.with_suffix(".json")
            text = json.dumps(
                encode(described(proposal, structures.name)), indent=1, ensure_ascii=False
            )
            write_atomically(description, text + "\n")
            written += [structures, description]
    return written


def described(proposal: Proposal, structures: str) -> WrittenSlice:
    """Return what is written of a slice beside the file of its structures."""
    from symscape.references.landscape_files import slice_record
    from symscape.references.slice_file import SLICE_SCHEMA, WrittenSlice

    grid = proposal.slice
    return WrittenSlice(
        **vars(slice_record(grid, proposal.kind, SLICE_SCHEMA)),
        pinned=tuple(grid.crystal.pinned),
        structures=structures,
        mask=tuple("".join("#" if masked else "." for masked in row) for row in grid.mask),
        grid_symmetries=tuple(symmetry.name for symmetry in grid.grid_symmetries),
    )


# -- figure -------------------------------------------------------------------------------------


def plot_proposals(path: Path, proposals: tuple[Proposal, ...]) -> None:
    """Draw how close atoms come over each slice, masked regions hatched.

    Raises
    ------
    SymscapeError
        If there is nothing to draw or the file can't be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not proposals:
        raise SymscapeError(f"{path}: there is no proposed slice to draw, so nothing was written.")
    columns = min(3, len(proposals))
    rows = -(-len(proposals) // columns)
    figure = Figure(figsize=(4.6 * columns, 3.9 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    largest = max(float(p.slice.contact_ratios.max()) for p in proposals)
    for panel, proposal in zip(panels, proposals, strict=False):
        image = _draw(panel, proposal, largest)
    for panel in panels[len(proposals) :]:
        panel.set_axis_off()
    figure.colorbar(
        image, ax=list(panels), label="closest distance / sum of covalent radii", shrink=0.9
    )
    crystal = proposals[0].slice.crystal
    title = crystal_label(crystal.formula, crystal.symbol)
    figure.suptitle(f"{title}: closest contacts (masked: hatched)")
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise SymscapeError(
            f"{path}: the figure can't be written ({error}); give a .png file in a folder that "
            "exists."
        ) from error


def _draw(panel: Any, proposal: Proposal, largest: float) -> Any:
    """Draw one slice; the first axis runs to the right."""
    grid = proposal.slice
    u, v = (axis.values for axis in grid.axes)
    image = panel.pcolormesh(
        u, v, grid.contact_ratios.T, cmap="viridis", vmin=0.0, vmax=largest, shading="nearest"
    )
    if grid.mask.any():
        panel.contourf(
            u, v, grid.mask.T.astype(float), levels=[0.5, 1.5], colors="none", hatches=["////"]
        )
    if proposal.kind == "local":
        panel.plot(*grid.origins, "+", color="white", markersize=10, markeredgewidth=2)
    first, second = (axis_label(axis.name) for axis in grid.axes)
    panel.set_xlabel(first)
    panel.set_ylabel(second)
    panel.set_title(f"{first}, {second} ({proposal.kind})", fontsize=10)
    return image
