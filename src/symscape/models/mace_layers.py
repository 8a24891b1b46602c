"""MACE's interaction layers with a fraction of the arithmetic: the same function, in another order.

The package computes a radial network and a tensor product for either direction of every bond. Here
a bond is taken once: its length is that of the other direction, and its harmonics are those times
-1 to the power of their order. `symscape.models.mace_messages` sums what is sent along bonds;
Wigner's symbols and the layer's matrices meet these sums, once an atom. The products of an atom's
features, which are the rest of a layer, are in `symscape.models.mace_products`.
"""

from __future__ import annotations

from typing import Any

from symscape.graphs.pairs import Pairs
from symscape.models.mace_messages import Joined, Source
from symscape.models.mace_products import ByElement, SparseProducts, can_contract
from symscape.models.torchtools import is_exactly

_BLOCKS = "mace.modules.blocks"


def lighten(model: Any) -> bool:
    """Let the layers of a MACE model compute in this way; what is of another kind is left.

    Parameters
    ----------
    model
        Of the package, in evaluation mode, on the device and in the number format in which to
        compute; its weights will not change.

    Returns
    -------
    Whether the model is to get one direction of each bond (and no other) from now on.
    """
    for product in getattr(model, "products", ()):
        contraction: Any = getattr(product, "symmetric_contractions", None)
        if can_contract(contraction):
            contraction.forward = SparseProducts(contraction)
    if not _takes_bonds_once(model):
        return False
    found = Joined()
    for layer in model.interactions:
        layer.forward = Interaction(layer, found)
    repulsion = getattr(model, "pair_repulsion_fn", None)
    if repulsion is not None:
        once = repulsion.forward
        # it gives half of a bond's energy to the atom at its end
        repulsion.forward = lambda *graph: 2 * once(*graph)
    return True


def _takes_bonds_once(model: Any) -> bool:
    """Whether every part of the model that sees bonds is known to be even or odd in them."""
    if not is_exactly(model, "mace.modules.models", "MACE", "ScaleShiftMACE"):
        return False
    radial = model.radial_embedding
    transform = getattr(radial, "distance_transform", None)
    repulsion = getattr(model, "pair_repulsion_fn", None)
    return (
        is_exactly(radial, _BLOCKS, "RadialEmbeddingBlock")
        and is_exactly(model.spherical_harmonics, "e3nn.o3", "SphericalHarmonics")
        and (
            transform is None
            or is_exactly(transform, "mace.modules.radial", "AgnesiTransform", "SoftTransform")
        )
        and (repulsion is None or is_exactly(repulsion, "mace.modules.radial", "ZBLBasis"))
        and all(can_replace(layer) for layer in model.interactions)
    )


def can_replace(layer: Any) -> bool:
    """Whether a layer is one that `Interaction` computes."""
    from e3nn.o3 import FullyConnectedTensorProduct, Linear, TensorProduct

    from symscape.graphs.tensor_product import can_replace as can_replace_product

    kinds = ("", "Residual", "Density", "DensityResidual")
    names = [f"RealAgnostic{kind}InteractionBlock" for kind in kinds]
    if not is_exactly(layer, _BLOCKS, *names):
        return False
    product, linear, skip = layer.conv_tp, layer.linear, layer.skip_tp
    return (
        not hasattr(layer, "conv_fusion")
        and not getattr(getattr(layer, "cueq_config", None), "enabled", False)
        and type(product) is TensorProduct
        and can_replace_product(product)
        and type(linear) is Linear
        and linear.internal_weights
        and not linear.bias_numel
        and len({part.mul for part in linear.irreps_out}) == 1
        and type(skip) is FullyConnectedTensorProduct
        and skip.internal_weights
        and str(skip.irreps_in2) == f"{skip.irreps_in2.dim}x0e"
        and Radial.can_replace(layer.conv_tp_weights)
    )


class Radial:
    """An ``e3nn.nn.FullyConnectedNet`` without its last matrix, its constants in the matrices.

    Parameters
    ----------
    network
        One for which `can_replace` holds.
    """

    def __init__(self, network: Any):
        self.matrices, factor = [], 1.0
        for layer in network.children():
            norm = layer.h_in * layer.var_in
            if layer.act is None:
                norm /= layer.var_out
            self.matrices.append((layer.weight * (factor / norm**0.5)).detach())
            if layer.act is not None:
                self.activation = layer.act.f
                factor = layer.var_out**0.5 * (1.0 if layer.act._is_id else layer.act.cst)
        self.last = self.matrices.pop()

    @staticmethod
    def can_replace(network: Any) -> bool:
        """Whether the network has activations of one kind between all its matrices."""
        from e3nn.nn import FullyConnectedNet

        if type(network) is not FullyConnectedNet:
            return False
        *inner, last = (layer.act for layer in network.children())
        return last is None and len({getattr(act, "f", None) for act in inner} | {None}) == 2

    def __call__(self, features: Any) -> Any:
        """Return what the last matrix is applied to, shape (n_bonds, n)."""
        for matrix in self.matrices:
            features = self.activation(features @ matrix)
        return features


