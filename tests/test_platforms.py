"""What only some systems have stands behind a question for the system, wherever it is used.

What they do in another way is simulated: how Windows opens, syncs and prints.
"""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
from pathlib import Path

import platformdirs.macos
import platformdirs.windows
import pytest
import yaml
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from scale_sets import small_set

from symscape import cli
from symscape.dft.events import Forgiven
from symscape.dft.journal import Journal, read_journal
from symscape.errors import ModelError
from symscape.files import write_atomically
from symscape.models.registry import resolve

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "symscape"
MODULES = {"fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "msvcrt", "winreg"}
CALLS = {
    "os": {"killpg", "nice", "fork", "getuid", "geteuid", "getpgid", "getsid", "setsid", "mkfifo",
           "uname", "sched_getaffinity", "sched_setaffinity", "sysconf", "getloadavg", "chown"},
    "signal": {"SIGKILL", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "alarm"},
}  # fmt: skip
FILES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))


def asks(node):
    """Whether a function asks which system it is on, or whether the name is there."""
    text = ast.unparse(node)
    words = ("sys.platform", "hasattr(os", "AttributeError")
    return any(word in text for word in words)


def found(tree):
    """Yield names that some systems lack, with the function they are used in, None outside."""
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    inside = {}
    for function in functions:
        for node in ast.walk(function):
            inside[node] = function
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names if a.name in MODULES]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module in MODULES else []
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            known = CALLS.get(node.value.id, set())
            names = [f"{node.value.id}.{node.attr}"] if node.attr in known else []
        for name in names:
            yield name, inside.get(node)


def test_what_some_systems_lack_is_asked_for():
    bad = []
    for file in FILES:
        for name, function in found(ast.parse((SOURCE / file).read_text(encoding="utf-8"))):
            if function is None or not asks(function):
                bad.append(f"{file}: {name}")
    assert bad == []


@pytest.mark.parametrize(
    ("code", "fine"),
    [
        ("import fcntl", False),
        ("import os\ndef f():\n    os.nice(3)", False),
        ("import os, sys\ndef f():\n    if sys.platform != 'win32':\n        os.nice(3)", True),
        ("import os\ndef f():\n    return os.replace('a', 'b')", True),
    ],
)
def test_the_check_itself(code, fine):
    assert all(f is not None and asks(f) for _, f in found(ast.parse(code))) == fine


def without_encoding(tree):
    """Yield the lines on which a text file is opened in the system's own encoding."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        said = "encoding" in {keyword.arg for keyword in node.keywords}
        if name in ("read_text", "write_text") and not said:
            if len(node.args) <= (name == "write_text"):
                yield node.lineno
        elif isinstance(node.func, ast.Name) and node.func.id == "open" and not said:
            modes = [a.value for a in node.args[1:2] if isinstance(a, ast.Constant)]
            modes += [k.value.value for k in node.keywords if k.arg == "mode"]
            if not any("b" in mode for mode in modes):
                yield node.lineno


def test_text_files_name_their_encoding():
    """Windows' own is not UTF-8."""
    bad = [
        f"{file}:{line}"
        for file in FILES
        for line in without_encoding(ast.parse((SOURCE / file).read_text(encoding="utf-8")))
    ]
    assert bad == []
    assert list(without_encoding(ast.parse("open('a')\nopen('a', 'rb')\np.read_text()"))) == [1, 3]


# -- files on Windows -----------------------------------------------------------------------------


@pytest.fixture
def windows_files(monkeypatch):
    """Files of the system's own functions: text unless said otherwise, synced only if writable."""
    posix_open, posix_write, posix_fsync = os.open, os.write, os.fsync
    as_text, flag = set(), 1 << 28
    monkeypatch.setattr(os, "O_BINARY", flag, raising=False)

    def open_(path, flags, *rest, **named):
        file = posix_open(path, flags & ~flag, *rest, **named)
        (as_text.discard if flags & flag else as_text.add)(file)
        return file

    def write(file, data):
        if file in as_text:
            posix_write(file, bytes(data).replace(b"\n", b"\r\n"))
            return len(data)
        return posix_write(file, data)

    def fsync(file):
        import fcntl

        if fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(9, "Bad file descriptor")
        posix_fsync(file)

    monkeypatch.setattr(os, "open", open_)
    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.skipif(sys.platform == "win32", reason="simulates Windows")
