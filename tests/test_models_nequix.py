"""Nequix: a small network that its package builds and saves, against the package's calculator."""

from __future__ import annotations

import numpy as np
import pytest
from model_structures import one_structure_of, varied

from symscape.errors import ModelError
from symscape.models.registry import resolve

pytest.importorskip("nequix", reason="nequix is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")

NUMBERS = [8, 11, 12, 14, 17, 22]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return the path of an untrained network in the package's own format."""
    import jax
    from nequix.model import Nequix, save_model

    config = {
        "atomic_numbers": NUMBERS,
        "atom_energies": {str(z): -1.0 - 0.5 * k for k, z in enumerate(NUMBERS)},
        "cutoff": 4.5,
        "hidden_irreps": "8x0e + 4x1o + 4x2e",
        "lmax": 2,
        "n_layers": 2,
        "radial_basis_size": 4,
        "radial_mlp_size": 8,
        "radial_mlp_layers": 2,
        "radial_polynomial_p": 6.0,
        "mlp_init_scale": 4.0,
        "index_weights": False,
        "layer_norm": True,
        "shift": 0.2,
        "scale": 0.8,
        "avg_n_neighbors": 20.0,
    }
    same = {k: v for k, v in config.items() if k not in ("atomic_numbers", "atom_energies")}
    network = Nequix(
        key=jax.random.key(1),
        n_species=len(NUMBERS),
        atom_energies=list(config["atom_energies"].values()),
        **same,
    )
    path = tmp_path_factory.mktemp("nequix") / "small.nqx"
    save_model(str(path), network, config)
    return path


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equals_the_packages_calculator_in_jax(saved, dtype):
    from nequix.calculator import NequixCalculator

    structures = varied(12)
    calc = NequixCalculator(model_path=str(saved), backend="jax", use_kernel=False)
    energies, forces, stresses = [], [], []
    for atoms in structures:
        atoms.calc = calc
        energies.append(atoms.get_potential_energy())
        forces.append(atoms.get_forces())
        stresses.append(atoms.get_stress(voigt=False))
    # the structures differ by far more than the tolerance, or this test would say little
    assert np.std(np.array(energies) / structures.n_atoms) > 0.1
    assert np.std(np.concatenate(forces)) > 1e-2
    model = resolve("nequix", checkpoint=saved, dtype=dtype, device="cpu")
    found = model.predict(structures, forces=True, stresses=True)
    # the calculator computes in float32
    assert found.energies / structures.n_atoms == pytest.approx(
        np.array(energies) / structures.n_atoms, abs=2e-5
    )
    assert model.energies(structures) == pytest.approx(found.energies, abs=1e-4)
    assert found.forces == pytest.approx(np.concatenate(forces), abs=2e-4)
    assert found.stresses == pytest.approx(np.array(stresses), abs=2e-5)


def test_a_batch_says_what_each_structure_says_alone(saved):
    structures = varied(10)
    model = resolve("nequix", checkpoint=saved, dtype="float64", device="cpu")
    together = model.predict_batch(structures, forces=True)
    alone = [model.predict_batch(structures[[i]], forces=True) for i in range(len(structures))]
    assert together.energies == pytest.approx([a.energies[0] for a in alone], abs=1e-9)
    assert together.forces == pytest.approx(np.concatenate([a.forces for a in alone]), abs=1e-9)


def test_forces_are_the_energys_derivatives(saved):
    model = resolve("nequix", checkpoint=saved, dtype="float64", device="cpu")
    structures = varied(5)[[4]]
    exact = model.predict(structures, forces=True).forces[2, 1]
    up, down = structures.atoms(0), structures.atoms(0)
    up.positions[2, 1] += 1e-4
    down.positions[2, 1] -= 1e-4
    energies = model.energies(type(structures).from_atoms([up, down]))
    assert -(energies[0] - energies[1]) / 2e-4 == pytest.approx(exact, rel=1e-4, abs=1e-6)


def test_an_element_that_the_model_lacks_is_named(saved):
    model = resolve("nequix", checkpoint=saved, mlip_name="mine", device="cpu")
    with pytest.raises(ModelError, match="mine was not trained on Au"):
        model.energies(one_structure_of("Au"))


def test_checkpoints_are_recognized(saved):
    from symscape.models.checkpoints import recognize_family

    assert recognize_family(saved) == "nequix"
