"""``symscape cache``: what is kept on disk, and how to be rid of it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from symscape.models.cache import EnergyCache

app = typer.Typer(
    help="Look at or clear the energies that are kept on disk.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Folder = Annotated[
    Path | None,
    typer.Option("--cache-dir", help="Folder of the cache; default: the user's cache folder."),
]


@app.command()
def info(cache_dir: Folder = None) -> None:
    """Print where the cache is, how large it is, and what it holds by model."""
    with _opened(cache_dir) as cache:
        found = cache.info()
    print(f"{found.path}\n{_size(found.size)} of at most {_size(found.max_size)}")
    width = max(map(len, found.entries), default=0)
    for name, count in found.entries.items():
        print(f"{name:{width}}  {count} structure{'s' * (count != 1)}")
    if not found.entries:
        print("empty")
    if found.earlier:
        print(
            f"{_size(found.earlier)} beside it are of an earlier version of symscape and not read: "
            "'symscape cache clear' removes them too"
        )


@app.command()
def clear(
    cache_dir: Folder = None,
    model: Annotated[
        str | None, typer.Option(help="Forget this model only, by the name in reports.")
    ] = None,
) -> None:
    """Forget the energies of all models, or of one; with all, the tuned batch sizes too."""
    from symscape.errors import ModelError
    from symscape.models.batching import BatchMemory

    with _opened(cache_dir) as cache:
        known = cache.info().entries
        if model is not None and model not in known:
            names = f"holds {', '.join(known)}" if known else "is empty"
            raise ModelError(
                f"There is no model '{model}' in the cache {cache.path}, which {names}."
            )
        removed = cache.clear(model)
        if model is None:
            BatchMemory(cache.folder).clear()
    print(f"removed {removed} structure{'s' * (removed != 1)}")


@contextmanager
def _opened(folder: Path | None) -> Iterator[EnergyCache]:
    """Open the cache as `opened_cache`; what it can't do is an error."""
    with opened_cache(folder) as cache:
        yield cache
    if cache.unusable:
        raise typer.Exit(1)


@contextmanager
def opened_cache(folder: Path | None) -> Iterator[EnergyCache]:
    """Open the cache; what it warns of becomes a sentence on stderr.

    Raises
    ------
    SymscapeError
        If there is a file in the place of the folder.
    """
    from symscape.errors import SymscapeError
    from symscape.models.cache import CacheWarning, EnergyCache

    with EnergyCache(folder) as cache, warnings.catch_warnings(record=True) as caught:
        # what else warns keeps to the filters that are set
        warnings.simplefilter("always", CacheWarning)
        if cache.folder.exists() and not cache.folder.is_dir():
            raise SymscapeError(
                f"{cache.folder}: this is no folder, so no cache can be in it; name one with "
                "--cache-dir."
            )
        yield cache
    for w in caught:
        if issubclass(w.category, CacheWarning):
            print(f"symscape: {w.message}", file=sys.stderr)
        else:
            warnings.showwarning(w.message, w.category, w.filename, w.lineno)


def _size(n_bytes: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if n_bytes < 1000:
            return f"{n_bytes:.0f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} GB"
