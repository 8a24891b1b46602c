"""The product of features and harmonics against e3nn's own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symscape.graphs.tensor_product import EdgeProduct, can_replace
from symscape.models.torchtools import importing_e3nn

torch = pytest.importorskip("torch", reason="torch is not installed")
with importing_e3nn():
    o3 = pytest.importorskip("e3nn.o3", reason="e3nn is not installed")


def product(features, largest, results):
    """Return all paths from features over harmonics up to an order to the results."""
    first, second = o3.Irreps(features), o3.Irreps.spherical_harmonics(largest)
    third = o3.Irreps(results)
    parts, paths = [], []
    for i, (mul, ir) in enumerate(first):
        for j, (_, harmonic) in enumerate(second):
            for out in ir * harmonic:
                if out in third:
                    paths.append((i, j, len(parts), "uvu", True))
                    parts.append((mul, out))
    return o3.TensorProduct(
        first,
        second,
        o3.Irreps(parts),
        paths,
        shared_weights=False,
        internal_weights=False,
    )


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.sampled_from(["3x0e", "2x1o", "2x1e", "1x2e", "2x0o"]), min_size=1, max_size=4),
    st.integers(0, 3),
    st.integers(0, 2**31),
)
def test_equals_e3nn_with_its_gradients(features, largest, seed):
    theirs = product("+".join(features), largest, "1x0e+1x0o+1x1e+1x1o+1x2e+1x2o")
    assert can_replace(theirs)
    torch.manual_seed(seed)
    sizes = theirs.irreps_in1.dim, theirs.irreps_in2.dim, theirs.weight_numel
    given_ = [torch.randn(5, size, dtype=torch.float64, requires_grad=True) for size in sizes]
    theirs = theirs.double()
    ours = EdgeProduct(theirs, "cpu", torch.float64)
    expected, found = theirs(*given_), ours(*given_)
    assert torch.allclose(found, expected, atol=1e-6, rtol=1e-6)
    pull = torch.randn_like(expected)
    for a, b in zip(
        torch.autograd.grad(expected, given_, pull),
        torch.autograd.grad(found, given_, pull),
        strict=True,
    ):
        assert torch.allclose(a, b, atol=1e-6, rtol=1e-6)


def test_other_products_are_left_alone():
    shared = o3.FullyConnectedTensorProduct("2x0e", "1x1o", "2x1o")
    assert not can_replace(shared)
