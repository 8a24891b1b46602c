"""A small library of hull crystals, made by ASE's EMT potential in place of DFT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.emt import EMT
from ase.constraints import FixSymmetry
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS
from ase.spacegroup import crystal as ase_crystal
from ase.units import GPa

from symscape.crystal.crystal import Crystal
from symscape.references.crystal_files import StoredCrystal
from symscape.references.crystals import write_crystals
from symscape.references.method import Method
from symscape.references.provenance import CrystalsProvenance

METHOD = Method(code="ASE's EMT", functional="EMT")
PROVENANCE = CrystalsProvenance(licence="CC0-1.0", command="made by the tests")
CUBIC = [90, 90, 90]
#: id, prototype: sites, space group, cell
CRYSTALS = {
    "Al-fcc": (["Al"], [(0, 0, 0)], 225, [3.994] * 3 + CUBIC),
    "Al-bcc": (["Al"], [(0, 0, 0)], 229, [3.2] * 3 + CUBIC),
    "Al-hcp": (["Al"], [(1 / 3, 2 / 3, 0.25)], 194, [2.85, 2.85, 4.6, 90, 90, 120]),
    "Cu-fcc": (["Cu"], [(0, 0, 0)], 225, [3.6] * 3 + CUBIC),
    "Cu-bcc": (["Cu"], [(0, 0, 0)], 229, [2.85] * 3 + CUBIC),
    "Cu-diamond": (["Cu"], [(0, 0, 0)], 227, [5.5] * 3 + CUBIC),
    "AlCu3-Cu3Au": (["Al", "Cu"], [(0, 0, 0), (0, 0.5, 0.5)], 221, [3.7] * 3 + CUBIC),
    "Al3Cu-Cu3Au": (["Cu", "Al"], [(0, 0, 0), (0, 0.5, 0.5)], 221, [3.9] * 3 + CUBIC),
    "AlCu-CsCl": (["Al", "Cu"], [(0, 0, 0), (0.5, 0.5, 0.5)], 221, [3.0] * 3 + CUBIC),
    "AlCu-CrB": (["Al", "Cu"], [(0, 0.36, 0.25), (0, 0.07, 0.25)], 63, [2.9, 8.2, 4.0, *CUBIC]),
}


def relaxed_record(name: str) -> StoredCrystal:
    """Relax a crystal with EMT at fixed symmetry and return its line of a file."""
    symbols, basis, group, cell = CRYSTALS[name]
    start = ase_crystal(symbols, basis, spacegroup=group, cellpar=cell)
    atoms = Crystal.from_structure(start).to_atoms(primitive=True)
    atoms.calc = EMT()
    atoms.set_constraint(FixSymmetry(atoms, symprec=1e-3, verbose=False))
    BFGS(FrechetCellFilter(atoms), logfile=None).run(fmax=5e-3, steps=200)
    atoms.set_constraint()
    return record(name, atoms)


def record(name: str, atoms: Atoms) -> StoredCrystal:
    """Return a crystal's line of a file; ``atoms`` has a calculator."""
    crystal = Crystal.from_structure(atoms.copy())
    cell = np.round(atoms.cell.array, 8)
    return StoredCrystal(
        id=name,
        formula=crystal.formula,
        prototype=name.partition("-")[2],
        space_group_number=crystal.space_group_number,
        space_group_symbol=crystal.symbol,
        n_lattice=crystal.n_lattice,
        n_wyckoff=crystal.n_wyckoff,
        energy_eV=float(atoms.get_potential_energy()),
        k_mesh=(1, 1, 1),
        cell_A=cell.tolist(),
        symbols=atoms.get_chemical_symbols(),
        positions=np.round(atoms.get_scaled_positions(wrap=False), 8).tolist(),
        forces_eV_A=np.round(atoms.get_forces(), 6).tolist(),
        stress_GPa=np.round(atoms.get_stress() / GPa, 5).tolist(),
    )


def write_library(folder: Path) -> Path:
    """Write the library's files and return the folder."""
    records = [relaxed_record(name) for name in CRYSTALS]
    systems: dict[str, list[StoredCrystal]] = {}
    for one in records:
        systems.setdefault("-".join(sorted(set(one.symbols))), []).append(one)
    for system, own in systems.items():
        write_crystals(folder, system, own, METHOD, PROVENANCE)
    return folder
