"""The command line: ``symscape``."""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated

import typer

from symscape.cli.guide import OrderedGroup, annotate
from symscape.errors import SymscapeError

app = typer.Typer(
    name="symscape",
    cls=OrderedGroup,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _register() -> None:
    """Attach the commands; each module imports what it needs only when it is called."""
    from symscape.cli import cache, hull, materials, models, reference, run
    from symscape.cli.check_run import check_run
    from symscape.cli.dataset import import_
    from symscape.cli.draw import draw
    from symscape.cli.history import history
    from symscape.cli.init import init
    from symscape.cli.landscape import landscape
    from symscape.cli.leaderboard import leaderboard
    from symscape.cli.merge import merge
    from symscape.cli.slices import slices
    from symscape.cli.validate import validate

    app.command("slices")(slices)
    app.add_typer(models.app, name="models")
    app.add_typer(cache.app, name="cache")
    app.add_typer(reference.app, name="reference")
    app.command("run", context_settings=run.PASS_ON)(run.run)
    app.command("check-run")(check_run)
    app.command("init")(init)
    app.command("materials")(materials.materials)
    app.command("draw")(draw)
    app.command("landscape")(landscape)
    app.command("import")(import_)
    app.add_typer(hull.app, name="hull")
    app.command("history")(history)
    app.command("merge")(merge)
    app.command("leaderboard")(leaderboard)
    app.command("validate")(validate)


_register()
annotate(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"symscape {version('symscape')}")
        raise typer.Exit()


@app.callback()
def _commands(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Benchmark the energy landscapes of machine-learned interatomic potentials.

    References are DFT energies on slices of the energy landscape that keep a crystal's space
    group. 'symscape run' compares a potential with them and writes a report.
    """


def main() -> None:
    """Run the command line; a user's mistake is one sentence on stderr and exit code 2."""
    # spglib tells every tolerance that it fails at, and another one is tried
    os.environ.setdefault("SPGLIB_WARNING", "OFF")
    # a pipe on Windows has no letters of all alphabets, and no command ends for want of one
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        app()
    except SymscapeError as error:
        print(f"symscape: {error}", file=sys.stderr)
        sys.exit(2)
