"""From any periodic structure to spglib's idealized conventional cell."""

from __future__ import annotations

from typing import Any

import numpy as np

from symscape.crystal.search import find_dataset
from symscape.crystal.sites import (
    Site,
    atom_permutations,
    awkwardness,
    find_sites,
    symmetrized_lattice,
    wrap,
)
from symscape.crystal.spacegroup import SpaceGroup, space_group
from symscape.errors import StructureFileError, SymscapeError


def cell_arrays(structure: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (lattice, fractional positions, atomic numbers) of an ASE or pymatgen structure.

    Raises
    ------
    StructureFileError
        If it is empty, not periodic, disordered, or not a structure.
    """
    if hasattr(structure, "get_scaled_positions"):
        if not len(structure):
            raise StructureFileError("the structure has no atoms; give a crystal.")
        if not structure.pbc.all() or abs(structure.cell.volume) < 1e-6:
            raise StructureFileError(
                "the structure is not periodic in three directions; give a crystal with its cell."
            )
        lattice, positions = structure.cell.array, structure.get_scaled_positions(wrap=False)
        if (structure.numbers < 1).any():
            raise StructureFileError("the structure has dummy atoms; replace them by elements.")
        return _finite(np.array(lattice), positions, np.array(structure.numbers))
    if hasattr(structure, "frac_coords") and hasattr(structure, "lattice"):
        if not len(structure):
            raise StructureFileError("the structure has no atoms; give a crystal.")
        if not structure.is_ordered:
            raise StructureFileError(
                "the structure has partially occupied sites; give an ordered crystal."
            )
        # pymatgen's dummy species have numbers far above those of the elements
        if not all(0 < getattr(site.specie, "Z", 0) <= 118 for site in structure):
            raise StructureFileError("the structure has dummy atoms; replace them by elements.")
        numbers = np.array([site.specie.Z for site in structure])
        matrix, positions = structure.lattice.matrix, structure.frac_coords
        return _finite(np.array(matrix), np.array(positions), numbers)
    raise StructureFileError(
        f"{type(structure).__name__} is not a structure; give ase.Atoms or pymatgen's Structure."
    )


def _finite(
    lattice: np.ndarray, positions: np.ndarray, numbers: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # spglib would crash the process
    if not (np.isfinite(lattice).all() and np.isfinite(positions).all()):
        raise StructureFileError(
            "the structure has coordinates that are not finite numbers; correct them."
        )
    return lattice, positions, numbers


def standardize(
    structure: Any, symprec: float, hall_number: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Return (lattice, fractional positions, numbers, Hall number) of the standardized cell.

    Orbits keep the order of the structure's atoms; each is contiguous with its representative, the
    one with the smallest coordinates among equals, first. Positions are in [0, 1).

    Parameters
    ----------
    structure
        ``ase.Atoms`` or pymatgen's ``Structure``.
    symprec
        spglib's distance tolerance in angstrom.
    hall_number
        The setting to standardize to; spglib's standard one if None.

    Raises
    ------
    StructureFileError
        If spglib finds no space group or not the one asked for.
    """
    lattice, positions, numbers = cell_arrays(structure)
    if np.linalg.det(lattice) < 0:  # the same crystal in right-handed vectors
        lattice, positions = -lattice, -positions
    dataset = find_dataset((lattice, positions, numbers), symprec, hall_number=hall_number or 0)
    if dataset is None:
        wanted = f"the space group of Hall number {hall_number}" if hall_number else "a space group"
        raise StructureFileError(
            f"spglib does not find {wanted} within symprec={symprec:g} angstrom; check for "
            "overlapping atoms or change symprec."
        )
    group = space_group(int(dataset.hall_number))
    numbers = np.array(dataset.std_types, dtype=int)
    tolerance = max(0.02, 3 * symprec)
    try:
        lattice = symmetrized_lattice(group, np.array(dataset.std_lattice), tolerance)
        permutations = atom_permutations(group, lattice, dataset.std_positions, numbers, tolerance)
    except SymscapeError as error:
        raise StructureFileError(
            f"the structure fits {group} only loosely within symprec={symprec:g} angstrom; "
            "lower symprec."
        ) from error
    sites, ideal = find_sites(group, dataset.std_positions, permutations)
    ideal = np.round(wrap_to_cell(ideal), 12)  # construction makes fractions exact again
    first_in_file = _first_original_atom(dataset)
    order: list[int] = []
    for site in sorted(sites, key=lambda s: min(first_in_file[s.atoms])):
        head = _head(group, site, ideal)
        order += [head, *(int(atom) for atom in site.atoms if atom != head)]
    return lattice, ideal[order], numbers[order], group.hall_number


def _head(group: SpaceGroup, site: Site, positions: np.ndarray) -> int:
    """Return the atom to list first: the best form, then the smallest offset, then coordinates."""
    forms = [
        site.form.image(group.rotations[g], group.exact_translations[g]) for g in site.operations
    ]
    keys = [
        (
            awkwardness(group, form),
            [float(entry % 1) for entry in form.offset],
            list(np.round(positions[atom], 6)),
        )
        for atom, form in zip(site.atoms, forms, strict=True)
    ]
    return int(site.atoms[min(range(len(keys)), key=keys.__getitem__)])


def _first_original_atom(dataset: Any) -> np.ndarray:
    """For each standardized atom the first atom of the file that it stands for."""
    original = np.asarray(dataset.mapping_to_primitive)
    return np.array(
        [int(np.argmax(original == label)) for label in dataset.std_mapping_to_primitive]
    )


def wrap_to_cell(positions: np.ndarray) -> np.ndarray:
    """Return fractional positions in [0, 1), with 1 - 1e-9 counted as 0."""
    wrapped = wrap(positions)
    return np.where(wrapped < -1e-9, wrapped + 1.0, np.maximum(wrapped, 0.0))
