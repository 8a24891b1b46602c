"""Structures in JSON: pymatgen's and ASE's, without a decoder that imports what a file names.

pymatgen's own decoder imports any module that stands under ``@module`` and calls what it finds
there, so only numbers and symbols are taken from the documents here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from symscape.crystal.orbits import reduced_formula
from symscape.crystal.reading.arrays import CellArrays
from symscape.crystal.reading.beside import group_beside, other_formula, other_volume
from symscape.crystal.reading.elements import element_number
from symscape.crystal.reading.stated_twice import two_crystals
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
    found = _structures(document, depth=0, holder={})
    if not found:
        raise StructureFileError(
            "no structure could be read: the JSON holds neither pymatgen's nor ASE's structures; "
            "give one with 'lattice' and 'sites', or another format."
        )
    notices = () if len(found) == 1 else (f"took the last of {len(found)} structures",)
    last, holder = found[-1]
    try:
        read = _from_ase if "numbers" in last else _from_pymatgen
        cell = read(last, notices)
        _check_holder(holder, cell)
        _check_holder(last, cell)
        return replace(cell, space_group=group_beside(holder, _dict(holder.get("data"))))
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, AttributeError) as error:
        raise StructureFileError(
            f"the structure in the JSON is malformed ({type(error).__name__}: "
            f"{shown(str(error))}); write it anew."
        ) from None


def _structures(
    document: Any, depth: int, holder: dict[str, Any]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the structures of a document, in its order, and the document that holds each."""
    if depth > 4:
        return []
    if isinstance(document, list):
        return [one for item in document for one in _structures(item, depth + 1, {})]
    if not isinstance(document, dict):
        return []
    if {"lattice", "sites"} <= document.keys() or {
        "numbers",
        "positions",
        "cell",
    } <= document.keys():
        return [(document, holder)]
    for key in _WRAPPERS:
        found = _structures(document.get(key), depth + 1, document)
        if found:
            return found
    rows = [document[key] for key in document if key.isdigit()]  # a database of ASE
    return _structures(rows, depth + 1, {})


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _check_holder(holder: dict[str, Any], cell: CellArrays) -> None:
    """Compare a structure with the number of sites, volume and composition stated beside it.

    Raises
    ------
    StructureFileError
        If they are of another structure.
    """
    from ase.data import chemical_symbols

    own: dict[int, float] = {
        int(z): int((cell.numbers == z).sum()) for z in np.unique(cell.numbers)
    }
    written = " ".join(f"{chemical_symbols[z]}{n}" for z, n in own.items())
    if said := other_formula(holder, reduced_formula(cell.numbers)):
        raise StructureFileError(f"{said}; correct one of them.")
    if said := other_volume(holder, cell.lattice, len(cell.numbers)):
        raise StructureFileError(f"{said}; correct one of them.")
    for key in ("nsites", "n_sites", "natoms"):
        if isinstance(stated := holder.get(key), int) and stated != len(cell.numbers):
            raise StructureFileError(
                f"{key} is {stated}, but the structure has {len(cell.numbers)} atoms ({written}); "
                "correct one of them."
            )
    composition = holder.get("composition")
    if not isinstance(composition, dict) or not composition:
        return
    stated_amounts: dict[int, float] = {}
    for symbol, amount in composition.items():
        number = element_number(str(symbol))
        stated_amounts[number] = stated_amounts.get(number, 0.0) + float(amount)
    # of the cell, or reduced
    factor = len(cell.numbers) / (sum(stated_amounts.values()) or 1.0)
    if any(
        abs(factor * stated_amounts.get(z, 0.0) - own.get(z, 0.0)) > 1e-3
        for z in own.keys() | stated_amounts.keys()
    ):
        stated_text = " ".join(f"{symbol}{amount:g}" for symbol, amount in composition.items())
        raise StructureFileError(
            f"the composition is {shown(stated_text)}, but the structure has {written}; "
            "correct one of them."
        )


def _from_pymatgen(document: dict[str, Any], notices: tuple[str, ...]) -> CellArrays:
    """Read ``Structure.as_dict()``: the lattice's matrix, and species and coordinates of sites."""
    lattice = _lattice(document["lattice"])
    if said := two_crystals(document):
        raise StructureFileError(f"{said}; correct one of them.")
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
        moments.append(_moment_of_site(site, species))
    return CellArrays(
        lattice,
        np.reshape(positions, (-1, 3)),
        np.array(numbers, dtype=int),
        notices,
        _known(moments),
    )


def _lattice(document: Any) -> np.ndarray:
    if not all(document.get("pbc", (True,))):
        raise StructureFileError(
            "the structure is not periodic in three directions; give a crystal with its cell."
        )
    if "matrix" in document:
        return np.array(document["matrix"], dtype=float).reshape(3, 3)
    from ase.geometry import cellpar_to_cell

    keys = ("a", "b", "c", "alpha", "beta", "gamma")
    return np.array(cellpar_to_cell([float(document[key]) for key in keys]))


def _moment_of_site(site: dict[str, Any], species: dict[str, Any]) -> list[float]:
    """Return a site's moment, or the spin of its species, as `_moment` does."""
    moment = (site.get("properties") or {}).get("magmom")
    spins = (species.get("spin"), (species.get("properties") or {}).get("spin"))
    return _moment(next((value for value in (moment, *spins) if value is not None), None))


def _moment(value: Any) -> list[float]:
    """Return a site's moment as a list; pymatgen writes numbers, vectors and its own objects."""
    if isinstance(value, dict):
        value = value.get("moment")
    if value is None:
        return [0.0]
    return [float(x) for x in value] if isinstance(value, list) else [float(value)]


def _known(moments: list[list[float]]) -> np.ndarray | None:
    """Return the moments of all atoms, shape (n, 1) or (n, 3); None if all are zero.

    Beside vectors a number is along z, as the spins of a collinear calculation are by habit.
    """
    widths = {len(moment) for moment in moments}
    if not widths <= {1, 3}:
        raise ValueError("a magnetic moment is neither a number nor a vector of three")
    if 3 in widths:
        moments = [[0.0, 0.0, *moment] if len(moment) == 1 else moment for moment in moments]
    values = np.array(moments, dtype=float)
    return values if values.any() else None


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
    stated = (_array(document[k]) for k in ("initial_magmoms", "magmoms") if k in document)
    moments = next((found for found in stated if found.any()), np.zeros(len(numbers)))
    fractional = np.linalg.solve(lattice.T, positions.T).T
    return CellArrays(
        lattice, fractional, numbers, notices, _known(moments.reshape(len(numbers), -1).tolist())
    )


def _array(value: Any) -> np.ndarray:
    """Return an array of ASE's JSON: a list, or ``{"__ndarray__": [shape, type, values]}``."""
    if isinstance(value, dict):
        if "__ndarray__" not in value:
            return _array(value["array"])
        shape, _, values = value["__ndarray__"]
        return np.array(values, dtype=float).reshape(shape)
    return np.array(value, dtype=float)
