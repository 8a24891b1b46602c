"""Forces and stress that must follow from the energy, and from the symmetry of the crystal."""

from __future__ import annotations

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.crystal.slice import Slice
from symscape.crystal.structures import Structures
from symscape.crystal.tangents import displacement_metric, tangents
from symscape.science.contracts.details import (
    ForceMismatches,
    ForcesOffSymmetry,
    Loops,
    StressMismatches,
)
from symscape.science.contracts.potential import Potential
from symscape.science.contracts.result import (
    DEFAULT_SETTINGS,
    ContractResult,
    ContractSettings,
    rattled,
    skipped,
)

#: five-point stencil without its middle, which counts nothing: places in steps and weights of the
#: first derivative
_STENCIL = np.array([-2, -1, 1, 2])
_WEIGHTS = np.array([1, -8, 8, -1]) / 12
#: the same points, the middle and two between them, for a derivative with half the step as well
_FINE_STENCIL = np.array([-2, -1, -0.5, 0, 0.5, 1, 2])
_COARSE_WEIGHTS = np.array([1, -8, 0, 0, 0, 8, -1]) / 12
_FINE_WEIGHTS = np.array([0, 1, -8, 0, 8, -1, 0]) / 6
_HERE = 3
#: angstrom along a direction at which forces are checked
_OFFSETS = np.array([-0.06, 0.0, 0.06])
#: GPa per eV/angstrom^3 (CODATA 2018 elementary charge)
GPA = 160.2176634
#: intervals per edge of a loop, a multiple of four, and how long an edge may be, angstrom
_INTERVALS = 16
_EDGE = 0.3


