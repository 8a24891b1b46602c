"""Bad options, settings and files of a run are one sentence, before or within it."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from bad_project import here as here
from bad_project import locked_cache
from bad_project import project as project
from bad_sentences import COMMANDS, FOREIGN, REFERENCE, the_sentence

import symscape.models.cache
import symscape.models.family
from symscape.cli import main
from symscape.models.registry import resolve

#: options behind ``pytest benchmarks/ --mlip cheap:exact``, or another ``--mlip``; usage errors
OPTIONS: dict[str, str] = {
    "--mlip chgnett": "no model 'chgnett': did you mean chgnet",
    "--mlip ,": "names no potential",
    "--mlip cheap:absent": "cheap has no 'absent'",
    "--mlip cheap:a_number": "cheap:a_number is no calculator",
    "--mlip cheap.py:absent": "cheap.py has no 'absent'",
    "--mlip absent.py:make": "There is no file .*absent.py",
    "--mlip absent_module:make": r"Can't import absent_module \(ModuleNotFoundError",
    "--mlip broken:make": r"Can't import broken \(SyntaxError",
    "--mlip :make": "':make' does not name a calculator",
    "--mlip cheap:": "'cheap:' does not name a calculator",
    "--mlip ase": "ase is no model by itself",
    "--mlip mace": "mace is a family of models",
    "--mlip prose.pth": "prose.pth is a file: write --mlip",
    "--mlip mace --checkpoint prose.pth": r'not installed: pip install "symscape\[mace\]"',
    "--mlip chgnet --checkpoint absent.pth": "no checkpoint absent.pth",
    "--mlip chgnet --checkpoint empty.pth": "empty.pth is empty",
    "--mlip chgnet --checkpoint a-folder": "a-folder is a folder, but the chgnet family",
    "--mlip chgnet --checkpoint other.pth": "of the mace family, not of chgnet: use --mlip mace",
    "--mlip frob --checkpoint prose.pth": "no model family 'frob'",
    "--mlip cheap:exact --checkpoint prose.pth": "no model family 'cheap:exact'",
    "--mlip cheap:exact,cheap:typo --checkpoint x": "say whose weights these are",
    "--mlip cheap:exact,mace --checkpoint mcae=x": "names no 'mcae'; did you mean mace",
    "--mlip cheap:exact,cheap:typo --mlip-name x": "give it with one --mlip",
    "--mlip-name a/b": "'a/b' can't name a model",
    "--mlip-name ..": r"'\.\.' can't name a model",
    "--device gpu": "Unknown device 'gpu'",
    "--device cuda:x": "Unknown device 'cuda:x'",
    "--device mps": "MPS is for Macs",
    "--batch-size 0": "--batch-size is '0'",
    "--batch-size 1.5": "--batch-size is '1.5'",
    "--batch-size many": "--batch-size is 'many'",
    "--dtype float16": "--dtype is 'float16'",
    "--dtype float64": "leave out the dtype",
    "--mlip chgnet --dtype float64": "can't compute in float64: the chgnet family has float32",
    "--model-option head": "--model-option is 'head'",
    "--model-option =x": "--model-option is '=x'",
    "--model-option head=x": "takes no option 'head'",
    "--mlip chgnet --model-option head=x": "has no option 'head'",
    "--mlip 7net-0 --model-option modalitty=x": "takes modality",
    "--point-timeout 0": "--point-timeout is '0'",
    "--point-timeout soon": "--point-timeout is 'soon'",
    "--point-timeout nan": "--point-timeout is 'nan'",
    "--material AlCo": "'AlCo' is not in the references; did you mean AlCu-Cmcm",
    "--material zzzzzz": "'zzzzzz' is not in the references",
    "--references absent": "absent: there is no such folder",
    "--references a-file": "a-file: there is no such folder",
    "--references a-folder": "a-folder: no references here",
    "--references references --references references-nan": "is stored in .* as well",
    "--tolerances strikt": "'strikt': neither a profile .* did you mean 'strict'",
    "--tolerances a-folder": "a-folder: the tolerance file can't be read",
    "--tolerances torn.toml": "torn.toml: not valid TOML",
    "--tolerances metric.toml": r"the key 'energies.maee' is unknown \(did you mean 'mae'",
    "--tolerances question.toml": r"the key 'energy' is unknown \(did you mean 'energies'",
    "--tolerances negative.toml": "'energies.mae' is -3",
    "--tolerances text.toml": "'energies.mae' is 'three'",
    "--tolerances interval.toml": r"softening_scale' is \[1.2, 0.8\]",
    "--tolerances selector.toml": r"'override\[0\].material' is not a string",
    "--tolerances loop.toml": "'loop.toml' extends itself",
    "--tolerances parent.toml": "extends 'strikt', .* did you mean 'strict'",
    "--tolerances no-reason.toml": r"'known_failure\[0\].reason' is missing",
    "--tolerances no-expiry.toml": r"'known_failure\[0\].expires' is missing",
    "--tolerances all-known.toml": "would excuse every case",
    "--tolerances wrong-known.toml": r"the key 'known_failure\[0\].mlip' is unknown",
    "--baseline absent": "'absent': neither a results file",
    "--baseline a-folder": "'a-folder': neither a results file",
    "--baseline a-file": "a-file: not valid JSON",
    "--baseline results-torn.json": "results-torn.json: not valid JSON",
    "--baseline results-newer.json": "schema version 99 is newer",
    "--baseline results-other.json": "'something-else/1'",
    "--baseline results-lacking.json": "field 'cases' is not a list",
    "--baseline-margin -1": "--baseline-margin is '-1'",
    "--baseline-margin some": "--baseline-margin is 'some'",
    "--figures mountains": "--figures has 'mountains', but there are relief and forces",
    "--figures relief,arrows": "--figures has 'arrows'",
    "--report-dir a-file": "--report-dir .*a-file is no folder",
    "--report-dir a-file/reports": "--report-dir .*a-file is no folder",
    "--cache-dir a-file": "--cache-dir .*a-file is no folder",
    "--update-tolerances a-file": "a-file: the file exists",
    "--update-tolerances a-file/new.toml": "--update-tolerances .*a-file is no folder",
}


#: what is not seen before a case runs: the case is an error, the run goes on
CASE_ERRORS: dict[str, str] = {
    "--mlip cheap:raising": "cheap:raising raised OSError .*: no licence file",
    "--mlip cheap:no_calculator": "returned str, which is no ASE calculator",
    "--mlip cheap:typo": "ValueError: first line",
    "--references references-torn": f"{REFERENCE}: not valid JSON",
    "--references references-newer": "schema is 'symscape-landscape/9'",
    "--references references-moved": "angstrom away from the one",
    "--references references-nan": "point 4 .*energy_eV' is not a finite number",
    "--references references-no-points": "no energy at all",
}


#: lines of the ini file
INI: dict[str, str] = {
    "symscape_mlip = chgnett": "no model 'chgnett'",
    "symscape_device = gpu": "Unknown device 'gpu'",
    "symscape_batch_size = many": "--batch-size is 'many'",
    "symscape_dtype = half": "--dtype is 'half'",
    "symscape_model_option = head": "--model-option is 'head'",
    "symscape_point_timeout = -3": "--point-timeout is '-3'",
    "symscape_tolerances = strikt": "did you mean 'strict'",
    "symscape_report_dir = a-file": "a-file is no folder",
    "symscape_cache_dir = a-file": "a-file is no folder",
    "symscape_baseline = absent": "'absent': neither a results file",
    "symscape_baseline_margin = x": "--baseline-margin is 'x'",
    "symscape_figures = mountains": "--figures has 'mountains'",
    "symscape_references = absent": "absent: there is no such folder",
}


@pytest.fixture
def suite(here, pytester, monkeypatch):
    """Run pytest on the project's benchmark in this process."""
    monkeypatch.chdir(here)

    def run(*arguments: str):
        if "--mlip" not in arguments and "-c" not in arguments:
            arguments = ("--mlip", "cheap:exact", *arguments)
        fixed = ("-p", "no:cacheprovider", "--rootdir", str(here))
        return pytester.runpytest_inprocess(*fixed, *arguments, str(here / "benchmarks"))

    return run


