"""Nothing is set up here: the suite's options and fixtures come with the installed package."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

if find_spec("symscape") is None:
    raise pytest.UsageError("symscape is not installed here: pip install -e '.[chgnet]' first")