def forces_by_symmetry(
    model: Potential, crystal: Crystal, settings: ContractSettings = DEFAULT_SETTINGS
) -> ContractResult:
    """Check that forces on a symmetric crystal lie in the symmetric subspace, meV/angstrom.

    The forces' mean over the space group is the part inside; the largest remainder on any atom is
    returned. ``detail.stress`` is the same for the stress in meV/angstrom^3, where there is one.
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
    largest, off = float(1000 * np.linalg.norm(forces, axis=1).max()), None
    if stress is not None:
        mean_stress = np.mean(np.swapaxes(turns, 1, 2) @ stress[0] @ turns, axis=0)
        off = float(1000 * np.abs(stress[0] - mean_stress).max())
    return ContractResult(
        float(1000 * outside[worst]), "meV/angstrom", ForcesOffSymmetry(worst, largest, off)
    )


def forces_by_energy(
    model: Potential, crystal: Crystal, settings: ContractSettings = DEFAULT_SETTINGS
) -> ContractResult:
    """Hold forces against minus the numerical gradient of the energy, meV/angstrom.

    Along every free Wyckoff coordinate of the crystal, and along a random direction of a rattled
    one (rigid translation left out of both). The mismatch is given per atom that moves: the force
    error along its motion, less twice what half the step changes in the derivative. Of three places
    along each direction the median counts. Both leave kinks and ripples, at which differences of
    the energy say little about its derivative, to the contract of smoothness.
    """
    own = crystal.primitive_atoms
    if len(own) == 1:
        return skipped("meV/angstrom", "a single atom has nowhere to go")
    symmetric = Structures.from_atoms([crystal.to_atoms(primitive=True)])
    rough = rattled(crystal, settings)
    names = [*(free.name for free in crystal.free_coordinates), "random"]
    moves = [crystal.B[own, :, k] @ crystal.lattice for k in range(len(names) - 1)]
    moves.append(settings.rng().normal(size=rough.positions.shape))
    bases = [symmetric.positions] * len(moves[:-1]) + [rough.positions]
    directions = np.array([_normalized(move) for move in moves])
    amounts = (_OFFSETS[:, None] + settings.step * _FINE_STENCIL).ravel()
    positions = np.array(bases)[:, None] + amounts[:, None, None] * directions[:, None]
    count = positions.shape[0] * positions.shape[1]
    structures = Structures.stack(
        symmetric.numbers,
        positions.reshape(count, -1, 3),
        np.repeat(symmetric.cells, count, axis=0),
    )
    shape = len(names), len(_OFFSETS), len(_FINE_STENCIL)
    # a derivative needs the energies around its place, and forces, which cost more, only there
    around = np.arange(count).reshape(shape)
    at = around[..., _HERE].ravel()
    forces = model.predict(structures[at], forces=True).forces
    assert forces is not None
    forces = forces.reshape(*shape[:2], -1, 3)
    energies = np.zeros(shape)
    others = np.delete(around, _HERE, axis=2)
    energies.ravel()[others.ravel()] = model.energies(structures[others.ravel()])
    fine = energies @ _FINE_WEIGHTS / settings.step
    uncertain = 2 * np.abs(fine - energies @ _COARSE_WEIGHTS / settings.step)
    along = np.einsum("dpai,dai->dp", forces, directions)
    sizes = np.einsum("dai,dai->d", directions, directions)
    beyond = np.maximum(np.abs(along + fine) - uncertain, 0.0)
    mismatches = 1000 * np.median(beyond, axis=1) / sizes
    worst = int(mismatches.argmax())
    return ContractResult(
        float(mismatches[worst]),
        "meV/angstrom",
        ForceMismatches(names[worst], dict(zip(names, mismatches.tolist(), strict=True))),
    )


def stress_by_energy(
    model: Potential, crystal: Crystal, settings: ContractSettings = DEFAULT_SETTINGS
) -> ContractResult:
    """Hold stress against the numerical strain derivative of the energy, meV/angstrom^3.

    Along the strain that belongs to each free lattice parameter, of unit Frobenius norm.
    ``detail.GPa`` is the same in GPa. Asks nothing of a model without stress.
    """
    from symscape.crystal.lattice import free_lattice_parameters, lattice_values, strained_cells

    if "stress" not in model.implements:
        return skipped("meV/angstrom^3", "the model has no stress")
    base = Structures.from_atoms([crystal.to_atoms(primitive=True)])
    stress = model.predict(base, forces=True, stresses=True).stresses
    assert stress is not None
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
        steps += [np.eye(3) + settings.strain_step * p * strains[-1] for p in _STENCIL]
    numbers, positions, cell = base.arrays(0)
    strained = Structures.stack(numbers, positions @ np.array(steps), cell @ np.array(steps))
    energies = model.energies(strained).reshape(len(names), len(_STENCIL))
    slopes = energies @ _WEIGHTS / settings.strain_step / np.abs(np.linalg.det(cell))
    work = np.einsum("ab,kab->k", stress[0], np.array(strains))
    mismatches = 1000 * (work - slopes)
    worst = int(np.abs(mismatches).argmax())
    value = float(np.abs(mismatches)[worst])
    return ContractResult(
        value,
        "meV/angstrom^3",
        StressMismatches(
            names[worst],
            value * GPA / 1000,
            dict(zip(names, mismatches.tolist(), strict=True)),
        ),
    )


def work_around_loops(
    model: Potential,
    slice: Slice,
    settings: ContractSettings = DEFAULT_SETTINGS,
    centre: tuple[int, int] | None = None,
) -> ContractResult:
    """Integrate forces around closed loops on a slice, meV/atom: zero if they are conservative.

    Rectangles in axis values that start at ``centre`` and reach up to 0.3 angstrom into each
    quadrant, less where a grid point in them is masked. Work is integrated by Simpson's rule; twice
    what halving its intervals changes, summed over a loop's edges, is taken off the result, so
    that narrow features of conservative forces don't count.

    Parameters
    ----------
    model, slice, settings
        What is checked.
    centre
        Grid point at which the loops meet, default: the middle of the grid or the unmasked point
        nearest to it.
    """
    centre = _middle(slice.mask) if centre is None else centre
    blocks = _quadrants(slice.mask, centre, _longest_steps(slice))
    if not blocks:
        return skipped("meV/atom", "no loop avoids the masked points")
    loops, edges = _loops(blocks)
    ends = np.stack([axis.values[edges[..., k]] for k, axis in enumerate(slice.axes)], axis=-1)
    steps = ends[:, 1] - ends[:, 0]
    places = np.arange(_INTERVALS + 1) / _INTERVALS
    values = (ends[:, 0, None] + places[:, None] * steps[:, None]).reshape(-1, 2)
    structures = slice.structures_at(values)
    n_atoms = int(structures.n_atoms[0])
    moves = tangents(slice, values)
    strained = bool(moves.strained.any())
    if strained and "stress" not in model.implements:
        return skipped("meV/atom", "the model has no stress, which a lattice axis needs")
    answer = model.predict(structures, forces=True, stresses=strained)
    assert answer.forces is not None
    pull = moves.generalized_forces(answer.forces.reshape(len(values), n_atoms, 3), answer.stresses)
    power = np.einsum("enk,ek->en", pull.reshape(*ends.shape[:1], -1, 2), steps)
    fine, coarse = _simpson(power), _simpson(power[:, ::2])
    signs = np.array([[1, 1, -1, -1]])
    around = 1000 * np.abs((signs * fine[loops]).sum(axis=1)) / n_atoms
    unsure = 2000 * np.abs(fine - coarse)[loops].sum(axis=1) / n_atoms
    sure = np.maximum(around - unsure, 0.0)
    worst = int(sure.argmax())
    return ContractResult(
        float(sure[worst]),
        "meV/atom",
        Loops(
            tuple(
                (int(i), int(j)) for i, j in (edges[loops[worst, 0], 0], edges[loops[worst, 1], 1])
            ),
            tuple(around.tolist()),
            tuple(unsure.tolist()),
        ),
    )


def _forces_and_stress(
    model: Potential, structures: Structures
) -> tuple[np.ndarray, np.ndarray | None]:
    answer = model.predict(structures, forces=True, stresses="stress" in model.implements)
    assert answer.forces is not None
    return answer.forces, answer.stresses


def _normalized(move: np.ndarray) -> np.ndarray:
    """Leave out the rigid translation and let the atom that moves most move by one angstrom."""
    move = move - move.mean(axis=0)
    return move / np.linalg.norm(move, axis=1).max()


def _simpson(values: np.ndarray) -> np.ndarray:
    """Integrate over [0, 1] along the last axis, evenly spaced with an odd number of points."""
    from scipy.integrate import simpson

    return np.asarray(simpson(values, dx=1 / (values.shape[-1] - 1), axis=-1))


def _longest_steps(slice: Slice) -> tuple[int, int]:
    """Return how many grid steps along each axis an edge may span."""
    lengths = np.sqrt(np.diag(displacement_metric(slice)))
    per_step = [
        (axis.stop - axis.start) / (axis.points - 1) * length
        for axis, length in zip(slice.axes, lengths, strict=True)
    ]
    return max(1, int(_EDGE / per_step[0])), max(1, int(_EDGE / per_step[1]))


def _loops(
    blocks: list[tuple[tuple[int, int], tuple[int, int]]],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the edges of rectangles, shared ones once.

    Returns
    -------
    loops : np.ndarray
        Four edges of each rectangle, of which the last two run backwards, shape (n, 4).
    edges : np.ndarray
        Grid indices of both ends, shape (n_edges, 2, 2).
    """
    found: dict[tuple[tuple[int, int], tuple[int, int]], int] = {}
    loops = []
    for (i, far_i), (j, far_j) in blocks:
        near, up, across, both = (i, j), (far_i, j), (i, far_j), (far_i, far_j)
        four = ((near, up), (up, both), (across, both), (near, across))
        loops.append([found.setdefault(edge, len(found)) for edge in four])
    return np.array(loops), np.array(list(found))


