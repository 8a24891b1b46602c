"""Whatever is wrong with what a user gives, the answer is one sentence and a sensible exit code."""

from __future__ import annotations

import json
import re
import sys

import pytest
from bad_project import build_project
from bad_sentences import COMMANDS, the_sentence
from inprocess import import_lazy_modules, without_figures
from toys import toy_document

import symscape.models.cache
import symscape.models.family
from symscape.cli import main
from symscape.models.card import ModelCard
from symscape.questions.energies import judge_energies
from symscape.references.store import load_reference, write_reference
from symscape.results.run_results import RunResults, save_results, summarize_reference
from symscape.verdict.tolerances import load_tolerances


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project in which something is wrong with nearly every file."""
    folder = tmp_path_factory.mktemp("bad")
    document = toy_document(points=3)
    reference = load_reference(write_reference(folder / "good", document))
    case = judge_energies(reference, reference.energies, load_tolerances(), model="exact")
    run = RunResults(
        model=ModelCard("exact", "ase"),
        fingerprint="exact",
        cases=(case,),
        references=(summarize_reference(reference),),
        versions={},
        started="2026-01-01T00:00:00+00:00",
        wall_seconds=0.0,
        tolerances="default",
    )
    results = json.loads(save_results(folder / "results.json", run).read_text())
    with pytest.MonkeyPatch.context() as monkeypatch:
        without_figures(monkeypatch)
        import_lazy_modules(folder / "lazy", reference)
    return build_project(folder / "project", document, results)


@pytest.fixture
def here(project, monkeypatch, tmp_path):
    """The project as the current folder; of the model packages only mace is missing."""
    monkeypatch.chdir(project)
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.setenv("PYTHONPATH", str(project))
    monkeypatch.delenv("MP_API_KEY", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
    monkeypatch.setattr(
        symscape.models.family,
        "package_folder",
        lambda package: None if package == "mace" else tmp_path,
    )
    without_figures(monkeypatch)
    known = set(sys.modules)
    yield project
    # modules of this project must not be taken for those of the next one, of the same names
    for name in set(sys.modules) - known:
        if name in ("broken", "cheap") or name.startswith("symscape_calculator"):
            del sys.modules[name]


@pytest.mark.parametrize("typed", COMMANDS)
def test_commands_answer_with_a_sentence(here, typed, monkeypatch, capsys):
    code, pattern = COMMANDS[typed]
    monkeypatch.setattr(sys, "argv", ["symscape", *typed.split()])
    with pytest.raises(SystemExit) as stop:
        main()
    output = capsys.readouterr()
    assert stop.value.code == code, output
    the_sentence(output.err, pattern)
    if not typed.startswith("validate "):
        problems = [x for x in output.err.splitlines() if x.startswith(("symscape: ", "Error: "))]
        assert len(problems) == 1, output.err
        assert re.search(pattern, problems[0]), output.err
