"""Grids are computed once and for all, whatever happens to the processes that compute them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase.calculators.emt import EMT
from generate_plans import AXES, write_plan

from symscape.dft.events import OF_PLANS, Forgiven, PointDone, PointFailed
from symscape.dft.grid_ledger import open_ledger, snake_order
from symscape.dft.grid_run import run_plan
from symscape.dft.grid_store import edge_warning, finish
from symscape.dft.journal import Journal, read_journal
from symscape.dft.plan import load_plan
from symscape.errors import EngineError, PlanError
from symscape.progress import Progress
from symscape.references.landscape_files import load_reference

HERE = Path(__file__).parent
RUN_WITH_TWO_WORKERS = """
import signal
import sys
# a shell starts what runs in its background deaf to Ctrl-C, and so whatever that starts
signal.signal(signal.SIGINT, signal.default_int_handler)
from symscape.dft.plan import load_plan
from symscape.dft.grid_run import run_plan
run_plan(load_plan(sys.argv[1]), jobs=2)
"""


@pytest.fixture(autouse=True)
def factories(monkeypatch):
    """Let workers import the factories."""
    monkeypatch.setenv("PYTHONPATH", str(HERE), prepend=os.pathsep)


def numbers(path):
    """What a reference holds, as (energies, forces)."""
    reference = load_reference(path)
    return reference.energies, reference.forces


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The 4 x 4 grid, computed in one go."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return finish(run_plan(load_plan(write_plan(folder, points=4))), folder / "refs")


def test_a_grid_is_what_the_calculator_gives_point_by_point(undisturbed):
    reference = load_reference(undisturbed)
    energies, forces = numbers(undisturbed)
    for k, atoms in enumerate(reference.structures()):
        atoms.calc = EMT()
        where = divmod(k, 4)
        assert energies[where] == pytest.approx(atoms.get_potential_energy() / 4, abs=1e-7)
        np.testing.assert_allclose(forces[where], atoms.get_forces(), atol=1e-5)
    assert reference.method.code == "a test"
    assert reference.method.functional == "EMT"
    assert reference.method.cutoff_eV is None  # EMT took no notice of it
    assert reference.provenance.complete is True
    assert reference.provenance.licence == "CC-BY-4.0"


def test_stress_may_be_left_out_of_a_grid(tmp_path):
    """What a journal holds of it stays there; energies and forces are the same."""
    axes = AXES.replace(
        '"Al_y"\nstart = 0.33\nstop = 0.39', '"volume"\nrelative_span = [-0.1, 0.1]'
    )
    path = write_plan(tmp_path, "generate_factories:morse", points=3, axes=axes)
    plan = load_plan(path)
    run_plan(plan, only=set(range(4)))
    with_stress = load_reference(finish(open_ledger(plan), tmp_path / "with"))
    path.write_text("stress = false\n" + path.read_text())
    without = load_reference(finish(run_plan(load_plan(path)), tmp_path / "without"))
    assert with_stress.stresses is not None
    assert without.stresses is None
    events = open_ledger(plan).events_of(PointDone)
    assert [e.stress_eV_A3 is not None for e in events] == [True] * 4 + [False] * 5
    both = with_stress.valid
    np.testing.assert_array_equal(with_stress.energies[both], without.energies[both])
    np.testing.assert_array_equal(with_stress.forces[both], without.forces[both])


def test_a_worker_killed_in_the_middle_costs_one_point(tmp_path, undisturbed):
    marker = tmp_path / "killed"
    plan = load_plan(
        write_plan(
            tmp_path, "generate_factories:killed_once", points=4, options=f'marker = "{marker}"'
        )
    )
    ledger = run_plan(plan)
    assert marker.exists()
    failed = ledger.events_of(PointFailed)
    assert [event.failed for event in failed] == ["the worker was killed by signal 9"]
    assert not ledger.failed
    again = finish(ledger, tmp_path / "refs")
    for got, expected in zip(numbers(again), numbers(undisturbed), strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_killed_in_the_middle_goes_on_where_it_was(tmp_path, undisturbed, sign):
    path = write_plan(tmp_path, "generate_factories:slow_emt", points=4, options="seconds = 1.0")
    journal = path.with_suffix(".journal.jsonl")
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            RUN_WITH_TWO_WORKERS,
            str(path),
        ],
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while not journal.exists() or journal.read_text().count('"point"') < 2:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        workers = children_of(process.pid)
        process.send_signal(sign)
        process.wait(timeout=90)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert len(workers) == 2
    deadline = time.monotonic() + 60
    while any(alive(pid) for pid in workers):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)
    before = [e for e in read_journal(journal, OF_PLANS) if isinstance(e, PointDone)]
    assert 2 <= len(before) < 16
    fast = path.read_text().replace("seconds = 1.0", "seconds = 0.0")
    path.write_text(fast)
    lines = journal.read_text().replace('"seconds": 1.0', '"seconds": 0.0')
    journal.write_text(lines)
    ledger = run_plan(load_plan(path), jobs=2)
    assert len(ledger.events_of(PointDone)) == 16  # none of the first was computed again
    for got, expected in zip(
        numbers(finish(ledger, tmp_path / "refs")), numbers(undisturbed), strict=True
    ):
        np.testing.assert_array_equal(got, expected)


def children_of(pid):
    """Process ids of direct children."""
    return [
        int(line)
        for line in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if "worker" in Path(f"/proc/{line}/cmdline").read_text()
    ]


def alive(pid):
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_points_that_fail_are_tried_with_more_care(tmp_path):
    plan = load_plan(write_plan(tmp_path, "generate_factories:needs_care", options="below = 0.35"))
    ledger = run_plan(plan)
    failures = ledger.events_of(PointFailed)
    assert failures
    assert {event.care for event in failures} == {0}
    assert all("the SCF did not converge" in event.failed for event in failures)
    careful = [event for event in ledger.points.values() if event.care == 1]
    assert len(careful) == len(failures) < 9
    assert not ledger.failed


def test_points_that_fail_for_good_are_recorded_and_never_invented(tmp_path):
    plan = load_plan(
        write_plan(
            tmp_path,
            "generate_factories:needs_care",
            options="below = 0.35, patience = 9",
        )
    )
    said = []
    ledger = run_plan(plan, progress=Progress(said.append))
    assert len(ledger.failed) == 3
    assert len(ledger.events_of(PointFailed)) == 9
    assert sum("failed 3 times" in line for line in said) == 3
    reference = load_reference(finish(ledger, tmp_path / "refs"))
    assert np.isnan(reference.energies).sum() == 3
    assert reference.provenance.complete is False
    document = json.loads(reference.path.read_text())
    reasons = [point["failed"] for point in document["points"] if "failed" in point]
    assert reasons == ["RuntimeError: the SCF did not converge"] * 3
    # they stay failed until somebody asks for them
    assert len(run_plan(plan).events_of(PointFailed)) == 9
    assert len(run_plan(plan, retry_failed=True).events_of(PointFailed)) == 18


def test_a_moved_calculator_that_refuses_is_replaced(tmp_path):
    ledger = run_plan(load_plan(write_plan(tmp_path, "generate_factories:choosy")))
    assert len(ledger.done) == 9
    assert not ledger.failures
    restarted = [e for e in ledger.points.values() if "symmetry broken" in e.restarted]
    assert len(restarted) == 8


def test_a_calculator_that_hangs_is_ended(tmp_path):
    marker = tmp_path / "hung"
    plan = load_plan(
        write_plan(tmp_path, "generate_factories:hangs", options=f'marker = "{marker}"')
    )
    ledger = run_plan(plan, timeout_s=1.5)
    assert [event.failed for event in ledger.events_of(PointFailed)] == ["no result after 1.5 s"]
    assert len(ledger.done) == 9


def test_settings_that_fail_everywhere_stop_the_run(tmp_path):
    plan = load_plan(write_plan(tmp_path, "generate_factories:hopeless"))
    with pytest.raises(EngineError, match=r"first 4 points all failed with .*no licence") as caught:
        run_plan(plan)
    assert "\n" not in str(caught.value)
    assert not open_ledger(plan).points


@pytest.mark.parametrize(
    ("factory", "sentence"),
    [
        ("absent_module:make", "can't be imported"),
        ("generate_factories:absent", "can't be imported"),
        ("generate_factories:HERE_IS_NOTHING", "can't be imported"),
    ],
)
def test_a_factory_that_is_not_there_is_one_sentence(tmp_path, factory, sentence):
    plan = load_plan(write_plan(tmp_path, factory))
    with pytest.raises(EngineError, match=sentence):
        run_plan(plan)
    assert not read_journal(plan.journal_path, OF_PLANS)


def test_what_a_calculator_prints_stays_out_of_the_results(tmp_path):
    plan = load_plan(write_plan(tmp_path, "generate_factories:chatty_emt"))
    ledger = run_plan(plan)
    assert len(ledger.done) == 9
    folder = plan.output_folder / "worker-0"
    assert (folder / "asked.txt").read_text() == f"520.0 {list(ledger.settings.k_mesh)} 0"
    assert "must not get between" in (folder / "stderr.txt").read_text()
    assert load_reference(finish(ledger, tmp_path)).method.cutoff_eV == 520


# -------------------------------------------------------------------------------- the journal


def test_a_torn_last_line_is_dropped(tmp_path):
    path = tmp_path / "x.jsonl"
    with Journal(path) as journal:
        journal.append(Forgiven(time="1"))
        journal.append(Forgiven(time="2"))
    whole = path.read_bytes()
    for cut in range(1, 20):
        path.write_bytes(whole[:-cut])
        kept = 2 if cut == 1 else 1  # without its newline a line is still whole
        assert len(read_journal(path, OF_PLANS)) == kept
        with Journal(path) as journal:
            journal.append(Forgiven(time="3"))
        assert [event.time for event in read_journal(path, [Forgiven])] == [*"12"[:kept], "3"]


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"event": "forgiven"}\n{"eve\n{"event": "forgiven"}\n')
    with pytest.raises(PlanError, match="line 2 of the journal is damaged"):
        read_journal(path, OF_PLANS)


def test_two_runs_do_not_write_one_journal(tmp_path):
    plan = load_plan(write_plan(tmp_path))
    with (
        Journal(plan.journal_path),
        pytest.raises(PlanError, match="another process is computing"),
    ):
        run_plan(plan)


def test_a_journal_of_other_settings_is_refused(tmp_path):
    path = write_plan(tmp_path)
    run_plan(load_plan(path))
    path.write_text(path.read_text().replace('"EMT"', '"EMT"\ncutoff_eV = 600'))
    with pytest.raises(PlanError, match=r"cutoff_eV = 520.0, but the plan says 600.0"):
        open_ledger(load_plan(path))
    path.write_text(
        path.read_text().replace("cutoff_eV = 600", "").replace("a test", "another code")
    )
    with pytest.raises(PlanError, match=r"another \[engine\]"):
        open_ledger(load_plan(path))


def test_a_grid_may_grow_and_keeps_its_points(tmp_path):
    path = write_plan(tmp_path, points=3)
    run_plan(load_plan(path))
    path.write_text(path.read_text().replace("points = 3", "points = 5"))
    ledger = open_ledger(load_plan(path))
    assert (len(ledger.done), len(ledger.order), ledger.strangers) == (9, 25, 0)
    path.write_text(path.read_text().replace("stop = 0.39", "stop = 0.40"))
    ledger = open_ledger(load_plan(path))
    assert (len(ledger.done), ledger.strangers) == (3, 6)


# ---------------------------------------------------------------------------- order, progress


def test_the_snake_moves_one_step_at_a_time(tmp_path):
    plan = load_plan(write_plan(tmp_path, points=5))
    order = snake_order(plan.slice)
    assert sorted(order) == list(range(25))
    steps = np.abs(np.diff([divmod(k, 5) for k in order], axis=0)).sum(axis=1)
    assert (steps == 1).all()


def test_the_cell_changes_as_seldom_as_it_can(tmp_path):
    axes = """
