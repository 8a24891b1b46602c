"""CHGNet's graphs and network on whole batches against the package's own, one at a time."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from model_structures import varied

from symscape.crystal.structures import Structures
from symscape.graphs.responses import bond_vectors, forces_from_bonds, stresses_from_bonds
from symscape.models.chgnet_network import CHGNetNetwork, crystal_graphs
from symscape.models.registry import resolve

chgnet = pytest.importorskip("chgnet", reason="chgnet is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")
GPA = 160.21766208


def as_pymatgen(atoms):
    from pymatgen.core import Structure

    return Structure(atoms.cell.array, atoms.numbers, atoms.positions, coords_are_cartesian=True)


def package_graph(atoms):
    """Return the bonds as pairs of edges and the angles of the package's converter."""
    from chgnet.graph import CrystalGraphConverter

    made = CrystalGraphConverter(on_isolated_atoms="ignore")(as_pymatgen(atoms))
    ends = made.atom_graph.numpy().reshape(-1, 2)
    images = made.neighbor_image.numpy().reshape(-1, 3)
    edges = [tuple(map(int, (*a, *b))) for a, b in zip(ends, images, strict=True)]
    pairs = {}
    for edge, bond in zip(edges, made.directed2undirected.numpy(), strict=True):
        pairs.setdefault(int(bond), set()).add(edge)
    rows = made.bond_graph.numpy().reshape(-1, 5)
    angles = sorted((edges[left], edges[right]) for _, _, left, _, right in rows)
    return {frozenset(pair) for pair in pairs.values()}, angles


def our_graph(atoms):
    """Return the same of ours, each angle in both orders."""
    found = crystal_graphs(Structures.from_atoms([atoms]), 6.0, 3.0, "cpu")
    bonds, angles = found.bonds, found.angles
    ends = np.column_stack([bonds.center.numpy(), bonds.neighbor.numpy()])
    images = bonds.image.numpy().round().astype(int)
    forward = [tuple(map(int, (*a, *b))) for a, b in zip(ends, images, strict=True)]
    backward = [tuple(map(int, (*a[::-1], *-b))) for a, b in zip(ends, images, strict=True)]
    spokes = [
        (forward if sign > 0 else backward)[bond]
        for bond, sign in zip(angles.short[angles.bond].tolist(), angles.sign.tolist(), strict=True)
    ]
    pairs = list(zip(angles.left.tolist(), angles.right.tolist(), strict=True))
    both = [(spokes[a], spokes[b]) for a, b in pairs] + [(spokes[b], spokes[a]) for a, b in pairs]
    bonds_of = {frozenset(pair) for pair in zip(forward, backward, strict=True)}
    return bonds_of, sorted(both)


@pytest.mark.parametrize("i", range(10))
def test_same_graph_as_the_package(i):
    assert our_graph(varied(10).atoms(i)) == package_graph(varied(10).atoms(i))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_same_graph_for_random_crystals(seed, n_atoms):
    rng = np.random.default_rng(seed)
    cell = np.eye(3) * rng.uniform(2.5, 6.0, 3) + rng.uniform(-1, 1, (3, 3))
    atoms = Atoms("O" * n_atoms, scaled_positions=rng.random((n_atoms, 3)), cell=cell, pbc=True)
    assert our_graph(atoms) == package_graph(atoms)


