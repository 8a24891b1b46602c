"""Read a crystal from any structure file; what was read agrees with what the file declares."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from symscape.crystal.contacts import closest_contact
from symscape.crystal.reading.arrays import CellArrays
from symscape.crystal.reading.packing import PACKINGS
from symscape.crystal.reading.source import MAX_SIZE_MB, Source, open_source
from symscape.crystal.search import find_dataset
from symscape.crystal.tolerance import StatedGroup, find_crystal
from symscape.errors import StructureFileError, SymscapeError, shown

if TYPE_CHECKING:
    from ase import Atoms

    from symscape.crystal.crystal import Crystal

#: Names of structure files end so.
_ENDINGS = (".cif", ".mcif", ".vasp", ".poscar", ".xyz", ".extxyz", ".xsf", ".res", ".pdb")
#: Atoms nearer than this, in angstrom, overlap (H2: 0.74).
_OVERLAP_A = 0.4
#: Moments nearer than this, in Bohr magnetons, are equal.
_SAME_MOMENT = 0.1


@dataclass(frozen=True)
class ReadOptions:
    """What a file alone can't say.

    Parameters
    ----------
    block
        Which data block of a CIF; empty for the last one with a crystal.
    elements
        Symbols of a POSCAR without any, in its order.
    max_size_MB
        Largest size of a file, decompressed, in megabytes (10^6 bytes).
    close_atoms
        Whether atoms may be nearer to each other than any bond. Mostly they are one site that was
        split and lost its occupancies.
    """

    block: str = ""
    elements: tuple[str, ...] = ()
    max_size_MB: float = MAX_SIZE_MB
    close_atoms: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.max_size_MB < float("inf"):
            raise SymscapeError(f"--max-size {self.max_size_MB:g} is not a size in MB above zero.")


@dataclass(frozen=True, eq=False)
class StructureFile:
    """What a structure file holds.

    Parameters
    ----------
    atoms
        The structure; the last one of a file with several.
    notices
        What the user should know, one sentence each.
    moments
        Magnetic moments in Bohr magnetons, shape (n, 1) or (n, 3); None if the file states none.
    stated
        What the file states of its space group.
    """

    atoms: Atoms
    notices: tuple[str, ...]
    moments: np.ndarray | None = None
    stated: StatedGroup = field(default_factory=StatedGroup)


@dataclass(frozen=True, eq=False)
class CrystalFile:
    """The standardized crystal of a structure file.

    Parameters
    ----------
    crystal
        In spglib's standard setting, or the one asked for.
    notices
        What the user should know, one sentence each; every command shows them.
    """

    crystal: Crystal
    notices: tuple[str, ...] = field(default=())


def read_structure(path: str | Path, options: ReadOptions | None = None) -> StructureFile:
    """Read the last structure of a file.

    CIF is read by gemmi, with pymatgen and ASE as second opinions; POSCAR by pymatgen; JSON as
    plain data; all other formats by ASE or pymatgen.

    Parameters
    ----------
    path
        Compressed by gzip, bzip2, xz or zstd, or not.
    options
        What the file alone can't say.

    Raises
    ------
    StructureFileError
        If the file is missing, empty, too large, unreadable, not periodic in three directions,
        disordered, incomplete, or contradicts itself.
    """
    options = options or ReadOptions()
    source = open_source(path, options.max_size_MB)
    try:
        cell = _read(source, options)
        atoms, close = _checked(cell, options.close_atoms)
    except StructureFileError as error:
        raise type(error)(f"{path}: {error}") from error
    stated = StatedGroup(cell.space_group, cell.operations)
    return StructureFile(atoms, (*cell.notices, *close), cell.moments, stated)


def crystal_from_file(
    path: str | Path,
    symprec: float | None = None,
    hall_number: int | None = None,
    options: ReadOptions | None = None,
) -> CrystalFile:
    """Read a structure file and standardize its crystal.

    Parameters
    ----------
    symprec
        spglib's distance tolerance in angstrom. None for 0.01 or, if that finds no group that fits
        or one that the file does not state, the first of some others that does, which a notice
        names.
    hall_number
        The setting to standardize to; spglib's standard one if None.

    Raises
    ------
    StructureFileError
        As `read_structure`; if no space group is found, it is lower than the one that the file
        states, or magnetic moments would lower it.
    """
    content = read_structure(path, options)
    try:
        found = find_crystal(content.atoms, content.stated, symprec, hall_number)
        ignored = _moments_ignored(content, found.symprec, found.crystal)
    except SymscapeError as error:
        raise type(error)(f"{path}: {error}") from error
    return CrystalFile(found.crystal, (*content.notices, *found.notices, *ignored))


def is_structure_name(name: str) -> bool:
    """Whether a name is plainly one of a structure file, whether or not the file is there."""
    plain = name.lower()
    for packing in PACKINGS.values():
        plain = plain.removesuffix(packing)
    return plain.endswith(_ENDINGS) or plain.rpartition("/")[2] in ("poscar", "contcar")


def _read(source: Source, options: ReadOptions) -> CellArrays:
    """Hand the file to the reader of its format."""
    from symscape.crystal.reading.cif_block import is_cif
    from symscape.crystal.reading.other_formats import read_other
    from symscape.crystal.reading.poscar import is_poscar, read_poscar
    from symscape.crystal.reading.structure_json import is_json, read_structure_json

    if source.ending in (".cif", ".mcif") or is_cif(source.text):
        from symscape.crystal.reading.cif import read_cif

        return read_cif(source.text, options.block, options.close_atoms)
    if options.block:
        raise StructureFileError(f"--block {options.block} is for CIF files, which have blocks.")
    if is_poscar(source):
        return read_poscar(source, options.elements)
    if options.elements:
        raise StructureFileError(
            f"--elements {','.join(options.elements)} is for POSCAR files, which may lack symbols."
        )
    return read_structure_json(source.text) if is_json(source.text) else read_other(source)


def _checked(cell: CellArrays, close_atoms: bool) -> tuple[Atoms, tuple[str, ...]]:
    """Return a cell as ``ase.Atoms`` once it is known to be a crystal of elements, and notices."""
    from ase import Atoms

    if not len(cell.numbers):
        raise StructureFileError("the structure has no atoms; give a crystal.")
    if not ((cell.numbers > 0) & (cell.numbers <= 118)).all():
        raise StructureFileError("the structure has dummy atoms; replace them by elements.")
    if not (np.isfinite(cell.lattice).all() and np.isfinite(cell.positions).all()):
        raise StructureFileError(
            "the structure has coordinates that are not finite numbers; correct them."
        )
    if abs(np.linalg.det(cell.lattice)) < 1e-6:
        raise StructureFileError(
            "the structure is not periodic in three directions; give a crystal with its cell."
        )
    contact = closest_contact(cell.numbers, cell.positions @ cell.lattice, cell.lattice)
    close = contact.distance < _OVERLAP_A
    if close and not close_atoms:
        raise StructureFileError(
            f"the structure has overlapping atoms ({contact} apart); remove or correct one of "
            "them, or take them as they are with --close-atoms."
        )
    atoms = Atoms(
        numbers=cell.numbers, scaled_positions=cell.positions, cell=cell.lattice, pbc=True
    )
    return atoms, (f"atoms {contact} apart were taken as they are",) if close else ()


def _moments_ignored(content: StructureFile, symprec: float, crystal: Crystal) -> tuple[str, ...]:
    """Return the notice that moments are ignored, if there are any.

    Raises
    ------
    StructureFileError
        If atoms that are equivalent without their moments differ in them: then the crystal without
        them is another one.
    """
    atoms, moments = content.atoms, content.moments
    if moments is None:
        return ()
    dataset = find_dataset((atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers), symprec)
    same = np.arange(len(atoms)) if dataset is None else np.asarray(dataset.equivalent_atoms)
    apart = np.linalg.norm(moments - moments[same], axis=1)
    if apart.max() > _SAME_MOMENT:
        k = int(apart.argmax())
        pair = f"{atoms[int(same[k])].symbol} {shown(int(same[k]) + 1)} and {shown(k + 1)}"
        raise StructureFileError(
            f"the atoms {pair} are equivalent in {crystal.symbol} but for their magnetic moments, "
            "which lower the symmetry, and slices know no moments; take them out of the file "
            "if the crystal without them is meant."
        )
    return ("magnetic moments are ignored; with them the symmetry is lower",)
