"""Equations of state of rigid crystals, verified between codes: a reference of its own kind.

``<folder>/equations-of-state/`` holds two tables, of elemental crystals and of oxides, and
``about.json``: prototypes, codes, where the figures come from, and the checksums of the tables. All
crystals are cubic without a free coordinate, so a prototype and a volume make a structure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from symscape.crystal.structures import Structures
from symscape.errors import ReferenceFileError
from symscape.references.birch_murnaghan import BirchMurnaghan
from symscape.references.equation_files import (
    FOLDER,
    TABLES,
    About,
    Prototype,
    check_space_group,
    read_about,
    read_curve_table,
)

#: the volumes that the study sampled, relative to the minimum of the all-electron curve
STRAINS = np.linspace(0.94, 1.06, 7)
#: codes that computed every crystal
COMPLETE_CODES = ("FLEUR", "WIEN2k", "VASP", "QE", "CASTEP")
#: how many of these, counted from the first, are all-electron codes
ALL_ELECTRON = 2
#: prototypes of the elemental crystals
ELEMENTAL = ("SC", "BCC", "FCC", "Diamond")
#: largest relative deviations of a code's volume from the all-electron average
_ALL_ELECTRON_LIMIT, _CODE_LIMIT = 0.005, 0.2


@dataclass(frozen=True, eq=False)
class EquationsOfState:
    """Curves of ``n`` crystals, computed by several codes.

    Parameters
    ----------
    elements
        Atomic number of X in the prototype, shape (n,).
    names
        Prototype of each crystal.
    average
        The all-electron average; its E0 is 0, since codes have different zeros.
    codes
        The curves of single codes, NaN where one has none; energies on the code's own zero.
    about
        Prototypes, provenance and checksums.
    """

    elements: np.ndarray
    names: tuple[str, ...]
    average: BirchMurnaghan
    codes: Mapping[str, BirchMurnaghan]
    about: About

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """Symbol of X, a crystal."""
        from ase.data import chemical_symbols

        return tuple(chemical_symbols[number] for number in self.elements)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """``Ti-BCC``, ``Ti-XO2``, ..."""
        return tuple(f"{s}-{name}" for s, name in zip(self.symbols, self.names, strict=True))

    @cached_property
    def oxide(self) -> np.ndarray:
        """Whether a crystal is an oxide, shape (n,)."""
        return np.array(["O" in self.about.prototypes[name].species for name in self.names])

    def __getitem__(self, index: np.ndarray) -> EquationsOfState:
        """Return the chosen crystals, in the order of an integer or boolean array."""
        chosen = np.arange(len(self))[index]
        return EquationsOfState(
            self.elements[chosen],
            tuple(self.names[i] for i in chosen),
            self.average[chosen],
            {code: curves[chosen] for code, curves in self.codes.items()},
            self.about,
        )

    def by_prototype(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Arrange a number a crystal by element and `ELEMENTAL` prototype, oxides left out.

        Parameters
        ----------
        values
            Shape (n,).

        Returns
        -------
        elements
            Atomic numbers, ascending, shape (n_elements,).
        table
            Shape (n_elements, 4), NaN for a crystal that isn't there.
        """
        rows = [i for i, name in enumerate(self.names) if name in ELEMENTAL]
        elements, row = np.unique(self.elements[rows], return_inverse=True)
        table = np.full((len(elements), len(ELEMENTAL)), np.nan)
        table[row, [ELEMENTAL.index(self.names[i]) for i in rows]] = values[rows]
        return elements, table

    def sampled_volumes(self) -> np.ndarray:
        """Return seven volumes of each crystal, angstrom^3/atom, shape (n, 7)."""
        return self.average.volume[:, None] * STRAINS

    def structures(self, volumes: np.ndarray) -> Structures:
        """Return the crystals at given volumes, one after the other.

        Parameters
        ----------
        volumes
            angstrom^3/atom, shape (n, m).

        Returns
        -------
        Structures
            Primitive cells, ``n`` times ``m``; those of a crystal stand together.

        Raises
        ------
        ReferenceFileError
            If a prototype is not of the space group that it declares.
        """
        cells, numbers, positions = [], [], []
        for element, name, row in zip(self.elements, self.names, volumes, strict=True):
            prototype = self.about.prototypes[name]
            check_space_group(prototype)
            own = prototype.cells(row * len(prototype.species))
            cells.append(own)
            positions.append((prototype.positions @ own).reshape(-1, 3))
            numbers.append(np.tile(prototype.numbers(element), len(row)))
        n_atoms = [len(self.about.prototypes[name].species) for name in self.names]
        counts = np.repeat(n_atoms, volumes.shape[1])
        return Structures(
            np.concatenate(numbers),
            np.concatenate(positions),
            np.concatenate(cells),
            np.concatenate([[0], np.cumsum(counts)]),
        )


