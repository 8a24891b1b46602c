"""Chemical elements from what files call atoms: ``Ti4+``, ``O1A``, ``CL2``; vacancies are none."""

from __future__ import annotations

import re
from collections.abc import Collection

from symscape.errors import StructureFileError, shown

#: a symbol, and an oxidation state in any of the usual forms
_TYPE = re.compile(r"^([A-Za-z]{1,2})(\d*\.?\d*[+-]|[+-]\d*\.?\d*|\d+)?$")
#: what a scattering factor's name may add to the element: Cval, Siva
_SCATTERING = {"cval": "C", "siva": "Si"}
#: what programs call places without an atom
_NOTHING = {"va", "vac", "vc", "x", "xx", "q", "du", "dum", "dummy", "lp", "bq", "gh"}


def element_number(type_symbol: str) -> int:
    """Return the atomic number of a symbol with or without its charge; D and T are hydrogen.

    Raises
    ------
    StructureFileError
        If it is no element: a vacancy, a dummy, a molecule.
    """
    found = _TYPE.match(type_symbol.strip())
    letters = found.group(1) if found else type_symbol.strip()
    number = _number(_SCATTERING.get(letters.lower(), letters.capitalize()))
    if number and (found or letters.lower() in _SCATTERING):
        return number
    raise StructureFileError(_no_element(type_symbol))


def element_of_label(label: str, known: Collection[int] = ()) -> int:
    """Return the atomic number that a site's label begins with: ``Ti1``, ``O1A``, ``CL(2)``.

    Parameters
    ----------
    label
        Of a site whose type is not stated.
    known
        Atomic numbers of the file's own formula, which decide between Co and C, O; may be empty.

    Raises
    ------
    StructureFileError
        If no element, or one of two, is meant.
    """
    letters = re.match(r"[A-Za-z]*", label.strip().strip("'\""))
    word = letters.group(0) if letters else ""
    if word.lower() in _NOTHING:
        raise StructureFileError(_no_element(label))
    pair, first = _number(word[:2].capitalize()) if len(word) > 1 else 0, _number(word[:1].upper())
    choices = [z for z in (pair, first) if z and (not known or z in known)]
    if not choices:
        raise StructureFileError(_no_element(label))
    if len(choices) == 2 and word[1].isupper():
        raise StructureFileError(
            f"the label {shown(label)} may stand for one of two elements, and neither a type "
            "symbol nor a formula decides; add _atom_site_type_symbol."
        )
    return choices[0]


def _number(symbol: str) -> int:
    """Return a symbol's atomic number, 0 if there is none."""
    from ase.data import atomic_numbers

    return (
        1
        if symbol in ("D", "T")
        else max(0, int(atomic_numbers.get(symbol, 0)) if symbol != "X" else 0)
    )


def _no_element(name: str) -> str:
    return (
        f"{shown(name)} is not a chemical element (a vacancy, a dummy or a group of atoms?); take "
        "such sites out or replace them by elements."
    )
