"""Crystals from CIF: gemmi reads the syntax and the symmetry, the file's own statements decide."""

from __future__ import annotations

import numpy as np

from symscape.crystal.reading.agreement import check_agreement, formula_elements
from symscape.crystal.reading.arrays import CellArrays
from symscape.crystal.reading.cif_block import (
    CifBlock,
    as_number,
    choose_block,
    cif_blocks,
    is_unknown,
)
from symscape.crystal.reading.cif_symmetry import Setting, StatedSymmetry, stated_symmetry
from symscape.crystal.reading.elements import element_number, element_of_label
from symscape.crystal.reading.expansion import Expansion, ListedAtom, expand
from symscape.crystal.reading.magnetic import magnetic_operations, moments_of
from symscape.crystal.reading.opinions import check_opinions
from symscape.errors import DisorderedStructureError, StructureFileError, shown

_CELL = tuple(
    f"_cell_{key}"
    for key in ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
)


def read_cif(text: str, block_name: str = "", close_atoms: bool = False) -> CellArrays:
    """Read one block of a CIF.

    Parameters
    ----------
    text
        The file's content.
    block_name
        Which data block; empty for the last one with atoms.
    close_atoms
        Whether atoms may be nearer to each other than any bond.

    Raises
    ------
    StructureFileError
        If it is no CIF, the crystal is disordered or incomplete, or what is read contradicts what
        the file declares or what pymatgen or ASE read.
    """
    block, chosen = choose_block(cif_blocks(text), block_name)
    _refuse_modulated(block)
    cell = _cell(block)
    atoms = _atoms(block)
    magnetic = magnetic_operations(block)
    if magnetic is not None:
        symmetry = StatedSymmetry((magnetic.setting,), 0, True)
    else:
        symmetry = stated_symmetry(block, cell)
    setting, expansion = _expanded(block, cell, atoms, symmetry, close_atoms)
    if magnetic is None:
        check_opinions(text, block, expansion, symmetry.explicit)
    return CellArrays(
        expansion.lattice,
        expansion.positions,
        expansion.numbers,
        (*chosen, *_unknown_occupancies(block), *symmetry.notices, *expansion.notices),
        moments_of(block, atoms, expansion, magnetic),
        len(setting),
        symmetry.number or setting.number,
    )


def _refuse_modulated(block: CifBlock) -> None:
    """Refuse a crystal whose atoms deviate from those listed by a wave through the cells.

    Raises
    ------
    StructureFileError
        If the file states a modulation (msCIF dictionary of the IUCr), displacive or magnetic.
    """
    dimension = block.number("_cell_modulation_dimension")
    waves = block.column("_cell_wave_vector_x", "_cell_wave_vector_seq_id")
    if dimension > 0 or (waves and not dimension == 0):
        raise StructureFileError(
            "the crystal is modulated: the atoms listed are those of its average cell; give a "
            "commensurate supercell without _cell_modulation_dimension."
        )


def _cell(block: CifBlock) -> tuple[float, ...]:
    """Return a, b, c, alpha, beta, gamma; the dictionary's default angle is 90 degrees."""
    values = []
    for tag in _CELL:
        value = block.number(tag)
        if np.isnan(value) and "angle" in tag and not block.text(tag):
            value = 90.0
        if not np.isfinite(value) or value <= 0:
            raise StructureFileError(
                f"{tag} is {shown(block.text(tag) or 'missing')} instead of a positive number, so "
                "no structure could be read; correct the file."
            )
        values.append(value)
    return tuple(values)


def _lattice(cell: tuple[float, ...]) -> np.ndarray:
    """Return the cell's vectors, a along x and b in the plane of x and y."""
    from ase.geometry import cellpar_to_cell

    try:
        lattice = np.array(cellpar_to_cell(cell))
    except AssertionError:
        lattice = np.zeros((3, 3))
    if not np.linalg.det(lattice) > 1e-6:
        raise StructureFileError(
            "the cell's angles make no cell: the structure is not periodic in three directions; "
            "correct them."
        )
    return lattice


