"""MACE's products of an atom's features with themselves, with their few terms only.

The package contracts the features of an atom three times (or as often as its correlation says) with
a dense table of coupling coefficients. Of these nearly all are zero; what is left is the same for
all orders of the factors, so that a monomial is needed once; and many couplings give the same
polynomial then (of 23 of degree three over harmonics up to order three, 8 differ). Here every
monomial is formed once, one matrix gives all polynomials, and an atom's element chooses their
weights by its number rather than by a product with a one-hot vector.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np

from symscape.models.torchtools import is_exactly


class ByElement:
    """An ``e3nn.o3.FullyConnectedTensorProduct`` with one-hot vectors: one matrix an element.

    Parameters
    ----------
    product
        Its second irreps are scalars, one an element; its weights are taken over.
    """

    def __init__(self, product: Any):
        self.parts = list(zip(product.irreps_in1, product.irreps_in1.slices(), strict=True))
        self.results = [(part.ir.dim, part.mul) for part in product.irreps_out]
        self.matrices = []
        for _, ins, weight in product.weight_views(yield_instruction=True):
            factor = ins.path_weight / self.results[ins.i_out][0] ** 0.5
            matrix = (weight * factor).detach().transpose(0, 1).contiguous()
            self.matrices.append((ins.i_in1, ins.i_out, matrix))

    def __call__(self, features: list[Any], one_hot: Any) -> list[Any]:
        """Return the product in parts of shape (dim, n_atoms, channels).

        Parameters
        ----------
        features
            Parts of shape (dim, n_atoms, channels).
        one_hot
            Elements, shape (n_atoms, n_elements).
        """
        import torch

        order = one_hot.argmax(dim=1).argsort()
        back = order.argsort()
        numbers = one_hot.sum(dim=0).long().tolist()
        present = [k for k, number in enumerate(numbers) if number]
        sizes = [numbers[k] for k in present]
        found: list[Any] = [None] * len(self.results)
        for start, end, matrices in self.matrices:
            rows = features[start].index_select(1, order).split(sizes, dim=1)
            made = [own @ matrices[k] for own, k in zip(rows, present, strict=True)]
            whole = torch.cat(made, dim=1).index_select(1, back)
            found[end] = whole if found[end] is None else found[end] + whole
        n = len(one_hot)
        return [
            features[0].new_zeros(dim, n, mul) if own is None else own
            for own, (dim, mul) in zip(found, self.results, strict=True)
        ]

    def flat(self, features: Any, one_hot: Any) -> Any:
        """Return the product as the package does, shapes (n_atoms, irreps.dim)."""
        import torch

        n = len(features)
        parts = [
            features[:, own].reshape(n, part.mul, part.ir.dim).permute(2, 0, 1)
            for part, own in self.parts
        ]
        found = self(parts, one_hot)
        return torch.cat([own.permute(1, 2, 0).reshape(n, -1) for own in found], dim=1)


def can_contract(contraction: Any) -> bool:
    """Whether a contraction is one that `SparseProducts` computes."""
    where = "mace.modules.symmetric_contraction"
    return is_exactly(contraction, where, "SymmetricContraction") and all(
        is_exactly(own, where, "Contraction") for own in contraction.contractions
    )


@dataclass(frozen=True, eq=False)
class _Polynomials:
    """Homogeneous polynomials of one degree for the components of one irrep.

    Parameters
    ----------
    monomials
        Numbers of the factors, falling, shape (n_monomials, degree).
    coefficients
        Shape (dim, n_monomials, n_polynomials).
    weights
        Of each element and channel, shape (n_elements, n_polynomials, n_channels).
    """

    monomials: np.ndarray
    coefficients: np.ndarray
    weights: np.ndarray


def _polynomials(contraction: Any) -> list[_Polynomials]:
    """Return the polynomials of each degree of the package's ``Contraction``, linear ones first."""
    import torch

    weights = [*reversed(list(contraction.weights)), contraction.weights_max]
    rounding = torch.finfo(contraction.weights_max.dtype).eps
    found = []
    for degree, own in enumerate(weights, start=1):
        table = contraction.U_tensors(degree).detach().double().cpu().numpy()
        if table.ndim == degree + 1:
            table = table[None]
        monomials, coefficients = _symmetrized(table, 100 * rounding)
        chosen, mixing = _independent(coefficients.reshape(-1, table.shape[-1]), 1000 * rounding)
        mixed = mixing @ own.detach().double().cpu().numpy()
        found.append(_Polynomials(monomials, coefficients[..., chosen], mixed))
    return found


def _symmetrized(table: np.ndarray, rounding: float) -> tuple[np.ndarray, np.ndarray]:
    """Add up the coefficients of products that differ in the order of their factors only.

    Parameters
    ----------
    table
        Coefficients, shape (dim, n, ..., n, n_polynomials).
    rounding
        What is smaller than this part of the largest is zero.

    Returns
    -------
    Monomials and coefficients as `_Polynomials` has them.
    """
    limit = rounding * np.abs(table).max(initial=0.0)
    factors = np.argwhere((np.abs(table) > limit).any(axis=(0, -1)))
    falling = np.sort(factors, axis=1)[:, ::-1]
    monomials, which = np.unique(falling, axis=0, return_inverse=True)
    coefficients = np.zeros((table.shape[0], len(monomials), table.shape[-1]))
    terms = np.moveaxis(table[(slice(None), *factors.T)], 1, 0)
    np.add.at(np.moveaxis(coefficients, 1, 0), which.ravel(), terms)
    coefficients[np.abs(coefficients) <= limit] = 0.0
    kept = coefficients.any(axis=(0, 2))
    return monomials[kept], coefficients[:, kept]


