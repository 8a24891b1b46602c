"""From one atom of each orbit to all atoms of the cell, rounded coordinates put in place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symscape.crystal.reading.cif_symmetry import Setting
from symscape.errors import StructureFileError

#: Images of an atom nearer than this (fractional) are one atom: coordinates such as 0.333.
_ROUNDING = 2e-3
#: No two atoms of a crystal are nearer than this, in angstrom (H2: 0.74).
_TOO_CLOSE = 0.4
#: Atoms of one element nearer than this, in angstrom, are one atom that is listed twice.
_SAME_PLACE = 0.02
#: Cells deviate from their group's metric by rounding only: share of the squared lengths.
_CELL_ROUNDING = 5e-3
#: A move onto a special position of more than this, in angstrom, is worth a notice.
_WORTH_SAYING = 0.02


@dataclass(frozen=True)
class ListedAtom:
    """An atom as a file lists it.

    Parameters
    ----------
    label
        Its name there.
    number
        Atomic number.
    position
        Fractional coordinates.
    rounding
        Unit of the last digit of the coordinates.
    """

    label: str
    number: int
    position: tuple[float, float, float]
    rounding: float


@dataclass(frozen=True, eq=False)
class Expansion:
    """All atoms of a cell.

    Parameters
    ----------
    lattice
        Rows in angstrom, shape (3, 3), with the metric of the group.
    positions
        Fractional, in [0, 1), shape (n, 3); orbits in the order of the file.
    numbers
        Atomic numbers, shape (n,).
    origins
        Which listed atom each comes from, shape (n,).
    operations
        By which operation each comes from its listed atom, shape (n,).
    notices
        What was put in place.
    """

    lattice: np.ndarray
    positions: np.ndarray
    numbers: np.ndarray
    origins: np.ndarray
    operations: np.ndarray
    notices: tuple[str, ...]


def expand(
    lattice: np.ndarray, atoms: list[ListedAtom], setting: Setting, close_atoms: bool = False
) -> Expansion:
    """Apply a group's operations to the atoms of a file.

    Parameters
    ----------
    close_atoms
        Whether different atoms of the list may be nearer to each other than any bond.

    Raises
    ------
    StructureFileError
        If the cell does not fit the group, an atom is near a special position but not on it, or
        two atoms overlap.
    """
    lattice, notices = _fitting(lattice, setting)
    positions, origins, operations = [], [], []
    for k, atom in enumerate(atoms):
        place, moved = _in_place(lattice, atom, setting)
        if moved > _WORTH_SAYING:
            notices.append(
                f"{atom.label} was moved by {moved:.3f} angstrom onto its special position"
            )
        images = np.mod(setting.rotations @ place + setting.translations, 1.0)
        kept = _distinct(images)
        positions.append(images[kept])
        operations.append(kept)
        origins.append(np.full(len(kept), k))
    everything = _without_repetitions(
        lattice, atoms, np.concatenate(positions), np.concatenate(origins), close_atoms
    )
    kept, doubled = everything
    if doubled:
        notices.append(
            f"the operators make {doubled} of the listed atoms of others; each counts once"
        )
    origin = np.concatenate(origins)[kept]
    return Expansion(
        lattice,
        np.concatenate(positions)[kept],
        np.array([atoms[k].number for k in origin], dtype=int),
        origin,
        np.concatenate(operations)[kept],
        tuple(notices),
    )


def _fitting(lattice: np.ndarray, setting: Setting) -> tuple[np.ndarray, list[str]]:
    """Return the lattice with exactly the metric that the rotations keep."""
    metric = lattice @ lattice.T
    turned = np.swapaxes(setting.rotations, 1, 2) @ metric @ setting.rotations
    scale = np.sqrt(np.outer(np.diag(metric), np.diag(metric)))
    off = float(np.abs((turned - metric) / scale).max())
    if off > _CELL_ROUNDING:
        lengths = np.linalg.norm(lattice, axis=1)
        angles = [
            np.degrees(np.arccos(metric[i, j] / lengths[i] / lengths[j]))
            for i, j in ((1, 2), (0, 2), (0, 1))
        ]
        shown_cell = ", ".join(f"{x:.6g}" for x in (*lengths, *angles))
        raise StructureFileError(
            f"the cell ({shown_cell}) does not have the shape that {setting.name} asks for; "
            "correct the cell or the setting."
        )
    if off < 1e-9:
        return lattice, []
    wanted = turned.mean(axis=0)
    # the nearest lattice with that metric: a symmetric strain of the one that is given
    return np.linalg.cholesky(wanted) @ np.linalg.inv(np.linalg.cholesky(metric)) @ lattice, []


def _in_place(lattice: np.ndarray, atom: ListedAtom, setting: Setting) -> tuple[np.ndarray, float]:
    """Return the position on its special position, if rounding took it off, and the move in A."""
    place = np.array(atom.position)
    tolerance = max(_ROUNDING, 2 * atom.rounding)
    for _ in range(3):  # a mean of wrapped images is exact; twice more for those let in by it
        gaps = setting.rotations @ place + setting.translations - place
        gaps -= np.round(gaps)
        near = np.abs(gaps).max(axis=1) < tolerance
        near &= np.linalg.norm(gaps @ lattice, axis=1) < _TOO_CLOSE
        place = place + gaps[near].mean(axis=0)
    gaps = setting.rotations @ place + setting.translations - place
    apart = np.linalg.norm((gaps - np.round(gaps)) @ lattice, axis=1)
    between = (apart > 1e-4) & (apart < _TOO_CLOSE)
    if between.any():
        raise StructureFileError(
            f"images of {atom.label} under {setting.name} are {apart[between].min():.3f} angstrom "
            "apart: it is near a special position but not on it, or the setting is another one; "
            "correct its coordinates or the setting."
        )
    return place, float(np.linalg.norm((place - atom.position) @ lattice))


def _distinct(images: np.ndarray) -> np.ndarray:
    """Return the indices of the first of each group of equal positions."""
    gaps = images[:, None] - images[None]
    same = np.abs(gaps - np.round(gaps)).max(axis=-1) < 1e-5
    return np.flatnonzero(same.argmax(axis=1) == np.arange(len(images)))


def _without_repetitions(
    lattice: np.ndarray,
    atoms: list[ListedAtom],
    positions: np.ndarray,
    origins: np.ndarray,
    close_atoms: bool,
) -> tuple[np.ndarray, int]:
    """Return which atoms to keep, and how many were listed twice.

    Raises
    ------
    StructureFileError
        If two atoms overlap without being the same.
    """
    from scipy.spatial import cKDTree

    shifts = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)
    around = (positions[None] + shifts[:, None]).reshape(-1, 3) @ lattice
    pairs = cKDTree(positions @ lattice).sparse_distance_matrix(
        cKDTree(around), _TOO_CLOSE, output_type="coo_matrix"
    )
    first, second = pairs.row, pairs.col % len(positions)
    real = first < second
    drop = set()
    for i, j, distance in zip(first[real], second[real], pairs.data[real], strict=True):
        one, other = atoms[origins[i]], atoms[origins[j]]
        if distance > _SAME_PLACE or one.number != other.number:
            apart = distance >= 1e-3
            if apart and close_atoms:
                continue
            where = f"only {distance:.3f} angstrom apart" if apart else "at the same place"
            out = ", or take them as they are with --close-atoms" if apart else ""
            raise StructureFileError(
                f"{one.label} and {other.label} are {where}; correct the atoms or the setting{out}."
            )
        drop.add(int(j))
    return np.array([k for k in range(len(positions)) if k not in drop]), len(
        {int(origins[j]) for j in drop}
    )
