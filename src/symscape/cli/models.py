"""``symscape models``: the registered potentials and their cards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from symscape.models.card import ModelCard
    from symscape.models.registry import ModelStatus

#: of the file of a card's weights
NO_DIGEST = "not published where this could be looked up"

app = typer.Typer(
    help="List the registered potentials, show one's card, or check its weights.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@app.callback()
def models(
    context: typer.Context,
    check: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Compute what was published of a registered potential, and compare.",
        ),
    ] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="With --check: a copy of the weights, wherever it is."),
    ] = None,
) -> None:
    """List the registered potentials, show one's card, or check its weights."""
    if context.invoked_subcommand is not None:
        return
    if check is not None:
        _check(check, checkpoint)
        return
    from rich import box
    from rich.table import Table

    from symscape.models.families import families_of_others
    from symscape.models.registry import load_cards, model_status

    console = _console()
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for column in ("name", "family", "level of theory", "energies", "package", "weights"):
        table.add_column(column, no_wrap=True)
    for card in load_cards().values():
        found = model_status(card)
        table.add_row(
            card.name,
            card.family,
            card.level_of_theory,
            card.energy_convention,
            _package(found),
            "here" if found.weights else "not here",
        )
    console.print(table, markup=False, highlight=False)
    for family, package in families_of_others().items():
        console.print(f"family {family}, of {package}", markup=False, highlight=False)
    console.print(
        "\nsymscape models show NAME prints a card; --mlip FAMILY --checkpoint FILE takes your own "
        "weights,\n--mlip package.module:function anything with an ASE calculator.",
        markup=False,
        highlight=False,
    )


def _check(name: str, checkpoint: str | None) -> None:
    """Print each published value beside the model's, and whether the file is the published one.

    The exit code is 1 if one differs or no value is known.

    Raises
    ------
    ModelError
        If there is no such model or it can't be loaded.
    """
    from symscape.models.published import (
        compare_published,
        published_text,
        weights_are_the_cards,
    )
    from symscape.models.registry import resolve

    model = resolve(name, checkpoint=checkpoint)
    console = _console()
    same = weights_are_the_cards(model)
    if same is None and model.card.weights_file and not model.card.digest:
        console.print(f"SHA-256 of the weights: {NO_DIGEST}", markup=False, highlight=False)
    if same is not None:
        text = f"{'agrees' if same else 'DIFFERS'}: SHA-256 of the weights, {model.card.digest}"
        console.print(text, markup=False, highlight=False)
    found = compare_published(model)
    for one in found:
        text = (
            f"{'agrees' if one.agrees else 'DIFFERS'}: {one.found:.6f}, published "
            f"{published_text(one.published)}"
        )
        console.print(text, markup=False, highlight=False)
    if not found:
        console.print(
            f"{model.card.name}: no published value that can be computed. "
            f"{model.card.not_published}".rstrip(),
            markup=False,
            highlight=False,
        )
    if not found or same is False or not all(one.agrees for one in found):
        raise typer.Exit(1)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A registered name, as symscape models lists them.")],
) -> None:
    """Print the card of one potential, with its citation and licence."""
    from rich.table import Table

    from symscape.models.published import published_text
    from symscape.models.registry import find_card, model_status
    from symscape.models.training_sets import training_text

    card = find_card(name)
    found = model_status(card)
    console = _console()
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    options = ", ".join(f"{key} = {value}" for key, value in card.options.items())
    rows = {
        "name": card.name,
        "description": card.description,
        "family": card.family,
        "checkpoint": card.checkpoint or "",
        "options": options,
        "level of theory": card.level_of_theory,
        "energies": _convention(card),
        "training sets": training_text(card.training_sets),
        "not trained on": ", ".join(card.untrained),
        "reference": card.reference,
        "licence": card.licence,
        "parameters": f"{card.parameters:,}" if card.parameters else "",
        "published": card.date,
        "elements": card.elements,
        "links": ", ".join(card.links),
        "versions": card.package_version,
        "SHA-256": card.digest or (NO_DIGEST if card.weights_file else ""),
        "check values": "; ".join(map(published_text, card.published)) or "none published",
        "not published": card.not_published,
        "package": _package(found),
        "weights": str(found.weights) if found.weights else "not here",
    }
    for label, text in rows.items():
        if text:
            table.add_row(label, text)
    console.print(table, markup=False, highlight=False)


@app.command()
def time(
    names: Annotated[list[str], typer.Argument(help="Registered names, or whatever --mlip takes.")],
    board: Annotated[
        Path, typer.Option(help="Folder of the leaderboard that keeps the times.")
    ] = Path("reports/leaderboard"),
    slice_: Annotated[
        str, typer.Option("--slice", help="Stored slice whose structures are asked for.")
    ] = "PbTiO3-P4mm",
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps or auto.")] = "cpu",
) -> None:
    """Measure what a structure costs models, in batches and alone, and keep it for a leaderboard.

    One model after the other; nothing else should run. Models of other environments are added by
    the same command there, if machine, threads and slice are the same.
    """
    import symscape
    from symscape.leaderboard.timing import save_timings, time_model

    reference = symscape.load_reference(slice_)
    for name in names:
        found = time_model(symscape.model(name, device=device), reference)
        save_timings(board, found)
        for model, own in found.models.items():
            print(
                f"{model}: {1000 * own.seconds:.3g} ms a structure in batches, "
                f"{1000 * own.seconds_alone:.3g} ms alone, {own.gain:.1f} times"
            )


def _console() -> Console:
    """Return a console that never breaks a table's lines when the output is not a terminal."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=200)


def _package(found: ModelStatus) -> str:
    if found.version is None:
        return f'no: pip install "symscape[{found.extra}]"'
    return f"{found.distribution} {found.version}"


def _convention(card: ModelCard) -> str:
    if card.energy_convention == "MP2020":
        return "MP2020: include the Materials Project's 2020 corrections"
    return "uncorrected: as the functional gives them"
