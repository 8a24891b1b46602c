"""In a notebook long functions show rich's bar; in a script the same functions print nothing."""

from __future__ import annotations

import builtins
import random
import re
import sys
import threading
import time
from contextlib import nullcontext
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest
from hull_library import CRYSTALS, write_library
from hypothesis import given, settings
from hypothesis import strategies as st

import symscape
from symscape import progress as module
from symscape.progress import LINE_EVERY_S, shown_in_notebook

EMT = "ase.calculators.emt:EMT"


class Widget:
    """What rich asks of ``ipywidgets.Output``."""

    def __init__(self):
        self.closed = False

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def clear_output(self, wait):
        pass

    def close(self):
        self.closed = True


class Notebook:
    """A kernel that rich takes for Jupyter's: it has a shell, a display and, maybe, widgets."""

    def __init__(self, patch, *, shell="ZMQInteractiveShell", widgets=True):
        self.shown, self.widgets = [], []
        the_shell = type(shell, (), {})()
        patch.setattr(builtins, "get_ipython", lambda: the_shell, raising=False)
        display = ModuleType("IPython.display")
        display.display = self._display
        patch.setitem(sys.modules, "IPython", ModuleType("IPython"))
        patch.setitem(sys.modules, "IPython.display", display)
        output = ModuleType("ipywidgets")
        output.Output = Widget
        output.__spec__ = ModuleSpec("ipywidgets", None)
        patch.setitem(sys.modules, "ipywidgets", output)
        patch.setattr(module, "_has_widgets", lambda: widgets)

    def _display(self, thing):
        if isinstance(thing, Widget):
            self.widgets.append(thing)
        else:
            bundle = thing._repr_mimebundle_(include=[], exclude=[])
            self.shown.append(re.sub(r"\x1b\[[0-9;]*m", "", bundle["text/plain"]))

    @property
    def text(self):
        return "".join(self.shown)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(module, "_NOTEBOOK_PATIENCE_S", 0.0)
    monkeypatch.setattr(module, "_DRAW_EVERY_S", 0.0)


def slice_alone(reference, folder):
    symscape.landscape(reference.slice, EMT)
    return f"{reference.slice.name} ", len(set(reference.slice.representatives.ravel()))


def models_on_a_slice(reference, folder):
    symscape.compare(reference.slice, [EMT])
    return f"{reference.slice.name} ", len(set(reference.slice.representatives.ravel()))


def hulls(reference, folder):
    symscape.hull(symscape.model(EMT), folder=folder)
    return "crystals ", len(CRYSTALS)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return write_library(tmp_path_factory.mktemp("references"))


LONG = pytest.mark.parametrize("call", [slice_alone, models_on_a_slice, hulls])


@LONG
def test_a_notebook_shows_a_bar(call, monkeypatch, capsys, toy_reference, library):
    notebook = Notebook(monkeypatch)
    name, total = call(toy_reference, library)
    assert name in notebook.text
    assert f"{total}/{total} " in notebook.text
    assert notebook.widgets
    assert all(widget.closed for widget in notebook.widgets)
    assert capsys.readouterr().err == ""


@LONG
@pytest.mark.parametrize("shell", [None, "TerminalInteractiveShell"])
def test_a_script_prints_nothing(call, shell, monkeypatch, capsys, toy_reference, library):
    notebook = Notebook(monkeypatch, shell=shell) if shell else None
    call(toy_reference, library)
    printed = capsys.readouterr()
    assert printed.out + printed.err == ""
    assert notebook is None or (notebook.shown, notebook.widgets) == ([], [])


def test_without_widgets_a_notebook_gets_lines(monkeypatch, capsys):
    notebook = Notebook(monkeypatch, widgets=False)
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    with shown_in_notebook("grid", "points") as tell:
        tell(1, 8)
        assert capsys.readouterr().err == ""
        now[0] += LINE_EVERY_S
        tell(3, 8)
    assert "grid: 3/8 points" in capsys.readouterr().err
    assert notebook.widgets == []


def test_what_is_quick_shows_nothing(monkeypatch):
    notebook = Notebook(monkeypatch)
    monkeypatch.setattr(module, "_NOTEBOOK_PATIENCE_S", 60.0)
    with shown_in_notebook("grid", "points") as tell:
        tell(8, 8)
    assert (notebook.shown, notebook.widgets) == ([], [])


def test_who_asks_for_steps_gets_them_and_no_bar(monkeypatch, toy_reference):
    notebook = Notebook(monkeypatch)
    steps = []
    tell = lambda done, total: steps.append((done, total))  # noqa: E731
    symscape.landscape(toy_reference.slice, EMT, progress=tell)
    assert steps[-1][0] == steps[-1][1] > 0
    assert notebook.widgets == []


def test_a_bar_does_not_wait_for_a_step(monkeypatch):
    """A model asked for all structures at once makes its only step when it is done."""
    notebook = Notebook(monkeypatch)
    monkeypatch.setattr(module, "_NOTEBOOK_PATIENCE_S", 0.01)
    with shown_in_notebook("grid", "points", 8):
        end = time.monotonic() + 30
        while "0/8 points" not in notebook.text and time.monotonic() < end:
            time.sleep(0.01)
    assert "grid" in notebook.text
    assert "0/8 points" in notebook.text
    assert [widget.closed for widget in notebook.widgets] == [True]


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=30)
def test_no_bar_outlives_its_function_wherever_the_two_threads_meet(seed):
    """Functions end just before, while and just after their bar is drawn for the first time."""
    generator = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        notebook = Notebook(patch)
        before = set(threading.enumerate())
        for _ in range(5):
            patch.setattr(module, "_NOTEBOOK_PATIENCE_S", generator.uniform(0, 0.004))
            with shown_in_notebook("grid", "points", 2) as tell:
                time.sleep(generator.uniform(0, 0.004))
                tell(2, 2)
        for thread in set(threading.enumerate()) - before:
            thread.join(30)
        assert all(widget.closed for widget in notebook.widgets)
        assert len(notebook.widgets) <= 5


@pytest.mark.parametrize("fault", [None, KeyboardInterrupt])
def test_a_bar_goes_when_its_function_ends(monkeypatch, fault):
    notebook = Notebook(monkeypatch)
    with (
        pytest.raises(fault) if fault else nullcontext(),
        shown_in_notebook("grid", "points") as tell,
    ):
        tell(3, 8)
        if fault:
            raise fault
    assert [widget.closed for widget in notebook.widgets] == [True]
