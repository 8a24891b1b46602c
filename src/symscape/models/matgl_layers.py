"""Layers of matgl 4 with less arithmetic and less memory: the same functions, in another order.

M3GNet puts the features of two atoms and their bond side by side, a row for every bond, and
multiplies that by a matrix. Here atoms are multiplied by their own blocks of it before they are
handed to the bonds, once an atom rather than once a bond; layer and gate share these products.

TensorNet sends three matrices along a bond, a multiple of the unit matrix, a skew and a symmetric
one. Here their one, three and six different entries are sent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def lighten(network: Any) -> None:
    """Let layers of an M3GNet or a TensorNet of matgl 4 compute in this way; others are left.

    Parameters
    ----------
    network
        Of matgl, in evaluation mode; its weights will not change.
    """
    for module in network.modules():
        kind = type(module)
        # kernels in Warp do this in their own way
        if kind.__module__.endswith("_warp"):
            continue
        if kind.__name__ == "M3GNetGraphConv" and not module.include_state:
            _lighten(module)
        elif kind.__name__ == "TensorEmbedding":
            module.aggregate = sum_messages
        elif kind.__name__ == "TensorNetInteraction":
            module.message, module.aggregate = entries_sent, matrices_received


def _lighten(convolution: Any) -> None:
    edges = SplitGatedMLP(convolution.edge_update_func)
    nodes = SplitGatedMLP(convolution.node_update_func)

    def edge_update(edge_index: Any, edge: Any, atom: Any, radial: Any, state: Any) -> Any:
        return edges(edge_index, atom, edge) * convolution.edge_weight_func(radial)

    def node_update(
        edge_index: Any, edge: Any, atom: Any, radial: Any, state: Any, num_nodes: int
    ) -> Any:
        messages = nodes(edge_index, atom, edge) * convolution.node_weight_func(radial)
        sums = messages.new_zeros(num_nodes, messages.shape[1])
        return sums.index_add(0, edge_index[0], messages)

    convolution.edge_update_, convolution.node_update_ = edge_update, node_update


class SplitGatedMLP:
    """A ``matgl.layers.GatedMLP`` of two atoms and their bond.

    Parameters
    ----------
    gated
        The package's; its weights are taken over.
    """

    def __init__(self, gated: Any):
        import torch

        first, gate = gated.layers[0], gated.gates[0]
        weights = torch.cat([first.weight, gate.weight]).detach()
        self.bias = None if first.bias is None else torch.cat([first.bias, gate.bias]).detach()
        self.weights = weights
        self.split = first.out_features
        self.layers, self.gates = gated.layers[1:], gated.gates[1:]

    def __call__(self, edge_index: Any, atom: Any, edge: Any) -> Any:
        """Return the output for each bond, shape (n_bonds, n).

        Parameters
        ----------
        edge_index
            The two atoms of each bond, shape (2, n_bonds).
        atom, edge
            Features of atoms and bonds, shapes (n_atoms, n_atom) and (n_bonds, n_edge).
        """
        from torch.nn.functional import linear

        n = atom.shape[1]
        start, end, own = self.weights[:, :n], self.weights[:, n : 2 * n], self.weights[:, 2 * n :]
        rows = linear(edge, own, self.bias)
        rows += linear(atom, start).index_select(0, edge_index[0])
        rows += linear(atom, end).index_select(0, edge_index[1])
        return self.layers(rows[:, : self.split]) * self.gates(rows[:, self.split :])


def sum_messages(messages: Sequence[Any], index: Any, dim_size: int) -> tuple[Any, ...]:
    """Sum the messages that reach each atom, as TensorNet's ``aggregate`` does.

    torch adds the rows of a matrix many times faster than the tensors of an array of four
    dimensions; in a network that was half of its time.

    Parameters
    ----------
    messages
        Each of shape (n_edges, ...).
    index
        Atom of each edge, shape (n_edges,).
    dim_size
        How many atoms there are.
    """
    sums = []
    for message in messages:
        rows = message.reshape(len(message), math.prod(message.shape[1:]))
        total = rows.new_zeros(dim_size, rows.shape[1]).index_add(0, index, rows)
        sums.append(total.view(dim_size, *message.shape[1:]))
    return tuple(sums)


#: rows and columns of the entries of a skew and of a symmetric matrix that tell the others
_SKEW = ([2, 0, 1], [1, 2, 0])
_SYMMETRIC = ([0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2])
#: where the entries of a matrix are among those, row by row, and the sign of a skew one
_FROM_SKEW = [0, 2, 1, 2, 0, 0, 1, 0, 0]
_SIGN = [0.0, -1.0, 1.0, 1.0, 0.0, -1.0, -1.0, 1.0, 0.0]
_FROM_SYMMETRIC = [0, 3, 4, 3, 1, 5, 4, 5, 2]


def entries_sent(
    edge_index: Any, scalar: Any, skew: Any, symmetric: Any, edge: Any
) -> tuple[Any, Any, Any]:
    """Return what goes along each bond, as TensorNet's ``message`` does, entries of matrices.

    Parameters
    ----------
    edge_index
        The two atoms of each bond, shape (2, n_bonds).
    scalar, skew, symmetric
        Of each atom, multiples of the unit matrix, skew and symmetric matrices, all of shape
        (n_atoms, n_channels, 3, 3).
    edge
        The factor of each of the three, shape (n_bonds, n_channels, 3).

    Returns
    -------
    Shapes (n_bonds, 1, n_channels), (n_bonds, 3, n_channels) and (n_bonds, 6, n_channels).
    """
    entries = (
        scalar[:, None, :, 0, 0],
        skew[:, :, *_SKEW].transpose(1, 2),
        symmetric[:, :, *_SYMMETRIC].transpose(1, 2),
    )
    factors = edge.permute(2, 0, 1).contiguous()
    one, three, six = (
        own.contiguous().index_select(0, edge_index[1]) * factor[:, None]
        for own, factor in zip(entries, factors, strict=True)
    )
    return one, three, six


def matrices_received(
    messages: tuple[Any, Any, Any], index: Any, dim_size: int
) -> tuple[Any, Any, Any]:
    """Sum the messages that reach each atom, as TensorNet's ``aggregate`` does.

    Parameters
    ----------
    messages
        As `entries_sent` returns them.
    index
        Atom of each bond, shape (n_bonds,).
    dim_size
        How many atoms there are.

    Returns
    -------
    Matrices, each of shape (n_atoms, n_channels, 3, 3).
    """
    import torch

    one, three, six = (own.transpose(1, 2) for own in sum_messages(messages, index, dim_size))
    shape = (*one.shape[:2], 3, 3)
    unit = torch.eye(3, dtype=one.dtype, device=one.device)
    sign = torch.tensor(_SIGN, dtype=one.dtype, device=one.device)
    return (
        one[..., None] * unit,
        (three[..., _FROM_SKEW] * sign).reshape(shape),
        six[..., _FROM_SYMMETRIC].reshape(shape),
    )
