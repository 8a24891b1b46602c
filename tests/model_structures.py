"""Structures that models are tried on: elements, sizes, skewed cells, one atom."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.build import bulk

from symscape.crystal.structures import Structures


def varied(
    n: int = 50, elements: tuple[str, ...] = ("Mg", "O", "Ti", "Si", "Na", "Cl")
) -> Structures:
    """Return ``n`` rattled crystals; a third of the cells are smaller than any cutoff."""
    rng = np.random.default_rng(7)
    images: list[Atoms] = []
    for i in range(n):
        pair = rng.choice(len(elements), size=2, replace=False)
        a, b = (elements[k] for k in pair)
        kind = i % 5
        if kind == 0:
            atoms = bulk(f"{a}{b}", "rocksalt", a=rng.uniform(4.2, 5.6))
        elif kind == 1:
            atoms = bulk(f"{a}{b}", "cesiumchloride", a=rng.uniform(2.9, 3.8))
        elif kind == 2:
            atoms = bulk(a, "fcc", a=rng.uniform(3.6, 4.6))
        elif kind == 3:
            atoms = bulk(f"{a}{b}", "zincblende", a=rng.uniform(4.8, 5.8), cubic=True)
        else:
            atoms = bulk(f"{a}{b}", "rocksalt", a=rng.uniform(4.4, 5.4), cubic=True)
        shear = np.eye(3) + np.triu(rng.uniform(-0.4, 0.4, (3, 3)), 1) * (kind in (0, 2))
        atoms.set_cell(atoms.cell.array @ shear @ (np.eye(3) + rng.normal(0, 0.01, (3, 3))), True)
        atoms.positions += rng.normal(0, 0.06, atoms.positions.shape)
        # whole-cell shifts must not matter to any graph builder
        atoms.positions += rng.integers(-1, 2, (len(atoms), 3)) @ atoms.cell.array * (i % 3 == 0)
        images.append(atoms)
    return Structures.from_atoms(images)


def one_structure_of(symbol: str) -> Structures:
    """Return an fcc crystal of an element."""
    return Structures.from_atoms([bulk(symbol, "fcc", a=4.8)])
