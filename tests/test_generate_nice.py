"""Workers are nice to everything else on the machine, also where sessions share it out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from generate_plans import write_plan

from symscape.decode import encode
from symscape.dft.plan import load_plan
from symscape.dft.results import WorkerSetup

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no niceness")


def niceness_of_session(process: int) -> int | None:
    """Return what Linux's scheduler takes a session for, None where it groups nothing."""
    path = Path(f"/proc/{process}/autogroup")
    text = path.read_text() if path.exists() else ""
    return int(text.split()[-1]) if text.strip() else None


@pytest.mark.parametrize("own_session", [True, False])
def test_a_nice_worker_and_its_own_session(own_session, tmp_path):
    plan = load_plan(write_plan(tmp_path))
    setup = WorkerSetup(plan.engine, plan.settings, str(tmp_path), nice=3)
    worker = subprocess.Popen(
        [sys.executable, "-m", "symscape.dft.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=own_session,
    )
    before = niceness_of_session(os.getpid())
    try:
        worker.stdin.write(json.dumps(encode(setup)) + "\n")
        worker.stdin.flush()
        worker.stdout.readline()
        mine = os.getpriority(os.PRIO_PROCESS, 0)
        wanted = min(mine + 3, 19)
        assert os.getpriority(os.PRIO_PROCESS, worker.pid) == wanted
        session = niceness_of_session(worker.pid)
        if session is not None:
            # one that others share stays as it was
            assert session == (wanted if own_session else before)
        assert niceness_of_session(os.getpid()) == before
    finally:
        worker.kill()
        worker.communicate()
