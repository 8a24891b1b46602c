"""Every path that any command takes starts in the folder where it is typed.

Commands and their parameters are found by walking through the command line. Each is run in an empty
folder, its other files in another one, and all that symscape's own code asks the system for is
written down.
"""

from __future__ import annotations

import builtins
import inspect
import io
import os
import re
import shutil
import sys
import typing
from dataclasses import dataclass
from pathlib import Path

import pytest
from crystal_lists import FCC, write_list
from generate_plans import CRYSTAL, write_plan
from report_runs import mixed_run
from scale_sets import PAIR, run, small_set
from typer.testing import CliRunner

from symscape import cli
from symscape.bulk.hull_tables import make_tables
from symscape.bulk.study_page import BEGIN, END
from symscape.cli import app
from symscape.crystal.crystal import Crystal
from symscape.results.files import save_results

EMT = "ase.calculators.emt:EMT"
REFERENCES = Path(__file__).parents[1] / "references"
SOURCE = str(Path(cli.__file__).parents[1])
#: text parameters that hold paths say so in their help
OF_PATHS = re.compile(r"\b(file|files|folder|folders|checkpoint)\b", re.IGNORECASE)

#: what asks the system for a path
CALLS = ("access", "listdir", "lstat", "mkdir", "open", "rename", "replace", "scandir", "stat")

#: what a command is given beside the path in question, so that it comes as far as asking for it
GIVEN = {
    "check-run": ["@results.json"],
    "draw": ["@crystal.cif", "--mlip", EMT, "--points", "3", "-o", "p.png"],
    "draw --checkpoint": ["@crystal.cif", "--mlip", "chgnet", "--points", "3"],
    "draw --references": ["X-P1"],
    "history": ["@runs"],
    "hull run": ["@set", "--mlip", PAIR, "--jobs", "0", "--no-tables"],
    "hull run --checkpoint": ["@set", "--mlip", "chgnet", "--jobs", "0"],
    "hull run --dask-address": ["@set", "--mlip", PAIR],
    "hull study": ["@pair", "--page", "@study.md"],
    "hull tables": ["@pair"],
    "import": ["@crystals.extxyz", "-o", "made"],
    "landscape": [
        *("@crystal.cif", "--mlip", EMT, "--points", "3", "--slices", "1"),
        *("--library", "0", "--no-contracts", "-o", "p.html"),
    ],
    "landscape --checkpoint": ["@crystal.cif", "--mlip", "chgnet", "--points", "3"],
    "leaderboard": ["@results.json", "--believe"],
    "leaderboard --references": ["@results.json"],
    "merge": ["@results.json"],
    "models": ["--check", "chgnet"],
    "models time": [EMT],
    "reference check": ["@plan.toml", "--equivalents", "0", "--no-compute"],
    "reference crystals": ["@list.toml", "--finish"],
    "reference curves": ["@curves.toml", "--finish", "--references", "@library"],
    "reference import": ["@plan.toml", "@crystals.extxyz"],
    "reference lines": ["@lines.toml", "--finish"],
    "reference plan": ["@crystal.cif"],
    "slices": ["@crystal.cif", "--points", "3"],
    "reference run": ["@plan.toml", "--finish"],
    "validate": ["@results.json", "--submission", "--references", "@library"],
}
#: names of files where a command wants an ending
NAMES = {"draw --output": "told.png", "landscape --output": "told.html"}
#: why a path is not looked at where it is typed
NOT_LOOKED_AT = {
    "landscape --write-as": "is the form of the files, not a place",
    "init --checkpoint": "is written into the workflow, whose job starts in the repository",
    "reference check --references": "is asked for when a grid has been checked by computing",
    "models time --board": "is asked for when models have been timed, which takes minutes",
    "validate --checkpoint": "is asked for when energies of references at hand are computed again",
    "import --source": "is text that the data set says of itself",
}


@dataclass(frozen=True)
class Parameter:
    """One path of one command: ``hull run --output``; an argument has no dashes."""

    command: str
    flag: str
    required: bool

    @property
    def name(self):
        return f"{self.command} {self.flag}"


def commands(typer_app, prefix=()):
    """Yield names and functions of all commands, of groups that do something by themselves too."""
    if prefix and typer_app.registered_callback is not None:
        yield " ".join(prefix), typer_app.registered_callback.callback
    for one in typer_app.registered_commands:
        yield " ".join([*prefix, one.name or one.callback.__name__]), one.callback
    for group in typer_app.registered_groups:
        yield from commands(group.typer_instance, (*prefix, group.name))


