"""A list of crystals goes on from the reference library alone, as a clone of it has to."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

import pytest
from crystal_lists import CRB, FCC, write_list
from typer.testing import CliRunner

from symscape.cli import app
from symscape.dft.crystal_ledger import open_crystal_ledger, status_lines
from symscape.dft.crystal_run import run_crystals
from symscape.dft.crystal_store import store_crystals
from symscape.errors import PlanError, ReferenceFileError
from symscape.references.crystals import load_crystals

BCC = """
[[crystal]]
id = "Cu-bcc"
prototype = "W (A2)"
hall_number = 529
cell = [2.95, 2.95, 2.95, 90, 90, 90]
sites = [["Cu", 0, 0, 0]]
"""
AGAIN = FCC.format(a=3.6).replace("Cu-fcc", "Cu-again")


@pytest.fixture(autouse=True)
def _workers_find_the_factories(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)


@pytest.fixture
def listed(tmp_path):
    return partial(write_list, tmp_path)


@pytest.fixture
def library(listed, tmp_path):
    """fcc copper, and another start that relaxed to it; nothing else is left of their run."""
    ledger = run_crystals(listed(FCC.format(a=3.5), AGAIN), tmp_path / "first")
    store_crystals(ledger, tmp_path)
    return tmp_path


def document(library, system="Cu"):
    return json.loads((library / "crystals" / f"{system}.json").read_text())


def test_what_the_library_holds_is_not_computed_again(listed, library):
    plan = listed(FCC.format(a=3.5), AGAIN, BCC, CRB)
    assert document(library)["provenance"]["left_out"].keys() == {"Cu-again"}
    ledger = open_crystal_ledger(plan, library / "second", library)
    assert ledger.todo == ["Cu-bcc", "AlCu-CrB"]
    assert status_lines(ledger)[0] == "Cu: 2 of 3 relaxed, 0 failed"
    before = document(library)["crystals"]
    ledger = run_crystals(plan, library / "second", library=library)
    assert set(ledger.results) == {"Cu-bcc", "AlCu-CrB"}
    files, notices = store_crystals(ledger, library)
    assert [file.name for file in files] == ["Cu.json", "Al-Cu.json"]
    assert not notices
    after = document(library)
    assert [record["id"] for record in after["crystals"]] == ["Cu-bcc", "Cu-fcc"]
    assert after["crystals"][1:] == before
    assert after["provenance"]["left_out"].keys() == {"Cu-again"}
    assert after["provenance"]["complete"] is True
    assert not open_crystal_ledger(plan, library / "third", library).todo


def test_another_start_or_mesh_is_computed_anew(listed, library):
    for changed in (FCC.format(a=3.7), FCC.format(a=3.5) + "k_density_A = 4.0\n"):
        plan = listed(changed)
        ledger = open_crystal_ledger(plan, library / "second", library)
        assert ledger.todo == ["Cu-fcc"]
    old = document(library)["crystals"][0]
    store_crystals(run_crystals(plan, library / "second", library=library), library)
    (new,) = document(library)["crystals"]
    assert new["k_mesh"] > old["k_mesh"]


def test_files_that_do_not_say_where_a_crystal_started_still_count(listed, library):
    path = library / "crystals" / "Cu.json"
    stored = document(library)
    del stored["crystals"][0]["start"]
    path.write_text(json.dumps(stored))
    assert not open_crystal_ledger(listed(FCC.format(a=3.5)), library / "x", library).todo


def test_a_crystal_that_fits_no_more_list_stays(listed, library):
    store_crystals(run_crystals(listed(BCC), library / "other"), library)
    assert [c.id for c in load_crystals([library]).crystals] == ["Cu-bcc", "Cu-fcc"]


def test_another_method_is_refused_before_and_after_the_run(listed, library):
    plan = listed(FCC.format(a=3.5))
    path = plan.path
    path.write_text(path.read_text().replace("[settings]", "[settings]\ncutoff_eV = 600"))
    arguments = ["reference", "crystals", str(path), "--references", str(library)]
    outcome = CliRunner().invoke(app, arguments)
    assert outcome.exit_code != 0
    assert isinstance(outcome.exception, PlanError)
    with pytest.raises(PlanError, match=r"crystals of Cu .* cutoff_eV = 520.0, .* says 600"):
        raise outcome.exception
    stored = document(library)
    stored["method"]["version"] = "0.1"
    (library / "crystals" / "Cu.json").write_text(json.dumps(stored))
    ledger = run_crystals(listed(BCC), library / "second", library=library)
    with pytest.raises(ReferenceFileError, match="need one method, so name another library"):
        store_crystals(ledger, library)
    assert document(library) == stored


@pytest.mark.parametrize(
    ("provenance", "says"),
    [
        ({"left_out": ["Cu-again"]}, r"'provenance\.left_out' is not an object"),
        ({"failed": "Cu-bcc"}, r"'provenance\.failed' is not an object"),
        ({"left_out": {"Cu-again": "twin"}}, r"left_out\.Cu-again' is not an object"),
    ],
)
def test_a_provenance_that_is_malformed_is_named(listed, library, provenance, says):
    path = library / "crystals" / "Cu.json"
    stored = document(library)
    stored["provenance"] |= provenance
    path.write_text(json.dumps(stored))
    with pytest.raises(ReferenceFileError, match=says) as caught:
        open_crystal_ledger(listed(FCC.format(a=3.5)), library / "x", library)
    assert "Cu.json" in str(caught.value)
