"""A pair potential that keeps every contract, and versions of it that each break one."""

from __future__ import annotations

import numpy as np

from symscape.crystal.structures import Structures
from symscape.models.base import ALL_QUANTITIES, EnergyModel, Prediction
from symscape.models.card import ModelCard


def neighbours(positions, cell, cutoff):
    """Return i, j and the vector from i to an image of j, for all pairs within the cut-off."""
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    fractional = positions @ np.linalg.inv(cell)
    home = fractional - np.floor(fractional)
    reach = [np.arange(-k, k + 1) for k in np.ceil(cutoff / heights).astype(int) + 1]
    images = np.stack(np.meshgrid(*reach, indexing="ij"), axis=-1).reshape(-1, 3)
    d = (home[None, :, None] - home[:, None, None] + images) @ cell
    i, j, k = np.nonzero(((d**2).sum(-1) < cutoff**2) & ((d**2).sum(-1) > 1e-12))
    return i, j, d[i, j, k]


class PairModel(EnergyModel):
    """Lennard-Jones with a smooth cut-off; energies, forces and stress in closed form.

    Bonds between unlike atoms are stronger, so that the elements matter.
    """

    default_batch_size = 10_000
    implements = ALL_QUANTITIES
    cutoff = 4.5
    sigma = 1.9
    anisotropy = 0.0

    def __init__(self):
        super().__init__(ModelCard(type(self).__name__, "test"))
        self.calls = 0

    @property
    def fingerprint(self):
        return type(self).__name__

    def switch(self, r):
        """Return a function that ends at the cut-off, and its derivative."""
        x = (r / self.cutoff) ** 2
        return (1 - x) ** 4, -8 * r / self.cutoff**2 * (1 - x) ** 3

    def pair(self, r):
        s = (self.sigma / r) ** 6
        energy, slope = 0.2 * (s**2 - s), 0.2 * (-12 * s**2 + 6 * s) / r
        factor, bend = self.switch(r)
        return energy * factor, slope * factor + energy * bend

    def evaluate(self, numbers, positions, cell):
        """Return energy, forces, stress."""
        i, j, d = neighbours(positions, cell, self.cutoff)
        r = np.linalg.norm(d, axis=1)
        strength = np.where(numbers[i] == numbers[j], 0.6, 1.0)
        energy, slope = (strength * part for part in self.pair(r))
        quartic = (d**4).sum(axis=1) / r**4
        shape = 1 + self.anisotropy * quartic
        turn = (
            self.anisotropy * 4 * (d**3 / r[:, None] ** 4 - quartic[:, None] * d / r[:, None] ** 2)
        )
        gradient = (slope * shape / r)[:, None] * d + energy[:, None] * turn
        forces = np.zeros((len(numbers), 3))
        np.add.at(forces, i, gradient)
        volume = abs(np.linalg.det(cell))
        stress = np.einsum("pa,pb->ab", d, gradient) / (2 * volume)
        return 0.5 * (energy * shape).sum(), forces, stress

    def _predict_batch(self, batch: Structures, forces, stresses):
        self.calls += 1
        parts = [self.evaluate(*batch.arrays(k)) for k in range(len(batch))]
        return Prediction(
            np.array([p[0] for p in parts]),
            np.concatenate([p[1] for p in parts]) if forces else None,
            np.array([p[2] for p in parts]) if stresses else None,
        )


class Directional(PairModel):
    """Bonds along x, y and z differ from diagonal ones; forces and stress follow the energy.

    The term has the symmetry of a cube whose axes are x, y and z, so that no operation of a cubic
    or tetragonal crystal in its usual orientation notices.
    """

    anisotropy = 0.1


class NonConservative(PairModel):
    """Forces grow with the coordination of an atom: equivariant, but no gradient."""

    def evaluate(self, numbers, positions, cell):
        energy, forces, stress = super().evaluate(numbers, positions, cell)
        i, _, d = neighbours(positions, cell, self.cutoff)
        strength = self.switch(np.linalg.norm(d, axis=1))[0]
        crowding = np.bincount(i, strength, minlength=len(numbers))
        return energy, forces * (1 + 0.05 * crowding)[:, None], stress


class Step(PairModel):
    """A pair's energy jumps where a neighbour list would end; no force goes with it."""

    where = 2.87

    def evaluate(self, numbers, positions, cell):
        energy, forces, stress = super().evaluate(numbers, positions, cell)
        inside = neighbours(positions, cell, self.where)[0]
        return energy - 5e-4 * len(inside), forces, stress


class FirstAtomDecides(PairModel):
    """The energy depends on which atom is listed first."""

    def evaluate(self, numbers, positions, cell):
        energy, forces, stress = super().evaluate(numbers, positions, cell)
        return energy + 1e-3 * len(numbers) * (numbers[0] == numbers.max()), forces, stress


class NotExtensive(PairModel):
    """Ten meV too much in every cell, of whatever size."""

    def evaluate(self, numbers, positions, cell):
        energy, forces, stress = super().evaluate(numbers, positions, cell)
        return energy + 0.01, forces, stress


class LikesRightAngles(PairModel):
    """The energy depends on the angles of the cell that was chosen."""

    def evaluate(self, numbers, positions, cell):
        energy, forces, stress = super().evaluate(numbers, positions, cell)
        unit = cell / np.linalg.norm(cell, axis=1)[:, None]
        skew = ((unit @ unit.T - np.eye(3)) ** 2).sum()
        return energy + 1e-3 * len(numbers) * skew, forces, stress


class Drifting(PairModel):
    """All atoms are pulled along x."""

    def evaluate(self, numbers, positions, cell):
        energy, forces, stress = super().evaluate(numbers, positions, cell)
        return energy, forces + np.array([0.02, 0, 0]), stress


class WrongStress(PairModel):
    """The stress is too large by 5 %."""

    def evaluate(self, numbers, positions, cell):
        energy, forces, stress = super().evaluate(numbers, positions, cell)
        return energy, forces, 1.05 * stress


class PinnedToSpace(PairModel):
    """The energy depends on where the crystal is."""

    def evaluate(self, numbers, positions, cell):
        energy, forces, stress = super().evaluate(numbers, positions, cell)
        return energy + 0.01 * np.cos(positions.sum()), forces, stress


class HandednessMatters(PairModel):
    """The energy changes sign of a term under reflection: breaks improper operations."""

    def evaluate(self, numbers, positions, cell):
        energy, forces, stress = super().evaluate(numbers, positions, cell)
        i, _, d = neighbours(positions, cell, 3.0)
        weight = (1 - (d**2).sum(axis=1) / 9.0) ** 2
        chirality = 0.0
        for k in range(len(numbers)):
            own, w = d[i == k], weight[i == k]
            # a triple product of three moments is a pseudoscalar and does not depend on the order
            moments = [(w**p) @ own for p in (1, 2, 3)]
            chirality += np.linalg.det(np.array(moments))
        return energy + 0.5 * chirality, forces, stress


class WithoutStress(PairModel):
    implements = frozenset({"energy", "forces"})


class Rippled(PairModel):
    """Ripples much shorter than any step of a numerical derivative; forces are their gradient."""

    height, length = 1e-4, 0.013

    def pair(self, r):
        energy, slope = super().pair(r)
        factor, bend = self.switch(r)
        turns = 2 * np.pi / self.length
        wave, steep = self.height * np.sin(turns * r), self.height * turns * np.cos(turns * r)
        return energy + wave * factor, slope + steep * factor + wave * bend
