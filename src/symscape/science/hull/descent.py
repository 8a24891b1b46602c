"""Relaxations that advance together: each round asks for the forces of all crystals still moving.

A relaxation is a generator. It yields the geometry of which it needs energy, forces and stress, is
sent a `Response`, and returns what became of the crystal. So one crystal's relaxation is written
down as if it were alone, and `advance` asks for a whole batch at once. The steps are those of ASE's
``BFGS`` on its ``FrechetCellFilter`` [1]_.

References
----------
.. [1] A. H. Larsen et al., J. Phys.: Condens. Matter 29, 273002 (2017),
   doi:10.1088/1361-648X/aa680e
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from symscape.science.hull.deformation import DeformingCrystal
from symscape.science.hull.kept_symmetry import keep_symmetry

if TYPE_CHECKING:
    from ase import Atoms

T = TypeVar("T")

#: curvature at the start in eV/angstrom^2 and longest step in angstrom, those of ASE's BFGS
_CURVATURE, _LONGEST_STEP = 70.0, 0.1
#: angstrom: shorter steps teach nothing about the curvature
_SHORTEST_STEP = 1e-7
#: angstrom within which a crystal that keeps its symmetry must have it
_SYMPREC = 1e-3


@dataclass(frozen=True, eq=False)
class Response:
    """What a potential says about one geometry.

    Parameters
    ----------
    energy
        eV.
    forces
        eV/angstrom, shape (n_atoms, 3).
    stress
        eV/angstrom^3, positive under tension, shape (3, 3).
    """

    energy: float
    forces: np.ndarray
    stress: np.ndarray


@dataclass(frozen=True)
class Descent:
    """How a relaxation ended.

    Parameters
    ----------
    energy_start, energy
        eV, before and after.
    steps
        Steps taken.
    converged
        Whether the forces got small enough.
    """

    energy_start: float
    energy: float
    steps: int
    converged: bool


#: asks for geometries and ends with a result
Relaxation = Generator["Atoms", Response, T]
#: answers geometries, in order, with a response or the reason why there is none
Ask = Callable[[list["Atoms"]], Sequence[Response | Exception]]


def advance(
    relaxations: Sequence[Relaxation[T]], ask: Ask, ended: Callable[[int, T | Exception], None]
) -> None:
    """Run relaxations side by side until all have ended.

    Parameters
    ----------
    relaxations
        Not yet started.
    ask
        Called once a round with one geometry of each that has not ended.
    ended
        Called with the number of a relaxation and its result, or what it raised, when it ends.
    """
    waiting: dict[int, Atoms] = {}
    answers: dict[int, Response | Exception | None] = dict.fromkeys(range(len(relaxations)))
    while answers:
        for i, answer in answers.items():
            try:
                if isinstance(answer, Exception):
                    waiting[i] = relaxations[i].throw(answer)
                elif answer is None:
                    waiting[i] = next(relaxations[i])
                else:
                    waiting[i] = relaxations[i].send(answer)
            except StopIteration as end:
                ended(i, end.value)
            except Exception as error:
                ended(i, error)
        answers = dict(zip(waiting, ask(list(waiting.values())), strict=True)) if waiting else {}
        waiting = {}


def descend(
    work: Atoms, largest_force: float, max_steps: int, *, fixed_symmetry: bool
) -> Relaxation[Descent]:
    """Relax cell and positions in place.

    Parameters
    ----------
    work
        The crystal.
    largest_force
        On an atom and, per atom, on the cell, eV/angstrom: below it the relaxation has converged.
    max_steps
        Steps after which it has not.
    fixed_symmetry
        Whether to keep the space group, as ASE's ``FixSymmetry`` does.
    """
    symmetry = keep_symmetry(work, _SYMPREC) if fixed_symmetry else None
    moving = DeformingCrystal(work, symmetry)
    quasi_newton = _QuasiNewton()
    steps, start = 0, np.nan
    while True:
        said = yield work
        start = said.energy if steps == 0 else start
        forces = moving.forces(said.forces, said.stress)
        converged = bool(np.linalg.norm(forces, axis=1).max() < largest_force)
        if converged or steps >= max_steps:
            return Descent(start, said.energy, steps, converged)
        moving.move(quasi_newton.step(moving.coordinates(), forces))
        steps += 1


class _QuasiNewton:
    """One crystal's steps by the method of Broyden, Fletcher, Goldfarb and Shanno."""

    def __init__(self) -> None:
        self.hessian: np.ndarray | None = None
        self.before: tuple[np.ndarray, np.ndarray] | None = None

    def step(self, positions: np.ndarray, forces: np.ndarray) -> np.ndarray:
        """Return the next displacement, shape (n, 3), from positions and forces of that shape."""
        x, f = positions.ravel(), forces.ravel()
        if self.hessian is None:
            self.hessian = _CURVATURE * np.eye(len(x))
        elif self.before is not None:
            self._learn(self.hessian, x - self.before[0], f - self.before[1])
        self.before = x, f
        curvatures, modes = np.linalg.eigh(self.hessian)
        move = (modes @ (f @ modes / np.abs(curvatures))).reshape(positions.shape)
        longest = np.linalg.norm(move, axis=1).max()
        return move * min(1.0, _LONGEST_STEP / longest) if longest > 0 else move

    @staticmethod
    def _learn(hessian: np.ndarray, moved: np.ndarray, changed: np.ndarray) -> None:
        """Update the curvature in place from a step and how it changed the forces."""
        if np.abs(moved).max() < _SHORTEST_STEP:
            return
        expected = hessian @ moved
        hessian -= np.outer(changed, changed) / (moved @ changed)
        hessian -= np.outer(expected, expected) / (moved @ expected)


def ask_calculator(calculator: Any) -> Ask:
    """Return what asks an ASE calculator, one geometry after another."""

    def ask(images: list[Atoms]) -> list[Response | Exception]:
        said: list[Response | Exception] = []
        for atoms in images:
            one = atoms.copy()
            # a constraint would change the forces
            one.set_constraint()
            one.calc = calculator
            try:
                stress = one.get_stress(voigt=False)
                said.append(Response(float(one.get_potential_energy()), one.get_forces(), stress))
            except Exception as error:
                said.append(error)
        return said

    return ask