@pytest.mark.parametrize("version", ["0.2.0", "0.3.0"])
def test_float64_network_equals_the_package_in_float64(version, monkeypatch):
    """Crystals with and without angles, and an atom on its own, in one batch."""
    import torch
    from chgnet.graph import converter
    from chgnet.model import CHGNet
    from chgnet.model import model as package

    for module in (converter, package):
        monkeypatch.setattr(module, "TORCH_DTYPE", torch.float64)
    with contextlib.redirect_stdout(io.StringIO()):
        net = CHGNet.load(model_name=version, use_device="cpu", verbose=False)
    # float32 in the package's own code: the elements' energies
    net = net.double()
    net.composition_model = None
    net.graph_converter.set_isolated_atom_response("ignore")
    bare = bulk("Mg", "fcc", a=4.8)
    images = [*varied(5), bare, Atoms("Na", cell=np.eye(3) * 20, pbc=True)]
    expected = [net.predict_structure(as_pymatgen(atoms), task="efs") for atoms in images[:-1]]
    expected.append(net.predict_structure(as_pymatgen(images[-1]), task="e"))
    structures = Structures.from_atoms(images)
    graphs = crystal_graphs(structures, 6.0, 3.0, "cpu")
    vectors = bond_vectors(structures, graphs.bonds).requires_grad_(True)
    energies = CHGNetNetwork(net).energies(graphs, vectors)
    (slopes,) = torch.autograd.grad(energies.sum(), vectors)
    forces = forces_from_bonds(len(structures.numbers), graphs.bonds, slopes)
    stresses = stresses_from_bonds(structures.cells, graphs.bonds, vectors.detach(), slopes)
    per_atom = energies.detach().numpy() / structures.n_atoms
    # the package's 1 / sqrt(2) of the Fourier basis is float32 in both
    assert per_atom == pytest.approx(np.array([said["e"] for said in expected]), abs=1e-9)
    f = np.concatenate([*(said["f"] for said in expected[:-1]), np.zeros((1, 3))])
    assert forces.numpy() == pytest.approx(f, abs=1e-7)
    s = np.array([*(said["s"] / GPA for said in expected[:-1]), np.zeros((3, 3))])
    assert stresses.numpy() == pytest.approx(s, abs=1e-8)


@pytest.mark.parametrize("side", [20.0, 5.5])
def test_atom_without_neighbours_or_without_angles(side):
    from chgnet.model.dynamics import CHGNetCalculator

    atoms = Atoms("Na", cell=np.eye(3) * side, pbc=True)
    with contextlib.redirect_stdout(io.StringIO()):
        expected = CHGNetCalculator(use_device="cpu").get_potential_energy(atoms)
    model = resolve("chgnet", device="cpu")
    said = model.predict(Structures.from_atoms([atoms, atoms]), forces=True, stresses=True)
    assert said.energies == pytest.approx([expected] * 2, abs=1e-6)
    assert model.energies(Structures.from_atoms([atoms])) == pytest.approx([expected], abs=1e-6)


def test_nan_stays_in_its_structure():
    images = list(varied(4))
    images[1].positions[0, 0] = np.nan
    model = resolve("chgnet", device="cpu")
    said = model.predict_batch(Structures.from_atoms(images), forces=True, stresses=True)
    alone = model.predict_batch(Structures.from_atoms([images[0], *images[2:]]))
    assert np.isnan(said.energies).tolist() == [False, True, False, False]
    assert said.energies[[0, 2, 3]] == pytest.approx(alone.energies, abs=1e-5)


def test_batches_of_sparse_crystals_hold_more_structures():
    model = resolve("chgnet", device="cpu")
    oxide, layers = bulk("MgO", "rocksalt", a=4.2), bulk("Cs", "bcc", a=6.1)
    dense, sparse = model.batch_weights(Structures.from_atoms([oxide, layers]))
    assert dense == pytest.approx(2, rel=0.5)
    assert sparse < 0.2
    flat = Structures.from_atoms([Atoms("O2", cell=np.zeros((3, 3)), pbc=True)])
    assert model.batch_weights(flat).tolist() == [2]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(2, 8), st.floats(8.0, 40.0))
def test_structures_count_in_a_batch_as_their_bonds_and_angles_do(seed, n_atoms, volume):
    """Atoms that keep a distance, at densities from an oxide's to a layered crystal's."""
    side = (n_atoms * volume) ** (1 / 3)
    places = np.stack(np.meshgrid([0, 0.5], [0, 0.5], [0, 0.5]), -1).reshape(-1, 3)[:n_atoms]
    places = places + np.random.default_rng(seed).uniform(-0.05, 0.05, places.shape)
    atoms = Atoms("O" * n_atoms, scaled_positions=places, cell=np.eye(3) * side, pbc=True)
    both = Structures.from_atoms([atoms, bulk("Mg", "fcc", a=3.2)])
    graphs = [crystal_graphs(both[[k]], 6.0, 3.0, "cpu") for k in range(2)]
    rows = np.array([len(graph.bonds) + len(graph.angles) for graph in graphs])
    weights = resolve("chgnet", device="cpu").batch_weights(both)
    assert 1 / 3 < (weights[0] / weights[1]) / (rows[0] / rows[1]) < 3
