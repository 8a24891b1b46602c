"""A crystal defined by its space group: orbits, free Wyckoff coordinates, symmetry-kept motion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.crystal.lattice import (
    cells_from_parameters,
    free_lattice_parameters,
    lattice_values,
)
from symscape.crystal.orbits import (
    LETTERS,
    FreeCoordinate,
    Orbit,
    reduced_formula,
    smallest_period,
)
from symscape.crystal.sites import (
    COINCIDENT,
    Site,
    atom_permutations,
    find_sites,
    symmetrized_lattice,
    wrap,
)
from symscape.crystal.spacegroup import SpaceGroup, space_group
from symscape.errors import SymscapeError

if TYPE_CHECKING:
    from ase import Atoms

#: How far (angstrom) rounding may have put atoms and lattice from where the group wants them.
TOLERANCE = 0.01


@dataclass(frozen=True, eq=False)
class Crystal:
    """A crystal in its conventional cell, with the space group that it keeps.

    The group is given, not searched for: a crystal may have more symmetry by accident. Small
    deviations from the group (rounded coordinates) are removed at construction.

    Parameters
    ----------
    lattice
        Lattice vectors as rows in angstrom, right-handed, shape (3, 3).
    positions
        Fractional coordinates, shape (n_atoms, 3).
    numbers
        Atomic numbers, shape (n_atoms,).
    hall_number
        spglib's number of the space group's setting, 1 to 530.

    Raises
    ------
    SymscapeError
        If an operation of the group does not map the crystal onto itself, if two atoms coincide,
        or if an array is malformed.
    """

    lattice: np.ndarray
    positions: np.ndarray
    numbers: np.ndarray
    hall_number: int

    def __post_init__(self) -> None:
        group = space_group(self.hall_number)
        numbers = np.array(self.numbers, dtype=int)
        positions = np.array(self.positions, dtype=float)
        if not len(numbers) or positions.shape != (len(numbers), 3):
            raise SymscapeError(
                f"a crystal needs three fractional coordinates for each of its atoms, but there "
                f"are {len(numbers)} atomic numbers and positions of shape {positions.shape}."
            )
        if not np.isfinite(positions).all():
            raise SymscapeError("a crystal's positions must be finite numbers.")
        lattice = symmetrized_lattice(group, np.array(self.lattice, dtype=float), TOLERANCE)
        permutations = atom_permutations(group, lattice, positions, numbers, TOLERANCE)
        sites, ideal = find_sites(group, positions, permutations)
        _refuse_coincident(lattice, ideal, numbers)
        for name, array in (("lattice", lattice), ("positions", ideal), ("numbers", numbers)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "hall_number", int(self.hall_number))
        object.__setattr__(self, "_sites", sites)

    def __len__(self) -> int:
        return len(self.numbers)

    def __repr__(self) -> str:
        return f"Crystal({self.formula}, {self.symbol}, {len(self)} atoms)"

    @classmethod
    def from_structure(
        cls, structure: Any, symprec: float = 0.01, hall_number: int | None = None
    ) -> Crystal:
        """Standardize and idealize any periodic structure with spglib.

        Parameters
        ----------
        structure
            ``ase.Atoms`` or an ordered ``pymatgen.core.Structure``.
        symprec
            spglib's distance tolerance in angstrom.
        hall_number
            The setting to standardize to; spglib's standard one if None.

        Returns
        -------
        Crystal
            Orbits in the order of the structure's atoms, each orbit contiguous and its
            representative first.

        Raises
        ------
        StructureFileError
            If spglib finds no space group, or the structure is not an ordered periodic one.
        """
        from symscape.crystal.standardize import standardize

        return cls(*standardize(structure, symprec, hall_number))

    @classmethod
    def from_sites(
        cls,
        cell: Sequence[float],
        hall_number: int,
        sites: Iterable[tuple[str, Sequence[float]]],
    ) -> Crystal:
        """Make a crystal from one atom of each orbit, as papers print them.

        Parameters
        ----------
        cell
            a, b, c in angstrom, alpha, beta, gamma in degrees.
        hall_number
            The setting.
        sites
            Chemical symbol and fractional coordinates of each orbit.

        Returns
        -------
        Crystal
            Orbit after orbit, the atom given first in each.
        """
        from ase.data import atomic_numbers

        group = space_group(hall_number)
        lattice = cells_from_parameters(np.asarray(cell, dtype=float))
        positions: list[np.ndarray] = []
        numbers: list[int] = []
        for element, point in sites:
            if element not in atomic_numbers:
                raise SymscapeError(f"'{element}' is not a chemical element; give its symbol.")
            images = group.rotations @ np.asarray(point, dtype=float) + group.translations
            orbit: list[np.ndarray] = []
            for image in images:
                gaps = wrap(np.array(orbit).reshape(-1, 3) - image) @ lattice
                if not orbit or np.linalg.norm(gaps, axis=1).min() > TOLERANCE:
                    orbit.append(image)
            positions += orbit
            numbers += [int(atomic_numbers[element])] * len(orbit)
        return cls(lattice, np.array(positions).reshape(-1, 3), np.array(numbers), hall_number)

    # -- symmetry ---------------------------------------------------------------------------------

    @property
    def group(self) -> SpaceGroup:
        """The space group in its setting."""
        return space_group(self.hall_number)

    @property
    def space_group_number(self) -> int:
        """Number in the International Tables."""
        return self.group.number

    @property
    def symbol(self) -> str:
        """Short international symbol: ``P4mm``."""
        return self.group.symbol

    @property
    def system(self) -> str:
        """Crystal system."""
        return self.group.system

    @property
    def formula(self) -> str:
        """Reduced formula, metals first and then as in IUPAC's sequence: ``PbTiO3``, ``SiO2``."""
        return reduced_formula(self.numbers)

    @property
    def n_lattice(self) -> int:
        """Number of free lattice parameters."""
        return len(free_lattice_parameters(self.group))

    @property
    def n_wyckoff(self) -> int:
        """Number of free Wyckoff coordinates, rigid polar translations not counted."""
        return len(self.free_coordinates)

    @cached_property
    def lattice_parameters(self) -> dict[str, float]:
        """Values of the free lattice parameters (angstrom, degrees)."""
        values = lattice_values(self.group, self.lattice, len(self))
        return {name: values[name] for name in free_lattice_parameters(self.group)}

    @property
    def sites(self) -> tuple[Site, ...]:
        """The orbits' geometry, in the order of their first atoms."""
        return self._sites  # type: ignore[attr-defined, no-any-return]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Labels of the orbits: ``Pb, Ti, O1, O2``."""
        from ase.data import chemical_symbols

        elements = [str(chemical_symbols[self.numbers[s.representative]]) for s in self.sites]
        return tuple(
            f"{e}{elements[: k + 1].count(e)}" if elements.count(e) > 1 else e
            for k, e in enumerate(elements)
        )

    @cached_property
    def _pinned_site(self) -> int | None:
        """The orbit that is held along the polar axis: the heaviest element's, fewest letters."""
        if not self.group.polar_basis[0]:
            return None
        return min(
            range(len(self.sites)),
            key=lambda k: (
                -self.numbers[self.sites[k].representative],
                len(self.sites[k].form.pivots),
                k,
            ),
        )

    def _pinned_letters(self, k: int) -> tuple[str, ...]:
        """Letters of orbit ``k`` that are not free because the group is polar.

        A polar direction's first non-zero component is a pivot of every orbit, and the motions
        with these components zero hold no rigid translation.
        """
        if k != self._pinned_site:
            return ()
        return tuple(LETTERS[pivot] for pivot in self.group.polar_basis[1])

    @property
    def pinned(self) -> tuple[str, ...]:
        """Names of the coordinates held to remove rigid polar translations: ``("Pb_z",)``."""
        k = self._pinned_site
        return () if k is None else tuple(f"{self.labels[k]}_{c}" for c in self._pinned_letters(k))

    @cached_property
    def orbits(self) -> tuple[Orbit, ...]:
        """The occupied Wyckoff positions."""
        from ase.data import chemical_symbols

        from symscape.crystal.wyckoff import letter_and_symbol

        orbits = []
        for k, site in enumerate(self.sites):
            offset = tuple(entry % 1 for entry in site.form.offset)
            letter, symbol = letter_and_symbol(self.hall_number, offset, site.form.basis)
            orbits.append(
                Orbit(
                    str(chemical_symbols[self.numbers[site.representative]]),
                    self.labels[k],
                    len(site.atoms),
                    letter,
                    symbol,
                    site.atoms,
                    site.representative,
                    site.form,
                    self._pinned_letters(k),
                )
            )
        return tuple(orbits)

    # -- free coordinates -------------------------------------------------------------------------

    @cached_property
    def _free(self) -> list[tuple[int, int, np.ndarray]]:
        """(orbit, pivot, displacement of every atom of the crystal) of each free coordinate."""
        free = []
        for k, site in enumerate(self.sites):
            pinned = self._pinned_letters(k)
            for vector, pivot in zip(site.form.basis, site.form.pivots, strict=True):
                if LETTERS[pivot] in pinned:
                    continue
                motion = np.zeros((len(self), 3))
                motion[site.atoms] = self.group.rotations[site.operations] @ np.array(
                    [float(entry) for entry in vector]
                )
                free.append((k, pivot, motion))
        return free

    @cached_property
    def B(self) -> np.ndarray:
        """Linear map of the free coordinates, fractional, shape (n_atoms, 3, n_free).

        ``positions(theta) = positions + B @ (theta - theta_0)``.
        """
        if not self._free:
            return np.zeros((len(self), 3, 0))
        return np.stack([motion for _, _, motion in self._free], axis=-1)

    @cached_property
    def theta(self) -> np.ndarray:
        """Values of the free coordinates in this crystal, shape (n_free,)."""
        return np.array(
            [self.positions[self.sites[k].representative, pivot] for k, pivot, _ in self._free]
        )

    @cached_property
    def free_coordinates(self) -> tuple[FreeCoordinate, ...]:
        """The free Wyckoff coordinates, in the order of the last axis of ``B``."""
        return tuple(
            FreeCoordinate(
                f"{self.labels[k]}_{LETTERS[pivot]}",
                self.labels[k],
                LETTERS[pivot],
                float(value),
                smallest_period(motion, self.group),
            )
            for (k, pivot, motion), value in zip(self._free, self.theta, strict=True)
        )

    def positions_at(self, theta: np.ndarray) -> np.ndarray:
        """Return fractional positions at free coordinates, shape (..., n_atoms, 3).

        Parameters
        ----------
        theta
            Values of the free coordinates, shape (..., n_free).
        """
        change = np.asarray(theta, dtype=float) - self.theta
        return self.positions + np.einsum("akf,...f->...ak", self.B, change)

    def with_coordinates(self, theta: np.ndarray) -> Crystal:
        """Return this crystal at other free coordinates, shape (n_free,), same space group."""
        return Crystal(self.lattice, self.positions_at(theta), self.numbers, self.hall_number)

    # -- cells ------------------------------------------------------------------------------------

    @cached_property
    def primitive_atoms(self) -> np.ndarray:
        """Indices of the atoms that fill a primitive cell: the first of each centring class."""
        chosen: list[int] = []
        done = np.zeros(len(self), dtype=bool)
        for i in range(len(self)):
            if done[i]:
                continue
            chosen.append(i)
            same = np.flatnonzero(self.numbers == self.numbers[i])
            for translation in self.group.centring_translations:
                gaps = wrap(self.positions[same] - self.positions[i] - translation) @ self.lattice
                done[same[np.linalg.norm(gaps, axis=1).argmin()]] = True
        return np.array(chosen)

    def to_atoms(self, *, primitive: bool = False) -> Atoms:
        """Return the crystal as a periodic ``ase.Atoms``, conventional or primitive cell."""
        from ase import Atoms

        own = self.primitive_atoms if primitive else np.arange(len(self))
        change = self.group.primitive_cell if primitive else np.eye(3)
        return Atoms(
            numbers=self.numbers[own],
            positions=self.positions[own] @ self.lattice,
            cell=change @ self.lattice,
            pbc=True,
        )


def _refuse_coincident(lattice: np.ndarray, positions: np.ndarray, numbers: np.ndarray) -> None:
    """Raise a SymscapeError if two atoms are at one place."""
    from ase.data import chemical_symbols

    for i in range(1, len(positions)):
        gaps = np.linalg.norm(wrap(positions[:i] - positions[i]) @ lattice, axis=1)
        j = int(gaps.argmin())
        if gaps[j] < COINCIDENT:
            raise SymscapeError(
                f"atoms {j} ({chemical_symbols[numbers[j]]}) and {i} "
                f"({chemical_symbols[numbers[i]]}) are at the same place; remove one of them."
            )