def _atoms(block: CifBlock) -> list[ListedAtom]:
    """Return the atoms that are listed.

    Raises
    ------
    StructureFileError
        If one has no place, no element or a partial occupancy, or hydrogens are only counted.
    """
    columns = [block.column(f"_atom_site_fract_{x}") for x in "xyz"]
    if not all(columns):
        raise StructureFileError(
            "no structure could be read: the atoms have no fractional coordinates; give a CIF with "
            "_atom_site_fract_x, _y and _z."
        )
    count = len(columns[0])
    types = block.column("_atom_site_type_symbol") or ("?",) * count
    labels = block.column("_atom_site_label") or types
    shares = block.column("_atom_site_occupancy") or (".",) * count
    hydrogens = block.column("_atom_site_attached_hydrogens") or (".",) * count
    known = formula_elements(block)
    atoms = []
    for label, kind, share, more, *texts in zip(
        labels, types, shares, hydrogens, *columns, strict=True
    ):
        _check_occupancy(label, share)
        if not is_unknown(more) and as_number(more) != 0:
            raise StructureFileError(
                f"{label} has {more} attached hydrogens that are counted but not placed; give a "
                "file with all atoms."
            )
        place = [as_number(text) for text in texts]
        if not np.isfinite(place).all():
            raise StructureFileError(
                f"the coordinates of {label} ({', '.join(texts)}) are not finite numbers; correct "
                "or place the atom."
            )
        number = element_of_label(label, known) if is_unknown(kind) else element_number(kind)
        rounding = max(map(_last_digit, texts))
        atoms.append(ListedAtom(label, number, (place[0], place[1], place[2]), rounding))
    return atoms


def _check_occupancy(label: str, text: str) -> None:
    """Refuse all but fully occupied sites; '.' is the dictionary's default, 1, and so is '?'."""
    share = 1.0 if is_unknown(text) else as_number(text)
    if not 0.999 < share < 1.001:
        raise DisorderedStructureError(
            f"{label} is a partially occupied site (occupancy {text}); give an ordered crystal."
        )


def _unknown_occupancies(block: CifBlock) -> tuple[str, ...]:
    """Return a notice where occupancies are '?', unknown, and not '.', the default."""
    labels = block.column("_atom_site_label") or block.column("_atom_site_type_symbol")
    shares = block.column("_atom_site_occupancy")
    unknown = [label for label, share in zip(labels, shares, strict=False) if share == "?"]
    if not unknown:
        return ()
    return (f"the occupancy of {', '.join(dict.fromkeys(unknown))} is unknown (?), taken as 1",)


def _last_digit(text: str) -> float:
    """Return the unit of a coordinate's last digit; 0 for one that is exact: 0, 0.5, 1/3."""
    digits = text.split("(")[0].partition(".")[2]
    return 10.0 ** -len(digits) if digits.isdigit() and len(digits) > 1 else 0.0


def _expanded(
    block: CifBlock,
    cell: tuple[float, ...],
    atoms: list[ListedAtom],
    symmetry: StatedSymmetry,
    close_atoms: bool,
) -> tuple[Setting, Expansion]:
    """Expand by the one setting that agrees with the rest of the file.

    Raises
    ------
    StructureFileError
        If none does, or several do.
    """
    fitting, failures = [], []
    for setting in symmetry.settings:
        try:
            expansion = expand(_lattice(cell), atoms, setting, close_atoms)
            check_agreement(block, cell, expansion, setting, symmetry.number)
        except StructureFileError as error:
            failures.append(error)
        else:
            fitting.append((setting, expansion))
    if not fitting:
        raise failures[0]
    if len(fitting) > 1:
        names = " and ".join(setting.name for setting, _ in fitting)
        raise StructureFileError(
            f"the file gives a symbol or number without operators, which may mean {names}; write "
            "which, or list the operators."
        )
    return fitting[0]
