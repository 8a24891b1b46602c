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
    """Write a space group's symbol with its screws below the line: ``P6₃mc`` for ``P6_3mc``."""
    return re.sub(r"_(\d)", lambda screw: screw[1].translate(_BELOW), symbol)


def crystal_label(formula: str, symbol: str) -> str:
    """Name a crystal: ``SnO₂ P4₂/mnm``."""
    return f"{formula.translate(_BELOW)} {symbol_label(symbol)}"
