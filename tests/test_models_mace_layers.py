"""MACE's layers in another order, held against the package's own network in float64."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import small_models as small
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from model_structures import varied

from symscape.crystal.structures import Structures
from symscape.graphs.pairs import find_pairs
from symscape.models import mace as adapter
from symscape.models import mace_layers, mace_messages
from symscape.models.mace_layers import Interaction, Radial
from symscape.models.mace_products import ByElement, SparseProducts, can_contract
from symscape.models.registry import resolve
from symscape.models.torchtools import importing_e3nn

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("mace", reason="mace is not installed")
with small.quietly(), importing_e3nn():
    from e3nn import nn, o3
    from mace import modules
    from mace.modules.symmetric_contraction import SymmetricContraction

pytestmark = pytest.mark.filterwarnings("ignore")

PLAIN, RESIDUAL = "RealAgnosticInteractionBlock", "RealAgnosticResidualInteractionBlock"
DENSITY = "RealAgnosticDensityInteractionBlock"
DENSITY_RESIDUAL = "RealAgnosticDensityResidualInteractionBlock"
#: first and other interactions, and what else differs from the network of `save`
ARCHITECTURES = {
    "published": (PLAIN, RESIDUAL, {"hidden_irreps": "4x0e", "max_ell": 3, "correlation": 3}),
    "vectors": (PLAIN, RESIDUAL, {"max_ell": 3, "correlation": 3}),
    "tensors": (PLAIN, RESIDUAL, {"hidden_irreps": "2x0e+2x1o+2x2e", "num_interactions": 3}),
    "pseudo": (PLAIN, RESIDUAL, {"hidden_irreps": "2x0e+2x0o+2x1o+2x1e", "apply_cutoff": True}),
    "rotations": (PLAIN, RESIDUAL, {"use_so3": True}),
    "correlations": (PLAIN, PLAIN, {"correlation": [4, 1], "max_ell": 1}),
    "residual": (RESIDUAL, RESIDUAL, {"kind": "MACE", "radial_MLP": [8, 8]}),
    "one": (PLAIN, RESIDUAL, {"num_interactions": 1, "radial_type": "gaussian"}),
    "density": (
        DENSITY,
        DENSITY_RESIDUAL,
        {"distance_transform": "Agnesi", "pair_repulsion": True, "correlation": 3},
    ),
    "cutoff": (DENSITY, DENSITY, {"apply_cutoff": False, "distance_transform": "Soft"}),
    "edges": (PLAIN, RESIDUAL, {"edge_irreps": "3x0e+2x1o", "use_agnostic_product": True}),
    "last": (PLAIN, RESIDUAL, {"keep_last_layer_irreps": True, "pair_repulsion": True}),
}
#: what is left to the package's own layers
LEFT = {
    "attention": (PLAIN, "RealAgnosticAttResidualInteractionBlock", {}),
    "nonlinear": ("RealAgnosticResidualNonLinearInteractionBlock", RESIDUAL, {}),
    "linear": (PLAIN, RESIDUAL, {"radial_MLP": []}),
}


def save(path, first, others, dtype=torch.float64, kind="ScaleShiftMACE", **more):
    """Write an untrained network whose energies differ by some eV."""
    lacking = set(more) - set(inspect.signature(modules.MACE).parameters)
    lacking |= {first, others} - set(modules.interaction_classes)
    if lacking:
        pytest.skip(f"this version of mace-torch has no {' and no '.join(sorted(lacking))}")
    torch.manual_seed(1)
    before = torch.get_default_dtype()
    shape = {
        "r_max": 4.0,
        "num_bessel": 4,
        "num_polynomial_cutoff": 5,
        "max_ell": 2,
        "num_interactions": 2,
        "num_elements": len(small.NUMBERS),
        "hidden_irreps": "3x0e+3x1o",
        "MLP_irreps": o3.Irreps("4x0e"),
        "gate": torch.nn.functional.silu,
        "atomic_energies": np.linspace(-2, -9, len(small.NUMBERS))[None],
        "avg_num_neighbors": 12.0,
        "atomic_numbers": small.NUMBERS,
        "correlation": 2,
        "radial_MLP": [8, 8, 8],
        "heads": ["Default"],
        **more,
    }
    for name in ("hidden_irreps", "edge_irreps"):
        if name in shape:
            shape[name] = o3.Irreps(shape[name])
    if kind == "ScaleShiftMACE":
        shape |= {"atomic_inter_scale": [300.0], "atomic_inter_shift": [0.1]}
    with small.quietly():
        torch.set_default_dtype(dtype)
        network = getattr(modules, kind)(
            interaction_cls=modules.interaction_classes[others],
            interaction_cls_first=modules.interaction_classes[first],
            **shape,
        )
        torch.save(network, path)
        torch.set_default_dtype(before)
    return path


def ours_and_theirs(path, monkeypatch, dtype="float64"):
    """Return our model and the same with the package's own layers."""
    models = [resolve("mace", checkpoint=path, device="cpu", dtype=dtype) for _ in range(2)]
    models[0].load()
    with monkeypatch.context() as patch:
        patch.setattr(adapter, "lighten", lambda model: False)
        models[1].load()
    return models


