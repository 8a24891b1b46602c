"""A path means what the person who wrote it means: typed, from here; in an ini file, from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from symscape.errors import ResultsFileError
from symscape.suite.gate import load_baseline
from symscape.suite.settings import read_settings

#: option, ini name or None, field of the settings
PATH_OPTIONS = [
    ("--references", "symscape_references", "references"),
    ("--report-dir", "symscape_report_dir", "report_dir"),
    ("--cache-dir", "symscape_cache_dir", "cache_dir"),
    ("--baseline", "symscape_baseline", "baseline"),
    ("--tolerances", "symscape_tolerances", "tolerances"),
    ("--update-tolerances", None, "proposal"),
    ("--checkpoint", None, "models"),
]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A root folder and, current, another one; both have a file of the same name."""
    for folder in ("root", "here"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "there").touch()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def place(config, field):
    """Return the absolute path that a setting stands for, as the current folder resolves it."""
    value = getattr(read_settings(config), field)
    value = value[0] if isinstance(value, tuple) else value
    return Path(getattr(value, "checkpoint", value)).absolute()


@pytest.mark.parametrize(("option", "ini", "field"), PATH_OPTIONS)
def test_what_is_typed_starts_where_it_is_typed(pytester, elsewhere, option, ini, field):
    name = "new" if option == "--update-tolerances" else "there"
    config = pytester.parseconfig(
        f"--rootdir={elsewhere / 'root'}", "--mlip=mace", f"{option}={name}"
    )
    assert config.rootpath == elsewhere / "root"
    assert place(config, field) == elsewhere / "here" / name


@pytest.mark.parametrize(("option", "ini", "field"), [row for row in PATH_OPTIONS if row[1]])
def test_what_an_ini_file_says_starts_at_its_root(pytester, elsewhere, option, ini, field):
    config = pytester.parseconfig(f"--rootdir={elsewhere / 'root'}", "-o", f"{ini}=there")
    assert place(config, field) == elsewhere / "root" / "there"


def test_a_baseline_that_is_typed_is_not_looked_for_at_the_root(elsewhere):
    (elsewhere / "root" / "old" / "results.json").parent.mkdir()
    (elsewhere / "root" / "old" / "results.json").write_text("{}")
    with pytest.raises(ResultsFileError, match="neither a results file"):
        load_baseline("old", "chgnet", elsewhere / "root")


@pytest.mark.parametrize(("option", "field"), [("--tolerances", "tolerances")])
def test_the_name_of_a_profile_stays_a_name(pytester, elsewhere, option, field):
    config = pytester.parseconfig(f"--rootdir={elsewhere / 'root'}", f"{option}=strict")
    assert getattr(read_settings(config), field) == "strict"
