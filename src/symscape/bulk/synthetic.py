"""Data sets of any size, for measurements: prototypes with other elements, energies of a toy.

``python -m symscape.bulk.synthetic FOLDER --crystals 150000`` puts elements at random into the
prototypes of the AFLOW library that pymatgen brings (Mehl et al., Comput. Mater. Sci. 136, S1
(2017)). The same seed gives the same data set, however many processes make it.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from symscape.crystal.structures import Structures
from symscape.dataset.documents import structure_arrays
from symscape.dataset.folder import DatasetInfo
from symscape.dataset.record import CrystalRecord
from symscape.dataset.write import DatasetWriter
from symscape.errors import DatasetError

#: without hydrogen and noble gases, and without radioactive ones
ELEMENTS = tuple(z for z in range(3, 84) if z not in (10, 18, 36, 43, 54, 61))
#: crystals that one process makes at a time
_TOGETHER = 250
#: how uneven elements are chosen: the k-th of a random order with a weight of (1 + k)^-UNEVEN
UNEVEN = 1.0
#: the shortest bonds of the kinds of atoms over the sums of the covalent radii: their mean, how far
#: that scatters, and what none falls below
_TIGHT, _SCATTER, _LEAST = 1.1, 0.03, 0.85
#: every kind of atom has a neighbour nearer than this in its prototype, angstrom
_FAR_A = 6.0
#: prototypes of molecules and frameworks would be empty boxes with other elements on their sites
_MOST_OPEN = 3.0


@dataclass(frozen=True, eq=False)
class PrototypeCell:
    """A crystal whose elements may be others.

    Parameters
    ----------
    cell
        Lattice vectors as rows, angstrom, shape (3, 3).
    positions
        Fractional, shape (n_atoms, 3).
    kinds
        Which of the elements each atom is, from 0 on, shape (n_atoms,).
    pairs, distances
        Kinds and distances (angstrom) of pairs of atoms: the shortest of each two kinds.
    """

    cell: np.ndarray
    positions: np.ndarray
    kinds: np.ndarray
    pairs: np.ndarray
    distances: np.ndarray


@cache
def prototypes() -> tuple[PrototypeCell, ...]:
    """Return the prototypes of pymatgen's AFLOW library, those with the fewest elements first.

    Read from pymatgen's file without building its objects, which takes seconds.

    Raises
    ------
    DatasetError
        If the installed pymatgen has no such file.
    """
    library = _library()
    with gzip.open(library) if library.suffix == ".gz" else library.open("rb") as file:
        entries = json.load(file)
    made = [_prototype(*structure_arrays(entry["snl"])) for entry in entries]
    made = [p for p in made if _openness(p) <= _MOST_OPEN]
    return tuple(sorted(made, key=lambda p: int(p.kinds.max())))


def _openness(prototype: PrototypeCell) -> float:
    """Return the volume an atom over the cube of its nearest distance; 0.7 for close packing."""
    kinds = range(int(prototype.kinds.max()) + 1)
    own = [(prototype.pairs == kind).any(axis=1) for kind in kinds]
    nearest = np.mean([prototype.distances[mine].min() for mine in own])
    volume = abs(np.linalg.det(prototype.cell)) / len(prototype.kinds)
    return float(volume / nearest**3)


def _library() -> Path:
    spec = find_spec("pymatgen.analysis")
    folders = (spec.submodule_search_locations if spec else None) or ()
    kept = ("prototypes/aflow_prototypes.json.gz", "aflow_prototypes.json.gz")
    for name in (*kept, "aflow_prototypes.json"):
        for folder in folders:
            if (Path(folder) / name).is_file():
                return Path(folder) / name
    raise DatasetError(
        "the installed pymatgen has no AFLOW prototypes (aflow_prototypes.json.gz); install "
        "another version of it."
    )


def _prototype(cell: np.ndarray, numbers: np.ndarray, positions: np.ndarray) -> PrototypeCell:
    from ase import Atoms

    from symscape.bulk.pair import neighbors

    _, kinds = np.unique(numbers, return_inverse=True)
    atoms = Atoms(numbers, cell=cell, scaled_positions=positions, pbc=True)
    first, second, lengths, _ = neighbors(Structures.from_atoms([atoms]), np.array([_FAR_A]))
    pairs = np.sort(np.stack([kinds[first], kinds[second]], axis=1), axis=1)
    order = np.lexsort((lengths, pairs[:, 1], pairs[:, 0]))
    unique, nearest = np.unique(pairs[order], axis=0, return_index=True)
    return PrototypeCell(cell, positions, kinds, unique, lengths[order][nearest])


def synthetic_record(k: int, seed: int = 0) -> CrystalRecord:
    """Return crystal ``k`` of the data set of a seed, with the energy of `pair.reference`.

    The first ones are one crystal of each element.
    """
    from ase import Atoms

    from symscape.bulk.pair import element_data, reference

    random = np.random.default_rng([seed, k])
    library = prototypes()
    if k < len(ELEMENTS):
        simple = [p for p in library if not p.kinds.max() and len(p.kinds) <= 4]
        chosen, numbers = simple[random.integers(len(simple))], np.array([ELEMENTS[k]])
    else:
        chosen = library[random.integers(len(library))]
        n = int(chosen.kinds.max()) + 1
        order = np.random.default_rng(seed).permutation(ELEMENTS)
        weights = (1.0 + np.arange(len(order))) ** -UNEVEN
        numbers = random.choice(order, size=n, replace=False, p=weights / weights.sum())
    radii = element_data()[0][numbers]
    bonds = chosen.distances / radii[chosen.pairs].sum(axis=1)
    nearest = [bonds[(chosen.pairs == kind).any(axis=1)].min() for kind in range(len(numbers))]
    scale = (_TIGHT + _SCATTER * random.standard_normal()) / np.mean(nearest)
    cell = chosen.cell * max(scale, _LEAST / bonds.min())
    atoms = Atoms(numbers[chosen.kinds], cell=cell, scaled_positions=chosen.positions, pbc=True)
    atoms.calc = reference()
    return CrystalRecord(
        f"syn-{k:06d}",
        np.array(atoms.numbers),
        cell,
        chosen.positions,
        float(atoms.get_potential_energy()),
        level_of_theory="pair potential",
        source=f"synthetic, seed {seed}",
        where=f"crystal {k}",
    )


def write_synthetic(
    path: str | Path, crystals: int, seed: int = 0, jobs: int = 1, *, replace: bool = False
) -> DatasetInfo:
    """Make a data set.

    Parameters
    ----------
    path
        Its folder.
    crystals
        How many; at least as many as there are `ELEMENTS`.
    seed
        Of all random choices.
    jobs
        Processes that make crystals.
    replace
        Whether a data set that is there already may be replaced.

    Raises
    ------
    DatasetError
        If it can't be written.
    """
    with DatasetWriter(path, replace=replace) as writer:
        for record in _records(crystals, seed, jobs):
            writer.add(record)
        return writer.finish({"synthetic": {"crystals": crystals, "seed": seed}})


def _records(crystals: int, seed: int, jobs: int) -> Iterator[CrystalRecord]:
    starts = range(0, crystals, _TOGETHER)
    tasks = [(start, min(start + _TOGETHER, crystals), seed) for start in starts]
    if jobs <= 1:
        for task in tasks:
            yield from _some(task)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for records in pool.map(_some, tasks):
            yield from records


def _some(task: tuple[int, int, int]) -> list[CrystalRecord]:
    first, end, seed = task
    return [synthetic_record(k, seed) for k in range(first, end)]


def main() -> None:
    """Make a data set from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m symscape.bulk.synthetic", description="Make a data set for measurements."
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--crystals", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--replace", action="store_true")
    given = parser.parse_args()
    info = write_synthetic(
        given.folder, given.crystals, given.seed, given.jobs, replace=given.replace
    )
    print(f"{info.crystals} crystals, {info.atoms} atoms, {sum(info.rejected.values())} rejected")


if __name__ == "__main__":
    main()
