"""Neighbour lists of whole batches against ASE's and pymatgen's, one structure at a time."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import primitive_neighbor_list
from hypothesis import example, given, settings
from hypothesis import strategies as st
from model_structures import varied

from symscape.crystal.structures import Structures
from symscape.graphs import neighbors
from symscape.graphs.angles import find_angles
from symscape.graphs.neighbors import find_bonds, image_reach
from symscape.graphs.responses import bond_vectors

pytest.importorskip("torch", reason="torch is not installed")


def both_directions(structures, cutoff):
    """Return the sorted directed edges of each structure: centre, neighbour, image."""
    found = find_bonds(structures, cutoff)
    image = found.image.numpy().round().astype(int)
    ends = np.column_stack([found.center.numpy(), found.neighbor.numpy()])
    edges = np.column_stack([ends, image])
    edges = np.concatenate([edges, np.column_stack([ends[:, ::-1], -image])])
    owner = np.concatenate([found.owner.numpy()] * 2)
    start = structures.offsets
    return [
        sorted(map(tuple, edges[owner == i] - [start[i], start[i], 0, 0, 0]))
        for i in range(len(structures))
    ]


def by_ase(atoms, cutoff):
    i, j, image = primitive_neighbor_list(
        "ijS", atoms.pbc, atoms.cell.array, atoms.positions, cutoff, self_interaction=False
    )
    return sorted(map(tuple, np.column_stack([i, j, image])))


def by_pymatgen(atoms, cutoff):
    from pymatgen.core import Structure

    structure = Structure(
        atoms.cell.array, atoms.numbers, atoms.positions, coords_are_cartesian=True
    )
    i, j, image, _ = structure.get_neighbor_list(cutoff, numerical_tol=1e-8)
    return sorted(map(tuple, np.column_stack([i, j, image.astype(int)])))


def random_crystals(seed, sizes):
    """Return skewed cells of one to some atoms, some outside their cells."""
    rng = np.random.default_rng(seed)
    images = []
    for n in sizes:
        cell = np.diag(rng.uniform(1.8, 7.0, 3)) + rng.uniform(-2.5, 2.5, (3, 3)) * rng.integers(2)
        if abs(np.linalg.det(cell)) < 6:
            cell = np.diag(rng.uniform(2, 4, 3))
        positions = rng.uniform(-1, 2, (n, 3)) @ cell
        images.append(Atoms(f"O{n}", positions=positions, cell=cell, pbc=True))
    return Structures.from_atoms(images)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**31),
    st.lists(st.integers(1, 6), min_size=1, max_size=5),
    st.floats(1.0, 7.0),
)
@example(0, [1], 0.1)
def test_same_edges_as_ase_and_pymatgen(seed, sizes, cutoff):
    structures = random_crystals(seed, sizes)
    found = both_directions(structures, cutoff)
    for i, atoms in enumerate(structures):
        assert found[i] == by_ase(atoms, cutoff)
        assert found[i] == by_pymatgen(atoms, cutoff)


def test_lengths_and_vectors_are_those_of_the_bonds():
    structures = varied(10)
    found = find_bonds(structures, 5.0)
    vectors = bond_vectors(structures, found).numpy()
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(found.length.numpy(), abs=1e-12)
    assert found.length.max() <= 5.0


def test_an_edge_as_long_as_the_cutoff_counts():
    cubic = Structures.from_atoms([Atoms("Po", cell=np.eye(3) * 3.0, pbc=True)])
    assert len(find_bonds(cubic, 3.0)) == 3
    assert len(find_bonds(cubic, 2.999999)) == 0


@pytest.mark.parametrize("limit", [1, 1000])
def test_bounded_memory_changes_nothing(monkeypatch, limit):
    structures = varied(10)
    expected = both_directions(structures, 5.0)
    monkeypatch.setitem(neighbors._CHUNK, "cpu", limit)
    assert both_directions(structures, 5.0) == expected


def test_no_structures_and_no_neighbours():
    none = Structures.from_atoms([])
    assert len(find_bonds(none, 5.0)) == 0
    lonely = Structures.from_atoms([Atoms("Ar", cell=np.eye(3) * 30, pbc=True)])
    bonds = find_bonds(lonely, 5.0)
    assert len(bonds) == 0
    assert len(find_angles(bonds, 3.0)) == 0


def test_reach_covers_a_flat_cell():
    cell = np.array([[1.0, 0, 0], [0.9, 0.3, 0], [0, 0, 20]])
    # heights 0.316, 0.3 and 20 angstrom
    assert image_reach(cell[None], 3.0).tolist() == [[10, 11, 1]]


def test_angles_are_all_pairs_of_short_edges_that_leave_an_atom():
    structures = varied(10)
    bonds = find_bonds(structures, 5.0)
    angles = find_angles(bonds, 3.0)
    vectors = bond_vectors(structures, bonds)[angles.short][angles.bond] * angles.sign[:, None]
    # each spoke points from its centre to a neighbour, and each pair of them is there once
    centers = angles.center.numpy()
    counts = np.bincount(centers, minlength=len(structures.numbers))
    for i, atoms in enumerate(structures):
        first = primitive_neighbor_list("i", atoms.pbc, atoms.cell, atoms.positions, 3.0)
        own = slice(structures.offsets[i], structures.offsets[i + 1])
        assert np.array_equal(counts[own], np.bincount(first, minlength=len(atoms)))
    left, right = angles.left.numpy(), angles.right.numpy()
    assert np.array_equal(centers[left], centers[right])
    assert len({(a, b) for a, b in zip(left, right, strict=True)}) == len(left)
    assert (left < right).all()
    assert len(left) == (counts * (counts - 1) // 2).sum()
    assert vectors.norm(dim=1).max() < 3.0
