"""Energies that must be equal because the structures are: however a crystal is written down.

Every function builds all variants of its structures, asks the model once, and returns the largest
difference of the energy per atom. Structures are rattled first, because a crystal's own symmetry
can hide what a potential does not respect.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.crystal.equivalence import first_equivalents, grid_symmetries
from symscape.crystal.slice import Slice
from symscape.crystal.structures import Structures
from symscape.science.contracts.details import WorstOrbit, WorstVariant
from symscape.science.contracts.potential import Potential
from symscape.science.contracts.result import (
    DEFAULT_SETTINGS,
    ContractResult,
    ContractSettings,
    join,
    rattled,
    skipped,
)

UNIT = "meV/atom"
#: orbits of equivalent grid points that are checked at most
MAX_ORBITS = 12
#: atoms of equivalent grid points must fall on each other within this, angstrom
EXACT_A = 1e-5


def under_rotations(
    model: Potential,
    crystal: Crystal | Structures,
    settings: ContractSettings = DEFAULT_SETTINGS,
) -> ContractResult:
    """Compare energies under random rotations of atoms and cell."""
    from scipy.spatial.transform import Rotation

    base = rattled(crystal, settings)
    # by position: scipy has had two names for the generator
    turns = Rotation.random(settings.samples, settings.rng()).as_matrix()
    variants = [
        Structures(base.numbers, base.positions @ r.T, base.cells @ r.T, base.offsets)
        for r in turns
    ]
    return _spread(model, base, variants)


def under_translations(
    model: Potential,
    crystal: Crystal | Structures,
    settings: ContractSettings = DEFAULT_SETTINGS,
) -> ContractResult:
    """Compare energies of translated crystals, single atoms moved by lattice vectors as well."""
    base = rattled(crystal, settings)
    rng = settings.rng()
    variants = []
    for _ in range(settings.samples):
        shifts = rng.uniform(-1, 1, (len(base), 3)).repeat(base.n_atoms, axis=0)
        images = rng.integers(-1, 2, base.positions.shape)
        moves = _cartesian(base, shifts + images)
        variants.append(Structures(base.numbers, base.positions + moves, base.cells, base.offsets))
    return _spread(model, base, variants)


def under_permutations(
    model: Potential,
    crystal: Crystal | Structures,
    settings: ContractSettings = DEFAULT_SETTINGS,
) -> ContractResult:
    """Compare energies under random permutations of the atoms within each structure."""
    base = rattled(crystal, settings)
    rng = settings.rng()
    variants = []
    for _ in range(settings.samples):
        order = np.concatenate([a + rng.permutation(b - a) for a, b in pairwise(base.offsets)])
        variants.append(
            Structures(base.numbers[order], base.positions[order], base.cells, base.offsets)
        )
    return _spread(model, base, variants)


def in_supercells(
    model: Potential,
    crystal: Crystal | Structures,
    settings: ContractSettings = DEFAULT_SETTINGS,
) -> ContractResult:
    """Compare energies per atom of the cell and of it doubled along each of its vectors."""
    base = rattled(crystal, settings)
    variants = [_repeated(base, axis) for axis in range(3)]
    return _spread(model, base, variants, ("2x1x1", "1x2x1", "1x1x2"))


def in_other_cells(
    model: Potential,
    crystal: Crystal | Structures,
    settings: ContractSettings = DEFAULT_SETTINGS,
) -> ContractResult:
    """Compare energies per atom in other cells of the same lattice.

    Skewed cells of the same volume, and for a crystal the conventional cell beside the primitive
    one.
    """
    base = rattled(crystal, settings)
    variants = [
        Structures(base.numbers, base.positions, skew @ base.cells, base.offsets)
        for skew in (
            np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]]),
            np.array([[1, 0, 0], [0, 1, 1], [0, 0, 1]]),
            np.array([[1, 0, 0], [-1, 1, 0], [1, -1, 1]]),
        )
    ]
    names = ["skewed", "skewed", "skewed"]
    if isinstance(crystal, Crystal) and len(crystal.primitive_atoms) < len(crystal):
        variants.append(_conventional(crystal, base))
        names.append("conventional")
    return _spread(model, base, variants, tuple(names))


def under_space_group_operations(
    model: Potential, crystal: Crystal, settings: ContractSettings = DEFAULT_SETTINGS
) -> ContractResult:
    """Compare a rattled crystal with its images under operations of the space group.

    The cell stays, the atoms are carried to another place of it.
    """
    base = rattled(crystal, settings)
    group = crystal.group
    # one operation for each rotation part; translations of the lattice are another contract
    _, distinct = np.unique(group.rotations, axis=0, return_index=True)
    distinct = distinct[np.any(group.rotations[distinct] != np.eye(3, dtype=int), axis=(1, 2))]
    if not len(distinct):
        return skipped(UNIT, "the point group has no operation but the identity")
    chosen = settings.rng().permutation(distinct)[: 2 * settings.samples]
    variants = []
    for g in chosen:
        fractional = base.positions @ np.linalg.inv(crystal.lattice)
        images = fractional @ group.rotations[g].T + group.translations[g]
        variants.append(
            Structures(base.numbers, images @ crystal.lattice, base.cells, base.offsets)
        )
    names = tuple(str(group.rotations[g].tolist()) for g in chosen)
    return _spread(model, base, variants, names)


def at_equivalent_grid_points(
    model: Potential, slice: Slice, settings: ContractSettings = DEFAULT_SETTINGS
) -> ContractResult:
    """Compare grid points of a slice that its residual symmetry makes equal.

    Up to a dozen orbits of points, drawn at random. Symmetries that hold within `EXACT_A` count:
    a crystal given with rounded coordinates has others, good enough to spare evaluations, under
    which the energies of a perfect model differ a little.
    """
    free = ~slice.mask.ravel()
    symmetries = grid_symmetries(slice.axes, slice.structures_at, EXACT_A)
    orbits = first_equivalents(symmetries, slice.shape).ravel()
    members = [np.flatnonzero((orbits == first) & free) for first in np.unique(orbits)]
    members = [m for m in members if len(m) > 1]
    if not members:
        return skipped(UNIT, "no two grid points are equivalent")
    order = settings.rng().permutation(len(members))[:MAX_ORBITS]
    members = [members[k] for k in order]
    points = np.concatenate(members)
    structures = slice.structures_at(slice.grid_values[points])
    energies = 1000 * model.energies(structures) / structures.n_atoms
    which = np.repeat(np.arange(len(members)), [len(m) for m in members])
    spreads = np.array([np.ptp(energies[which == k]) for k in range(len(members))])
    worst = int(spreads.argmax())
    return ContractResult(
        float(spreads[worst]),
        UNIT,
        WorstOrbit(
            tuple((int(p // slice.shape[1]), int(p % slice.shape[1])) for p in members[worst]),
            tuple(symmetry.name for symmetry in symmetries),
        ),
    )


def _spread(
    model: Potential,
    base: Structures,
    variants: list[Structures],
    names: tuple[str, ...] | None = None,
) -> ContractResult:
    """Largest difference of energy per atom between the base and its variants."""
    everything = join([base, *variants])
    per_atom = 1000 * model.energies(everything) / everything.n_atoms
    per_atom = per_atom.reshape(-1, len(base))
    differences = np.abs(per_atom[1:] - per_atom[0])
    k, i = np.unravel_index(int(differences.argmax()), differences.shape)
    worst, structure = names[k] if names else int(k), int(i) if len(base) > 1 else None
    detail = WorstVariant(len(variants), worst, structure)
    return ContractResult(float(differences[k, i]), UNIT, detail)


def _cartesian(structures: Structures, fractional: np.ndarray) -> np.ndarray:
    cells = structures.cells.repeat(structures.n_atoms, axis=0)
    return np.einsum("ak,akj->aj", fractional, cells)


def _repeated(structures: Structures, axis: int) -> Structures:
    """Double every cell along one of its vectors."""
    parts = []
    for numbers, positions, cell in _each(structures):
        doubled = cell.copy()
        doubled[axis] *= 2
        both = np.concatenate([positions, positions + cell[axis]])
        parts.append(Structures.stack(np.tile(numbers, 2), both[None], doubled[None]))
    return join(parts)


def _conventional(crystal: Crystal, primitive: Structures) -> Structures:
    """Fill the conventional cell with the centring translates of the primitive cell's atoms."""
    shifts = crystal.group.centring_translations @ crystal.lattice
    numbers, positions, _ = primitive.arrays(0)
    filled = (positions[None] + shifts[:, None]).reshape(-1, 3)
    return Structures.stack(np.tile(numbers, len(shifts)), filled[None], crystal.lattice[None])


def _each(structures: Structures) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    return (structures.arrays(i) for i in range(len(structures)))
