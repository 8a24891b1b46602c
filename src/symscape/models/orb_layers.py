"""ORB's interaction layers with a quarter less arithmetic: the same function, in another order.

The package puts the features of a bond and of its two atoms side by side, a row for every bond, and
multiplies that by a matrix. Here atoms are multiplied by their own blocks of it before they are
handed to the bonds, once an atom rather than once a bond.
"""

from __future__ import annotations

from typing import Any


def lighten(network: Any) -> None:
    """Let the layers of an ORB network compute in this way; layers with a conditioner are left.

    Parameters
    ----------
    network
        A ``MoleculeGNS`` in evaluation mode; its weights will not change.
    """
    for layer in network.gnn_stacks:
        if set(layer.conditioning_type) == {"none"}:
            layer.forward = SplitInteraction(layer)


class SplitInteraction:
    """What an ``AttentionInteractionNetwork`` without conditioner does.

    Parameters
    ----------
    layer
        The package's; its weights are taken over.
    """

    def __init__(self, layer: Any):
        import torch

        self.layer = layer
        modules = list(layer._edge_mlp.mlp)
        # in front there may be a dropout, which does nothing in evaluation mode
        place = next(k for k, own in enumerate(modules) if isinstance(own, torch.nn.Linear))
        first, n = modules[place], layer.latent_dim
        self.rest = [*modules[place + 1 :], layer._edge_mlp.layer_norm]
        self.bias = first.bias
        self.of_edge = first.weight[:, :n].detach()
        # both blocks of atoms in one product
        self.of_atom = torch.cat([first.weight[:, n : 2 * n], first.weight[:, 2 * n :]]).detach()
        self.split = first.out_features

    def __call__(
        self,
        nodes: Any,
        edges: Any,
        senders: Any,
        receivers: Any,
        cutoff: Any,
        cond_nodes: Any = None,
        cond_edges: Any = None,
    ) -> tuple[Any, Any]:
        """Return the next features of atoms and bonds.

        Parameters
        ----------
        nodes, edges
            Features, shapes (n_atoms, n) and (n_edges, n).
        senders, receivers
            The two atoms of each bond, shape (n_edges,).
        cutoff
            What is left of a bond of its length, shape (n_edges, 1).
        cond_nodes, cond_edges
            None: there is no conditioner.
        """
        import torch
        from torch.nn.functional import linear

        sent, received = self._attention(edges, senders, receivers, cutoff, len(nodes))
        updated = linear(edges, self.of_edge, self.bias)
        atoms = linear(nodes, self.of_atom)
        updated += atoms[:, : self.split].index_select(0, senders)
        updated += atoms[:, self.split :].index_select(0, receivers)
        for module in self.rest:
            updated = module(updated)
        empty = torch.zeros_like(nodes)
        inward = empty.index_add(0, receivers, updated * received)
        outward = empty.index_add(0, senders, updated * sent)
        moved = self.layer._node_mlp(torch.cat([nodes, inward, outward], dim=1))
        return nodes + moved, edges + updated

    def _attention(
        self, edges: Any, senders: Any, receivers: Any, cutoff: Any, n_atoms: int
    ) -> tuple[Any, Any]:
        """Return how much of a bond its sender and its receiver get, shapes (n_edges, 1)."""
        from orb_models.forcefield.segment_ops import segment_softmax

        layer = self.layer
        near = cutoff if layer._distance_cutoff else None
        shares = []
        for wanted, ends in ((layer._send_attn, senders), (layer._receive_attn, receivers)):
            share = wanted(edges)
            if layer._attention_gate == "softmax":
                share = segment_softmax(share, ends, n_atoms, weights=near)
            else:
                share = share.sigmoid()
            shares.append(share if near is None else share * near)
        return shares[0], shares[1]
