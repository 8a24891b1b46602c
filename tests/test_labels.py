"""How crystals are named on pages and figures."""

from __future__ import annotations

import re

import numpy as np
import pytest

from symscape.crystal.labels import axis_label, crystal_label, symbol_label
from symscape.crystal.spacegroup import space_group
from symscape.page.words import symbol_markup

BAR = "\N{COMBINING OVERLINE}"
DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


@pytest.mark.parametrize("number", range(1, 231))
def test_every_symbol_has_its_bars_and_screws(number):
    """Against gemmi's operations: a bar where there is a rotoinversion, a screw where one turns."""
    from gemmi import find_spacegroup_by_number

    known = find_spacegroup_by_number(number)
    # written with blanks between directions: P -4 21 c
    parts = known.hm.split(":")[0].split()
    if known.crystal_system_str() == "monoclinic":
        parts = [part for k, part in enumerate(parts) if k == 0 or part != "1"]
    symbol = "".join(re.sub(r"^(\d)(\d)", r"\1_\2", part) for part in parts)
    label = symbol_label(symbol)
    assert not re.search(r"[-_]", label)
    bars = {part[1] for part in parts if part.startswith("-")}
    assert set(re.findall(f"(.){BAR}", label)) == bars
    assert label.count(BAR) == len([part for part in parts if part.startswith("-")]) <= 1
    screws = re.findall("(.)([₀-₉])", label)
    wanted = [tuple(m) for part in parts for m in re.findall(r"^(\d)(\d)", part)]
    assert [(a, b.translate(DIGITS)) for a, b in screws] == wanted
    # and nothing else changed
    plain = re.sub(f"(.){BAR}", r"-\1", label).translate(DIGITS)
    assert plain == symbol.replace("_", "")
    # the page's mark-up reads the same
    markup = str(symbol_markup(symbol))
    assert re.sub("</?sub>", "", markup) == label.translate(DIGITS)


@pytest.mark.parametrize("hall_number", range(1, 531))
def test_no_setting_is_left_with_a_minus(hall_number):
    symbol = space_group(hall_number).symbol
    label = symbol_label(symbol)
    assert not re.search(r"[-_]", label)
    # where there is a bar, the operations hold a rotoinversion of that order
    assert (BAR in label) == ("-" in symbol)
    for order in re.findall(f"(.){BAR}", label):
        assert int(order) in rotoinversions(space_group(hall_number).rotations)


def rotoinversions(rotations: np.ndarray) -> set[int]:
    """Orders of the improper rotations but mirrors, by trace."""
    orders = {-3: 1, 0: 3, -1: 4, -2: 6}
    improper = [r for r in rotations if round(np.linalg.det(r)) < 0]
    return {orders[t] for r in improper if (t := int(np.trace(r))) in orders}


@pytest.mark.parametrize(
    ("formula", "symbol", "label"),
    [
        ("SnO2", "P4_2/mnm", "SnO₂ P4₂/mnm"),
        ("CO2", "Pa-3", "CO₂ Pa3̅"),
        ("Mg3Sb2", "P-3m1", "Mg₃Sb₂ P3̅m1"),
        ("AlN", "P6_3mc", "AlN P6₃mc"),
    ],
)
def test_a_crystal_is_named_by_formula_and_group(formula, symbol, label):
    assert crystal_label(formula, symbol) == label
    assert axis_label("O_x") == "x(O)"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Mg3Sb2-P-3m1", "Mg3Sb2-P3̅m1"),
        ("Mg3Sb2-P-3m1-4", "Mg3Sb2-P3̅m1-4"),
        ("CaSi-Cmcm-4", "CaSi-Cmcm-4"),
        ("F-Cl-Br-I-At", "F-Cl-Br-I-At"),
        ("Al-As", "Al-As"),
        (" in P-62c (2)", " in P6̅2c (2)"),
    ],
)
def test_only_the_symbol_within_a_name_is_written_anew(name, label):
    assert symbol_label(name) == label
