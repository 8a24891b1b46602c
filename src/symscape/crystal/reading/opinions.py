"""pymatgen's and ASE's readings of a CIF beside gemmi's."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable

import numpy as np

from symscape.crystal.reading.cif_block import CifBlock, as_number, is_unknown
from symscape.crystal.reading.expansion import Expansion
from symscape.errors import StructureFileError

#: Atoms of two readings agree within this, in angstrom.
_AGREE = 0.1
#: Images nearer than this (fractional) are one atom for pymatgen: coordinates such as 0.333.
_SITE_TOLERANCE = 2e-3

#: what pymatgen and ASE must find to read a file as it is meant
_KNOWN_TAGS = (
    "^_cell_length_a",
    "^ *(_symmetry_equiv_pos_as_xyz|_space_group_symop_operation_xyz)",
    "^ *_atom_site_type_symbol",
    "^ *_atom_site_fract_x",
)
#: (lattice, fractional positions, atomic numbers)
_Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def check_opinions(text: str, block: CifBlock, expansion: Expansion, explicit: bool) -> None:
    """Compare a crystal with what pymatgen and ASE read.

    They are asked only of what both are known to read: tags without dots, operators that are
    listed, occupancies that are numbers, symbols in the usual case, atoms whose rounded coordinates
    needed no help. A reader that fails has no opinion.

    Raises
    ------
    StructureFileError
        If one of them reads another crystal.
    """
    occupancies = block.column("_atom_site_occupancy")
    plain = all(not is_unknown(value) and np.isfinite(as_number(value)) for value in occupancies)
    known = all(re.search(tag, text, re.IGNORECASE | re.MULTILINE) for tag in _KNOWN_TAGS)
    # ASE takes IN for iodine
    cased = all(
        re.match(r"[A-Z][a-z]?(?![A-Za-z])", k) for k in block.column("_atom_site_type_symbol")
    )
    if not (explicit and plain and known and cased) or expansion.notices:
        return
    readers: dict[str, Callable[[str, str], _Arrays]] = {"pymatgen": _pymatgen, "ASE": _ase}
    for name, reader in readers.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                other = reader(text, block.name)
            except Exception:  # whatever a parser does with a dialect that it does not know
                continue
        difference = _difference(expansion, other)
        if difference:
            raise StructureFileError(
                f"gemmi and {name} read different crystals of the data block {block.name} "
                f"({difference}); correct the file or give the structure in another format."
            )


def _pymatgen(text: str, name: str) -> _Arrays:
    from pymatgen.io.cif import CifFile, CifParser

    data = CifFile.from_str(text).data
    alone = str(data[name])
    parser = CifParser.from_str(alone, site_tolerance=_SITE_TOLERANCE)
    (structure,) = parser.parse_structures(primitive=False, check_occu=True)
    numbers = np.array([site.specie.Z for site in structure])
    return structure.lattice.matrix, structure.frac_coords, numbers


def _ase(text: str, name: str) -> _Arrays:
    from ase.io.cif import parse_cif

    (block,) = [b for b in parse_cif(io.BytesIO(text.encode("utf-8"))) if b.name == name.lower()]
    atoms = block.get_atoms()
    return atoms.cell.array, atoms.get_scaled_positions(), np.array(atoms.numbers)


def _difference(expansion: Expansion, other: _Arrays) -> str:
    """Say how two readings differ, or nothing; atoms that others list twice count once."""
    lattice, positions, numbers = other
    volume, own = abs(np.linalg.det(lattice)), abs(np.linalg.det(expansion.lattice))
    if abs(volume / own - 1) > 0.01:
        return f"cells of {own:.4g} and {volume:.4g} angstrom^3"
    if len(numbers) < len(expansion.numbers):
        return f"{len(expansion.numbers)} and {len(numbers)} atoms"
    gaps = expansion.positions[:, None] - positions[None]
    apart = np.linalg.norm((gaps - np.round(gaps)) @ expansion.lattice, axis=-1)
    alike = expansion.numbers[:, None] == numbers[None]
    apart = np.where(alike, apart, np.inf)
    if (apart.min(axis=1) > _AGREE).any() or (apart.min(axis=0) > _AGREE).any():
        return "atoms at different places or of different elements"
    return ""