def test_a_journal_is_the_same_bytes_wherever_it_is_written(windows_files, tmp_path):
    path = tmp_path / "plan.journal.jsonl"
    events = [Forgiven(time=f"2026-11-2{k}T12:00:00+00:00") for k in range(3)]
    for event in events:
        with Journal(path) as journal:
            journal.append(event)
    assert read_journal(path, [Forgiven]) == events
    assert b"\r" not in path.read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="simulates Windows")
def test_files_are_synced_while_they_can_be_written_to(windows_files, tmp_path):
    write_atomically(tmp_path / "page.html", "text\n")
    assert (tmp_path / "page.html").read_bytes() == b"text\n"
    small_set(tmp_path / "set")
    assert list((tmp_path / "set").rglob("*.parquet"))


def test_what_git_stores_is_what_it_checks_out():
    """A line's end of two bytes would change the checksums of references."""
    files = ["references/PbTiO3-P4mm/Ti_z-O_z.json", "action.yml", "tests/toys.py"]
    command = ["git", "-C", str(ROOT), "check-attr", "eol", *files]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    if asked.returncode:
        pytest.skip("no clone")
    assert asked.stdout.splitlines() == [f"{file}: eol: lf" for file in files]


# -- names and letters ----------------------------------------------------------------------------


@pytest.mark.parametrize("letters", ["cp1252", "ascii", "cp437"])
def test_commands_print_what_the_output_has_letters_for(letters, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bulk("ZnO", "wurtzite", 3.25, c=5.2).write("Ω-цинк.cif")
    for words in (
        ["slices", "Ω-цинк.cif", "--points", "3", "--write", "Ω-цинк"],
        ["materials"],
        ["models"],
        ["--help"],
    ):
        output = io.TextIOWrapper(io.BytesIO(), encoding=letters)
        monkeypatch.setattr(sys, "stdout", output)
        monkeypatch.setattr(sys, "argv", ["symscape", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        output.flush()
        assert ended.value.code in (0, None), words
        assert output.buffer.getvalue()


@given(st.sampled_from(["C:", "D:"]), st.from_regex(r"[a-z]{1,8}\.(model|pth)", fullmatch=True))
@settings(deadline=None, max_examples=20)
def test_a_file_with_a_drive_is_no_calculator(drive, name):
    """A colon tells ``module:function`` from names of models."""
    with pytest.MonkeyPatch.context() as patch:
        path = f"{drive}\\weights\\{name}"
        patch.setattr(Path, "is_file", lambda own: str(own) == path)
        patch.setattr(Path, "exists", lambda own: str(own) == path)
        with pytest.raises(ModelError, match=r"is a file: write --mlip .* --checkpoint"):
            resolve(path)


def test_the_action_keeps_the_energies_of_all_systems(monkeypatch):
    monkeypatch.setattr(platformdirs.windows, "get_win_folder", lambda name: "~/AppData/Local")
    monkeypatch.setenv("HOME", "/home")
    monkeypatch.setenv("USERPROFILE", "/home")
    kept = [
        system("symscape", appauthor=False)
        .user_cache_dir.replace("\\", "/")
        .replace("/home/", "~/")
        for system in (platformdirs.macos.MacOS, platformdirs.windows.Windows)
    ]
    steps = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
    caches = [step["with"]["path"].split() for step in steps if "path" in step.get("with", {})]
    listed = [paths for paths in caches if "~/.cache/symscape" in paths]
    assert len(listed) == 2
    for paths in listed:
        assert set(kept) <= set(paths)
