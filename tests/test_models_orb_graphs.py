"""Graphs of ORB for a batch, held against those that the package makes of each structure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_structures import one_structure_of, varied

torch = pytest.importorskip("torch")
pytest.importorskip("orb_models")

from orb_models.forcefield.atomic_system import (  # noqa: E402
    SystemConfig,
    ase_atoms_to_atom_graphs,
)
from orb_models.forcefield.base import batch_graphs  # noqa: E402

from symscape.crystal.structures import Structures  # noqa: E402
from symscape.models.orb_graphs import graph_of_batch  # noqa: E402

MOST = 400


def of_the_package(structures, radius, most=MOST):
    config = SystemConfig(radius=radius, max_num_neighbors=most)
    kinds = {"output_dtype": torch.float64, "graph_construction_dtype": torch.float64}
    device = torch.device("cpu")
    made = [ase_atoms_to_atom_graphs(a, config, device=device, **kinds) for a in structures]
    return batch_graphs(made)


def edges(graph):
    rows = np.column_stack(
        [graph.senders, graph.receivers, np.rint(graph.edge_features["unit_shifts"])]
    ).astype(int)
    order = np.lexsort(rows.T)
    return rows[order], graph.edge_features["vectors"].numpy()[order]


def assert_same(structures, radius):
    own = graph_of_batch(structures, radius, MOST, torch.float64, "cpu")
    package = of_the_package(structures, radius)
    (rows, vectors), (wanted, wanted_vectors) = edges(own), edges(package)
    np.testing.assert_array_equal(rows, wanted)
    np.testing.assert_allclose(vectors, wanted_vectors, atol=1e-9)
    np.testing.assert_array_equal(own.n_node, package.n_node)
    np.testing.assert_array_equal(own.n_edge, package.n_edge)
    for name, values in own.node_features.items():
        np.testing.assert_allclose(values, package.node_features[name], atol=1e-9)
    for name, values in own.system_features.items():
        np.testing.assert_allclose(values, package.system_features[name], atol=1e-9)
    assert (np.diff(own.senders) >= 0).all()


@pytest.mark.parametrize("structures", [varied(20), one_structure_of("Na")], ids=["many", "one"])
@pytest.mark.parametrize("radius", [2.5, 6.0])
def test_the_graph_is_that_of_the_package(structures, radius):
    assert_same(structures, radius)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_drawn_crystals_have_the_edges_of_the_package(n, n_atoms, seed):
    """Cells askew and atoms outside of them; none at the cut-off, where rounding decides."""
    rng = np.random.default_rng(seed)
    cells = np.eye(3) * rng.uniform(3, 6, (n, 3))[:, None] + rng.normal(0, 0.5, (n, 3, 3))
    places = rng.uniform(-2, 2, (n, n_atoms, 3))
    structures = Structures.stack(rng.integers(1, 90, n_atoms), places @ cells, cells)
    assert_same(structures, 4.321)


def test_where_the_package_drops_neighbors_it_is_asked():
    structures = one_structure_of("Na")
    most = int(of_the_package(structures, 6.0).n_edge.max())
    assert graph_of_batch(structures, 6.0, most, torch.float64, "cpu") is not None
    assert graph_of_batch(structures, 6.0, most - 1, torch.float64, "cpu") is None
