"""e3nn's tensor product of node features with the spherical harmonics of edges, by matrix products.

e3nn [1]_ forms the product of all features of an edge with all its harmonics and contracts that
with Wigner's 3j symbols. Here the symbols meet the harmonics first: that gives one small matrix an
edge and order, the same for all channels, and the channels are multiplied by it. For the products
in convolutions ("uvu" with one harmonic of each order) that is a few times less work, and the sums
differ in the order of their terms only.

References
----------
.. [1] M. Geiger and T. Smidt, arXiv:2207.09453 (2022), doi:10.48550/arXiv.2207.09453
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class _Path:
    """One way from an order of the features over one of the harmonics to one of the result.

    ``symbols`` are Wigner's 3j symbols times the path's constant, shape
    (2 l_in + 1, 2 l_edge + 1, 2 l_out + 1); ``weights`` are its columns among the weights and
    ``out`` says which part of the result it is added to.
    """

    harmonics: slice
    symbols: Any
    weights: slice
    out: int


def can_replace(product: Any) -> bool:
    """Whether a product is one that `EdgeProduct` computes."""
    return (
        not product.internal_weights
        and all(ins.connection_mode == "uvu" and ins.has_weight for ins in product.instructions)
        and all(part.mul == 1 for part in product.irreps_in2)
    )


class EdgeProduct:
    """The same function as an ``e3nn.o3.TensorProduct`` for which `can_replace` holds.

    Parameters
    ----------
    product
        The product to be replaced; its constants are taken over.
    device, dtype
        Where and in which number format to compute.
    """

    def __init__(self, product: Any, device: Any, dtype: Any):
        from e3nn.o3 import wigner_3j

        first, second, third = product.irreps_in1, product.irreps_in2, product.irreps_out
        self.parts = list(zip(first, first.slices(), strict=True))
        self.results = [(part.mul, part.ir.dim) for part in third]
        self.paths: list[list[_Path]] = [[] for _ in first]
        start = 0
        for ins in product.instructions:
            channels = first[ins.i_in1].mul
            orders = (first[ins.i_in1].ir.l, second[ins.i_in2].ir.l, third[ins.i_out].ir.l)
            symbols = ins.path_weight * wigner_3j(*orders, dtype=dtype, device=device)
            weights = slice(start, start + channels)
            start += channels
            path = _Path(second.slices()[ins.i_in2], symbols, weights, ins.i_out)
            self.paths[ins.i_in1].append(path)

    def __call__(self, features: Any, harmonics: Any, weights: Any) -> Any:
        """Return the product.

        Parameters
        ----------
        features
            Of the node at which each edge starts, shape (n_edges, irreps_in1.dim).
        harmonics
            Of each edge, shape (n_edges, irreps_in2.dim).
        weights
            Of each edge, shape (n_edges, product.weight_numel).
        """
        import torch

        n = len(features)
        found: list[Any] = [None] * len(self.results)
        for (part, own), paths in zip(self.parts, self.paths, strict=True):
            if not paths:
                continue
            turned = [
                torch.tensordot(harmonics[:, path.harmonics], path.symbols, dims=([1], [1]))
                for path in paths
            ]
            channels = features[:, own].reshape(n, part.mul, part.ir.dim)
            if part.ir.dim == 1:
                pieces = turned
            else:
                products = torch.bmm(channels, torch.cat(turned, dim=2))
                pieces = products.split([matrix.shape[2] for matrix in turned], dim=2)
            for path, piece in zip(paths, pieces, strict=True):
                factors = weights[:, path.weights, None]
                # a scalar has nothing to be turned, only to be spread
                weighted = (channels * factors if part.ir.dim == 1 else factors) * piece
                before = found[path.out]
                found[path.out] = weighted if before is None else before + weighted
        return torch.cat(
            [
                features.new_zeros(n, mul * dim) if made is None else made.reshape(n, mul * dim)
                for made, (mul, dim) in zip(found, self.results, strict=True)
            ],
            dim=1,
        )
