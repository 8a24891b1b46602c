"""How far models are apart, and from DFT, on the library's materials that are like a crystal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.references.library import ReferenceEntry, formula_of
from symscape.references.reference import LandscapeReference
from symscape.science.landscape.metrics import root_mean_square_error

#: grid points of a reference that are asked for, spread over its energies
SAMPLE = 24
#: what counts lies within this much of the DFT minimum, eV/atom
WINDOW_eV = 0.5
_SYMBOL = re.compile(r"[A-Z][a-z]?")


@dataclass(frozen=True)
class LibraryDistances:
    """Root-mean-square differences on slices of the library, meV/atom, pooled over their points.

    Parameters
    ----------
    slices
        Ids of the references.
    from_dft
        By the model's name.
    apart
        By the names of two models.
    """

    slices: tuple[str, ...]
    from_dft: Mapping[str, float]
    apart: Mapping[tuple[str, str], float]


def similar_references(
    entries: Sequence[ReferenceEntry], crystal: Crystal, most: int
) -> list[ReferenceEntry]:
    """Return the references of materials that share most elements with a crystal.

    Parameters
    ----------
    entries
        Of the library; no file is read, the material's name tells its elements.
    crystal
        The crystal.
    most
        How many at most. Materials without a common element are left out.
    """
    from ase.data import chemical_symbols

    own = {chemical_symbols[z] for z in crystal.numbers}

    def likeness(entry: ReferenceEntry) -> float:
        theirs = set(_SYMBOL.findall(formula_of(entry.material)))
        return len(own & theirs) / len(own | theirs)

    ranked = sorted(entries, key=lambda entry: (-likeness(entry), entry.id))
    return [entry for entry in ranked[:most] if likeness(entry) > 0]


def sampled_points(reference: LandscapeReference, count: int = SAMPLE) -> np.ndarray:
    """Return which grid points to ask a model for: the minimum, and ranks of energy evenly spaced.

    Returns
    -------
    ndarray
        True where one is chosen, shape (n_u, n_v).
    """
    first = np.arange(reference.mask.size).reshape(reference.mask.shape)
    distinct = reference.valid & (reference.slice.representatives == first)
    with np.errstate(invalid="ignore"):
        low = distinct & (reference.relative <= WINDOW_eV)
    low[reference.minimum] = True
    places = np.flatnonzero(low.ravel())
    ranked = places[np.argsort(reference.relative.ravel()[places], kind="stable")]
    ranks = np.unique(np.linspace(0, len(ranked) - 1, min(count, len(ranked))).round().astype(int))
    chosen = np.zeros(reference.mask.size, dtype=bool)
    chosen[ranked[ranks]] = True
    chosen[np.ravel_multi_index(reference.minimum, reference.mask.shape)] = True
    return chosen.reshape(reference.mask.shape)


def library_distances(
    references: Sequence[LandscapeReference], energies: Sequence[Mapping[str, np.ndarray]]
) -> LibraryDistances | None:
    """Compare models with DFT and with each other, each slice above its DFT minimum.

    Parameters
    ----------
    references
        Slices of the library.
    energies
        For each of them the models' energies by name, eV/atom, shape (n_u, n_v), NaN where not
        asked for. Slices at which a model has no energy at the DFT minimum are left out.

    Returns
    -------
    LibraryDistances or None
        None if no slice is left.
    """
    kept: list[str] = []
    columns: dict[str, list[np.ndarray]] = {}
    for reference, models in zip(references, energies, strict=True):
        at = reference.minimum
        if not all(np.isfinite(grid[at]) for grid in models.values()):
            continue
        above = {name: grid - grid[at] for name, grid in models.items()}
        known = np.isfinite(np.stack([reference.relative, *above.values()])).all(axis=0)
        # zero for all of them, the minimum says nothing
        known[at] = False
        kept.append(reference.id)
        for name, grid in {"": reference.relative, **above}.items():
            columns.setdefault(name, []).append(grid[known])
    pooled = {name: np.concatenate(parts) for name, parts in columns.items()}
    if not kept or not pooled[""].size:
        return None
    dft = pooled.pop("")
    return LibraryDistances(
        tuple(kept),
        {name: root_mean_square_error(dft, own) for name, own in pooled.items()},
        {(a, b): root_mean_square_error(pooled[a], pooled[b]) for a, b in combinations(pooled, 2)},
    )
