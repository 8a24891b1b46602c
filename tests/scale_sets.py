"""Small data sets for runs: elements and binaries of four metals and nonmetals, toy energies."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from ase import Atoms
from ase.build import bulk

from symscape.bulk.chunk_store import finished_chunks, read_chunk
from symscape.bulk.hull_run import run_dataset
from symscape.bulk.pair import reference
from symscape.dataset.record import CrystalRecord
from symscape.dataset.write import DatasetWriter
from symscape.models.spec import ModelSpec

ELEMENTS = ("Al", "Cu", "Mg", "O")
LENGTHS = {"Al": 4.05, "Cu": 3.6, "Mg": 4.5, "O": 2.5}
PAIR = "symscape.bulk.pair:soft"


def crystals():
    """Yield names and structures: cubic ones, and a rutile with free coordinates for each pair."""
    for element in ELEMENTS:
        yield f"{element}-fcc", bulk(element, "fcc", LENGTHS[element])
        yield f"{element}-bcc", bulk(element, "bcc", 0.8 * LENGTHS[element])
    for one, other in combinations(ELEMENTS, 2):
        a = 0.62 * (LENGTHS[one] + LENGTHS[other])
        yield f"{one}{other}-B1", bulk(one + other, "rocksalt", 1.1 * a)
        yield f"{one}{other}-B2", bulk(one + other, "cesiumchloride", 0.75 * a)
        yield f"{one}{other}-B3", bulk(one + other, "zincblende", 1.2 * a)
        for x in (0.29, 0.31):
            yield f"{one}{other}2-C4-{x}", rutile(one, other, a, x)


def rutile(one, other, a, x):
    places = [
        (0, 0, 0), (0.5, 0.5, 0.5), (x, x, 0), (-x, -x, 0),
        (0.5 + x, 0.5 - x, 0.5), (0.5 - x, 0.5 + x, 0.5),
    ]  # fmt: skip
    symbols = [one] * 2 + [other] * 4
    return Atoms(symbols, cell=[a, a, 0.65 * a], scaled_positions=places, pbc=True)


def record(name, atoms, *, energy=None, correction=np.nan, level="PBE"):
    if energy is None:
        work = atoms.copy()
        work.calc = reference()
        energy = work.get_potential_energy()
    positions = atoms.get_scaled_positions(wrap=False)
    return CrystalRecord(
        name,
        np.array(atoms.numbers),
        atoms.cell.array.copy(),
        positions,
        float(energy),
        correction,
        level_of_theory=level,
    )


def write_set(path, records, part_atoms=60):
    """Write a data set of several parts."""
    with DatasetWriter(path, part_atoms=part_atoms) as writer:
        for one in records:
            assert writer.add(one), one.id
        writer.finish({})
    return path


def small_set(path, **values):
    return write_set(path, [record(name, atoms, **values) for name, atoms in crystals()])


def run(dataset, folder, spec=None, **options):
    """Run in this process with small chunks of small blocks."""
    options = {"chunk_atoms": 30, "block_atoms": 8, **options}
    return run_dataset(dataset, spec or ModelSpec(PAIR), folder, jobs=0, **options)


def results(folder):
    """All rows of a run, in the order of the data set."""
    files = finished_chunks(folder).files.values()
    whole = pd.concat([read_chunk(file) for file in files], ignore_index=True)
    return whole.sort_values("row", ignore_index=True)
