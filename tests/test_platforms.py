"""What only some systems have stands behind a question for the system, wherever it is used."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "symscape"
MODULES = {"fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "msvcrt", "winreg"}
CALLS = {
    "os": {"killpg", "nice", "fork", "getuid", "geteuid", "getpgid", "setsid", "mkfifo", "uname",
           "sched_getaffinity", "sched_setaffinity", "sysconf", "getloadavg", "chown"},
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
