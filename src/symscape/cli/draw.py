"""``symscape draw``: one figure of one model on one slice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast, get_args

import typer

from symscape.api import FigureKind
from symscape.cli.cache import opened_cache
from symscape.errors import SymscapeError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: formats of files, by the ends of their names
_ENDS = (".png", ".pdf", ".svg")


def draw(
    reference: Annotated[
        str,
        typer.Argument(help="A stored slice by name, PbTiO3-P4mm or PbTiO3-P4mm/Ti_z-O_z; a file."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The figure to write: .png, .pdf or .svg.")
    ],
    mlip: Annotated[str, typer.Option(help="The potential, as for the suite.")] = "chgnet",
    kind: Annotated[
        str, typer.Option(help=f"What to draw: {', '.join(get_args(FigureKind))}.")
    ] = "landscape",
    checkpoint: Annotated[
        Path | None, typer.Option(help="Weights of one's own for the family named by --mlip.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    references: Annotated[
        Path, typer.Option(help="Folder where names of slices are looked up.")
    ] = Path("references"),
    tall: Annotated[bool, typer.Option("--tall", help="One column, for narrow pages.")] = False,
    cache_dir: Annotated[
        Path | None, typer.Option(help="Where energies are kept; default the user's cache folder.")
    ] = None,
) -> None:
    """Draw one figure of a potential on one slice.

    landscape: maps of DFT, model and difference. topology: minima, saddles and lowest paths.
    forces: the same with arrows of the forces. relief: both landscapes as surfaces.
    """
    import symscape

    if kind not in get_args(FigureKind):
        raise SymscapeError(f"--kind is {kind!r}; there are {', '.join(get_args(FigureKind))}.")
    _check_output(output)
    stored = symscape.load_reference(reference, references)
    potential = symscape.model(mlip, checkpoint=checkpoint, device=device)
    potential.check_installed()
    chosen = cast(FigureKind, kind)
    layout: Literal["wide", "tall"] = "tall" if tall else "wide"
    with opened_cache(cache_dir) as cache:
        evaluation = symscape.evaluate_slice(potential, stored.slice, stored.valid, cache=cache)
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


def _check_output(path: Path) -> None:
    """Refuse before anything is evaluated what can't be written."""
    if path.suffix not in _ENDS:
        raise SymscapeError(f"--output {path}: name a file that ends in {', '.join(_ENDS)}.")
    if not path.parent.is_dir():
        raise SymscapeError(f"--output {path}: there is no folder {path.parent}.")


def _save(figure: Figure, path: Path) -> None:
    try:
        figure.savefig(path)
    except OSError as error:
        raise SymscapeError(
            f"{path}: the figure can't be written ({error.strerror}); choose another place."
        ) from error
