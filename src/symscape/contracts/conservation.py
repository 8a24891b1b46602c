"""Forces and stress that must follow from the energy, and from the symmetry of the crystal."""

from __future__ import annotations

import numpy as np

from symscape.contracts.result import (
    DEFAULT_SETTINGS,
    ContractResult,
    ContractSettings,
    join,
    rattled,
    skipped,
)
from symscape.contracts.tangents import tangents
from symscape.crystal.crystal import Crystal
from symscape.crystal.slice import Slice
from symscape.crystal.structures import Structures
from symscape.models.base import EnergyModel

#: five-point stencil: places in steps, and weights of the first derivative
_PLACES = np.array([-2, -1, 1, 2])
_WEIGHTS = np.array([1, -8, 8, -1]) / 12
#: GPa per eV/angstrom^3 (CODATA 2018 elementary charge)
GPA = 160.2176634
#: Gauss-Legendre nodes per edge of a loop
_NODES = 10


def symmetric_forces(
    model: EnergyModel, crystal: Crystal, settings: ContractSettings = DEFAULT_SETTINGS
) -> ContractResult:
    """Check that forces on a symmetric crystal lie in the symmetric subspace, meV/angstrom.

    The forces' mean over the space group is the part inside; the largest remainder on any atom is
    returned. ``detail["stress"]`` is the same for the stress in meV/angstrom^3, where there is one.
    """
    from symscape.crystal.sites import atom_permutations

    group, lattice = crystal.group, crystal.lattice
    structures = Structures.from_atoms([crystal.to_atoms()])
    forces, stress = _forces_and_stress(model, structures)
    images = atom_permutations(group, lattice, crystal.positions, crystal.numbers, 0.01)
    turns = np.linalg.inv(lattice) @ np.swapaxes(group.rotations, 1, 2) @ lattice
    mean = np.zeros_like(forces)
    for turn, image in zip(turns, images, strict=True):
        mean[image] += forces @ turn / len(group)
    outside = np.linalg.norm(forces - mean, axis=1)
    worst = int(outside.argmax())
    detail = {"atom": worst, "largest_force": float(1000 * np.linalg.norm(forces, axis=1).max())}
    if stress is not None:
        mean_stress = np.mean(np.swapaxes(turns, 1, 2) @ stress[0] @ turns, axis=0)
        detail["stress"] = float(1000 * np.abs(stress[0] - mean_stress).max())
    return ContractResult("symmetric_forces", float(1000 * outside[worst]), "meV/angstrom", detail)


def force_gradient(
    model: EnergyModel, crystal: Crystal, settings: ContractSettings = DEFAULT_SETTINGS
) -> ContractResult:
    """Hold forces against minus the numerical gradient of the energy, meV/angstrom.

    Along every free Wyckoff coordinate of the crystal, and along a random direction of a rattled
    one (rigid translation left out of both). The mismatch is given per atom that moves: the force
    error along its motion.
    """
    own = crystal.primitive_atoms
    symmetric = Structures.from_atoms([crystal.to_atoms(primitive=True)])
    names = [free.name for free in crystal.free_coordinates]
    moves = [crystal.B[own, :, k] @ crystal.lattice for k in range(len(names))]
    places = [symmetric] * len(names)
    names.append("random")
    rough = rattled(crystal, settings)
    moves.append(settings.rng().normal(size=rough.positions.shape))
    places.append(rough)
    if len(own) == 1:
        return skipped("force_gradient", "meV/angstrom", "a single atom has nowhere to go")
    mismatches = _mismatches(model, places, [_normalized(m) for m in moves], settings.step)
    worst = int(np.abs(mismatches).argmax())
    return ContractResult(
        "force_gradient",
        float(np.abs(mismatches)[worst]),
        "meV/angstrom",
        {
            "worst": names[worst],
            "mismatches": dict(zip(names, mismatches.tolist(), strict=True)),
        },
    )


def stress_strain(
    model: EnergyModel, crystal: Crystal, settings: ContractSettings = DEFAULT_SETTINGS
) -> ContractResult:
    """Hold stress against the numerical strain derivative of the energy, meV/angstrom^3.

    Along the strain that belongs to each free lattice parameter, of unit Frobenius norm.
    ``detail["GPa"]`` is the same in GPa. Asks nothing of a model without stress.
    """
    from symscape.crystal.lattice import free_lattice_parameters, lattice_values, strained_cells

    base = Structures.from_atoms([crystal.to_atoms(primitive=True)])
    try:
        stress = model.predict(base, forces=True, stresses=True).stresses
    except NotImplementedError:
        stress = None
    if stress is None:
        return skipped("stress_strain", "meV/angstrom^3", "the model has no stress")
    names = free_lattice_parameters(crystal.group)
    own = lattice_values(crystal.group, crystal.lattice, len(crystal))
    strains, steps = [], []
    for name in names:
        small = 1e-5 * own[name]
        low, high = strained_cells(
            crystal.group,
            crystal.lattice,
            len(crystal),
            {name: own[name] + np.array([-small, small])},
        )
        strain = np.linalg.inv(crystal.lattice) @ (high - low)
        strain = (strain + strain.T) / 2
        strains.append(strain / np.linalg.norm(strain))
        steps += [np.eye(3) + settings.strain_step * p * strains[-1] for p in _PLACES]
    numbers, positions, cell = base.arrays(0)
    strained = Structures.stack(numbers, positions @ np.array(steps), cell @ np.array(steps))
    energies = model.energies(strained).reshape(len(names), len(_PLACES))
    slopes = energies @ _WEIGHTS / settings.strain_step / np.abs(np.linalg.det(cell))
    work = np.einsum("ab,kab->k", stress[0], np.array(strains))
    mismatches = 1000 * (work - slopes)
    worst = int(np.abs(mismatches).argmax())
    value = float(np.abs(mismatches)[worst])
    return ContractResult(
        "stress_strain",
        value,
        "meV/angstrom^3",
        {
            "worst": names[worst],
            "GPa": value * GPA / 1000,
            "mismatches": dict(zip(names, mismatches.tolist(), strict=True)),
        },
    )


