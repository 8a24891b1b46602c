"""Graphs of matgl for a batch, held against those that the package makes of each structure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_structures import one_structure_of, varied

torch = pytest.importorskip("torch")

from symscape.models.matgl import species_of  # noqa: E402
from symscape.models.matgl_graphs import graph_of_batch, sum_messages  # noqa: E402


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
