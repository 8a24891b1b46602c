"""The hull crystals: relaxed crystals with their DFT energies, a file a chemical system.

``<folder>/crystals/Mg-Si.json`` holds a header and one crystal a line. Formation energies mix the
files, so all of them must have been computed in one way. docs/references.md describes the format.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.crystal.orbits import reduced_formula
from symscape.crystal.structures import Structures
from symscape.errors import ReferenceFileError
from symscape.references.crystal_checks import (
    SYMPREC_A,
    check_mesh,
    check_relaxed,
    check_symmetry,
)
from symscape.references.crystal_files import (
    FOLDER,
    SCHEMA,
    CrystalsRecord,
    StoredCrystal,
    crystals_digest,
    find_crystal_files,
    read_crystals,
)
from symscape.references.manifest import vouched
from symscape.references.method import Method
from symscape.references.provenance import CrystalsProvenance
from symscape.references.schema import write_document

if TYPE_CHECKING:
    from ase import Atoms

#: what must be the same wherever energies are combined
COMMON_METHOD = (
    "code", "version", "datasets", "functional", "cutoff_eV", "smearing", "smearing_eV",
    "k_mesh_centre", "energy", "magnetic_moments",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class CrystalReference:
    """A crystal relaxed by DFT at fixed symmetry.

    Arrays are those of the cell that was computed, a primitive one.

    Parameters
    ----------
    id
        Unique name, formula and prototype: ``Mg2Si-CaF2``.
    system
        Chemical system, elements in alphabetical order: ``Mg-Si``.
    prototype
        Name of the structure type.
    space_group
        Number of the space group that spglib finds.
    n_lattice, n_wyckoff
        Free lattice parameters and free Wyckoff coordinates.
    numbers
        Atomic numbers, shape (n_atoms,).
    positions
        Cartesian, angstrom, shape (n_atoms, 3).
    cell
        Lattice vectors as rows in angstrom, shape (3, 3).
    energy
        Total energy of the cell in eV.
    forces
        eV/angstrom, shape (n_atoms, 3).
    stress
        eV/angstrom^3, ASE's sign (positive under tension), Voigt order, shape (6,).
    k_mesh
        k-points along each reciprocal vector.
    """

    id: str
    system: str
    prototype: str
    space_group: int
    n_lattice: int
    n_wyckoff: int
    numbers: np.ndarray
    positions: np.ndarray
    cell: np.ndarray
    energy: float
    forces: np.ndarray
    stress: np.ndarray
    k_mesh: tuple[int, int, int]

    @property
    def n_atoms(self) -> int:
        """Atoms in the cell."""
        return len(self.numbers)

    @property
    def energy_per_atom(self) -> float:
        """Total energy in eV/atom."""
        return self.energy / self.n_atoms

    @property
    def volume_per_atom(self) -> float:
        """Angstrom^3/atom."""
        return float(abs(np.linalg.det(self.cell))) / self.n_atoms

    @property
    def formula(self) -> str:
        """Reduced formula."""
        return reduced_formula(self.numbers)

    @cached_property
    def crystal(self) -> Crystal:
        """The conventional cell and its space group, worked out at the first use."""
        return Crystal.from_structure(self.to_atoms(), SYMPREC_A)

    @property
    def material(self) -> str:
        """Formula and space group, as folders of slices are called: ``Mg2Si-Fm-3m``."""
        return f"{self.formula}-{self.crystal.symbol.replace('/', '')}"

    def to_atoms(self) -> Atoms:
        """Return the computed cell as a periodic ``ase.Atoms``."""
        from ase import Atoms

        return Atoms(numbers=self.numbers, positions=self.positions, cell=self.cell, pbc=True)


@dataclass(frozen=True, eq=False)
class CrystalLibrary:
    """All crystals of a library, computed in one way.

    Parameters
    ----------
    crystals
        Sorted by system and id.
    method
        What all files say alike about how the energies were computed.
    provenance
        Chemical system to the provenance of its file.
    digest
        SHA-256 of all files, which identifies the library in results.
    """

    crystals: tuple[CrystalReference, ...]
    method: Method
    provenance: dict[str, CrystalsProvenance]
    digest: str

    def __len__(self) -> int:
        return len(self.crystals)

    @property
    def level_of_theory(self) -> str:
        """The functional, e.g. ``PBE``."""
        return self.method.functional

    @property
    def systems(self) -> tuple[str, ...]:
        """Chemical systems with crystals of their own, elements included."""
        return tuple(dict.fromkeys(crystal.system for crystal in self.crystals))

    @cached_property
    def structures(self) -> Structures:
        """Every crystal's computed cell, in order."""
        counts = [crystal.n_atoms for crystal in self.crystals]
        return Structures(
            np.concatenate([crystal.numbers for crystal in self.crystals]),
            np.concatenate([crystal.positions for crystal in self.crystals]),
            np.array([crystal.cell for crystal in self.crystals]),
            np.concatenate([[0], np.cumsum(counts)]),
        )


