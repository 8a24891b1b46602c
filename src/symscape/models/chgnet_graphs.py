"""CHGNet's crystal graphs, built with arrays where the package loops over Python objects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class BondIndices:
    """The index arrays of one crystal graph, as ``chgnet.graph.CrystalGraph`` names them.

    Parameters
    ----------
    directed2undirected
        Bond of each directed edge, shape (n_edges,).
    undirected2directed
        One directed edge of each bond, shape (n_edges / 2,).
    angles
        One row for every ordered pair of different short edges that leave one atom: the atom,
        bond and edge of the first, bond and edge of the second; shape (n_angles, 5).
    """

    directed2undirected: np.ndarray
    undirected2directed: np.ndarray
    angles: np.ndarray


def neighbor_list(
    positions: np.ndarray, cell: np.ndarray, cutoff: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the directed edges of a periodic crystal as CHGNet's converter finds them.

    Parameters
    ----------
    positions
        Cartesian positions in angstrom, shape (n_atoms, 3).
    cell
        Lattice vectors as rows in angstrom, shape (3, 3).
    cutoff
        Longest edge in angstrom.

    Returns
    -------
    center, neighbor
        Atoms at the two ends of each edge, shape (n_edges,).
    image
        Cell of the neighbour, integer, shape (n_edges, 3).
    distance
        Lengths in angstrom, shape (n_edges,).
    """
    from pymatgen.optimization.neighbors import find_points_in_spheres

    tolerance = 1e-8
    points = np.ascontiguousarray(positions, dtype=float)
    center, neighbor, image, distance = find_points_in_spheres(
        points,
        points,
        r=float(cutoff),
        pbc=np.ones(3, dtype=np.int64),
        lattice=np.ascontiguousarray(cell, dtype=float),
        tol=tolerance,
    )
    other = (center != neighbor) | (distance > tolerance)
    return center[other], neighbor[other], image[other].astype(np.int64), distance[other]


def bond_indices(
    center: np.ndarray,
    neighbor: np.ndarray,
    image: np.ndarray,
    distance: np.ndarray,
    angle_cutoff: float,
) -> BondIndices:
    """Pair the two directions of every bond and list the angles between short bonds.

    Parameters
    ----------
    center, neighbor, image, distance
        Directed edges, as `neighbor_list` returns them.
    angle_cutoff
        Longest bond in angstrom that makes angles.

    Raises
    ------
    ValueError
        If an edge lacks its reverse.
    """
    bond, first = _pair(center, neighbor, image)
    return BondIndices(bond, first, _angles(center, bond, np.flatnonzero(distance < angle_cutoff)))


def _pair(
    center: np.ndarray, neighbor: np.ndarray, image: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bond of each directed edge and the first edge of each bond."""
    if not len(center):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    # of an edge and its reverse, one goes up in (atom, atom, image): name both by that one
    ends = np.column_stack([center, neighbor, image])
    reverse = np.column_stack([neighbor, center, -image])
    difference = ends - reverse
    leading = difference[np.arange(len(ends)), (difference != 0).argmax(axis=1)]
    name = np.where((leading < 0)[:, None], ends, reverse)
    name -= name.min(axis=0)
    code = np.ravel_multi_index(tuple(name.T), tuple(name.max(axis=0) + 1))
    _, first, bond, count = np.unique(
        code, return_index=True, return_inverse=True, return_counts=True
    )
    if (count != 2).any():
        raise ValueError("an edge of the crystal graph lacks its reverse")
    return bond, first


def _angles(center: np.ndarray, bond: np.ndarray, short: np.ndarray) -> np.ndarray:
    """Return a row for every ordered pair of different short edges with a common center."""
    short = short[np.argsort(center[short], kind="stable")]
    _, starts, counts = np.unique(center[short], return_index=True, return_counts=True)
    # edge i of `short` meets each edge of its center's run, itself among them
    per_edge = np.repeat(counts, counts)
    left = np.repeat(np.arange(len(short)), per_edge)
    within = np.arange(len(left)) - np.repeat(np.cumsum(per_edge) - per_edge, per_edge)
    right = np.repeat(np.repeat(starts, counts), per_edge) + within
    different = left != right
    left, right = short[left[different]], short[right[different]]
    return np.column_stack([center[left], bond[left], left, bond[right], right])
