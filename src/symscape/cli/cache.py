"""``symscape cache``: what is kept on disk, and how to be rid of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
    from symscape.models.cache import EnergyCache

    with EnergyCache(cache_dir) as cache:
        found = cache.info()
    print(f"{found.path}\n{_size(found.size)} of at most {_size(found.max_size)}")
    width = max(map(len, found.entries), default=0)
    for name, count in found.entries.items():
        print(f"{name:{width}}  {count} structure{'s' * (count != 1)}")
    if not found.entries:
        print("empty")


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
    from symscape.models.cache import EnergyCache

    with EnergyCache(cache_dir) as cache:
        known = cache.info().entries
        if model is not None and model not in known:
            names = ", ".join(known) or "nothing"
            raise ModelError(f"The cache {cache.path} holds no model '{model}', but {names}.")
        removed = cache.clear(model)
        if model is None:
            BatchMemory(cache.folder).clear()
    print(f"removed {removed} structure{'s' * (removed != 1)}")


def _size(n_bytes: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if n_bytes < 1000:
            return f"{n_bytes:.0f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} GB"
