"""Structures in JSON: pymatgen's and ASE's, without a decoder that imports what a file names.

pymatgen's own decoder imports any module that stands under ``@module`` and calls what it finds
there, so only numbers and symbols are taken from the documents here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symscape.crystal.reading.arrays import CellArrays
from symscape.crystal.reading.elements import element_number
from symscape.errors import DisorderedStructureError, StructureFileError, shown
from symscape.jsontext import JsonTextError, parse_json

#: where documents of pymatgen and the Materials Project keep their structure
_WRAPPERS = ("structure", "final_structure", "entry", "output", "data")


def is_json(text: str) -> bool:
    """Whether a text begins as JSON objects and lists do."""
    return text.lstrip()[:1] in ("{", "[")


def read_structure_json(text: str) -> CellArrays:
    """Read the last structure of a JSON document.

    Raises
    ------
    StructureFileError
        If it is no JSON, or holds no ordered periodic structure.
    """
    try:
        document = parse_json(text)
    except JsonTextError as error:
        raise StructureFileError(f"the JSON is damaged ({error}); write it anew.") from None
    found = _structures(document, depth=0)
    if not found:
        raise StructureFileError(
            "no structure could be read: the JSON holds neither pymatgen's nor ASE's structures; "
            "give one with 'lattice' and 'sites', or another format."
        )
    notices = () if len(found) == 1 else (f"took the last of {len(found)} structures",)
    last = found[-1]
    try:
        return _from_ase(last, notices) if "numbers" in last else _from_pymatgen(last, notices)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise StructureFileError(
            f"the structure in the JSON is malformed ({type(error).__name__}: "
            f"{shown(str(error))}); write it anew."
        ) from None


def _structures(document: Any, depth: int) -> list[dict[str, Any]]:
    """Return the structures of a document, in its order."""
    if depth > 4:
        return []
    if isinstance(document, list):
        return [one for item in document for one in _structures(item, depth + 1)]
    if not isinstance(document, dict):
        return []
    if {"lattice", "sites"} <= document.keys() or {
        "numbers",
        "positions",
        "cell",
    } <= document.keys():
        return [document]
    for key in _WRAPPERS:
        found = _structures(document.get(key), depth + 1)
        if found:
            return found
    rows = [document[key] for key in document if key.isdigit()]  # a database of ASE
    return _structures(rows, depth + 1)


def _from_pymatgen(document: dict[str, Any], notices: tuple[str, ...]) -> CellArrays:
    """Read ``Structure.as_dict()``: the lattice's matrix, and species and coordinates of sites."""
    lattice = _lattice(document["lattice"])
    numbers, positions, moments = [], [], []
    for site in document["sites"]:
        (species, *others) = site["species"]
        if others or abs(float(species.get("occu", 1)) - 1) > 1e-3:
            raise DisorderedStructureError(
                "the structure has partially occupied sites; give an ordered crystal."
            )
        numbers.append(element_number(str(species["element"])))
        place = site["abc"] if "abc" in site else np.linalg.solve(lattice.T, site["xyz"])
        positions.append([float(x) for x in place])
        properties = site.get("properties") or {}
        moments.append(_moment(properties.get("magmom")))
    return CellArrays(
        lattice,
        np.reshape(positions, (-1, 3)),
        np.array(numbers, dtype=int),
        notices,
        _known(moments),
    )


def _lattice(document: Any) -> np.ndarray:
    if "matrix" in document:
        return np.array(document["matrix"], dtype=float).reshape(3, 3)
    from ase.geometry import cellpar_to_cell

    keys = ("a", "b", "c", "alpha", "beta", "gamma")
    return np.array(cellpar_to_cell([float(document[key]) for key in keys]))


def _moment(value: Any) -> list[float]:
    """Return a site's moment as a list; pymatgen writes numbers, vectors and its own objects."""
    if isinstance(value, dict):
        value = value.get("moment")
    if value is None:
        return [0.0]
    return [float(x) for x in value] if isinstance(value, list) else [float(value)]


def _known(moments: list[list[float]]) -> np.ndarray | None:
    width = {len(moment) for moment in moments}
    if len(width) != 1 or not np.any(moments):
        return None
    return np.array(moments, dtype=float)


def _from_ase(document: dict[str, Any], notices: tuple[str, ...]) -> CellArrays:
    """Read a row of ASE's database or of its JSON format."""
    lattice = _array(document["cell"]).reshape(3, 3)
    periodic = _array(document.get("pbc", [True] * 3))
    if not periodic.all() or abs(np.linalg.det(lattice)) < 1e-6:
        raise StructureFileError(
            "the structure is not periodic in three directions; give a crystal with its cell."
        )
    positions = _array(document["positions"]).reshape(-1, 3)
    numbers = _array(document["numbers"]).astype(int)
    moments = [[float(m)] for m in np.ravel(_array(document.get("initial_magmoms", [])))]
    fractional = np.linalg.solve(lattice.T, positions.T).T
    return CellArrays(lattice, fractional, numbers, notices, _known(moments) if moments else None)


def _array(value: Any) -> np.ndarray:
    """Return an array of ASE's JSON: a list, or ``{"__ndarray__": [shape, type, values]}``."""
    if isinstance(value, dict):
        if "__ndarray__" not in value:
            return _array(value["array"])
        shape, _, values = value["__ndarray__"]
        return np.array(values, dtype=float).reshape(shape)
    return np.array(value, dtype=float)
