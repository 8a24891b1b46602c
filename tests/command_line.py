"""The command line called within the process of the tests."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from symscape.cli import main


@pytest.fixture
def typed(monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    """Return what calls ``symscape`` with words: exit code, what was printed, what was said."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["symscape", *map(str, words)])
        capsys.readouterr()
        code: str | int | None = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        output = capsys.readouterr()
        return int(code or 0), output.out, output.err

    return call
