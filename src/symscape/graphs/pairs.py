"""The bonds of a batch by their two atoms: in a small cell a pair has many, to different images."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True, eq=False)
class Pairs:
    """The pairs of atoms that bonds join.

    Parameters
    ----------
    center, neighbor
        Atoms of each pair, int64, shape (n_pairs,).
    bonds
        Which bonds each pair has, for some pairs at a time, shape (pairs, most bonds of one); the
        number of all bonds stands where a pair has fewer.
    """

    center: Any
    neighbor: Any
    bonds: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.center)

    def outer_sums(self, left: Any, right: Any) -> Any:
        """Sum the outer products of two rows of a bond over the bonds of each pair.

        Parameters
        ----------
        left, right
            Of each bond, shapes (n_bonds, p) and (n_bonds, q).

        Returns
        -------
        Shape (n_pairs, p, q).
        """
        import torch
        from torch.nn.functional import pad

        if not self.bonds:
            # nothing, but still a function of both
            return left[:0, :, None] * right[:0, None]
        left, right = pad(left, (0, 0, 0, 1)), pad(right, (0, 0, 0, 1))
        return torch.cat([torch.bmm(left[own].transpose(1, 2), right[own]) for own in self.bonds])


def find_pairs(center: Any, neighbor: Any, n_atoms: int) -> Pairs:
    """Return the pairs of atoms that bonds join, those with few bonds first.

    Parameters
    ----------
    center, neighbor
        Atoms at the ends of each bond, int64, shape (n_bonds,). The same two atoms the other way
        round are another pair.
    n_atoms
        How many atoms there are.
    """
    first, bonds = group(center * n_atoms + neighbor)
    return Pairs(center[first], neighbor[first], bonds)


def group(keys: Any) -> tuple[Any, tuple[Any, ...]]:
    """Put what has equal keys together, small groups first.

    Parameters
    ----------
    keys
        int64, shape (n,).

    Returns
    -------
    One member of each group, int64, shape (n_groups,); and all members for some groups at a time,
    shape (groups, most members of one), with n where a group has fewer.
    """
    import torch

    order = keys.argsort()
    _, counts = keys[order].unique_consecutive(return_counts=True)
    starts = counts.cumsum(0) - counts
    counts, by_count = counts.sort()
    starts = starts[by_count]
    # as many places as the largest group has: at most twice what the others need
    numbers = counts.tolist()
    cuts: list[int] = []
    for k, count in enumerate(numbers):
        if not cuts or count > 2 * numbers[cuts[-1]]:
            cuts.append(k)
    members = []
    for begin, end in pairwise([*cuts, len(numbers)]):
        places = torch.arange(numbers[end - 1], device=keys.device)
        own = (starts[begin:end, None] + places).clamp(max=len(keys) - 1)
        there = places < counts[begin:end, None]
        members.append(torch.where(there, order[own], len(keys)))
    return order[starts], tuple(members)