class Interaction:
    """What an interaction block of the package does, for one direction of each bond.

    Parameters
    ----------
    layer
        One for which `can_replace` holds; its weights are taken over.
    find
        Finds the pairs of a graph.
    """

    def __init__(self, layer: Any, find: Joined):
        self.layer, self.find = layer, find
        self.radial = Radial(layer.conv_tp_weights)
        product, linear = layer.conv_tp, layer.linear
        sources = [Source(product, k, self.radial.last) for k in range(len(product.irreps_in1))]
        self.sources = [source for source in sources if source.paths]
        self.residual = "Residual" in type(layer).__name__
        self.density: Any = getattr(layer, "density_fn", None)
        self.skip = ByElement(layer.skip_tp)
        #: from a result of the product to (a result of the layer, matrix)
        self.linear: list[list[tuple[int, Any]]] = [[] for _ in product.irreps_out]
        norm = 1.0 if self.density is not None else float(layer.avg_num_neighbors)
        for _, ins, weight in linear.weight_views(yield_instruction=True):
            matrix = (weight * (ins.path_weight / norm)).detach()
            self.linear[ins.i_in].append((ins.i_out, matrix))
        self.results = [(part.ir.dim, part.mul) for part in linear.irreps_out]

    def __call__(
        self,
        node_attrs: Any,
        node_feats: Any,
        edge_attrs: Any,
        edge_feats: Any,
        edge_index: Any,
        cutoff: Any = None,
        **of_lammps: Any,
    ) -> tuple[Any, Any]:
        """Return the sums over neighbours, shape (n_atoms, channels, dim), and what is added later.

        Parameters
        ----------
        node_attrs
            One-hot elements, shape (n_atoms, n_elements).
        node_feats
            Features of atoms, shape (n_atoms, n).
        edge_attrs, edge_feats
            Harmonics and radial basis of each bond, shapes (n_bonds, n) and (n_bonds, m).
        edge_index
            The two atoms of each bond, shape (2, n_bonds), in one order for all bonds of a pair.
        cutoff
            What is left of a bond of its length, shape (n_bonds, 1), or None.
        **of_lammps
            Nothing is meant by them here.
        """
        n = len(node_feats)
        features = self.layer.linear_up(node_feats)
        radial = self.radial(edge_feats)
        if cutoff is not None:
            radial = radial * cutoff
        by = self.find(edge_index, n)
        sums = by.outer_sums(edge_attrs, radial) if isinstance(by, Pairs) else None
        found: list[Any] = [None] * len(self.results)
        for source in self.sources:
            if isinstance(by, Pairs):
                reached = source.sent_by_pairs(features, sums, by)
            else:
                reached = source.sent_by_bonds(features, edge_attrs, radial, by)
            for rows, symbols, out in source.paths:
                own = reached[:, rows]
                own = own[0] if symbols is None else _turned(symbols, own)
                for k, matrix in self.linear[out]:
                    before = found[k]
                    found[k] = own @ matrix if before is None else before + own @ matrix
        results = [
            features.new_zeros(dim, n, mul) if own is None else own
            for own, (dim, mul) in zip(found, self.results, strict=True)
        ]
        if self.density is not None:
            density = 1 + self._density(edge_feats, edge_index, cutoff, n)
            results = [own / density for own in results]
        if self.residual:
            return _side_by_side(results), self.skip.flat(node_feats, node_attrs)
        return _side_by_side(self.skip(results, node_attrs)), None

    def _density(self, edge_feats: Any, edge_index: Any, cutoff: Any, n: int) -> Any:
        """Return how many neighbours an atom has in the layer's measure, shape (n_atoms, 1)."""
        own = (self.density(edge_feats) ** 2).tanh()
        if cutoff is not None:
            own = own * cutoff
        center, neighbor = edge_index
        return own.new_zeros(n, 1).index_add(0, center, own).index_add(0, neighbor, own)


def _turned(symbols: Any, sums: Any) -> Any:
    """Contract Wigner's symbols, (dim, p * q), with sums of an atom, (p, q, n, c): (dim, n, c)."""
    n, channels = sums.shape[2:]
    return (symbols @ sums.reshape(symbols.shape[1], n * channels)).view(-1, n, channels)


def _side_by_side(results: list[Any]) -> Any:
    """Return all components of all results, shape (n_atoms, channels, dim)."""
    import torch

    return torch.cat(results).permute(1, 2, 0)