def output_of(outcome) -> str:
    return outcome.stdout.str() + "\n" + outcome.stderr.str()


@pytest.mark.parametrize("options", OPTIONS)
def test_options_are_refused_before_anything_runs(suite, options):
    outcome = suite(*options.split())
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR, output_of(outcome)
    errors = [line for line in output_of(outcome).splitlines() if line.startswith("ERROR: ")]
    assert len(errors) == 1, output_of(outcome)
    the_sentence(output_of(outcome), OPTIONS[options])
    assert re.search(OPTIONS[options], errors[0]), errors


@pytest.mark.parametrize("options", CASE_ERRORS)
def test_what_is_found_later_spoils_its_case(suite, options):
    outcome = suite(*options.split())
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED, output_of(outcome)
    for foreign in FOREIGN:
        assert foreign not in output_of(outcome)
    outcome.stdout.fnmatch_lines(["*: 0 passed, 0 failed, 1 error; report: *"])
    assert re.search(CASE_ERRORS[options], outcome.stdout.str())


@pytest.mark.parametrize("line", INI)
def test_ini_lines_are_refused_before_anything_runs(suite, here, line, tmp_path):
    ini = tmp_path / "pytest.ini"
    ini.write_text(f"[pytest]\n{line}\n")
    arguments = () if "mlip" in line else ("--mlip", "cheap:exact")
    outcome = suite("-c", str(ini), *arguments)
    assert outcome.ret in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERRUPTED)
    the_sentence(output_of(outcome), INI[line])


