"""A small reference library, made by a closed-form potential in place of DFT."""

from __future__ import annotations

import hypothesis
import pytest
from toys import store, toy_document

from symscape.references.landscape_files import load_reference

pytest_plugins = ["pytester"]

# A gate answers the same way twice: tox draws the same examples every time. pytest alone, or
# tox with --hypothesis-profile=default, draws new ones.
hypothesis.settings.register_profile("gate", derandomize=True, deadline=None, print_blob=True)


def pytest_configure(config):
    """Leave out what potentials' packages deprecate, which runs of the suite count."""
    for package in ("torch", "e3nn"):
        config.addinivalue_line("filterwarnings", f"ignore::DeprecationWarning:{package}.*")


#: hypothesis' plugin imports all of hypothesis, and runs that tests start draw nothing
WITHOUT_DRAWING = "-p no:hypothesispytest"


@pytest.fixture(scope="session", autouse=True)
def _runs_without_drawing():
    """Start what tests start without hypothesis, which takes a third of a short run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_ADDOPTS", WITHOUT_DRAWING)
        yield


@pytest.fixture
def pytester(pytester, monkeypatch):
    """Run as everything else; pytest's own fixture forgets the options of the environment."""
    monkeypatch.setenv("PYTEST_ADDOPTS", WITHOUT_DRAWING)
    return pytester


@pytest.fixture(scope="session")
def toy_file(tmp_path_factory):
    """Path of one small reference, written once."""
    return store(tmp_path_factory.mktemp("toy"), toy_document())


@pytest.fixture(scope="session")
def toy_reference(toy_file):
    """A small reference, loaded once."""
    return load_reference(toy_file)


@pytest.fixture
def toy_document_copy():
    """A fresh document that a test may spoil."""
    return toy_document()


# an example's benchmark is collected where the example is installed
collect_ignore = ["example_question", "example_family"]