def crystals():
    """Return crystals of 1 to 8 atoms, one without any bond and one with nearly none."""
    alone = Atoms("Mg", cell=np.eye(3) * 9, pbc=True)
    two = Atoms("MgO", [[0, 0, 0], [0, 0, 2.1]], cell=np.eye(3) * 9, pbc=True)
    return Structures.from_atoms([*varied(5), alone, two])


def assert_same(ours, theirs, tolerance=1e-9):
    for structures in (crystals(), crystals()[5:6]):
        found, wanted = (
            model.predict(structures, forces=True, stresses=True) for model in (ours, theirs)
        )
        plain = ours.predict(structures)
        per_atom = structures.n_atoms
        for energies in (found.energies, plain.energies):
            assert np.abs((energies - wanted.energies) / per_atom).max() < tolerance
        assert np.abs(found.forces - wanted.forces).max() < 10 * tolerance
        assert np.abs(found.stresses - wanted.stresses).max() < tolerance
        # or the comparison says little
        assert len(structures) == 1 or np.abs(wanted.forces).max() > 0.01


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_energies_forces_and_stress_are_the_packages(name, tmp_path, monkeypatch):
    first, others, more = ARCHITECTURES[name]
    path = save(tmp_path / "mace.model", first, others, **more)
    ours, theirs = ours_and_theirs(path, monkeypatch)
    assert ours._bonds_once
    assert all(isinstance(layer.forward, Interaction) for layer in ours._model.interactions)
    assert not any(isinstance(layer.forward, Interaction) for layer in theirs._model.interactions)
    # sums over the bonds of each pair, and none
    for few in (0.0, 1e9):
        monkeypatch.setattr(mace_messages, "_FEW", few)
        assert_same(ours, theirs)


@pytest.mark.parametrize("name", LEFT)
def test_what_is_of_another_kind_is_left(name, tmp_path, monkeypatch):
    first, others, more = LEFT[name]
    path = save(tmp_path / "mace.model", first, others, **more)
    ours, theirs = ours_and_theirs(path, monkeypatch)
    assert not ours._bonds_once
    for layer, product in zip(ours._model.interactions, ours._model.products, strict=True):
        assert not isinstance(layer.forward, Interaction)
        assert isinstance(product.symmetric_contractions.forward, SparseProducts)
    assert_same(ours, theirs)


def test_an_heir_of_a_known_layer_is_left(tmp_path, monkeypatch):
    path = save(tmp_path / "mace.model", PLAIN, RESIDUAL)
    ours, _ = ours_and_theirs(path, monkeypatch)
    layer = ours._model.interactions[1]
    assert mace_layers.can_replace(layer)
    layer.__class__ = type("RealAgnosticResidualInteractionBlock", (type(layer),), {})
    assert not mace_layers.can_replace(layer)


