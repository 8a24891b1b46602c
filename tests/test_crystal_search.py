"""spglib's search has one answer where it finds nothing, whatever was said to spglib before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import spglib
from hypothesis import given, settings
from hypothesis import strategies as st

import symscape
from symscape.crystal.search import find_dataset

SOURCE = Path(symscape.__file__).parent
#: how versions of spglib and packages beside it are told to raise, or not to
TOLD = st.sampled_from((None, "false", "0", "true"))


def cell(apart: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return 4.0 * np.eye(3), np.array([[0, 0, 0], [0, 0, apart / 4]]), np.array([13, 13])


@settings(max_examples=40, deadline=None)
@given(TOLD, st.floats(0, 9e-3), st.floats(0.02, 1.9))
def test_atoms_within_the_tolerance_are_none_and_others_are_found(told, close, apart):
    with pytest.MonkeyPatch.context() as patch:
        if told is None:
            patch.delenv("SPGLIB_OLD_ERROR_HANDLING", raising=False)
        else:
            patch.setenv("SPGLIB_OLD_ERROR_HANDLING", told)
        assert find_dataset(cell(close), 0.01) is None
        found = find_dataset(cell(apart), 0.01)
    assert found is not None
    assert found.number == spglib.get_symmetry_dataset(cell(apart), symprec=0.01).number


def test_nothing_else_asks_spglib_for_a_search():
    asking = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if "get_symmetry_dataset" in path.read_text(encoding="utf-8")
    }
    assert asking == {"crystal/search.py"}
