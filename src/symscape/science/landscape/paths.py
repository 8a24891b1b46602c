"""Lowest paths between minima: over the lowest saddle first, then along the valley floor.

A minimax path crosses no higher ground than it must. Minimax energies between all pairs of points
are given by the minimum spanning tree of the grid, every edge weighted with the higher energy of
its ends (T. C. Hu, Oper. Res. 9, 898 (1961)). Of all paths that stay below that level the one of
maximum flux is taken, which has the least integral of exp(E/T) along its length (S. Huo, J. E.
Straub, J. Chem. Phys. 107, 5000 (1997)), T being a twentieth of the climb: low rather than short.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from symscape.science.landscape.minima import Minimum, StationaryPoint, Topology, saddle_at

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: steps to neighbours, of which the first two run along the axes
_MOVES = ((1, 0), (0, 1), (1, 1), (1, -1))
_STRAIGHT = 2
#: climb over temperature of the maximum-flux path
_SHARPNESS = 20.0


@dataclass(frozen=True, eq=False)
class EnergyPath:
    """A path across the landscape and the energies of both surfaces along it.

    Parameters
    ----------
    points
        Fractional grid indices, shape (n, 2).
    distance
        Root-mean-square atomic displacement along the path in angstrom, shape (n,), from zero.
    reference, model
        Energies of DFT and model in eV/atom, shape (n,); NaN where one is masked.
    """

    points: np.ndarray
    distance: np.ndarray
    reference: np.ndarray
    model: np.ndarray


class Passes:
    """Lowest passes between any two points of a surface.

    Parameters
    ----------
    topology
        The surface.
    """

    def __init__(self, topology: Topology):
        self.topology = topology
        self._heights = topology.surface.ravel()
        #: start of the last walk, and each point's neighbour on the way to it
        self._way: tuple[int, np.ndarray] | None = None

    @cached_property
    def _edges(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Both ends of every edge, and which of the moves it is."""
        return find_edges(self.topology.surface, self.topology.geometry.periodic())

    @cached_property
    def _edge_heights(self) -> tuple[np.ndarray, np.ndarray]:
        """The higher end and the mean of every edge, eV/atom."""
        a, b, _ = self._edges
        first, second = self._heights[a], self._heights[b]
        return np.maximum(first, second), (first + second) / 2

    @cached_property
    def _tree(self) -> csr_array:
        from scipy.sparse.csgraph import minimum_spanning_tree

        a, b, move = self._edges
        straight = move < _STRAIGHT
        # sparse graphs take a stored zero for no edge, so the scale starts at one
        floor = float(np.nanmin(self._heights))
        weights = self._edge_heights[0][straight] - floor + 1.0
        tree = minimum_spanning_tree(_graph(a[straight], b[straight], weights, self._heights.size))
        return tree + tree.T

    @cached_property
    def _move_lengths(self) -> np.ndarray:
        """Length of each move in angstrom, shape (4,)."""
        moves = np.array(_MOVES) / self.topology.factor
        return self.topology.geometry.distance(np.zeros(2), moves)

    def saddle(self, a: Minimum, b: Minimum) -> StationaryPoint | None:
        """Return the highest point of the lowest pass between two minima.

        None if masked points part them.
        """
        nodes = self._walk(self._node(a), self._node(b))
        if nodes is None:
            return None
        top = int(nodes[self._heights[nodes].argmax()])
        t = self.topology
        i, j = np.unravel_index(top, t.surface.shape)
        return saddle_at(t.energies, t.surface, t.factor, (int(i), int(j)), t.geometry)

    def lowest_path(self, a: Minimum, b: Minimum) -> np.ndarray | None:
        """Return the lowest path between two minima as fractional grid indices, shape (n, 2).

        None if masked points part them. Consecutive points are neighbours, so that a path
        through a periodic boundary jumps by a period.
        """
        from scipy.sparse.csgraph import dijkstra

        start, end = self._node(a), self._node(b)
        nodes = self._walk(start, end)
        if nodes is None:
            return None
        heights = self._heights
        level = heights[nodes].max() + 1e-12
        tops, means = self._edge_heights
        allowed = np.flatnonzero(tops <= level)
        first, second, move = (part[allowed] for part in self._edges)
        climb = max(level - heights[nodes].min(), 1e-9)
        cost = self._move_lengths[move] * np.exp(_SHARPNESS * (means[allowed] - level) / climb)
        graph = _graph(first, second, cost, heights.size)
        before = dijkstra(graph, directed=False, indices=[start], return_predecessors=True)[1][0]
        path = _trace(before, start, end)
        if path is None:  # pragma: no cover - the spanning tree's own path is allowed
            return None
        shape = self.topology.surface.shape
        return np.column_stack(np.unravel_index(path, shape)) / self.topology.factor

    def _node(self, minimum: Minimum) -> int:
        t = self.topology
        return int(np.ravel_multi_index(np.array(minimum.index) * t.factor, t.surface.shape))

    def _walk(self, start: int, end: int) -> np.ndarray | None:
        from scipy.sparse.csgraph import breadth_first_order

        # one search tells the way from everywhere; whoever asks goes through the ends one by one
        if self._way is None or self._way[0] != start:
            # the tree holds both directions of each edge
            self._way = start, breadth_first_order(self._tree, start)[1]
        return _trace(self._way[1], start, end)


def along(path: np.ndarray, reference: Topology, model: Topology) -> EnergyPath:
    """Read the energies of both surfaces along a path.

    Parameters
    ----------
    path
        Fractional grid indices, shape (n, 2), points of the upsampled grids.
    reference, model
        Surfaces on the same grid with the same upsampling.
    """
    nodes = tuple(np.round(path * reference.factor).astype(int).T)
    steps = reference.geometry.distance(path[:-1], path[1:])
    distance = np.concatenate([[0.0], np.cumsum(steps)])
    return EnergyPath(path, distance, reference.surface[nodes], model.surface[nodes])


def find_edges(
    surface: np.ndarray, periodic: tuple[bool, bool]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the edges between neighbouring points that both have an energy.

    Returns
    -------
    start, end, move : np.ndarray
        Flat indices of both ends, and which of the moves to a neighbour it is, shape (n_edges,).
    """
    known = np.isfinite(surface)
    nodes = np.arange(surface.size).reshape(surface.shape)
    starts, ends, moves = [], [], []
    for k, move in enumerate(_MOVES):
        target, inside = nodes, known.copy()
        for axis, (step, wraps) in enumerate(zip(move, periodic, strict=True)):
            target = np.roll(target, -step, axis)
            # around an axis of two points one comes back by the edge that is there already
            if step and not (wraps and surface.shape[axis] > 2):
                border = [slice(None), slice(None)]
                border[axis] = slice(-1, None) if step > 0 else slice(0, 1)
                inside[tuple(border)] = False
        inside &= known.ravel()[target]
        starts.append(nodes[inside])
        ends.append(target[inside])
        moves.append(np.full(len(starts[-1]), k))
    return np.concatenate(starts), np.concatenate(ends), np.concatenate(moves)


def _graph(a: np.ndarray, b: np.ndarray, weights: np.ndarray, size: int) -> csr_array:
    from scipy.sparse import coo_array

    # older releases of scipy search graphs with 32-bit indices only
    ends = a.astype(np.int32), b.astype(np.int32)
    return coo_array((weights, ends), shape=(size, size)).tocsr()


def _trace(before: np.ndarray, start: int, end: int) -> np.ndarray | None:
    path = [end]
    while path[-1] != start:
        previous = int(before[path[-1]])
        if previous < 0:
            return None
        path.append(previous)
    return np.array(path[::-1])