def load_equations(folders: Iterable[str | Path]) -> EquationsOfState | None:
    """Load the equations of state of reference libraries and check them; None where there are none.

    Raises
    ------
    ReferenceFileError
        If two libraries hold them, a table is not the one whose checksum is stored, or what it
        says contradicts itself.
    """
    found = [path for path in (Path(f) / FOLDER for f in folders) if path.is_dir()]
    if not found:
        return None
    if len(found) > 1:
        raise ReferenceFileError(
            f"{found[1]}: equations of state are stored in {found[0]} as well; remove one of them."
        )
    return read_equations(found[0])


def read_equations(folder: Path) -> EquationsOfState:
    """Load the equations of state in a folder and check them, as `load_equations`."""
    about = read_about(folder)
    lacking = set(COMPLETE_CODES) - set(about.codes) or set(ELEMENTAL) - set(about.prototypes)
    if lacking:
        raise ReferenceFileError(
            f"{folder}/about.json: {sorted(lacking)[0]} is not among its codes or prototypes; "
            "restore the file."
        )
    parts = [_curves(folder / f"{name}.csv", about) for name in TABLES]
    return EquationsOfState(
        np.concatenate([part.elements for part in parts]),
        tuple(name for part in parts for name in part.names),
        _joined([part.average for part in parts]),
        {code: _joined([part.codes[code] for part in parts]) for code in about.codes},
        about,
    )


def _joined(curves: list[BirchMurnaghan]) -> BirchMurnaghan:
    return BirchMurnaghan(
        np.concatenate([c.energy for c in curves]),
        np.concatenate([c.volume for c in curves]),
        np.concatenate([c.bulk_modulus for c in curves]),
        np.concatenate([c.derivative for c in curves]),
    )


def _curves(path: Path, about: About) -> EquationsOfState:
    """Return what one table says, per atom and checked."""
    table = read_curve_table(path, about)
    n_atoms = table.n_atoms
    twice = [name for name, times in Counter(table.ids).items() if times > 1]
    if twice:
        raise ReferenceFileError(f"{path}: {twice[0]} is listed twice; restore the file.")
    _check_atoms(path, table.ids, table.elements, table.names, n_atoms, about.prototypes)
    zero = np.zeros(len(n_atoms))
    average = BirchMurnaghan(zero, table.average[0] / n_atoms, table.average[1], table.average[2])
    codes = {
        code: BirchMurnaghan(values[0] / n_atoms, values[1] / n_atoms, values[2], values[3])
        for code, values in table.codes.items()
    }
    for code, curves in codes.items():
        limit = _ALL_ELECTRON_LIMIT if code in COMPLETE_CODES[:ALL_ELECTRON] else _CODE_LIMIT
        deviation = np.abs(curves.volume / average.volume - 1)
        if (deviation > limit).any():
            i = int(np.nanargmax(deviation))
            raise ReferenceFileError(
                f"{path}: {table.ids[i]}: the volume of {code} deviates from the all-electron "
                f"average by {100 * deviation[i]:.1f} %; restore the file."
            )
    return EquationsOfState(table.elements, table.names, average, codes, about)


def _check_atoms(
    path: Path,
    ids: list[str],
    elements: np.ndarray,
    names: tuple[str, ...],
    n_atoms: np.ndarray,
    prototypes: Mapping[str, Prototype],
) -> None:
    """Refuse crystals with another number of atoms than their prototype's cell."""
    for crystal, element, name, count in zip(ids, elements, names, n_atoms, strict=True):
        own = len(prototypes[name].species)
        # where X is oxygen itself, the primitive cell may be half as large
        if count != own and not (element == 8 and 2 * count == own):
            raise ReferenceFileError(
                f"{path}: {crystal} has {count} atoms a cell, but its prototype has {own}; restore "
                "the file."
            )
