"""Graphs of matgl for a batch, held against those that the package makes of each structure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_structures import one_structure_of, varied

torch = pytest.importorskip("torch")

from symscape.models.matgl import species_of  # noqa: E402
from symscape.models.matgl_graphs import graph_of_batch  # noqa: E402
from symscape.models.matgl_layers import (  # noqa: E402
    SplitGatedMLP,
    entries_sent,
    matrices_received,
    sum_messages,
)


@given(
    st.integers(0, 30),
    st.integers(1, 6),
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=40)
def test_messages_are_summed_by_atom(n_edges, n_atoms, shape, seed):
    rng = np.random.default_rng(seed)
    messages = [rng.normal(size=(n_edges, *shape)) for _ in range(3)]
    index = rng.integers(0, n_atoms, n_edges)
    found = sum_messages([torch.as_tensor(m) for m in messages], torch.as_tensor(index), n_atoms)
    for message, total in zip(messages, found, strict=True):
        wanted = np.zeros((n_atoms, *shape))
        for atom, row in zip(index, message, strict=True):
            wanted[atom] += row
        assert total.shape == wanted.shape
        np.testing.assert_allclose(total.numpy(), wanted, atol=1e-13)


def bonds_of(rng, n_atoms, n_edges):
    return torch.as_tensor(rng.integers(0, n_atoms, (2, n_edges)))


@given(
    st.integers(0, 30),
    st.integers(1, 6),
    st.lists(st.integers(1, 7), min_size=1, max_size=3),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=40)
def test_a_network_of_two_atoms_and_a_bond_may_be_split(n_edges, n_atoms, dims, bias, seed):
    """For every depth, and for the gradients by which forces are made."""
    core = pytest.importorskip("matgl.layers._core")
    torch.manual_seed(seed % 2**31)
    rng = np.random.default_rng(seed)
    gated = core.GatedMLP(in_feats=2 * 5 + 4, dims=dims, use_bias=bias).double()
    atom = torch.as_tensor(rng.normal(size=(n_atoms, 5))).requires_grad_()
    edge = torch.as_tensor(rng.normal(size=(n_edges, 4))).requires_grad_()
    index = bonds_of(rng, n_atoms, n_edges)
    found = SplitGatedMLP(gated)(index, atom, edge)
    wanted = gated(torch.cat([atom[index[0]], atom[index[1]], edge], dim=1))
    torch.testing.assert_close(found, wanted, atol=1e-12, rtol=1e-10)
    for own, right in zip(
        torch.autograd.grad(found.square().sum(), [atom, edge]),
        torch.autograd.grad(wanted.square().sum(), [atom, edge]),
        strict=True,
    ):
        torch.testing.assert_close(own, right, atol=1e-12, rtol=1e-10)


@given(st.integers(0, 30), st.integers(1, 6), st.integers(1, 4), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=40)
def test_entries_of_matrices_tell_the_matrices(n_edges, n_atoms, n_channels, seed):
    rng = np.random.default_rng(seed)
    whole = rng.normal(size=(n_atoms, n_channels, 3, 3))
    scalar = rng.normal(size=(n_atoms, n_channels, 1, 1)) * np.eye(3)
    skew, symmetric = whole - np.swapaxes(whole, 2, 3), whole + np.swapaxes(whole, 2, 3)
    factors = rng.normal(size=(n_edges, n_channels, 3))
    index = bonds_of(rng, n_atoms, n_edges)
    sent = entries_sent(index, *map(torch.as_tensor, (scalar, skew, symmetric, factors)))
    received = matrices_received(sent, index[0], n_atoms)
    for k, matrices in enumerate((scalar, skew, symmetric)):
        wanted = np.zeros((n_atoms, n_channels, 3, 3))
        for (atom, other), factor in zip(index.T.tolist(), factors[..., k], strict=True):
            wanted[atom] += factor[:, None, None] * matrices[other]
        np.testing.assert_allclose(received[k].numpy(), wanted, atol=1e-12)


def test_places_of_elements():
    species = species_of(("O", "H"))
    assert species[8] == 0
    assert species[1] == 1
    assert species[6] == -1


def edges(starts, ends, images):
    rows = np.column_stack([starts, ends, np.rint(images)]).astype(int)
    return rows[np.lexsort(rows.T)]


@pytest.mark.parametrize("structures", [varied(20), one_structure_of("Na")], ids=["many", "one"])
@pytest.mark.parametrize("cutoff", [2.0, 5.0])
def test_the_graph_is_that_of_the_package(structures, cutoff):
    if not pytest.importorskip("matgl").__version__.startswith("4"):
        pytest.skip("version 2 makes its own graphs")
    from ase.data import chemical_symbols
    from matgl.ext.ase import Atoms2Graph

    elements = tuple(chemical_symbols[1:90])
    graph = graph_of_batch(structures, cutoff, species_of(elements), torch.float64, "cpu")
    starts, ends = graph.edge_index.numpy()
    assert (np.diff(starts) >= 0).all()
    assert graph.num_graphs == len(structures)
    assert graph.num_nodes == len(structures.numbers)
    package = Atoms2Graph(elements, cutoff)
    for k, atoms in enumerate(structures):
        alone, _, _ = package.get_graph(atoms)
        first, last = structures.offsets[k : k + 2]
        own = (starts >= first) & (starts < last)
        np.testing.assert_array_equal(
            edges(starts[own] - first, ends[own] - first, graph.pbc_offset.numpy()[own]),
            edges(*alone.edge_index.numpy(), alone.pbc_offset.numpy()),
        )
        np.testing.assert_array_equal(graph.node_type[first:last], alone.node_type)
        np.testing.assert_allclose(graph.frac_coords[first:last], alone.frac_coords, atol=1e-6)