def curl(
    model: EnergyModel,
    slice: Slice,
    settings: ContractSettings = DEFAULT_SETTINGS,
    centre: tuple[int, int] | None = None,
) -> ContractResult:
    """Integrate forces around closed loops on a slice, meV/atom: zero if they are conservative.

    Rectangles in axis values that start at ``centre`` and reach as far as no grid point in them is
    masked, one into each quadrant. ``detail["work_error"]`` is the largest difference between the
    work along an edge and the loss of energy from one of its ends to the other.

    Parameters
    ----------
    model, slice, settings
        What is checked.
    centre
        Grid point at which the loops meet, default: the middle of the grid or the unmasked point
        nearest to it.
    """
    if centre is None:
        centre = _middle(slice.mask)
    blocks = _quadrants(slice.mask, centre)
    if not blocks:
        return skipped("curl", "meV/atom", "no loop avoids the masked points")
    corners = np.array(
        [
            [(rows[a], columns[b]) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))]
            for rows, columns in blocks
        ]
    )
    axes = [axis.values for axis in slice.axes]
    start = np.stack([axes[k][corners[..., k]] for k in (0, 1)], axis=-1)
    step = np.roll(start, -1, axis=1) - start
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    nodes, weights = (nodes + 1) / 2, weights / 2
    values = start[:, :, None] + nodes[:, None] * step[:, :, None]
    structures = slice.structures_at(np.concatenate([values.reshape(-1, 2), start.reshape(-1, 2)]))
    n_atoms = int(structures.n_atoms[0])
    strained = bool(tangents(slice, start[0, :1]).strained.any())
    try:
        answer = model.predict(structures, forces=True, stresses=strained)
    except NotImplementedError:
        return skipped("curl", "meV/atom", "the model has no stress, which a lattice axis needs")
    assert answer.forces is not None
    n_nodes = values.size // 2
    along = tangents(slice, values.reshape(-1, 2)).generalized_forces(
        answer.forces.reshape(-1, n_atoms, 3)[:n_nodes],
        answer.stresses[:n_nodes] if answer.stresses is not None else None,
    )
    work = np.einsum("lenk,lek,n->le", along.reshape(values.shape), step, weights)
    energies = answer.energies[n_nodes:].reshape(start.shape[:2])
    loss = energies - np.roll(energies, -1, axis=1)
    loops = 1000 * np.abs(work.sum(axis=1)) / n_atoms
    worst = int(loops.argmax())
    return ContractResult(
        "curl",
        float(loops[worst]),
        "meV/atom",
        {
            "loop": corners[worst].tolist(),
            "loops": loops.tolist(),
            "work_error": float(1000 * np.abs(work - loss).max() / n_atoms),
        },
    )


def _forces_and_stress(
    model: EnergyModel, structures: Structures
) -> tuple[np.ndarray, np.ndarray | None]:
    try:
        answer = model.predict(structures, forces=True, stresses=True)
    except NotImplementedError:
        answer = model.predict(structures, forces=True)
    assert answer.forces is not None
    return answer.forces, answer.stresses


def _normalized(move: np.ndarray) -> np.ndarray:
    """Leave out the rigid translation and let the atom that moves most move by one angstrom."""
    move = move - move.mean(axis=0)
    return move / np.linalg.norm(move, axis=1).max()


def _mismatches(
    model: EnergyModel, places: list[Structures], directions: list[np.ndarray], step: float
) -> np.ndarray:
    """Force along each direction plus the slope of the energy, meV/angstrom per moving atom."""
    displaced = [
        Structures.stack(
            place.numbers,
            place.positions + step * np.concatenate([[0], _PLACES])[:, None, None] * direction,
            np.repeat(place.cells, 5, axis=0),
        )
        for place, direction in zip(places, directions, strict=True)
    ]
    answer = model.predict(join(displaced), forces=True)
    assert answer.forces is not None
    n_atoms = len(directions[0])
    energies = answer.energies.reshape(len(places), 5)[:, 1:]
    forces = answer.forces.reshape(len(places), 5, n_atoms, 3)[:, 0]
    stacked = np.array(directions)
    along = np.einsum("kai,kai->k", forces, stacked)
    return 1000 * (along + energies @ _WEIGHTS / step) / np.einsum("kai,kai->k", stacked, stacked)


def _middle(mask: np.ndarray) -> tuple[int, int]:
    free = np.argwhere(~mask)
    if not len(free):
        return 0, 0
    distances = ((free - (np.array(mask.shape) - 1) / 2) ** 2).sum(axis=1)
    i, j = free[int(distances.argmin())]
    return int(i), int(j)


def _quadrants(
    mask: np.ndarray, centre: tuple[int, int]
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Rectangles of grid points from the centre into each quadrant, free of masked points."""
    blocks = []
    for toward_u in (0, mask.shape[0] - 1):
        for toward_v in (0, mask.shape[1] - 1):
            far = [toward_u, toward_v]
            while all(a != b for a, b in zip(far, centre, strict=True)):
                rows, columns = (sorted(pair) for pair in zip(far, centre, strict=True))
                if not mask[rows[0] : rows[1] + 1, columns[0] : columns[1] + 1].any():
                    blocks.append(((rows[0], rows[1]), (columns[0], columns[1])))
                    break
                # pull in the longer side
                k = int(columns[1] - columns[0] > rows[1] - rows[0])
                far[k] += 1 if far[k] < centre[k] else -1
    return blocks
