"""A path means what the person who wrote it means: typed, from here; in an ini file, from there."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from symscape.errors import ResultsFileError
from symscape.plugin import _OPTIONS
from symscape.results.baselines import load_baseline
from symscape.suite.choices import read_settings

#: what an option's metavar or help says if it takes a path, at least sometimes
OF_PATHS = re.compile(r"PATH|DIR|FILE|RESULTS|\b(file|folder)\b")
#: option and ini name or None
PATH_OPTIONS = [
    (option, ini)
    for option, ini, named in _OPTIONS
    if "metavar" in named and OF_PATHS.search(named["metavar"] + named["help"])
]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A root folder and, current, another one; both have a file of the same name."""
    for folder in ("root", "here"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "there").touch()
        (tmp_path / folder / "there.py").touch()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def places(config):
    """Absolute paths that the settings stand for, as the current folder resolves them."""
    settings = read_settings(config)
    values = [getattr(settings, field.name) for field in fields(settings)]
    values = [part for v in values for part in (v if isinstance(v, tuple) else (v,))]
    values += [text for spec in settings.models for text in (spec.checkpoint, spec.name)]
    texts = (str(value).removesuffix(":make") for value in values if value is not None)
    return [Path(text).absolute() for text in texts if Path(text).name in ("there", "there.py")]


def test_options_that_take_paths_are_found():
    assert {"--references", "--checkpoint", "--history"} <= {option for option, _ in PATH_OPTIONS}
    assert not {"--mlip-name", "--material", "--dtype"} & {option for option, _ in PATH_OPTIONS}


@pytest.mark.parametrize(("option", "ini"), [*PATH_OPTIONS, ("--mlip", "symscape_mlip")])
def test_what_is_typed_starts_where_it_is_typed(pytester, elsewhere, option, ini):
    if option == "--update-tolerances":
        (elsewhere / "here" / "there").unlink()
    name = "there.py:make" if option == "--mlip" else "there"
    config = pytester.parseconfig(
        f"--rootdir={elsewhere / 'root'}", "--mlip=mace" * (option != "--mlip"), f"{option}={name}"
    )
    assert config.rootpath == elsewhere / "root"
    assert places(config) == [elsewhere / "here" / name.partition(":")[0]]


@pytest.mark.parametrize(
    ("option", "ini"), [*[row for row in PATH_OPTIONS if row[1]], ("--mlip", "symscape_mlip")]
)
def test_what_an_ini_file_says_starts_at_its_root(pytester, elsewhere, option, ini):
    name = "there.py:make" if option == "--mlip" else "there"
    config = pytester.parseconfig(f"--rootdir={elsewhere / 'root'}", "-o", f"{ini}={name}")
    assert places(config) == [elsewhere / "root" / name.partition(":")[0]]


def test_a_baseline_that_is_typed_is_not_looked_for_at_the_root(elsewhere):
    (elsewhere / "root" / "old" / "results.json").parent.mkdir()
    (elsewhere / "root" / "old" / "results.json").write_text("{}")
    with pytest.raises(ResultsFileError, match="neither a results file"):
        load_baseline("old", "chgnet", elsewhere / "root")


@pytest.mark.parametrize(("option", "field"), [("--tolerances", "tolerances")])
def test_the_name_of_a_profile_stays_a_name(pytester, elsewhere, option, field):
    config = pytester.parseconfig(f"--rootdir={elsewhere / 'root'}", f"{option}=strict")
    assert getattr(read_settings(config), field) == "strict"
