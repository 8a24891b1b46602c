"""What MACE sends along bonds: features of atoms times harmonics times radial functions, summed.

The last matrix of the radial network, which is most of it, is applied after a sum over all bonds of
a pair of atoms, to the products of harmonics and radial features: in a cell of six atoms a pair has
a dozen bonds, to different images. The features of the atoms meet these sums once a pair. Where
pairs have few bonds, the matrix is applied to each bond, and the sum over all bonds of an atom is a
product of matrices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symscape.graphs.pairs import Pairs, find_pairs, group

#: bonds that a pair of atoms must have on average for sums over them to be less work
_FEW = 2.5


@dataclass(frozen=True, eq=False)
class Ends:
    """Both ways along each bond, by the atom at which they end.

    Parameters
    ----------
    receivers
        The atoms, shape (n_receivers,).
    ways
        Those that end at each, as `symscape.graphs.pairs.group` has members.
    senders
        Where each way starts, and once more any atom, shape (2 n_bonds + 1,).
    """

    receivers: Any
    ways: tuple[Any, ...]
    senders: Any


class Joined:
    """What the first layer that sees a graph finds out of it, kept for the others."""

    def __init__(self) -> None:
        self._graph: Any = None
        self._found: Pairs | Ends | None = None

    def __call__(self, edge_index: Any, n_atoms: int) -> Pairs | Ends:
        """Return the pairs of atoms, or the ends of bonds if there are few for a pair."""
        import torch

        if self._found is None or self._graph is not edge_index:
            self._graph = edge_index
            center, neighbor = edge_index
            self._found = find_pairs(center, neighbor, n_atoms)
            if len(center) <= _FEW * len(self._found):
                receivers = torch.cat([neighbor, center])
                first, ways = group(receivers)
                senders = torch.cat([center, neighbor, center[:1]])
                self._found = Ends(receivers[first], ways, senders)
        return self._found


class Source:
    """All paths of the product from one part of the features.

    Parameters
    ----------
    product, part
        The product, and which of its first irreps.
    last
        Last matrix of the radial network, shape (n, weights of the product).
    """

    def __init__(self, product: Any, part: int, last: Any):
        import torch

        first, second, third = product.irreps_in1, product.irreps_in2, product.irreps_out
        self.features, self.channels = first.slices()[part], first[part].mul
        self.dim = first[part].ir.dim
        #: rows of this source that a path has, its symbols (None: all is one factor), its result
        self.paths: list[tuple[slice, Any, int]] = []
        matrices: list[Any] = []
        harmonics: list[int] = []
        signs: list[float] = []
        start = 0
        for ins in product.instructions:
            begin, start = start, start + first[ins.i_in1].mul
            if ins.i_in1 != part:
                continue
            own = range(second.dim)[second.slices()[ins.i_in2]]
            orders = (first[part].ir.l, second[ins.i_in2].ir.l, third[ins.i_out].ir.l)
            factor, symbols = ins.path_weight, None
            if orders[0] == 0:
                factor /= third[ins.i_out].ir.dim ** 0.5
            else:
                symbols = _symbols(product, orders, last).flatten(0, 1).T.contiguous()
            rows = slice(len(harmonics), len(harmonics) + len(own))
            self.paths.append((rows, symbols, ins.i_out))
            matrices.append(last[:, begin:start] * factor)
            harmonics += own
            signs += [(-1.0) ** orders[1]] * len(own)
        if not matrices:
            return
        sizes = [rows.stop - rows.start for rows, _, _ in self.paths]
        self.sizes = sizes
        self.matrices = torch.stack(matrices)
        self.of_row = torch.repeat_interleave(
            torch.arange(len(sizes), device=last.device), torch.tensor(sizes, device=last.device)
        )
        self.by_row = self.matrices[self.of_row]
        self.harmonics = torch.tensor(harmonics, device=last.device)
        self.sign = torch.tensor(signs, dtype=last.dtype, device=last.device)[:, None, None]

    def _of_atoms(self, features: Any) -> Any:
        """Return this part of the atoms' features, shape (dim, n_atoms, channels)."""
        own = features[:, self.features].reshape(len(features), self.channels, self.dim)
        return own.permute(2, 0, 1)

    def sent_by_pairs(self, features: Any, sums: Any, pairs: Pairs) -> Any:
        """Return what reaches each atom, shape (dim, rows, n_atoms, channels).

        Parameters
        ----------
        features
            Of all atoms, shape (n_atoms, irreps_in1.dim).
        sums
            Of the outer products of harmonics and radial features over the bonds of each pair,
            shape (n_pairs, irreps_in2.dim, n).
        """
        import torch

        spread = torch.bmm(sums[:, self.harmonics].transpose(0, 1), self.by_row)
        own = self._of_atoms(features)
        empty = spread.new_zeros(self.dim, len(spread), *own.shape[1:])
        there, back = (
            empty.index_add(2, end, own.index_select(1, start)[:, None] * spread)
            for start, end in ((pairs.center, pairs.neighbor), (pairs.neighbor, pairs.center))
        )
        return there + self.sign * back

    def sent_by_bonds(self, features: Any, harmonics: Any, radial: Any, ends: Ends) -> Any:
        """Return the same from the single bonds.

        Parameters
        ----------
        harmonics, radial
            Of each bond, shapes (n_bonds, irreps_in2.dim) and (n_bonds, n).
        """
        import torch
        from torch.nn.functional import pad

        own = self._of_atoms(features)
        n_bonds = len(radial)
        weights = torch.matmul(radial, self.matrices)
        rows = harmonics[:, self.harmonics]
        turned = pad(torch.cat([rows, rows * self.sign.flatten()]), (0, 0, 0, 1))
        # without any bond all is zero, but still a function of what there is none of
        found = [weights[self.of_row].expand(self.dim, -1, -1, -1)] if not n_bonds else []
        for ways in ends.ways:
            senders = own[:, ends.senders[ways]]
            angular = turned[ways].transpose(1, 2).split(self.sizes, dim=1)
            bond = ways.remainder(n_bonds)
            made = [
                (of_path @ (senders * weight[bond])).transpose(1, 2)
                for of_path, weight in zip(angular, weights, strict=True)
            ]
            found.append(torch.cat(made, dim=1))
        empty = own.new_zeros(self.dim, len(self.of_row), *own.shape[1:])
        return empty.index_copy(2, ends.receivers, torch.cat(found, dim=2))


def _symbols(product: Any, orders: tuple[int, int, int], like: Any) -> Any:
    """Return Wigner's 3j symbols as the product has them, rounded or not."""
    from e3nn.o3 import wigner_3j

    name = "_w3j_{}_{}_{}".format(*orders)
    for known, own in product.named_buffers():
        if known.endswith(name):
            return own.detach().to(like)
    return wigner_3j(*orders, dtype=like.dtype, device=like.device)
