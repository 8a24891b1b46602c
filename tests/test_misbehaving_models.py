"""Models that raise, garble, hang or die spoil only their own cases."""

from __future__ import annotations

import json
import os

import pytest
from interrupted_project import imported as imported
from interrupted_project import library as library
from interrupted_project import project as project
from toys import store

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and signals")


# -- models that misbehave ------------------------------------------------------------------------

#: model -> what its report says
MISBEHAVIOUR = {
    "nan": "the model returned NaN or infinity",
    "raising": "this network has no weights",
    "garbling": "RuntimeError: weights ",
    "greedy": "out of memory",
    "leaving": "SystemExit: licence server is down",
    "lacking": "a_package_that_is_not_there",
}


def test_models_that_misbehave_spoil_only_their_own_cases(project):
    names = [*MISBEHAVIOUR, "exact"]
    code = project.run("--mlip", ",".join(f"slowly:{name}" for name in names))
    assert code == 1, project.output
    for model, reason in MISBEHAVIOUR.items():
        cases = project.results(model)["cases"]
        assert len(cases) == 4, project.output
        assert not [case for case in cases if case["status"] == "passed"], model
        for name in ("results.json", "index.html"):
            assert reason in project.text(model, name), (model, name)
    exact = project.results("exact")["cases"]
    assert {case["status"] for case in exact if case["question"] == "energies"} == {"passed"}
    assert not [case for case in exact if case["status"] == "error"]


def test_models_that_hang_or_kill_their_process_spoil_only_their_own_cases(project, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(project.folder))
    arguments = ("--point-timeout", "1", "-k", "energies and AlCu")
    one = project.folder / "references" / "AlCu-Cmcm" / "Al_y-Cu_y.json"
    document = json.loads(one.read_text())
    del document["points"][2:]  # each costs a new process
    other = project.folder / "short"
    store(other, document)
    models = "slowly:hanging,slowly:dying,slowly:exact"
    code = project.run("--mlip", models, "--references", "short", *arguments)
    assert code == 1, project.output
    for model, reason in {
        "hanging": "the model took longer than 1 s",
        "dying": "the process that ran the model died (exit code -9)",
    }.items():
        (case,) = project.results(model)["cases"]
        assert case["status"] in ("failed", "error")
        assert reason in project.text(model, "results.json")
        assert reason in project.text(model, "index.html")
    (case,) = project.results("exact")["cases"]
    assert not case["detail"].get("failed_points")