[[axes]]
name = "Al_y"
span = [-0.03, 0.03]
points = 4
[[axes]]
name = "c/a"
relative_span = [-0.05, 0.05]
points = 3
"""
    plan = load_plan(write_plan(tmp_path, axes=axes))
    cells = plan.slice.structures().cells[snake_order(plan.slice)]
    changes = np.abs(np.diff(cells, axis=0)).max(axis=(1, 2)) > 1e-9
    assert changes.sum() == 2
    assert plan.moves_lattice


def test_a_minimum_on_the_edge_is_pointed_out(tmp_path):
    the_slice = load_plan(write_plan(tmp_path, points=5)).slice
    bowl = np.add.outer(np.arange(-2, 3) ** 2, np.arange(-2, 3) ** 2).astype(float)
    assert edge_warning(the_slice, bowl) is None
    tilted = bowl - 10.0 * np.arange(5)[None, :]
    assert "edge of the grid (Cu_y = 0.1)" in edge_warning(the_slice, tilted)
    assert edge_warning(the_slice, np.full((5, 5), np.nan)) is None


def test_nothing_computed_is_nothing_to_store(tmp_path):
    plan = load_plan(write_plan(tmp_path))
    with pytest.raises(PlanError, match="no point has been computed yet"):
        finish(open_ledger(plan), tmp_path)


def test_workers_leave_no_process_behind(tmp_path):
    run_plan(load_plan(write_plan(tmp_path)), jobs=2)
    assert not children_of(os.getpid())
