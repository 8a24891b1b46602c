"""Free lattice parameters of a crystal system, and cells for many values of them at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symscape.crystal.spacegroup import SpaceGroup
from symscape.errors import SymscapeError

LENGTHS = ("a", "b", "c")
ANGLES = ("alpha", "beta", "gamma")
#: Parameters that combine others: ratios at constant volume, and the volume in angstrom^3/atom.
RATIOS = ("b/a", "c/a")
VOLUME = "volume"


def free_lattice_parameters(group: SpaceGroup) -> tuple[str, ...]:
    """Return the names of the independent lattice parameters of the group's setting.

    ``a`` for cubic; ``a, c`` for tetragonal and hexagonal axes; ``a, alpha`` for rhombohedral
    axes; ``a, b, c`` for orthorhombic; these and the angle at the unique axis for monoclinic; six
    for triclinic groups.
    """
    if group.rhombohedral_axes:
        return ("a", "alpha")
    if group.system == "monoclinic":
        return (*LENGTHS, ANGLES[group.unique_axis])
    return {
        "cubic": ("a",),
        "tetragonal": ("a", "c"),
        "trigonal": ("a", "c"),
        "hexagonal": ("a", "c"),
        "orthorhombic": LENGTHS,
        "triclinic": LENGTHS + ANGLES,
    }[group.system]


def lattice_axis_names(group: SpaceGroup) -> tuple[str, ...]:
    """Return every lattice parameter that an axis of a slice may name: free, ratios, volume."""
    free = free_lattice_parameters(group)
    return (*free, *(ratio for ratio in RATIOS if ratio[0] in free), VOLUME)


def cell_parameters(cells: np.ndarray) -> np.ndarray:
    """Return a, b, c (angstrom) and alpha, beta, gamma (degrees), shape (..., 6).

    Parameters
    ----------
    cells
        Lattice vectors as rows, shape (..., 3, 3).
    """
    lengths = np.linalg.norm(cells, axis=-1)
    unit = cells / lengths[..., None]
    cosines = np.stack(
        [
            (unit[..., 1, :] * unit[..., 2, :]).sum(-1),
            (unit[..., 0, :] * unit[..., 2, :]).sum(-1),
            (unit[..., 0, :] * unit[..., 1, :]).sum(-1),
        ],
        axis=-1,
    )
    return np.concatenate([lengths, np.degrees(np.arccos(np.clip(cosines, -1, 1)))], axis=-1)


def cells_from_parameters(parameters: np.ndarray) -> np.ndarray:
    """Return cells with a along x and b in the xy plane, shape (..., 3, 3).

    Parameters
    ----------
    parameters
        a, b, c in angstrom and alpha, beta, gamma in degrees, shape (..., 6). Angles that close
        no cell give NaN.
    """
    a, b, c, *angles = np.moveaxis(np.asarray(parameters, dtype=float), -1, 0)
    cos_alpha, cos_beta, cos_gamma = (_cosine(angle) for angle in angles)
    sin_gamma = np.sqrt(1 - cos_gamma**2)
    across = (cos_alpha - cos_beta * cos_gamma) / sin_gamma
    cells = np.zeros((*np.shape(a), 3, 3))
    cells[..., 0, 0] = a
    cells[..., 1, 0] = b * cos_gamma
    cells[..., 1, 1] = b * sin_gamma
    cells[..., 2, 0] = c * cos_beta
    cells[..., 2, 1] = c * across
    with np.errstate(invalid="ignore"):
        cells[..., 2, 2] = c * np.sqrt(1 - cos_beta**2 - across**2)
    return cells


def _cosine(degrees: np.ndarray) -> np.ndarray:
    """Cosine that is exactly 0 and +-1/2 where it should be."""
    cosine = np.cos(np.radians(degrees))
    return np.where(np.abs(cosine) < 1e-15, 0.0, cosine)


def lattice_values(group: SpaceGroup, lattice: np.ndarray, n_atoms: int) -> dict[str, float]:
    """Return the values of all `lattice_axis_names` in a given lattice.

    Parameters
    ----------
    group
        The space group in its setting.
    lattice
        Rows in angstrom, shape (3, 3).
    n_atoms
        Number of atoms in that cell, for the volume in angstrom^3/atom.
    """
    numbers = dict(zip(LENGTHS + ANGLES, map(float, cell_parameters(lattice)), strict=True))
    numbers["b/a"] = numbers["b"] / numbers["a"]
    numbers["c/a"] = numbers["c"] / numbers["a"]
    numbers[VOLUME] = abs(float(np.linalg.det(lattice))) / n_atoms
    return {name: numbers[name] for name in lattice_axis_names(group)}


def strained_cells(
    group: SpaceGroup, lattice: np.ndarray, n_atoms: int, values: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Build the cells with given lattice parameters, the others as they are, in one go.

    Dependent parameters follow (b = a in a tetragonal crystal). Lengths and angles come first;
    ``b/a`` and ``c/a`` then keep the volume and each other, and ``volume`` scales all lengths.
    The cells keep the crystal's orientation: the first vector its direction, the second its plane.

    Parameters
    ----------
    group
        The space group in its setting.
    lattice
        The crystal's own lattice, rows in angstrom, shape (3, 3).
    n_atoms
        Number of atoms in that cell.
    values
        Name to values, each of shape (n,).

    Returns
    -------
    np.ndarray
        Shape (n, 3, 3); NaN or inverted where the values make no cell.

    Raises
    ------
    SymscapeError
        If a name is not a lattice parameter of the group, or if lengths are mixed with ratios or
        the volume.
    """
    check_lattice_names(group, tuple(values))
    if not values:
        raise ValueError("no lattice parameter given")
    n = len(next(iter(values.values())))
    own = cell_parameters(lattice)
    parameters = np.tile(own, (n, 1))
    names = LENGTHS + ANGLES
    for name, value in values.items():
        if name in names:
            for follower in _followers(group, name):
                parameters[:, names.index(follower)] = value
    lengths = parameters[:, :3]
    before = lengths.prod(axis=1)
    for ratio in RATIOS:
        if ratio in values:
            target, _ = ratio.split("/")
            lengths[:, names.index(target)] = values[ratio] * lengths[:, 0]
    lengths *= np.cbrt(before / lengths.prod(axis=1))[:, None]
    to_own_axes = np.linalg.solve(cells_from_parameters(own), lattice)
    cells = cells_from_parameters(parameters)
    if VOLUME in values:
        scale = np.cbrt(values[VOLUME] * n_atoms / np.linalg.det(cells))
        cells = cells * scale[:, None, None]
    return cells @ to_own_axes


def _followers(group: SpaceGroup, name: str) -> tuple[str, ...]:
    """Return the parameters that symmetry makes equal to ``name``, itself included."""
    if group.system == "cubic" or (group.rhombohedral_axes and name == "a"):
        return LENGTHS
    if group.rhombohedral_axes:
        return ANGLES
    if name == "a" and group.system in ("tetragonal", "trigonal", "hexagonal"):
        return ("a", "b")
    return (name,)


def check_lattice_names(group: SpaceGroup, names: tuple[str, ...]) -> None:
    """Raise a SymscapeError if these parameters can't be set together in this group."""
    known = lattice_axis_names(group)
    for name in names:
        if name not in known:
            raise SymscapeError(
                f"'{name}' is not a free lattice parameter of the {group.system} group {group}; "
                f"take one of {', '.join(known)}."
            )
    lengths = [name for name in names if name in LENGTHS]
    combined = [name for name in names if name in (*RATIOS, VOLUME)]
    if lengths and combined:
        raise SymscapeError(
            f"lattice parameters '{lengths[0]}' and '{combined[0]}' can't be axes of one slice, "
            "because both set lengths; take two lengths, or 'volume' and a ratio."
        )
