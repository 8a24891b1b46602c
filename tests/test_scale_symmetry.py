"""moyopy, where it is taken for many crystals, against spglib."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms
from ase.data import chemical_symbols
from hypothesis import given, settings
from hypothesis import strategies as st

from symscape.bulk.symmetry import kind_of, symmetries, symmetry
from symscape.bulk.synthetic import prototypes, synthetic_record
from symscape.crystal import engines
from symscape.crystal.engines import ask_moyopy, ask_spglib
from symscape.crystal.structures import Structures
from symscape.science.hull.table import chemistry

pytest.importorskip("moyopy")


def both(numbers, positions, cell):
    """Return the symmetry as it is found, and as spglib alone finds it."""
    quick = symmetry(numbers, positions, cell)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "_MOYOPY", False)
        return quick, symmetry(numbers, positions, cell)


def test_prototypes_have_the_symmetry_that_spglib_finds():
    sure = 0
    for one in prototypes():
        numbers = one.kinds + 1
        quick, slow = both(numbers, one.positions @ one.cell, one.cell)
        assert quick == slow
        cell = one.cell if np.linalg.det(one.cell) > 0 else -one.cell
        sure += ask_moyopy([(cell, one.positions, numbers)], 0.01)[0] is not None
    # else the comparison is one of spglib with itself
    assert sure > 0.95 * len(prototypes())


def test_orbits_of_a_supercell_are_told_without_a_warning():
    """Some operations of the primitive cell don't fit its edges, of which moyopy warns."""
    code = """
import numpy as np
from symscape.crystal.engines import ask_moyopy
cell = np.array([[0, 1.8, 1.8], [1.8, 0, 1.8], [3.6, 3.6, 0]])
found = ask_moyopy([(cell, np.array([[0, 0, 0], [0, 0, 0.5]]), np.array([29, 29]))], 0.01)[0]
print(found.hall_number, found.multiplicities.sum())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.split() == ["523", "4"]


def test_orbits_are_those_of_spglib():
    for one in prototypes():
        cell = one.cell if np.linalg.det(one.cell) > 0 else -one.cell
        quick = ask_moyopy([(cell, one.positions, one.kinds + 1)], 0.01)[0]
        slow = ask_spglib(cell, one.positions, one.kinds + 1, 0.01)
        if quick is None:
            continue
        assert quick.hall_number == slow.hall_number
        assert sorted(quick.symbols) == sorted(slow.symbols)
        assert sorted(quick.multiplicities) == sorted(slow.multiplicities)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    k=st.integers(71, 2000),
    seed=st.integers(0, 10**6),
    log_size=st.floats(-4.0, -1.6),
    strained=st.booleans(),
)
def test_crystals_that_fit_loosely_have_the_symmetry_that_spglib_finds(k, seed, log_size, strained):
    one, random, size = synthetic_record(k), np.random.default_rng(seed), 10**log_size
    moves = size * random.uniform(-1, 1, one.positions.shape)
    strain = 0.1 * strained * size * random.uniform(-1, 1, (3, 3))
    quick, slow = both(one.numbers, one.positions @ one.cell + moves, one.cell + one.cell @ strain)
    assert quick == slow


def test_a_group_that_fits_only_loosely_is_left_to_spglib():
    cell = np.diag([4.0, 4.0, 4.1])
    places, numbers = np.array([[0, 0, 0], [0.5, 0.5, 0.5]], dtype=float), np.array([11, 17])
    strained = cell + np.diag([0.009, 0, 0])
    # both at once: what one is has no say in what the other is
    ideal, loose = ask_moyopy([(cell, places, numbers), (strained, places, numbers)], 0.01)
    assert ideal is not None
    assert loose is None


def test_many_crystals_at_once_are_those_one_by_one():
    """Single atoms, loose fits and lists that are no crystals among them."""
    random = np.random.default_rng(3)
    images = []
    for k in range(40, 140):
        one = synthetic_record(k)
        moves = 10 ** random.uniform(-5, -2) * random.uniform(-1, 1, one.positions.shape)
        images.append(Atoms(one.numbers, cell=one.cell, scaled_positions=one.positions, pbc=True))
        images[-1].positions += moves
    images[7].positions[:] = np.nan
    images[50].cell[:] = 0
    images[-1].positions[-1] = images[-1].positions[0]
    together = list(symmetries(Structures.from_atoms(images)))
    assert together == [symmetry(a.numbers, a.positions, a.cell.array) for a in images]
    assert together[7].space_group == together[50].space_group == 0


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.sets(st.integers(1, 103), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_kind_of_compound_does_not_depend_on_the_order_of_the_formula(numbers, shuffled):
    symbols = [chemical_symbols[n] for n in sorted(numbers)]
    usual = chemistry("".join(symbols))
    shuffled.shuffle(symbols)
    assert chemistry("".join(symbols)) == usual
    assert kind_of(tuple(sorted(numbers))) == usual
