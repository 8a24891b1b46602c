"""ORB's layers in another order, held against the package's own."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
pytest.importorskip("orb_models")

from orb_models.forcefield.gns import AttentionInteractionNetwork  # noqa: E402

from symscape.models.orb_layers import SplitInteraction, lighten  # noqa: E402


@settings(max_examples=30, deadline=None)
@given(
    gate=st.sampled_from(["sigmoid", "softmax"]),
    distance_cutoff=st.booleans(),
    activation=st.sampled_from(["ssp", "silu", "gelu"]),
    norm=st.sampled_from(["layer_norm", "rms_norm"]),
    dropout=st.sampled_from([None, 0.3]),
    checkpoint=st.sampled_from([None, "reentrant"]),
    n_atoms=st.integers(1, 5),
    n_edges=st.integers(0, 20),
    seed=st.integers(0, 10**6),
)
def test_a_layer_gives_what_the_packages_own_gives(
    gate, distance_cutoff, activation, norm, dropout, checkpoint, n_atoms, n_edges, seed
):
    torch.manual_seed(seed)
    options = {"attention_gate": gate, "distance_cutoff": distance_cutoff}
    layer = AttentionInteractionNetwork(
        8, 2, 12, activation=activation, mlp_norm=norm, dropout=dropout, checkpoint=checkpoint,
        **options,
    ).double().eval().requires_grad_(False)  # fmt: skip
    nodes = torch.randn(n_atoms, 8, dtype=torch.float64, requires_grad=True)
    edges = torch.randn(n_edges, 8, dtype=torch.float64, requires_grad=True)
    cutoff = torch.rand(n_edges, 1, dtype=torch.float64, requires_grad=True)
    ends = torch.randint(n_atoms, (2, n_edges))
    asked = nodes, edges, *ends, cutoff
    both = []
    for forward in (layer.forward, SplitInteraction(layer)):
        new_nodes, new_edges = forward(*asked)
        total = (new_nodes**2).sum() + (new_edges**2).sum()
        slopes = torch.autograd.grad(total, (nodes, edges, cutoff), allow_unused=True)
        both.append([new_nodes, new_edges, *(s for s in slopes if s is not None)])
    assert len(both[0]) == len(both[1]) >= 4
    for own, wanted in zip(*reversed(both), strict=True):
        torch.testing.assert_close(own, wanted, rtol=1e-10, atol=1e-12)


def test_a_layer_with_a_conditioner_is_left_as_it_is():
    plain = AttentionInteractionNetwork(8, 2, 12)
    kept = AttentionInteractionNetwork(8, 2, 12, conditioning="additive")
    lighten(SimpleNamespace(gnn_stacks=[plain, kept]))
    assert isinstance(plain.forward, SplitInteraction)
    assert not isinstance(kept.forward, SplitInteraction)
