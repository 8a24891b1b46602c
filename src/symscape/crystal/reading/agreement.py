"""Holding what was read of a CIF against what it declares: formula, weight, Z, volume, counts."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from symscape.crystal.reading.cif_block import CifBlock, as_number, is_unknown
from symscape.crystal.reading.cif_symmetry import Setting
from symscape.crystal.reading.elements import element_number
from symscape.crystal.reading.expansion import Expansion
from symscape.crystal.search import find_dataset
from symscape.errors import StructureFileError

#: shares of elements by formula and by atoms differ by rounding only
_SHARE = 2e-3
#: stated volumes are rounded, or of cells before rounding
_VOLUME = 0.01
_RHOMBOHEDRAL = (146, 148, 155, 160, 161, 166, 167)
#: weights are stated to four digits at least; a hydrogen in 300 shows
_WEIGHT = 3e-3
#: the first that is understood counts
_FORMULAS = (
    "_chemical_formula_sum", "_chemical_formula_moiety", "_chemical_formula_structural",
    "_chemical_formula_iupac",
)  # fmt: skip


def check_agreement(
    block: CifBlock,
    cell: tuple[float, ...],
    expansion: Expansion,
    setting: Setting,
    space_group: int,
) -> None:
    """Compare all atoms of a cell with what the block declares.

    Parameters
    ----------
    cell
        As the file gives it: angstrom and degrees.
    space_group
        The number that the file declares, 0 if none.

    Raises
    ------
    StructureFileError
        If something contradicts; the sentence names both.
    """
    _check_volume(block, expansion)
    _check_formula(block, expansion)
    _check_numbers_in_cell(block, expansion)
    _check_multiplicities(block, expansion, setting)
    if space_group > 1 and len(setting) == 1:
        _check_full_list(expansion, space_group)


def formula_elements(block: CifBlock) -> frozenset[int]:
    """Return the atomic numbers of the formula that a block declares; empty if it has none."""
    return frozenset(_declared_formula(block)[1])


def _check_volume(block: CifBlock, expansion: Expansion) -> None:
    stated = block.number("_cell_volume")
    volume = abs(float(np.linalg.det(expansion.lattice)))
    if np.isfinite(stated) and stated > 0 and abs(volume / stated - 1) > _VOLUME:
        raise StructureFileError(
            f"the file says that the cell's volume is {stated:g} angstrom^3, but lengths and "
            f"angles make {volume:.4g}; correct one of them."
        )


def _check_formula(block: CifBlock, expansion: Expansion) -> None:
    """Compare composition and, with Z, the number of atoms."""
    text, formula = _declared_formula(block)
    if not formula:
        _check_weight(block, expansion)
        return
    numbers, counts = np.unique(expansion.numbers, return_counts=True)
    content = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
    shares = _shares(content)
    stated = _shares(formula)
    if any(abs(shares.get(z, 0) - stated.get(z, 0)) > _SHARE for z in shares.keys() | stated):
        raise StructureFileError(
            f"the file says {text}, but the atoms listed make {_written(content)}; atoms are "
            "missing, or the symmetry is another one."
        )
    units = block.number("_cell_formula_units_z", "_cell_formula_units_Z")
    if not np.isfinite(units) or units <= 0:
        return
    total, in_formula = sum(content.values()), sum(formula.values())
    # some programs write the whole cell as the formula and count units of their own in it: CsCl, N2
    meant = [units * in_formula]
    if (in_formula / units).is_integer():
        meant.append(in_formula)
    if not any(abs(total - count) < 0.02 * count for count in meant):
        raise StructureFileError(
            f"the file says Z = {units:g} of {text}, {units * in_formula:g} atoms in the cell, but "
            f"there are {total} ({_written(content)}); atoms are missing, or the symmetry is "
            "another one."
        )


def _check_weight(block: CifBlock, expansion: Expansion) -> None:
    """Compare the mass of the cell with that of Z units, or of a whole number of them."""
    from ase.data import atomic_masses

    weight = block.number("_chemical_formula_weight")
    # deuterium and tritium are read as hydrogen, whose mass is another one
    heavy = {"D", "T"} & {
        re.sub(r"[^A-Za-z].*", "", kind).upper()
        for kind in block.column("_atom_site_type_symbol", "_atom_site_label")
    }
    if not np.isfinite(weight) or weight <= 0 or heavy:
        return
    mass = float(atomic_masses[expansion.numbers].sum())
    units = block.number("_cell_formula_units_z")
    if not np.isfinite(units) or units <= 0:
        units = max(1, round(mass / weight))
    if abs(mass / weight / units - 1) > _WEIGHT:
        numbers, counts = np.unique(expansion.numbers, return_counts=True)
        content = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
        raise StructureFileError(
            f"the file says that {units:g} formula units weigh {weight:g} u each, but the atoms "
            f"listed make {_written(content)}, {mass:.6g} u; atoms are missing, or the symmetry is "
            "another one."
        )


def _check_numbers_in_cell(block: CifBlock, expansion: Expansion) -> None:
    """Compare how many atoms of each type are said to be in the cell."""
    kinds, texts = block.column("_atom_type_symbol"), block.column("_atom_type_number_in_cell")
    stated: dict[int, float] = {}
    for kind, text in zip(kinds, texts, strict=False):
        number = element_number(kind)
        stated[number] = stated.get(number, 0.0) + as_number(text)
    for number, wanted in stated.items():
        found = int((expansion.numbers == number).sum())
        if np.isfinite(wanted) and abs(wanted - found) > 0.02 * max(found, 1):
            raise StructureFileError(
                f"the file says that {wanted:g} atoms of {_written({number: 1})[:-1]} are in the "
                f"cell, but there are {found}; atoms are missing, or the symmetry is another one."
            )


def _check_multiplicities(block: CifBlock, expansion: Expansion, setting: Setting) -> None:
    """Compare the number of images of each atom with the one that is stated.

    SHELXL has written the order of the site symmetry under the same tag; both are understood.
    """
    stated = block.column(
        "_atom_site_symmetry_multiplicity", "_atom_site_site_symmetry_multiplicity"
    )
    labels = block.column("_atom_site_label")
    for k, text in enumerate(stated):
        wanted = float("nan") if is_unknown(text) else as_number(text)
        found = int((expansion.origins == k).sum())
        if not np.isfinite(wanted) or not found:
            continue
        # of rhombohedral axes the one of the hexagonal cell is often stated
        if wanted not in (found, len(setting) / found, found * _hexagonal_cells(setting)):
            name = labels[k] if k < len(labels) else f"atom {k + 1}"
            raise StructureFileError(
                f"the file says that {name} has multiplicity {wanted:g}, but {found} atoms are "
                f"made of it by {setting.name}; correct the position or the setting."
            )


def _hexagonal_cells(setting: Setting) -> int:
    """Return how many cells the hexagonal one has: 3 of rhombohedral axes, else 1."""
    centrings = (setting.rotations == np.eye(3, dtype=int)).all(axis=(1, 2)).sum()
    return 3 if setting.number in _RHOMBOHEDRAL and centrings == 1 else 1


def _check_full_list(expansion: Expansion, space_group: int) -> None:
    """Accept a list of all atoms without operators only if it has the declared group."""
    cell = (expansion.lattice, expansion.positions, expansion.numbers)
    found = 0
    for symprec in (1e-3, 0.01, 0.05):
        dataset = find_dataset(cell, symprec)
        found = 0 if dataset is None else int(dataset.number)
        if found == space_group:
            return
    raise StructureFileError(
        f"the file says space group No. {space_group} but lists no operator other than the "
        f"identity, and its atoms have No. {found}; list all operators, or all atoms."
    )


def _declared_formula(block: CifBlock) -> tuple[str, dict[int, float]]:
    """Return the formula as written and its amounts by atomic number; empty if not understood."""
    for tag in _FORMULAS:
        text = block.text(tag)
        amounts = _amounts(text)
        if amounts:
            return text, amounts
    return "", {}


def _amounts(text: str) -> dict[int, float]:
    """Parse ``Ti O2``, ``C6 H6 O, 2(H2 O)``, ``Na 1+, Cl 1-``; empty if it is something else."""
    from pymatgen.core import Composition

    amounts: dict[int, float] = {}
    for part in re.split(r"[,;]", text):
        plain = re.sub(r"(?<![\w.])\d*[+-](?!\w)|\d+[+-]$", "", part.strip()).strip(" '\"")
        factor, inner = re.fullmatch(r"(\d*\.?\d*)\s*\(?(.*?)\)?", plain).groups()  # type: ignore[union-attr]
        if not inner:
            continue
        whole = f"({inner})" if factor else plain
        try:
            parsed = Composition(re.sub(r"\s+", "", whole))
            for element, amount in parsed.items():
                z = int(element.Z)
                amounts[z] = amounts.get(z, 0.0) + float(amount) * float(factor or 1)
        except Exception:  # pymatgen's parser meets prose here
            return {}
    return amounts if all(0 < z <= 118 for z in amounts) else {}


def _shares(amounts: Mapping[int, float]) -> dict[int, float]:
    total = sum(amounts.values())
    return {z: amount / total for z, amount in amounts.items()}


def _written(content: Mapping[int, int]) -> str:
    from ase.data import chemical_symbols

    return " ".join(f"{chemical_symbols[z]}{n}" for z, n in sorted(content.items()))