def holds(hint, kind):
    return hint is kind or any(holds(part, kind) for part in typing.get_args(hint))


def path_parameters():
    for command, function in commands(app):
        hints = typing.get_type_hints(function, include_extras=True)
        for name, parameter in inspect.signature(function).parameters.items():
            hint = hints[name]
            (info,) = [m for m in getattr(hint, "__metadata__", ()) if hasattr(m, "help")] or [None]
            if info is None or (command == "run" and name == "arguments"):
                continue
            kind = hint.__origin__
            if holds(kind, Path) or (holds(kind, str) and OF_PATHS.search(info.help or "")):
                option = type(info).__name__ == "OptionInfo"
                long = [flag for flag in info.param_decls or () if flag.startswith("--")]
                flag = [*long, "--" + name.replace("_", "-")][0] if option else name
                yield Parameter(command, flag, parameter.default is inspect.Parameter.empty)


PARAMETERS = list(path_parameters())


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A folder with something of everything that commands read."""
    folder = tmp_path_factory.mktemp("inputs")
    crystal = Crystal.from_sites(
        [2.9, 8.2, 4.0, 90, 90, 90], 298, [("Al", (0, 0.36, 0.25)), ("Cu", (0, 0.07, 0.25))]
    )
    assert "298" in CRYSTAL
    atoms = crystal.to_atoms()
    atoms.write(folder / "crystal.cif")
    from ase.calculators.emt import EMT as Calculator

    atoms.calc = Calculator()
    atoms.get_potential_energy()
    atoms.write(folder / "crystals.extxyz")
    write_plan(folder).rename(folder / "plan.toml")
    save_results(folder / "results.json", mixed_run())
    save_results(folder / "runs" / "one" / "results.json", mixed_run())
    small_set(folder / "set")
    run(folder / "set", folder / "pair")
    make_tables(folder / "pair")
    write_list(folder, FCC.format(a=3.5))
    equations = "equations-of-state"
    shutil.copytree(REFERENCES / equations, folder / "library" / equations)
    (folder / "lines.toml").write_text(
        '[[line]]\nreference = "A/b"\npoints = [[0, 0]]\n'
        "basis = { radii_bohr = {}, rgkmax = 7, k_mesh = [1, 1, 1] }\n"
    )
    (folder / "study.md").write_text(f"{BEGIN}\n{END}\n")
    return folder


@pytest.fixture
def told(monkeypatch):
    """The absolute paths that code of symscape asks the system for."""
    asked = []

    def written_down(function):
        def call(path, *rest, **named):
            if by_symscape():
                paths = [one for one in (path, *rest) if isinstance(one, str | os.PathLike)]
                asked.extend(Path(os.path.abspath(one)) for one in paths)
            return function(path, *rest, **named)

        return call

    for name in CALLS:
        monkeypatch.setattr(os, name, written_down(getattr(os, name)))
    opened = written_down(io.open)
    monkeypatch.setattr(io, "open", opened)
    monkeypatch.setattr(builtins, "open", opened)
    return asked


def by_symscape():
    """Whether the call comes from a command; parsers ask for the path's sort, too."""
    frame = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(SOURCE) and not file.endswith("guide.py"):
            return True
        frame = frame.f_back
    return False


def line_for(parameter, inputs):
    """The words of a command line in which the parameter's path is ``told``, typed relatively."""
    path = NAMES.get(parameter.name, "told")
    words = [*parameter.command.split()]
    own = GIVEN.get(parameter.name, GIVEN.get(parameter.command, []))
    if parameter.flag.startswith("--"):
        words += [*own, parameter.flag, path]
    else:
        words += [path, *own[1:]]
    there = os.path.relpath(inputs)
    return [f"{there}/{word[1:]}" if word.startswith("@") else word for word in words]


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda one: one.name)
def test_a_path_starts_where_it_is_typed(parameter, inputs, tmp_path, monkeypatch, told):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    words = line_for(parameter, inputs)
    outcome = CliRunner().invoke(app, words)
    places = {
        Path(*path.parts[: path.parts.index(part)])
        for path in told
        for part in path.parts
        # a file is written beside its place first
        if part.lstrip(".").startswith("told")
    }
    print(words, outcome.exception, outcome.output[-500:])
    if parameter.name in NOT_LOOKED_AT:
        assert places == set(), "is looked at, and no exception"
    else:
        assert {place.resolve() for place in places} == {(tmp_path / "here").resolve()}
