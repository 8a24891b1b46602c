"""How axes, formulas and space groups are written for people, in text without markup."""

from __future__ import annotations

import re

#: lattice axes with a unit
_LATTICE_UNITS = {
    **dict.fromkeys("abc", "Å"),
    **dict.fromkeys(("alpha", "beta", "gamma"), "°"),
    "volume": "Å³/atom",
}
_GREEK = {"alpha": "α", "beta": "β", "gamma": "γ"}
_BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
#: set after a digit, it stands over it
OVERBAR = "\N{COMBINING OVERLINE}"
#: a rotoinversion follows the lattice's letter or one mirror; a number behind a name is none
_INVERSION = re.compile(r"\b([ABCFIPR][abcdmn]?)-([1346])")


def axis_label(name: str) -> str:
    """Label of an axis: ``z(Ti)`` for ``Ti_z``, ``c/a``, ``β (°)`` for ``beta``.

    Parameters
    ----------
    name
        Name of the axis; the last underscore parts the site from its coordinate.
    """
    if name in _LATTICE_UNITS:
        return f"{_GREEK.get(name, name)} ({_LATTICE_UNITS[name]})"
    site, _, coordinate = name.rpartition("_")
    return f"{coordinate}({site})" if site and coordinate else name


def symbol_label(symbol: str) -> str:
    """Write a space group's symbol as printed: ``P6₃mc`` for ``P6_3mc``, ``P3̅m1`` for ``P-3m1``.

    Parameters
    ----------
    symbol
        The symbol, or a name that holds one: ``Mg3Sb2-P-3m1``.
    """
    return re.sub(r"_(\d)", lambda screw: screw[1].translate(_BELOW), with_overbars(symbol))


def with_overbars(symbol: str) -> str:
    """Write the rotoinversions of a symbol with a bar over the digit, and nothing else anew."""
    return _INVERSION.sub(rf"\1\2{OVERBAR}", symbol)


def crystal_label(formula: str, symbol: str) -> str:
    """Name a crystal: ``SnO₂ P4₂/mnm``."""
    return f"{formula.translate(_BELOW)} {symbol_label(symbol)}"
