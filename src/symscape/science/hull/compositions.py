"""Atomic fractions of many crystals in flat arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True, eq=False)
class Compositions:
    """Atomic fractions of many crystals in flat arrays.

    Parameters
    ----------
    elements
        Symbols in alphabetical order.
    codes
        Places in ``elements``, crystal after crystal, ascending in each, shape (n_entries,).
    fractions
        Atomic fractions of these, shape (n_entries,).
    offsets
        Crystal ``i`` owns the entries ``offsets[i]:offsets[i + 1]``, shape (n + 1,).
    """

    elements: tuple[str, ...]
    codes: np.ndarray
    fractions: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> np.ndarray:
        """Number of elements of each crystal, shape (n,)."""
        return np.diff(self.offsets)

    def weighted(self, values: np.ndarray) -> np.ndarray:
        """Return ``sum_i x_i values_i`` of each crystal, shape (n,), for values of all elements."""
        return np.add.reduceat(self.fractions * values[self.codes], self.offsets[:-1])

    def best_constants(self, values: np.ndarray, chosen: np.ndarray | None = None) -> np.ndarray:
        """Return one constant an element whose weighted sums are nearest to values of crystals.

        Least squares by the normal equations, shape (n_elements,); 0 for an element that none of
        the crystals contains.

        Parameters
        ----------
        values
            Shape (n,), or (n_chosen,).
        chosen
            Whether a crystal counts, shape (n,); all by default.
        """
        from scipy.sparse import csr_matrix

        shape = (len(self), len(self.elements))
        fractions = csr_matrix((self.fractions, self.codes, self.offsets), shape=shape)
        if chosen is not None:
            fractions = fractions[chosen]
        normal = (fractions.T @ fractions).toarray()
        found: np.ndarray = np.linalg.lstsq(normal, fractions.T @ values, rcond=None)[0]
        return found


def compositions(formulas: Iterable[str]) -> Compositions:
    """Parse formulas, each once.

    Parameters
    ----------
    formulas
        ``TiO2``.
    """
    import pandas as pd

    owners, names = pd.factorize(np.asarray(list(formulas), dtype=object))
    rows = [_fractions_of(name) for name in names]
    elements = tuple(sorted({name for row in rows for name in row}))
    place = {name: k for k, name in enumerate(elements)}
    codes = np.array([place[name] for row in rows for name in row], dtype=np.int32)
    fractions = np.array([x for row in rows for x in row.values()], dtype=float)
    sizes = np.array([len(row) for row in rows], dtype=np.int64)
    # the entries of each formula, once a crystal
    counts = sizes[owners]
    offsets = np.concatenate([[0], np.cumsum(counts)])
    starts = np.cumsum(sizes) - sizes
    taken = np.arange(offsets[-1]) + np.repeat(starts[owners] - offsets[:-1], counts)
    return Compositions(elements, codes[taken], fractions[taken], offsets)


@lru_cache(maxsize=2**17)  # tables of one data set are made one after the other
def _fractions_of(formula: str) -> dict[str, float]:
    """Return the atomic fractions of a formula's elements, sorted; not to be changed."""
    from pymatgen.core import Composition

    amounts = Composition(formula).as_dict()
    whole = sum(amounts.values())
    return {name: amounts[name] / whole for name in sorted(amounts)}