def test_the_list_is_long():
    assert len(COMMANDS) + len(OPTIONS) + len(CASE_ERRORS) + len(INI) >= 60


def test_a_misspelt_material_in_the_tolerances_is_noticed(suite):
    outcome = suite("--tolerances", "override.toml")
    assert outcome.ret == 0, output_of(outcome)
    outcome.stdout.fnmatch_lines(["tolerances override.toml: no stored material fits 'AlCo-*'*"])


def test_a_damaged_cache_is_set_aside(suite, here, tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "energies-2.sqlite3").write_bytes(
        (here / "torn-cache" / "energies-2.sqlite3").read_bytes()
    )
    outcome = suite("--cache-dir", str(folder))
    assert outcome.ret == 0, output_of(outcome)
    outcome.stdout.fnmatch_lines(["*is damaged; it was set aside as *"])
    assert list(folder.glob("*.damaged-*"))


def test_a_locked_cache_is_done_without(suite, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(symscape.models.cache, "PATIENCE", 0.1)
    connection = locked_cache(tmp_path / "cache")
    try:
        outcome = suite("--cache-dir", str(tmp_path / "cache"))
        monkeypatch.setattr(
            sys, "argv", ["symscape", "cache", "info", "--cache-dir", str(tmp_path / "cache")]
        )
        with pytest.raises(SystemExit) as stop:
            main()
    finally:
        connection.close()
    assert outcome.ret == 0, output_of(outcome)
    outcome.stdout.fnmatch_lines(["*can't be used (database is locked)*"])
    assert stop.value.code == 1
    assert "can't be used (database is locked)" in capsys.readouterr().err


def test_a_report_that_can_not_be_written_fails_the_run(suite, here, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("symscape.page.report.save_results", full)
    outcome = suite()
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["*report of exact can't be written*No space left on device*"])
    assert "Traceback" not in output_of(outcome)


@pytest.mark.parametrize("content", ["prose", "torn", "other pickle"])
def test_weights_that_can_not_be_loaded(tmp_path, content):
    chgnet = pytest.importorskip("chgnet")
    path = tmp_path / "x.pth"
    if content == "torn":
        whole = next(iter((tmp_path / chgnet.__file__).parent.rglob("*.pth.tar"))).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif content == "prose":
        path.write_text("these are no weights\n")
    else:
        np.save(path.open("wb"), np.arange(3), allow_pickle=True)
    model = resolve("chgnet", checkpoint=path, device="cpu")
    with pytest.raises(symscape.errors.ModelError, match="can't load the weights") as refusal:
        model.load()
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)
