"""Angles between the short bonds of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from symscape.graphs.neighbors import Bonds


@dataclass(frozen=True, eq=False)
class Angles:
    """Pairs of different bonds at one atom, each pair once.

    A *spoke* is one end of a short bond: ``center`` sees the bond's vector with ``sign`` +1 if it
    is the bond's centre, -1 if it is its neighbour. A bond of an atom with its own image has two.

    Parameters
    ----------
    short
        Bonds that make spokes, int64, shape (n_short,).
    center
        Atom of each spoke, in rising order, int64, shape (n_spokes,).
    bond
        Its place in ``short``, int64, shape (n_spokes,).
    sign
        +1 or -1, float64, shape (n_spokes,).
    left, right
        The two spokes of each angle, int64, shape (n_angles,).
    """

    short: Tensor
    center: Tensor
    bond: Tensor
    sign: Tensor
    left: Tensor
    right: Tensor

    def __len__(self) -> int:
        return len(self.left)


def find_angles(bonds: Bonds, cutoff: float) -> Angles:
    """Return the angles between bonds shorter than a cut-off in angstrom."""
    import torch

    short = (bonds.length < cutoff).nonzero().squeeze(1)
    center = torch.cat([bonds.center[short], bonds.neighbor[short]])
    center, order = torch.sort(center, stable=True)
    places = torch.arange(len(short), device=center.device)
    sign = torch.ones(len(center), dtype=torch.float64, device=center.device)
    sign[len(short) :] = -1
    bond, sign = torch.cat([places, places])[order], sign[order]
    # a spoke meets those that come after it in its atom's run
    _, counts = torch.unique_consecutive(center, return_counts=True)
    ends = torch.repeat_interleave(torch.cumsum(counts, 0), counts)
    spokes = torch.arange(len(center), device=center.device)
    partners = ends - spokes - 1
    left = torch.repeat_interleave(spokes, partners)
    first = torch.cumsum(partners, 0) - partners
    within = torch.arange(len(left), device=center.device) - first[left]
    return Angles(short, center, bond, sign, left, left + 1 + within)