def _independent(columns: np.ndarray, rounding: float) -> tuple[np.ndarray, np.ndarray]:
    """Return which columns make up all others, and how: columns = columns[:, chosen] @ mixing."""
    from scipy.linalg import qr

    if not columns.any():
        return np.zeros(0, dtype=int), np.zeros((0, columns.shape[1]))
    _, upper, order = qr(columns, mode="economic", pivoting=True)
    sizes = np.abs(np.diag(upper))
    chosen = np.sort(order[: np.count_nonzero(sizes > rounding * sizes[0])])
    return chosen, np.linalg.lstsq(columns[:, chosen], columns, rcond=None)[0]


@dataclass(frozen=True, eq=False)
class _Terms:
    """The terms of one degree of all polynomials: factors, row of the polynomial, coefficient."""

    monomials: np.ndarray
    rows: np.ndarray
    values: np.ndarray


class SparseProducts:
    """What a ``SymmetricContraction`` of the package does.

    Parameters
    ----------
    contraction
        One for which `can_contract` holds; its weights are taken over.
    """

    def __init__(self, contraction: Any):
        import torch

        self.like = contraction.contractions[0].weights_max.detach()
        #: of each irrep: its polynomials among all, its dimension, their weights
        self.irreps: list[tuple[slice, int, Any]] = []
        of_degree: dict[int, list[_Terms]] = {}
        start = 0
        for own in map(_polynomials, contraction.contractions):
            dim = len(own[0].coefficients)
            number = sum(part.coefficients.shape[2] for part in own)
            column = start
            for degree, part in enumerate(own, start=1):
                component, monomial, polynomial = part.coefficients.nonzero()
                terms = _Terms(
                    part.monomials[monomial],
                    column + component * number + polynomial,
                    part.coefficients[component, monomial, polynomial],
                )
                of_degree.setdefault(degree, []).append(terms)
                column += part.coefficients.shape[2]
            weights = np.concatenate([part.weights for part in own], axis=1)
            rows = slice(start, start + dim * number)
            self.irreps.append((rows, dim, torch.as_tensor(weights).to(self.like)))
            start = rows.stop
        n_components = contraction.contractions[0].U_tensors(1).shape[-2]
        names = [own.name for own in fields(_Terms)]
        joined = [
            _Terms(*(np.concatenate([getattr(t, name) for t in own]) for name in names))
            for own in of_degree.values()
        ]
        self._plan(joined, start, n_components)

    def _plan(self, degrees: list[_Terms], n_rows: int, n_components: int) -> None:
        """Say which monomials are formed, and which matrices make polynomials of them."""
        first = degrees[0]
        shape = (n_rows, n_components)
        self.linear = self._matrix(first.rows, first.monomials[:, 0], first.values, shape)
        # a term is a monomial of one degree less times its last factor
        wanted: list[set[tuple[int, ...]]] = [
            {tuple(own) for own in terms.monomials[:, :-1].tolist()} for terms in degrees[1:]
        ]
        for higher, lower in pairwise(reversed(wanted)):
            lower |= {own[:-1] for own in higher}
        #: of each degree from 2 on: monomials of one degree less, the factor that makes them these
        self.monomials: list[tuple[Any, Any]] = []
        #: of each degree from 2 on: matrix for monomials of one degree less, last factors, rows
        self.higher: list[tuple[Any, Any, Any]] = []
        places: dict[tuple[int, ...], int] = {(k,): k for k in range(n_components)}
        for degree, terms in enumerate(degrees[1:], start=2):
            if degree > 2:
                ordered = sorted(wanted[degree - 2])
                begun = [places[own[:-1]] for own in ordered]
                self.monomials.append((self._index(begun), self._index([o[-1] for o in ordered])))
                places = {own: k for k, own in enumerate(ordered)}
            pairs = np.column_stack([terms.monomials[:, -1], terms.rows])
            ends, which = np.unique(pairs, axis=0, return_inverse=True)
            begun = [places[tuple(own)] for own in terms.monomials[:, :-1].tolist()]
            matrix = self._matrix(which.ravel(), begun, terms.values, (len(ends), len(places)))
            self.higher.append((matrix, self._index(ends[:, 0]), self._index(ends[:, 1])))

    def _index(self, values: Any) -> Any:
        import torch

        return torch.as_tensor(np.asarray(values, dtype=np.int64), device=self.like.device)

    def _matrix(self, rows: Any, columns: Any, values: Any, shape: tuple[int, int]) -> Any:
        import torch

        matrix = np.zeros(shape)
        matrix[rows, np.asarray(columns, dtype=np.int64)] = values
        return torch.as_tensor(matrix).to(self.like)

    def __call__(self, features: Any, one_hot: Any) -> Any:
        """Return the products, shape (n_atoms, irreps_out.dim).

        Parameters
        ----------
        features
            Shape (n_atoms, n_channels, n_components).
        one_hot
            Elements, shape (n_atoms, n_elements).
        """
        import torch

        n, channels, components = features.shape
        factors = features.permute(2, 0, 1).reshape(components, n * channels)
        monomials, polynomials = factors, self.linear @ factors
        for k, (matrix, ends, rows) in enumerate(self.higher):
            if k:
                begun, factor = self.monomials[k - 1]
                monomials = monomials.index_select(0, begun) * factors.index_select(0, factor)
            terms = (matrix @ monomials) * factors.index_select(0, ends)
            polynomials = polynomials.index_add(0, rows, terms)
        element = one_hot.argmax(dim=1)
        found = []
        for rows, dim, weights in self.irreps:
            own = polynomials[rows].view(dim, weights.shape[1], n, channels)
            weighted = own * weights.index_select(0, element).transpose(0, 1)
            found.append(weighted.sum(dim=1).permute(1, 2, 0).reshape(n, channels * dim))
        return torch.cat(found, dim=1)
