"""All edges within a cut-off, of a whole batch of periodic crystals at once.

Structures with as many atoms and cells of about the same reach are taken together as dense arrays:
every pair of atoms against every image of the cell that can come near. In the small cells that
slices and crystals are made of, that is a few thousand distances a structure and no loop at all.
Only one of the two directions of a bond is looked for, so that the two never have to be matched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.crystal.structures import Structures

if TYPE_CHECKING:
    from torch import Tensor

#: two atoms closer than this in angstrom are one atom, as pymatgen has it
SAME_ATOM_A = 1e-8
#: distances in one dense array: 2 MiB in float64 on a CPU, whose caches must hold it
_CHUNK = {"cpu": 2**18}
_CHUNK_ELSEWHERE = 2**25


@dataclass(frozen=True, eq=False)
class Bonds:
    """The undirected edges of a batch.

    Parameters
    ----------
    center, neighbor
        Atoms at the two ends, numbered through the batch, int64, shape (n_bonds,).
    image
        Cell of the neighbour relative to that of the centre, for positions as given, in numbers of
        lattice vectors, float64, shape (n_bonds, 3).
    owner
        Structure of each bond, int64, shape (n_bonds,).
    length
        Angstrom, float64, shape (n_bonds,).
    """

    center: Tensor
    neighbor: Tensor
    image: Tensor
    owner: Tensor
    length: Tensor

    def __len__(self) -> int:
        return len(self.center)


def find_bonds(structures: Structures, cutoff: float, device: str = "cpu") -> Bonds:
    """Return every bond of every structure once.

    A pair of atoms has one bond for each pair of their images that are within the cut-off of each
    other; an atom bonds to its own images too. Of a bond's two directions the one is
    returned whose centre has the smaller number or, at an atom and its own image, whose image is
    lexicographically positive.

    Parameters
    ----------
    structures
        Any number of structures of any sizes, cells skewed and small as may be.
    cutoff
        Longest bond in angstrom, itself included.
    device
        Where the lists are made and stay.
    """
    import torch

    parts = [
        _bonds_of_group(structures, chosen, reach, cutoff, device)
        for chosen, reach in _groups(structures, cutoff, device)
    ]
    if not parts:
        whole = torch.zeros(0, dtype=torch.int64, device=device)
        real = torch.zeros(0, dtype=torch.float64, device=device)
        return Bonds(whole, whole, real.reshape(0, 3), whole, real)
    if len(parts) == 1:
        return parts[0]
    names = ("center", "neighbor", "image", "owner", "length")
    return Bonds(*(torch.cat([getattr(part, name) for part in parts]) for name in names))


def image_reach(cells: np.ndarray, cutoff: float) -> np.ndarray:
    """Return how many cells away along each lattice vector an atom within reach can be.

    For atoms inside their cells, whose fractional coordinates differ by less than one: images up
    to the number returned, shape (n, 3), integer.

    Parameters
    ----------
    cells
        Lattice vectors as rows in angstrom, shape (n, 3, 3).
    cutoff
        Angstrom.
    """
    # rows of the inverse's transpose are normal to the faces, as long as one over the height
    normals = np.linalg.norm(np.linalg.inv(cells), axis=1)
    return np.floor(cutoff * normals + 1e-9).astype(int) + 1


def _groups(
    structures: Structures, cutoff: float, device: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (structures, images along each vector): as many atoms, as many images, not too many."""
    if not len(structures):
        return
    reach = image_reach(structures.cells, cutoff + SAME_ATOM_A)
    kinds = np.column_stack([structures.n_atoms, reach])
    distinct, which = np.unique(kinds, axis=0, return_inverse=True)
    most = _CHUNK.get(str(device).partition(":")[0], _CHUNK_ELSEWHERE)
    for k, (n, *images) in enumerate(distinct.tolist()):
        members = np.flatnonzero(which.ravel() == k)
        size = n * (n + 1) // 2 * int(np.prod(2 * np.array(images) + 1))
        step = max(1, most // max(size, 1))
        for start in range(0, len(members), step):
            yield members[start : start + step], np.array(images)


def _bonds_of_group(
    structures: Structures, chosen: np.ndarray, reach: np.ndarray, cutoff: float, device: str
) -> Bonds:
    """Return the bonds of structures with as many atoms and images."""
    import torch

    n = int(structures.n_atoms[chosen[0]])
    first = structures.offsets[chosen]
    cells = structures.cells[chosen]
    positions = structures.positions[first[:, None] + np.arange(n)]
    # into the cell: images then reach no further than `image_reach` says
    fractional = positions @ np.linalg.inv(cells)
    wrapped = np.floor(fractional)
    i, j = np.triu_indices(n)
    between = fractional - wrapped
    between = between[:, j] - between[:, i]

    def moved(values: np.ndarray) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(values), device=device)

    grid = moved(_images(reach))
    cell = moved(cells)
    shifts = grid @ cell
    vectors = moved(between) @ cell
    squares = _squared_distances(vectors, shifts)
    near = squares <= (cutoff + SAME_ATOM_A) ** 2
    # an atom and its own image: one direction of the two, and not the atom itself
    own = moved(np.flatnonzero(i == j))
    middle = len(grid) // 2
    near[:, own, : middle + 1] = False
    b, pair, k = near.nonzero(as_tuple=True)
    length = squares[b, pair, k].sqrt()
    left, right = moved(i)[pair], moved(j)[pair]
    cell_of = moved(wrapped)
    image = grid[k] + cell_of[b, left] - cell_of[b, right]
    start = moved(first)[b]
    return Bonds(start + left, start + right, image, moved(chosen)[b], length)


def _images(reach: np.ndarray) -> np.ndarray:
    """Return all images up to a reach in lexicographic order, the cell itself in the middle."""
    steps = [np.arange(-int(k), int(k) + 1, dtype=float) for k in reach]
    return np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)


def _squared_distances(vectors: Tensor, shifts: Tensor) -> Any:
    """Return |vector + shift|^2, shapes (n, p, 3) and (n, q, 3) to (n, p, q)."""
    total = None
    for axis in range(3):
        part = vectors[:, :, None, axis] + shifts[:, None, :, axis]
        total = part.square_() if total is None else total.addcmul_(part, part)
    return total
