"""Energies that the workers of a run without a cache share, and that end with it.

Without a cache nothing is taken from earlier runs and nothing is left for later ones. Within a run,
one process keeps what several questions ask for; several processes need a folder for that, or each
would compute it again.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

#: in what pytest-xdist hands a worker: the folder
_KEY = "symscape_run_cache"
_FOLDER = pytest.StashKey[Path]()


def share_folder(config: pytest.Config, workerinput: dict[str, Any]) -> None:
    """Give a worker the run's folder, made with the first worker and removed with the run."""
    if not config.getoption("--no-cache"):
        return
    if _FOLDER not in config.stash:
        folder = tempfile.TemporaryDirectory(prefix="symscape-", ignore_cleanup_errors=True)
        config.add_cleanup(folder.cleanup)
        config.stash[_FOLDER] = Path(folder.name)
    workerinput[_KEY] = str(config.stash[_FOLDER])


def shared_folder(config: pytest.Config) -> Path | None:
    """Return the folder that the workers of this run share; None in a process alone."""
    found = getattr(config, "workerinput", {}).get(_KEY)
    return None if found is None else Path(found)
