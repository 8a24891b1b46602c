"""``symscape draw``: one figure of one model on one slice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast, get_args

import typer

from symscape.cli.cache import opened_cache
from symscape.cli.structures import (
    Axes,
    Block,
    CloseAtoms,
    Elements,
    MaxSize,
    StructureReader,
    Subgroup,
    Symprec,
    crystal_or_slice,
    elements_lacking,
    slices_of,
    split_names,
)
from symscape.crystal.read import MAX_SIZE_MB, is_structure_name
from symscape.drawing import FigureKind
from symscape.errors import SymscapeError, did_you_mean, writing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


#: formats of files, by the ends of their names
_ENDS = (".png", ".pdf", ".svg")


def draw(
    reference: Annotated[
        str,
        typer.Argument(
            help="A stored slice by name, PbTiO3-P4mm or PbTiO3-P4mm/Ti_z-O_z; its file, one that "
            "'slices --write' wrote, or a structure file."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The figure to write: .png, .pdf or .svg.")
    ] = Path("landscape.png"),
    mlip: Annotated[str, typer.Option(help="The potential, as for the suite.")] = "chgnet",
    kind: Annotated[
        str, typer.Option(help=f"What to draw: {', '.join(get_args(FigureKind))}.")
    ] = "landscape",
    checkpoint: Annotated[
        Path | None, typer.Option(help="Weights of one's own for the family named by --mlip.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    references: Annotated[
        Path | None,
        typer.Option(
            help="Folder where names of slices are looked up; default: references here, or the "
            "installed ones."
        ),
    ] = None,
    tall: Annotated[bool, typer.Option("--tall", help="One column, for narrow pages.")] = False,
    cache_dir: Annotated[
        Path | None, typer.Option(help="Where energies are kept; default the user's cache folder.")
    ] = None,
    axes: Axes = "",
    subgroup: Subgroup = "",
    points: Annotated[
        int, typer.Option(help="Grid values along each axis, for a structure file.")
    ] = 15,
    symprec: Symprec = None,
    block: Block = "",
    elements: Elements = "",
    max_size: MaxSize = MAX_SIZE_MB,
    close_atoms: CloseAtoms = False,
) -> None:
    """Draw one figure of a potential on one slice.

    landscape: maps of DFT, model and difference. topology: minima, saddles and lowest paths.
    forces: the same with arrows of the forces. relief: both landscapes as surfaces. Of a structure
    file, the first slice that suits it or the one that --axes or --subgroup names, the model's
    landscape alone.
    """
    import symscape

    if kind not in get_args(FigureKind):
        kinds = get_args(FigureKind)
        raise SymscapeError(
            f"--kind is {kind!r}; there are {', '.join(kinds)}{did_you_mean(kind, kinds)}"
        )
    _check_output(output)
    chosen = cast(FigureKind, kind)
    layout: Literal["wide", "tall"] = "tall" if tall else "wide"
    reading = StructureReader.told(symprec, block, elements, max_size, close_atoms)
    path = Path(reference)
    subject = crystal_or_slice(path, reading) if _is_without_dft(path) else None
    if subject is None:
        stored = symscape.load_reference(reference, references)
    potential = symscape.model(mlip, checkpoint=checkpoint, device=device)
    potential.check_installed()
    if subject is not None:
        if chosen != "landscape":
            raise SymscapeError(
                f"{reference}: without DFT energies there is a landscape only; leave out --kind."
            )
        elements_lacking([potential], subject)
        names = split_names(axes)
        (alone,) = slices_of(path, subject, axes=names, subgroup=subgroup, points=points, most=1)
        with opened_cache(cache_dir) as cache:
            evaluation = symscape.landscape(alone, potential, cache=cache)
        _save(symscape.figure(alone, evaluation, model=potential, layout=layout), output)
        typer.echo(f"wrote {output}")
        return
    with opened_cache(cache_dir) as cache:
        evaluation = symscape.landscape(stored.slice, potential, stored.valid, cache=cache)
        if stored.minimum in evaluation.failures:
            reason = evaluation.failures[stored.minimum]
            raise SymscapeError(
                f"{potential.card.name} gave no energy at the DFT minimum of {stored.id} "
                f"({reason}), so that there is nothing to compare."
            )
        figure = symscape.figure(
            stored, evaluation, model=potential, kind=chosen, layout=layout, cache=cache
        )
    _save(figure, output)
    typer.echo(f"wrote {output}")


def _is_without_dft(path: Path) -> bool:
    """Tell a file of a structure or a slice from the name or file of a reference."""
    from symscape.references.slice_file import is_slice_file

    if path.suffix == ".json":
        return is_slice_file(path)
    return path.is_file() or is_structure_name(path.name)


def _check_output(path: Path) -> None:
    """Refuse before anything is evaluated what can't be written."""
    if path.suffix not in _ENDS:
        raise SymscapeError(f"--output {path}: name a file that ends in {', '.join(_ENDS)}.")
    if not path.parent.is_dir():
        raise SymscapeError(f"--output {path}: there is no folder {path.parent}.")


def _save(figure: Figure, path: Path) -> None:
    with writing(path, "the figure", "choose another place"):
        figure.savefig(path)
