"""Small lists of crystals for the tests of relaxations for the hulls."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from symscape.dft.crystal_list import load_crystal_list
from symscape.dft.crystal_run import run_crystals
from symscape.dft.crystal_store import store_crystals

HEAD = """
licence = "CC-BY-4.0"
[settings]
functional = "Morse"
k_density_A = 1.0
[engine]
name = "ase"
factory = "{factory}"
code = "Morse"
{options}
"""


FCC = """
[[crystal]]
id = "Cu-fcc"
prototype = "Cu (A1)"
hall_number = 523
cell = [{a}, {a}, {a}, 90, 90, 90]
sites = [["Cu", 0, 0, 0]]
"""


CRB = """
[[crystal]]
id = "AlCu-CrB"
prototype = "CrB (B33)"
k_density_A = 2.0
hall_number = 298
cell = [2.35, 8.9, 3.75, 90, 90, 90]
sites = [["Al", 0, 0.33, "1/4"], ["Cu", 0, 0.07, 0.25]]
"""


def write_list(folder, *crystals, factory="generate_factories:set_morse", options=""):
    """Write a list of crystals and read it."""
    path = folder / "list.toml"
    path.write_text(HEAD.format(factory=factory, options=options) + "".join(crystals))
    return load_crystal_list(path)


@pytest.fixture(scope="module", autouse=True)
def workers_find_the_factories():
    """Workers import what plans of these tests name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        yield


@pytest.fixture(scope="module")
def relaxed(tmp_path_factory):
    """A small library, relaxed with a Morse potential."""
    folder = tmp_path_factory.mktemp("library")
    plan = write_list(folder, FCC.format(a=3.5), CRB)
    ledger = run_crystals(plan, folder / "out", jobs=2, command="symscape reference crystals")
    files, notices = store_crystals(ledger, folder)
    assert not notices
    assert [file.name for file in files] == ["Cu.json", "Al-Cu.json"]
    return folder / "crystals"


@pytest.fixture
def library(relaxed, tmp_path):
    shutil.copytree(relaxed, tmp_path / "crystals")
    return tmp_path
