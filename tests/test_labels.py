"""How crystals are named on pages and figures."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symscape.crystal.labels import axis_label, crystal_label, symbol_label


@given(st.integers(1, 230))
def test_screws_stand_below_the_line_and_nothing_else_changes(number):
    from gemmi import find_spacegroup_by_number

    symbol = re.sub(r"(\d)(\d)", r"\1_\2", find_spacegroup_by_number(number).short_name())
    label = symbol_label(symbol)
    assert "_" not in label
    digits = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
    assert label.translate(digits) == symbol.replace("_", "")
    assert len(re.findall("[₀-₉]", label)) == symbol.count("_")


@pytest.mark.parametrize(
    ("formula", "symbol", "label"),
    [
        ("SnO2", "P4_2/mnm", "SnO₂ P4₂/mnm"),
        ("CO2", "Pa-3", "CO₂ Pa-3"),
        ("AlN", "P6_3mc", "AlN P6₃mc"),
    ],
)
def test_a_crystal_is_named_by_formula_and_group(formula, symbol, label):
    assert crystal_label(formula, symbol) == label
    assert axis_label("O_x") == "x(O)"
