"""Calculators that fail: nothing of a failed call is ever taken for an answer."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from hypothesis import given, settings
from hypothesis import strategies as st
from model_structures import varied

from symscape.models.ase import ASEModel
from symscape.models.card import ModelCard
from symscape.models.evaluate import evaluate
from symscape.models.registry import resolve

METALS = ("Al", "Cu", "Ag", "Ni", "Pd", "Pt")
STRUCTURES = varied(6, METALS)
TRUE = resolve("ase.calculators.emt:EMT").predict(STRUCTURES, forces=True, stresses=True)
#: in which order a failing call does what
KINDS = ("fills, raises", "raises", "NaN", "NaN forces", "interrupted")


class Unreliable(EMT):
    """Fails at the calls that it is told, each in its own way."""

    def __init__(self, failures, broken_reset=False):
        super().__init__()
        self.failures = list(failures)
        self.broken_reset = broken_reset

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        kind = self.failures.pop(0) if self.failures else ""
        if kind == "raises":
            raise ValueError("sometimes")
        super().calculate(atoms, properties, system_changes)
        if kind == "fills, raises":
            self.results["energy"] = -1234.0
            raise RuntimeError("after the energy was there")
        if kind == "interrupted":
            self.results["energy"] = -1234.0
            raise KeyboardInterrupt
        if kind == "NaN":
            self.results = {name: np.nan * np.asarray(v) for name, v in self.results.items()}
        if kind == "NaN forces":
            self.results["forces"] = np.nan * self.results["forces"]

    def reset(self):
        if self.broken_reset:
            raise AttributeError("reset")
        super().reset()


def model_with(calculator, batch_size=1):
    """Return a model whose calculators come from this process, one after another."""
    model = ASEModel(ModelCard("unreliable", "ase", "a:b"), "cpu", batch_size)
    model._factory = calculator
    return model


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(("", *KINDS[:-1])), max_size=12),
    st.integers(1, 4),
    st.booleans(),
    st.booleans(),
)
def test_an_answer_is_the_calculators_own_whatever_failed_before(
    failures, batch_size, forces, broken_reset
):
    left = list(failures)

    def make():
        calculator = Unreliable([], broken_reset)
        calculator.failures = left  # goes on where a calculator that was given up stopped
        return calculator

    said = evaluate(model_with(make, batch_size), STRUCTURES, forces=forces, stresses=forces)
    good = np.isfinite(said.energies)
    assert set(np.flatnonzero(~good)) == set(said.failures)
    assert said.energies[good] == pytest.approx(TRUE.energies[good], abs=1e-12)
    if forces:
        sure = np.isfinite(said.forces)
        assert said.forces[sure] == pytest.approx(TRUE.forces[sure], abs=1e-12)


def test_a_calculator_that_always_raises_after_it_has_answered_never_answers():
    said = evaluate(model_with(lambda: Unreliable(["fills, raises"] * 99), 3), STRUCTURES)
    assert np.isnan(said.energies).all()
    assert set(said.failures.values()) == {"RuntimeError: after the energy was there"}


def test_a_factory_that_gives_the_same_calculator_again_changes_nothing():
    only = Unreliable(["fills, raises"] * 99, broken_reset=True)
    said = evaluate(model_with(lambda: only, 3), STRUCTURES)
    assert np.isnan(said.energies).all()


def test_an_interrupted_call_leaves_nothing_behind():
    model = model_with(lambda: Unreliable(["interrupted"]))
    with pytest.raises(KeyboardInterrupt):
        evaluate(model, STRUCTURES[:1])
    assert evaluate(model, STRUCTURES[:1]).energies == pytest.approx(TRUE.energies[:1])


def scalars():
    """Return ways in which a calculator may say one number."""
    torch = pytest.importorskip("torch")
    return {
        "float": 2.5,
        "int": 2,
        "0-d": np.array(2.5),
        "(1,)": np.array([2.5]),
        "(1, 1)": np.array([[2.5]]),
        "float32": np.float32(2.5),
        "torch 0-d": torch.tensor(2.5, requires_grad=True),
        "torch (1,)": torch.tensor([2.5], dtype=torch.float64),
        "torch (1, 1)": torch.tensor([[2.5]]),
    }


class Says(Calculator):
    """Answers with what it is given."""

    implemented_properties = ("energy", "forces", "stress")

    def __init__(self, energy, wrap=lambda values: values):
        super().__init__()
        self.energy, self.wrap = energy, wrap

    def get_potential_energy(self, atoms=None, force_consistent=False):
        return self.energy

    def get_forces(self, atoms=None):
        return self.wrap(np.ones((len(atoms), 3)))

    def get_stress(self, atoms=None):
        return np.arange(6.0)


def test_any_way_to_say_one_number_is_an_energy():
    for name, value in scalars().items():
        said = evaluate(model_with(lambda value=value: Says(value)), STRUCTURES[:2])
        assert said.failures == {}, name
        assert said.energies == pytest.approx([2.0 if name == "int" else 2.5] * 2), name


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.ones(3), r"an array of shape \(3,\) for an energy"),
        (np.ones((2, 2)), r"an array of shape \(2, 2\)"),
        (None, "NoneType for an energy"),
        ("much", "str for an energy"),
        ("2.5", "str for an energy"),
        (b"2.5", "bytes for an energy"),
        (True, "bool for an energy"),
        (np.array("2.5"), r"an array of shape \(\)"),
        (2j, "complex for an energy"),
    ],
)
def test_what_is_no_number_is_named(value, words):
    said = evaluate(model_with(lambda: Says(value)), STRUCTURES[:1])
    assert said.failures[0].startswith("the calculator returned ")
    assert __import__("re").search(words, said.failures[0])


def test_forces_may_be_tensors_and_must_have_their_shape():
    torch = pytest.importorskip("torch")
    asked = {"forces": True, "stresses": True}
    tensors = model_with(lambda: Says(1.0, lambda v: torch.tensor(v, requires_grad=True)))
    said = evaluate(tensors, STRUCTURES[:2], **asked)
    assert said.failures == {}
    assert (said.forces == 1).all()
    short = evaluate(model_with(lambda: Says(1.0, lambda v: v[1:])), STRUCTURES[:1], **asked)
    assert "returned forces of shape" in short.failures[0]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, len(STRUCTURES) - 1), st.permutations([0, 1]), st.sets(st.integers(0, 2)))
def test_forces_are_read_in_one_order_of_axes(k, axes, ones):
    """Axes of length one may stand anywhere."""
    many = STRUCTURES[k : k + 1]

    def wrap(values):
        said = values.transpose(axes)
        for at in sorted(ones):
            said = np.expand_dims(said, min(at, said.ndim))
        return said

    said = evaluate(model_with(lambda: Says(1.0, wrap)), many, forces=True)
    count = len(many.numbers)
    assert bool(said.failures) == (axes != [0, 1] and count not in (1, 3))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(st.characters(min_codepoint=0, max_codepoint=0xFFFF), max_size=40))
def test_whatever_an_exception_says_can_be_written(text):
    class Talks(EMT):
        def calculate(self, atoms=None, properties=("energy",), system_changes=()):
            raise ValueError(text)

    (reason,) = evaluate(model_with(Talks), STRUCTURES[:1]).failures.values()
    assert reason.startswith("ValueError: ")
    assert reason.encode("utf-8").decode() == reason
    assert not any(ord(c) < 32 or ord(c) == 127 for c in reason)


def test_an_exception_without_words_is_named():
    class Mute(Exception):
        def __str__(self):
            raise TypeError("no words")

    class Talks(EMT):
        def calculate(self, atoms=None, properties=("energy",), system_changes=()):
            raise Mute

    said = evaluate(model_with(Talks), STRUCTURES[:1])
    assert said.failures == {0: "Mute: a message that can't be read"}


def test_a_factory_may_say_anything_when_it_fails(tmp_path):
    path = tmp_path / "odd.py"
    path.write_text(
        textwrap.dedent(
            r"""
            def make():
                raise ValueError("\udcff\x1b[31m")
            """
        )
    )
    with pytest.raises(Exception, match=r"raised ValueError .*\\udcff\\x1b\[31m") as raised:
        resolve(f"{path}:make").energies(STRUCTURES)
    str(raised.value).encode()