def load_crystals(folders: Iterable[str | Path], *, closely: bool = False) -> CrystalLibrary:
    """Load and check the crystals of reference libraries.

    Parameters
    ----------
    folders
        Libraries: the folders that contain a folder ``crystals``.
    closely
        Whether symmetry is searched for in files, too, that are as their library's manifest says;
        it was before that was written.

    Raises
    ------
    ReferenceFileError
        If there are none, or a file is malformed, contradicts itself or another file, or holds a
        crystal that is not relaxed.
    """
    folders = list(folders)
    paths = find_crystal_files(folders)
    if not paths:
        where = ", ".join(str(folder) for folder in folders)
        raise ReferenceFileError(f"{where}: there are no files {FOLDER}/*.json with crystals.")
    return _load(paths, frozenset() if closely else vouched(paths))


def _load(paths: list[Path], vouched_for: frozenset[Path] = frozenset()) -> CrystalLibrary:
    crystals: list[CrystalReference] = []
    provenance: dict[str, CrystalsProvenance] = {}
    first: tuple[Path, Method] | None = None
    owners: dict[str, Path] = {}
    for path in paths:
        stated = read_crystals(path)
        system, method = stated.system, stated.method
        if path.stem != system:
            raise ReferenceFileError(
                f"{path}: system is {system!r}, but the file is called {path.stem!r}; rename one."
            )
        if first is None:
            first = path, method
        _check_common(path, method, *first)
        for record in stated.crystals:
            crystal = _read_crystal(path, record, system, method, path not in vouched_for)
            if crystal.id in owners:
                raise ReferenceFileError(
                    f"{path}: the crystal {crystal.id!r} is listed twice (see "
                    f"{owners[crystal.id]}); rename or remove one."
                )
            owners[crystal.id] = path
            crystals.append(crystal)
        provenance[system] = stated.provenance
    assert first is not None
    return CrystalLibrary(tuple(crystals), first[1], provenance, crystals_digest(paths))


def _check_common(path: Path, method: Method, other: Path, known: Method) -> None:
    """Refuse energies that can't be combined with those of another file."""
    different = first_difference(method, known)
    if different is not None:
        key, own, others = different
        raise ReferenceFileError(
            f"{path}: {key} is {own!r}, but {other} has {others!r}; formation energies need one "
            "method, so compute one of them anew."
        )


def first_difference(method: Method, known: Method) -> tuple[str, object, object] | None:
    """Return what differs first of what energies must have in common, with both values."""
    for key in COMMON_METHOD:
        own, other = getattr(method, key), getattr(known, key)
        if own != other:
            return key, own, other
    return None


def _read_crystal(
    path: Path, record: StoredCrystal, system: str, method: Method, closely: bool
) -> CrystalReference:
    """Build a crystal from its line and check it against itself."""
    from ase.data import atomic_numbers
    from ase.units import GPa

    where = f"{path}: {record.id}"
    try:
        numbers = np.array([atomic_numbers[symbol] for symbol in record.symbols])
        cell = np.array(record.cell_A, dtype=float).reshape(3, 3)
        fractional = np.array(record.positions, dtype=float).reshape(len(numbers), 3)
        forces = np.array(record.forces_eV_A, dtype=float).reshape(len(numbers), 3)
        stress = np.array(record.stress_GPa, dtype=float).reshape(6)
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise ReferenceFileError(
            f"{where}: a number or an array is malformed ({error}); correct it."
        ) from None
    elements = "-".join(sorted(set(record.symbols)))
    if elements != system:
        raise ReferenceFileError(
            f"{where}: its elements are {elements}, so it does not belong to the system {system}."
        )
    reference = CrystalReference(
        id=record.id,
        system=system,
        prototype=record.prototype,
        space_group=record.space_group_number,
        n_lattice=record.n_lattice,
        n_wyckoff=record.n_wyckoff,
        numbers=numbers,
        positions=fractional @ cell,
        cell=cell,
        energy=record.energy_eV,
        forces=forces,
        stress=stress * GPa,
        k_mesh=record.k_mesh,
    )
    if closely:
        check_symmetry(where, record, reference.to_atoms())
    check_relaxed(where, reference.energy, forces, stress)
    check_mesh(where, cell, reference.k_mesh, method.k_density_A)
    return reference


def write_crystals(
    folder: str | Path,
    system: str,
    records: Iterable[StoredCrystal],
    method: Method,
    provenance: CrystalsProvenance,
) -> Path:
    """Write ``<folder>/crystals/<system>.json`` with `write_document` and return its path.

    Parameters
    ----------
    folder
        The reference library.

    Raises
    ------
    ReferenceFileError
        As `write_document` and `load_crystals`.
    """
    target = Path(folder) / FOLDER / f"{system}.json"
    record = CrystalsRecord(
        schema=SCHEMA,
        system=system,
        method=method,
        provenance=provenance,
        crystals=tuple(sorted(records, key=lambda crystal: crystal.id)),
    )
    return write_document(target, record, "crystals", lambda trial: _load([trial]))
