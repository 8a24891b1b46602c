"""The command line: ``symscape``."""

from __future__ import annotations

import sys

import typer

from symscape.errors import SymscapeError

app = typer.Typer(
    name="symscape",
    help="Benchmark the energy landscapes of machine-learned interatomic potentials.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _register() -> None:
    """Attach the commands; each module imports what it needs only when it is called."""


_register()


def main() -> None:
    """Run the command line; a user's mistake is one sentence on stderr and exit code 2."""
    try:
        app()
    except SymscapeError as error:
        print(f"symscape: {error}", file=sys.stderr)
        sys.exit(2)
