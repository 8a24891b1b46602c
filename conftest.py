"""The suite's options and fixtures come with the installed package, not from here."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

if find_spec("symscape") is None:
    raise pytest.UsageError("symscape is not installed here: pip install -e '.[chgnet]' first")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files that time the code where no test of theirs would run: they import all."""
    timed = collection_path.name.startswith("test_speed_")
    return True if timed and config.getoption("markexpr") == "not speed" else None
