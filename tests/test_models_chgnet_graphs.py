"""Array-built crystal graphs against those of CHGNet's converter."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from model_structures import varied

from symscape.models.chgnet_graphs import bond_indices, neighbor_list
from symscape.models.registry import resolve

chgnet = pytest.importorskip("chgnet", reason="chgnet is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


def package_graph(atoms):
    from chgnet.graph import CrystalGraphConverter
    from pymatgen.core import Structure

    converter = CrystalGraphConverter(on_isolated_atoms="ignore")
    structure = Structure(
        atoms.cell.array, atoms.numbers, atoms.positions, coords_are_cartesian=True
    )
    return converter(structure)


def as_sets(center, neighbor, image, bond, angles):
    """Describe a graph without reference to the order of edges and bonds."""
    edges = [
        (int(c), int(n), *map(int, i)) for c, n, i in zip(center, neighbor, image, strict=True)
    ]
    pairs = {}
    for edge, which in zip(edges, bond, strict=True):
        pairs.setdefault(int(which), set()).add(edge)
    rows = {
        (int(a), edges[e1], edges[e2], frozenset(pairs[int(b1)]), frozenset(pairs[int(b2)]))
        for a, b1, e1, b2, e2 in angles
    }
    return sorted(edges), {frozenset(p) for p in pairs.values()}, rows


def compare(atoms):
    theirs = package_graph(atoms)
    # the array path starts from the same float64 cell and positions
    edges = neighbor_list(atoms.positions, atoms.cell.array, 6.0)
    ours = bond_indices(*edges, angle_cutoff=3.0)
    graph = theirs.atom_graph.numpy().reshape(-1, 2)
    their_sets = as_sets(
        graph[:, 0],
        graph[:, 1],
        theirs.neighbor_image.numpy().reshape(-1, 3),
        theirs.directed2undirected.numpy(),
        theirs.bond_graph.numpy().reshape(-1, 5),
    )
    assert as_sets(*edges[:3], ours.directed2undirected, ours.angles) == their_sets
    assert len(ours.angles) == len(theirs.bond_graph)
    # the edge that stands for a bond belongs to it
    n_bonds = len(ours.undirected2directed)
    assert np.array_equal(ours.directed2undirected[ours.undirected2directed], np.arange(n_bonds))


@pytest.mark.parametrize("i", range(10))
def test_same_graph_as_the_package(i):
    compare(varied(10).atoms(i))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_same_graph_for_random_crystals(seed, n_atoms):
    rng = np.random.default_rng(seed)
    cell = np.eye(3) * rng.uniform(2.5, 6.0, 3) + rng.uniform(-1, 1, (3, 3))
    compare(Atoms("O" * n_atoms, scaled_positions=rng.random((n_atoms, 3)), cell=cell, pbc=True))


def test_an_edge_without_its_reverse_is_an_error():
    one = np.array([0]), np.array([1]), np.zeros((1, 3), dtype=int), np.array([2.0])
    with pytest.raises(ValueError, match="lacks its reverse"):
        bond_indices(*one, angle_cutoff=3.0)


@pytest.mark.parametrize("side", [20.0, 5.5])
def test_atom_without_neighbours_or_without_angles(side):
    import contextlib
    import io

    from chgnet.model.dynamics import CHGNetCalculator

    from symscape.crystal.structures import Structures

    atoms = Atoms("Na", cell=np.eye(3) * side, pbc=True)
    with contextlib.redirect_stdout(io.StringIO()):
        expected = CHGNetCalculator(use_device="cpu").get_potential_energy(atoms)
    model = resolve("chgnet", device="cpu")
    said = model.predict(Structures.from_atoms([atoms, atoms]), forces=True, stresses=True)
    assert said.energies == pytest.approx([expected] * 2, abs=1e-6)
    assert model.energies(Structures.from_atoms([atoms])) == pytest.approx([expected], abs=1e-6)
