"""Lists of crystals are relaxed, interrupted and gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from crystal_lists import CRB, FCC, write_list
from crystal_lists import workers_find_the_factories as workers_find_the_factories
from typer.testing import CliRunner

from symscape.cli import app
from symscape.dft.crystal_ledger import open_crystal_ledger
from symscape.dft.crystal_list import load_crystal_list
from symscape.dft.crystal_run import run_crystals
from symscape.dft.crystal_store import store_crystals
from symscape.errors import EngineError, PlanError
from symscape.references.crystals import load_crystals


@pytest.fixture
def listed(tmp_path):
    return partial(write_list, tmp_path)


def test_one_crystal_from_two_starts_is_stored_once(listed, tmp_path):
    again = FCC.format(a=3.6).replace("Cu-fcc", "Cu-again")
    ledger = run_crystals(listed(FCC.format(a=3.8), again), tmp_path / "out")
    _, notices = store_crystals(ledger, tmp_path)
    assert notices == ["Cu-again has relaxed to Cu-fcc and is left out"]
    assert [c.id for c in load_crystals([tmp_path]).crystals] == ["Cu-fcc"]


def test_failures_are_recorded_and_tried_again_only_when_asked(listed, tmp_path):
    plan = listed(FCC.format(a=3.8), CRB, "[relax]\nmax_steps = 2\n")
    ledger = run_crystals(plan, tmp_path / "out")
    assert set(ledger.failed) == {"Cu-fcc", "AlCu-CrB"}
    assert "has not converged after 2 steps" in ledger.reason("AlCu-CrB")
    assert run_crystals(plan, tmp_path / "out").failed == ledger.failed
    enough = listed(FCC.format(a=3.8), CRB, "[relax]\nmax_steps = 60\n")
    assert not open_crystal_ledger(enough, tmp_path / "out").todo
    ledger = run_crystals(enough, tmp_path / "out", retry_failed=True)
    assert not ledger.failed
    assert set(ledger.done) == {"Cu-fcc", "AlCu-CrB"}


def test_an_engine_that_always_fails_ends_the_run(listed, tmp_path):
    copies = [FCC.format(a=3.8).replace("Cu-fcc", f"Cu-{k}") for k in range(5)]
    plan = listed(*copies, factory="generate_factories:hopeless")
    with pytest.raises(EngineError, match="the first 4 crystals all failed"):
        run_crystals(plan, tmp_path / "out")


def test_a_killed_run_goes_on_where_it_was(listed, tmp_path):
    slow = {"factory": "generate_factories:slow_emt", "options": "options = { seconds = 0.02 }"}
    plan = listed(FCC.format(a=3.5), CRB, **slow)
    command = [sys.executable, "-m", "symscape", "reference", "crystals", str(plan.path)]
    command += ["--references", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command[1:3] = ["-c", "from symscape.cli import main; main()"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    journal = tmp_path / "list.out" / "AlCu-CrB.journal.jsonl"
    deadline = time.monotonic() + 120
    while not (journal.exists() and journal.read_text().count("\n") >= 3):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    lines = journal.read_text().splitlines()
    assert (tmp_path / "list.out" / "Cu-fcc.relaxed.json").exists()
    assert load_crystals([tmp_path]).systems == ("Cu",)  # stored as they come
    ledger = run_crystals(plan, tmp_path / "list.out")
    assert set(ledger.done) == {"Cu-fcc", "AlCu-CrB"}
    assert journal.read_text().splitlines()[:3] == lines[:3]


def test_other_settings_are_refused(listed, tmp_path):
    run_crystals(listed(FCC.format(a=3.8)), tmp_path / "out")
    changed = listed(FCC.format(a=3.8) + "k_density_A = 3.0\n")
    with pytest.raises(PlanError, match="Cu-fcc was computed with k_mesh"):
        open_crystal_ledger(changed, tmp_path / "out")
    with pytest.raises(PlanError, match="relaxed from another crystal"):
        open_crystal_ledger(listed(FCC.format(a=3.7)), tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there is nothing to relax"),
        (FCC.format(a=3.8) * 2, "'Cu-fcc' is listed twice"),
        (FCC.format(a=3.8) + "k_density_A = 0.5", "at least the common 1"),
        (FCC.format(a=3.8).replace("Cu-fcc", "../x"), "can't be a file's name"),
        (
            FCC.format(a=3.8).replace("hall_number", "hall"),
            r"\[0\].hall' is unknown",
        ),
        (FCC.format(a=3.8) + "[relax]\nforce_eV_A = 0.1", "force_eV_A must be at most 0.02"),
        (FCC.format(a=3.8) + "[relax]\ncutoff_eV = 600", "the key 'relax.cutoff_eV' is unknown"),
        (FCC.format(a='"x"'), r"'crystal\[0\].cell\[0\]' is not a number"),
    ],
)
def test_lists_that_make_no_sense_are_refused(listed, text, says):
    with pytest.raises(PlanError, match=says) as caught:
        listed(text)
    assert "\n" not in str(caught.value)


def test_meshes_keep_the_symmetry_of_centred_lattices(listed):
    bct = """
[[crystal]]
id = "Si-BCT5"
hall_number = 424
cell = [3.4, 3.4, 6.1, 90, 90, 90]
sites = [["Si", 0, 0, 0.2]]
"""
    (planned,) = listed(bct).crystals
    assert len(set(planned.settings.k_mesh)) == 1


def test_the_command_shows_how_far_it_is(listed, tmp_path):
    plan = listed(FCC.format(a=3.8), CRB)
    arguments = ["reference", "crystals", str(plan.path), "--references", str(tmp_path)]
    outcome = CliRunner().invoke(app, [*arguments, "--status"])
    assert outcome.stdout.splitlines() == [
        "Cu: 0 of 1 relaxed, 0 failed",
        "Al-Cu: 0 of 1 relaxed, 0 failed",
    ]
    run_crystals(plan, tmp_path / "list.out")
    outcome = CliRunner().invoke(app, [*arguments, "--finish"])
    assert outcome.exit_code == 0
    assert "Al-Cu: 1 of 1 relaxed" in outcome.stdout
    assert len(load_crystals([tmp_path])) == 2


def test_the_list_of_the_library_is_what_the_library_needs():
    plan = load_crystal_list(Path(__file__).parents[1] / "references" / "plans" / "crystals.toml")
    systems = {planned.system for planned in plan.crystals}
    assert len(plan.crystals) >= 80
    assert sum(system.count("-") == 1 for system in systems) >= 6
    assert sum(system.count("-") == 2 for system in systems) >= 1
    for system in systems:  # every element and every edge of a ternary has crystals
        elements = system.split("-")
        assert set(elements) <= systems
    assert {planned.crystal.system for planned in plan.crystals} >= {
        "cubic", "hexagonal", "trigonal", "tetragonal", "orthorhombic", "monoclinic",
    }  # fmt: skip