def test_weights_stored_in_float32(tmp_path, monkeypatch):
    path = save(
        tmp_path / "mace.model", PLAIN, RESIDUAL, torch.float32, max_ell=3, correlation=3
    )  # fmt: skip
    assert_same(*ours_and_theirs(path, monkeypatch))
    single = ours_and_theirs(path, monkeypatch, "float32")
    assert_same(*single, tolerance=1e-5)


@settings(max_examples=15, deadline=None)
@given(
    largest=st.integers(1, 3),
    results=st.sampled_from(["2x0e", "2x0e+2x1o", "2x0e+2x1o+2x2e", "2x1o"]),
    correlation=st.integers(1, 3),
    seed=st.integers(0, 2**31),
)
def test_products_of_features(largest, results, correlation, seed):
    torch.manual_seed(seed)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        irreps = (o3.Irreps.spherical_harmonics(largest) * 2).sort()[0].simplify()
        wanted = [own for own in o3.Irreps(results) if own.ir.l <= largest]
        theirs = SymmetricContraction(irreps, o3.Irreps(wanted), correlation, num_elements=3)
    finally:
        torch.set_default_dtype(before)
    assert can_contract(theirs)
    ours = SparseProducts(theirs)
    features = torch.randn(5, 2, (largest + 1) ** 2, dtype=torch.float64, requires_grad=True)
    elements = torch.nn.functional.one_hot(torch.randint(3, (5,)), 3).double()
    equal_with_slopes(ours(features, elements), theirs(features, elements), [features])


@settings(max_examples=15, deadline=None)
@given(
    features=st.sampled_from(["3x0e", "3x0e+2x1o", "2x1o+1x2e"]),
    results=st.sampled_from(["2x0e", "4x0e+3x1o", "2x1o+2x2e"]),
    seed=st.integers(0, 2**31),
)
def test_matrices_by_element(features, results, seed):
    torch.manual_seed(seed)
    theirs = o3.FullyConnectedTensorProduct(features, "4x0e", results).double()
    one_hot = torch.nn.functional.one_hot(torch.randint(4, (6,)), 4).double()
    rows = torch.randn(6, theirs.irreps_in1.dim, dtype=torch.float64, requires_grad=True)
    equal_with_slopes(ByElement(theirs).flat(rows, one_hot), theirs(rows, one_hot), [rows])


@pytest.mark.parametrize("act", [torch.nn.functional.silu, torch.tanh])
@pytest.mark.parametrize("sizes", [[4, 8, 3], [4, 6, 5, 7]])
def test_radial_network(act, sizes):
    theirs = nn.FullyConnectedNet(sizes, act).double()
    assert Radial.can_replace(theirs)
    ours = Radial(theirs)
    rows = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    equal_with_slopes(ours(rows) @ ours.last, theirs(rows), [rows])


def equal_with_slopes(found, wanted, of):
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-12)
    if not wanted.requires_grad:
        return
    pull = torch.randn_like(wanted)
    slopes = [torch.autograd.grad(own, of, pull) for own in (found, wanted)]
    torch.testing.assert_close(*slopes, rtol=1e-10, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    n_atoms=st.integers(1, 5),
    bonds=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=60),
)
def test_sums_over_the_bonds_of_pairs(n_atoms, bonds):
    ends = torch.tensor([(a % n_atoms, b % n_atoms) for a, b in bonds], dtype=torch.int64)
    center, neighbor = ends.reshape(-1, 2).T
    left, right = torch.randn(len(ends), 2), torch.randn(len(ends), 3)
    pairs = find_pairs(center, neighbor, n_atoms)
    met = list(zip(pairs.center.tolist(), pairs.neighbor.tolist(), strict=True))
    assert sorted(met) == sorted(set(map(tuple, ends.tolist())))
    sums = pairs.outer_sums(left, right)
    assert sums.shape == (len(pairs), 2, 3)
    for (a, b), found in zip(met, sums, strict=True):
        own = (center == a) & (neighbor == b)
        torch.testing.assert_close(found, left[own].T @ right[own])
