"""The benchmarks of the package, run from another folder or within another project's tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from symscape.places import benchmark_files, suite_folder


def add_benchmarks(config: pytest.Config) -> None:
    """Let pytest collect the package's benchmarks beside what it was going to.

    Raises
    ------
    pytest.UsageError
        If this installation has none.
    """
    files = [str(file) for file in benchmark_files()]
    if not files:
        raise pytest.UsageError(
            "--symscape-suite: this installation of symscape has no benchmarks; install its wheel."
        )
    config.args.extend(file for file in files if file not in config.args)


class BenchmarkModule(pytest.Module):
    """A module of the package, imported by its path.

    A user's ``test_hull.py`` and the package's would be one module to pytest's default way of
    importing, which puts folders on ``sys.path``.
    """

    def _getobj(self) -> ModuleType:
        name = f"symscape_benchmarks.{self.path.stem}"
        if name not in sys.modules:
            spec = importlib.util.spec_from_file_location(name, self.path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            spec.loader.exec_module(module)
        return sys.modules[name]


def benchmark_module(path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Return the collector of a benchmark, named as in a clone; None for any other file.

    Beside somebody's own tests (``--symscape-suite``) the name says whose it is.
    """
    beside = parent.config.getoption("--symscape-suite")
    apart = parent.config.rootpath != suite_folder()
    if not (beside or apart) or path not in benchmark_files():
        return None
    name = f"{'symscape/' if beside else ''}benchmarks/{path.name}"
    return BenchmarkModule.from_parent(parent, path=path, nodeid=name)
