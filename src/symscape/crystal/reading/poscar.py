"""VASP's POSCAR and CONTCAR; files of VASP 4 name no elements."""

from __future__ import annotations

import re
import warnings

import numpy as np

from symscape.crystal.reading.arrays import CellArrays
from symscape.crystal.reading.elements import element_number
from symscape.crystal.reading.source import Source
from symscape.errors import StructureFileError

#: where symbols, or the counts of a file without them, stand
#: an element, numbered or not, behind coordinates and flags
_LABEL = re.compile(r"^\s*(?:\S+\s+){3}(?:(?:[TFtf.]\S*\s+){3})?[#!]?\s*([A-Z][a-z]?)[\d_+-]*\s*$")
_SYMBOLS = 5


def is_poscar(source: Source) -> bool:
    """Whether a file's name says that it is a POSCAR."""
    upper = source.name.upper()
    return "POSCAR" in upper or "CONTCAR" in upper or source.ending in (".vasp", ".poscar")


def read_poscar(source: Source, elements: tuple[str, ...] = ()) -> CellArrays:
    """Read a POSCAR with pymatgen.

    Parameters
    ----------
    elements
        One symbol for each count, for a file without symbols.

    Raises
    ------
    StructureFileError
        If the elements are not known, or it is no POSCAR.
    """
    from pymatgen.io.vasp import Poscar

    lines = source.text.split("\n")
    if len(lines) <= _SYMBOLS:
        raise StructureFileError("no structure could be read: a POSCAR has at least eight lines.")
    lines, notices = _with_symbols(lines, elements)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            structure = Poscar.from_str("\n".join(lines)).structure
        except Exception as error:  # whatever pymatgen's parser does with a damaged file
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
            raise StructureFileError(f"no structure could be read (pymatgen: {reason}).") from None
    numbers = np.array([site.specie.Z for site in structure])
    _check_counts(lines, numbers)
    return CellArrays(structure.lattice.matrix, structure.frac_coords, numbers, notices)


def _with_symbols(lines: list[str], elements: tuple[str, ...]) -> tuple[list[str], tuple[str, ...]]:
    """Return the lines with one of symbols, and a notice of where they come from."""
    words = lines[_SYMBOLS].split("!")[0].split()
    if words and all(re.fullmatch(r"\d+", word) for word in words):
        symbols, notices = elements, ()  # type: tuple[str, ...], tuple[str, ...]
        if not symbols:
            symbols = tuple(lines[0].split())
            if len(symbols) != len(words) or not all(map(_is_element, symbols)):
                raise StructureFileError(
                    "the file names no elements (a POSCAR of VASP 4); give them in its order, "
                    f"{len(words)} symbols as in --elements Si,C, or write them on its first line."
                )
            notices = (f"the elements {' '.join(symbols)} are those of the file's first line",)
        if len(symbols) != len(words):
            raise StructureFileError(
                f"{len(symbols)} elements are given ({', '.join(symbols)}), but the file counts "
                f"{len(words)} kinds of atoms; give one for each."
            )
        for symbol in symbols:
            element_number(symbol)
        return [*lines[:_SYMBOLS], " ".join(symbols), *lines[_SYMBOLS:]], notices
    plain = [re.split(r"[_/]", word)[0] for word in words]
    if elements and [element_number(x) for x in elements] != [element_number(x) for x in plain]:
        raise StructureFileError(
            f"--elements gives {', '.join(elements)}, but the file names {', '.join(words)}; leave "
            "it out."
        )
    for symbol in plain:
        element_number(symbol)
    return [*lines[:_SYMBOLS], " ".join(plain), *lines[_SYMBOLS + 1 :]], ()


def _is_element(word: str) -> bool:
    from ase.data import atomic_numbers

    return word in atomic_numbers and word != "X"


def _check_counts(lines: list[str], numbers: np.ndarray) -> None:
    """Refuse a file whose counts are not those of its atoms."""
    symbols, counts = lines[_SYMBOLS].split(), lines[_SYMBOLS + 1].split("!")[0].split()
    stated = [int(word) for word in counts if word.isdigit()]
    if len(stated) != len(symbols) or sum(stated) != len(numbers):
        raise StructureFileError(
            f"the file names {len(symbols)} kinds of atoms ({' '.join(symbols)}) and counts "
            f"{' '.join(counts)}, but {len(numbers)} atoms were read; correct it."
        )
    # velocities are set apart by an empty line or one of words
    first = _SYMBOLS + 3 + (lines[_SYMBOLS + 2].strip()[:1] in ("S", "s"))
    listed = first
    while listed < len(lines) and _is_place(lines[listed]):
        listed += 1
    _check_labels(lines[first : first + len(numbers)], numbers)
    if listed - first > len(numbers):
        raise StructureFileError(
            f"the file counts {len(numbers)} atoms ({' '.join(counts)}), but {listed - first} "
            "lines of coordinates follow each other; correct the counts, or set what is no atom "
            "apart by an empty line."
        )


def _check_labels(lines: list[str], numbers: np.ndarray) -> None:
    """Refuse elements behind the coordinates, if each line has one, that the counts contradict."""
    from ase.data import atomic_numbers, chemical_symbols

    labels = [_LABEL.search(line) for line in lines]
    found = [int(atomic_numbers.get(m[1], 0)) if m else 0 for m in labels]
    if not all(found):
        return
    for k, (written, number) in enumerate(zip(found, numbers, strict=False)):
        if written != number:
            raise StructureFileError(
                f"the atom {k + 1} is {chemical_symbols[number]} by the counts, but its line ends "
                f"with {chemical_symbols[written]}; correct one of them."
            )


def _is_place(line: str) -> bool:
    """Whether a line begins with three numbers."""
    try:
        return len([float(word) for word in line.split()[:3]]) == 3
    except ValueError:
        return False
