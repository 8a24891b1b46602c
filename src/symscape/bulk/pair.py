"""A pair potential for all elements: a cheap calculator in the place of DFT or of a network.

It says nothing about real crystals. Bonds are as long as the covalent radii demand and the stronger
the more the electronegativities differ, so that there are compounds, hulls and polymorphs; the two
parameter sets differ as a soft potential does from what it was trained on.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import numpy as np
from ase.calculators.calculator import Calculator, all_changes

from symscape.crystal.structures import Structures
from symscape.models.base import Prediction

#: bonds reach so many times the sum of the covalent radii
REACH = 1.6


class PairPotential(Calculator):
    """Morse bonds with a smooth end, ``D ((1 - exp(-s (x - 1)))^2 - 1) (1 - (x / REACH)^2)^2``.

    ``x`` is the distance over the sum of the covalent radii.

    Parameters
    ----------
    steepness
        ``s``.
    depth
        ``D`` of a bond between equal elements, eV.
    polarity
        By how much ``D`` grows with the difference of the electronegativities (Pauling).
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "forces", "stress"]

    def __init__(
        self, steepness: float = 5.0, depth: float = 0.35, polarity: float = 1.5, **options: Any
    ) -> None:
        super().__init__(**options)
        self.steepness = steepness
        self.depth = depth
        self.polarity = polarity

    def check_state(self, atoms: Any, tol: float = 0.0) -> list[str]:
        """Say what has changed: everything or nothing.

        ASE's own comparison, property by property, takes as long as this potential.
        """
        own = self.atoms
        same = (
            own is not None
            and np.array_equal(own.numbers, atoms.numbers)
            and np.array_equal(own.positions, atoms.positions)
            and np.array_equal(own.cell.array, atoms.cell.array)
        )
        return [] if same else list(all_changes)

    def calculate(
        self,
        atoms: Any = None,
        properties: Any = ("energy",),
        system_changes: Any = all_changes,
    ) -> None:
        """Compute energy, forces and stress."""
        super().calculate(atoms, properties, system_changes)
        own = Structures.from_atoms([self.atoms])
        said = self.symscape_predict_batch(own, forces=True, stresses=True)
        assert said.stresses is not None  # asked for
        energy = float(said.energies[0])
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "forces": said.forces,
            "stress": said.stresses[0][[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]],
        }

    def symscape_predict_batch(
        self, structures: Structures, forces: bool, stresses: bool
    ) -> Prediction:
        """Return energies, forces and stresses of many structures, the bonds of all in one go."""
        radii, negativities = element_data()
        radii, negativities = radii[structures.numbers], negativities[structures.numbers]
        owners = np.repeat(np.arange(len(structures)), structures.n_atoms)
        reach = 2 * REACH * np.maximum.reduceat(radii, structures.offsets[:-1])
        first, second, distances, vectors = neighbors(structures, reach)
        bonds = radii[first] + radii[second]
        near = np.flatnonzero(distances < REACH * bonds)
        first, second, bonds = first[near], second[near], bonds[near]
        distances, vectors = distances[near], vectors[near]
        polarities = np.abs(negativities[first] - negativities[second])
        depths = self.depth * (1 + self.polarity * polarities)
        energies, slopes = self._bond(distances / bonds)
        whole, n, n_atoms = owners[first], len(structures), len(owners)
        # each bond is listed from both of its ends
        total = np.bincount(whole, depths * energies, minlength=n) / 2
        if not (forces or stresses):
            return Prediction(total)
        pulls = (depths * slopes / bonds / distances)[:, None] * vectors
        pulled = np.stack([np.bincount(first, pull, minlength=n_atoms) for pull in pulls.T], 1)
        products = (pulls[:, :, None] * vectors[:, None, :]).reshape(-1, 9)
        sums = np.stack([np.bincount(whole, part, minlength=n) for part in products.T], 1)
        volumes = np.abs(np.linalg.det(structures.cells))
        return Prediction(total, pulled, sums.reshape(-1, 3, 3) / (2 * volumes)[:, None, None])

    def _bond(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return energy and slope of a bond of unit depth and length."""
        decay = np.exp(-self.steepness * (x - 1))
        morse, morse_slope = (1 - decay) ** 2 - 1, 2 * self.steepness * decay * (1 - decay)
        rest = 1 - (x / REACH) ** 2
        return morse * rest**2, morse_slope * rest**2 - 4 * x / REACH**2 * rest * morse


def neighbors(
    structures: Structures, cutoffs_A: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return first and second atoms, distances and vectors of all pairs, each from both ends.

    Parameters
    ----------
    structures
        Periodic ones.
    cutoffs_A
        Of each structure, angstrom, shape (n_structures,).
    """
    from pymatgen.optimization.neighbors import find_points_in_spheres

    periodic = np.ones(3, dtype=np.int64)
    found = []
    for k, cutoff in enumerate(cutoffs_A.tolist()):
        own = slice(structures.offsets[k], structures.offsets[k + 1])
        places, cell = np.ascontiguousarray(structures.positions[own]), structures.cells[k]
        pairs = find_points_in_spheres(
            places, places, r=cutoff, pbc=periodic, lattice=np.ascontiguousarray(cell), tol=1e-8
        )
        found.append(pairs)
    counts = [len(pairs[0]) for pairs in found]
    starts, wholes = (
        np.repeat(structures.offsets[:-1], counts),
        np.repeat(range(len(found)), counts),
    )
    first, second, images, distances = (np.concatenate(parts) for parts in zip(*found, strict=True))
    others = np.flatnonzero(distances > 1e-8)
    first, second = (first + starts)[others], (second + starts)[others]
    shifts = np.einsum("pi,pij->pj", images[others], structures.cells[wholes[others]])
    vectors = structures.positions[second] + shifts - structures.positions[first]
    return first, second, distances[others], vectors


def reference() -> PairPotential:
    """Return what stands for DFT."""
    return PairPotential()


def soft() -> PairPotential:
    """Return what stands for a potential that was trained on it."""
    return PairPotential(steepness=4.6, depth=0.34, polarity=1.4)


# they change with this file only, so that energies may be kept
reference.fingerprint = "symscape pair potential 1, reference"  # type: ignore[attr-defined]
soft.fingerprint = "symscape pair potential 1, soft"  # type: ignore[attr-defined]


@cache
def element_data() -> tuple[np.ndarray, np.ndarray]:
    """Return covalent radii (angstrom) and electronegativities by atomic number; 1.5 for none."""
    import warnings

    from ase.data import covalent_radii
    from pymatgen.core import Element

    values = np.full(len(covalent_radii), 1.5)
    with warnings.catch_warnings():
        # noble gases have none, which pymatgen says each time
        warnings.simplefilter("ignore")
        for z in range(1, 104):
            if np.isfinite(found := float(Element.from_Z(z).X)):
                values[z] = found
    return np.array(covalent_radii, dtype=float), values
