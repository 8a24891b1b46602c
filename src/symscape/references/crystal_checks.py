"""What a stored hull crystal must be: of the symmetry that it states, relaxed, well sampled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from symscape.crystal.freedom import count_lattice, count_wyckoff
from symscape.crystal.orbits import reduced_formula
from symscape.crystal.search import find_dataset
from symscape.decode import is_finite
from symscape.errors import ReferenceFileError, shown

if TYPE_CHECKING:
    from ase import Atoms

    from symscape.references.crystal_files import StoredCrystal

#: a crystal counts as relaxed below these
MAX_FORCE_EV_A = 0.02
MAX_STRESS_GPA = 0.2
#: spglib's distance tolerance with which the stored symmetry is found again, angstrom
SYMPREC_A = 0.01


def check_symmetry(where: str, record: StoredCrystal, atoms: Atoms) -> None:
    """Refuse a record whose formula or symmetry is not that of its structure."""
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    if not all(np.isfinite(array).all() for array in cell):
        raise ReferenceFileError(f"{where}: cell or positions hold what is no number; correct it.")
    dataset = find_dataset(cell, SYMPREC_A)
    if dataset is None:
        raise ReferenceFileError(
            f"{where}: spglib finds no space group within {SYMPREC_A:g} angstrom; check for "
            "overlapping atoms."
        )
    n_lattice, n_wyckoff = count_freedom(atoms, dataset.rotations, dataset.translations)
    found = {
        "formula": reduced_formula(atoms.numbers),
        "space_group_number": int(dataset.number),
        "n_lattice": n_lattice,
        "n_wyckoff": n_wyckoff,
    }
    for key, value in found.items():
        stated = getattr(record, key)
        if stated != value:
            raise ReferenceFileError(
                f"{where}: {key} is {stated!r}, but the structure has {value!r}; correct the "
                "record."
            )


def count_freedom(atoms: Atoms, rotations: np.ndarray, translations: np.ndarray) -> tuple[int, int]:
    """Return the numbers of free lattice parameters and of free Wyckoff coordinates.

    Quicker than a `Crystal`, and independent of it; see `symscape.crystal.freedom`.

    Parameters
    ----------
    atoms
        The crystal.
    rotations, translations
        Its space group's operations in its own basis, shapes (n, 3, 3) and (n, 3).
    """
    positions, numbers = atoms.get_scaled_positions(), atoms.numbers
    images = np.einsum("gij,aj->gai", rotations, positions) + translations[:, None, :]
    fixed, done = [], np.zeros(len(atoms), dtype=bool)
    for first in range(len(atoms)):
        if done[first]:
            continue
        gaps = images[:, first, None, :] - positions[None]
        gaps -= np.rint(gaps)
        apart = np.linalg.norm(gaps @ atoms.cell.array, axis=2)
        apart[:, numbers != numbers[first]] = np.inf
        target = apart.argmin(axis=1)
        done[target] = True
        fixed.append(target == first)
    return count_lattice(rotations), count_wyckoff(rotations, np.column_stack(fixed))


def check_relaxed(where: str, energy: float, forces: np.ndarray, stress_GPa: np.ndarray) -> None:
    """Refuse a crystal without energy, or with forces or stresses left.

    Parameters
    ----------
    where
        File and crystal, for the sentence.
    energy
        eV.
    forces
        eV/angstrom, shape (n_atoms, 3).
    stress_GPa
        GPa, Voigt order, shape (6,).
    """
    largest = float(np.linalg.norm(forces, axis=1).max())
    if not np.isfinite(energy):
        raise ReferenceFileError(f"{where}: the energy is no number; compute it anew.")
    if not largest <= MAX_FORCE_EV_A:
        raise ReferenceFileError(
            f"{where}: a force of {largest:.3f} eV/angstrom is left, but at most "
            f"{MAX_FORCE_EV_A:g} are allowed; relax it further."
        )
    worst = float(np.abs(stress_GPa).max())
    if not worst <= MAX_STRESS_GPA:
        raise ReferenceFileError(
            f"{where}: a stress of {worst:.2f} GPa is left, but at most {MAX_STRESS_GPA:g} are "
            "allowed; relax it further."
        )


def check_mesh(
    where: str, cell: np.ndarray, mesh: tuple[int, int, int], density: float | None
) -> None:
    """Refuse fewer k-points than the file says that there are; some codes need none."""
    if density is not None and not (is_finite(density) and density > 0):
        raise ReferenceFileError(
            f"{where}: method.k_density_A is {shown(density)}, but must be a positive number of "
            "k-points per inverse angstrom; correct or remove it."
        )
    if density is not None and not mesh_suffices(cell, mesh, density):
        raise ReferenceFileError(
            f"{where}: the k-mesh {mesh} is coarser than method.k_density_A = "
            f"{density:g} asks for; compute it anew."
        )


def mesh_suffices(cell: np.ndarray, mesh: Iterable[int], density: float) -> bool:
    """Whether a k-mesh has this density, but for 10 %: a cell that shrinks keeps its mesh.

    Parameters
    ----------
    cell
        Lattice vectors as rows in angstrom, shape (3, 3).
    mesh
        k-points along each reciprocal vector.
    density
        k-points per inverse angstrom, 2 pi included.
    """
    needed = 2 * np.pi * np.linalg.norm(np.linalg.inv(cell), axis=0) * density
    return bool((np.array(list(mesh)) >= np.ceil(0.9 * needed - 1e-6)).all())