def _middle(mask: np.ndarray) -> tuple[int, int]:
    free = np.argwhere(~mask)
    if not len(free):
        return 0, 0
    distances = ((free - (np.array(mask.shape) - 1) / 2) ** 2).sum(axis=1)
    i, j = free[int(distances.argmin())]
    return int(i), int(j)


def _quadrants(
    mask: np.ndarray, centre: tuple[int, int], longest: tuple[int, int]
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Rectangles of grid points from the centre into each quadrant, free of masked points."""
    blocks = []
    for sign_u in (-1, 1):
        for sign_v in (-1, 1):
            far = [
                int(np.clip(c + sign * most, 0, n - 1))
                for c, sign, most, n in zip(
                    centre, (sign_u, sign_v), longest, mask.shape, strict=True
                )
            ]
            while all(a != b for a, b in zip(far, centre, strict=True)):
                rows, columns = (sorted(pair) for pair in zip(far, centre, strict=True))
                if not mask[rows[0] : rows[1] + 1, columns[0] : columns[1] + 1].any():
                    blocks.append(((rows[0], rows[1]), (columns[0], columns[1])))
                    break
                # pull in the longer side
                k = int(columns[1] - columns[0] > rows[1] - rows[0])
                far[k] += 1 if far[k] < centre[k] else -1
    return blocks
