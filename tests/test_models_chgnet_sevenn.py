"""CHGNet and SevenNet against their packages' own ASE calculators."""

from __future__ import annotations

import contextlib
import functools
import io

import numpy as np
import pytest
from ase.build import bulk
from ase.data import chemical_symbols
from model_structures import one_structure_of, varied

from symscape.errors import ModelError
from symscape.models.registry import load_cards, model_status, resolve
from symscape.models.torchtools import importing_e3nn

NAMES = [
    "chgnet",
    "chgnet-0.2.0",
    "chgnet-r2scan",
    "7net-0",
    "7net-0_22May2024",
    "7net-l3i5",
    "7net-mf-0",
    "7net-mf-0-r2scan",
]


@functools.cache
def loaded(name):
    """Return a registered model; building SevenNet's networks takes seconds."""
    return resolve(name, device="cpu")


@functools.cache
def calculator(name):
    """Return the package's own calculator for a registered name."""
    if name.startswith("chgnet"):
        pytest.importorskip("chgnet", reason="chgnet is not installed")
        from chgnet.model import CHGNet
        from chgnet.model.dynamics import CHGNetCalculator

        version = {"chgnet": "0.3.0"}.get(name, name.removeprefix("chgnet-"))
        with contextlib.redirect_stdout(io.StringIO()):
            model = CHGNet.load(model_name=version, use_device="cpu", verbose=False)
            return CHGNetCalculator(model, use_device="cpu", on_isolated_atoms="ignore")
    pytest.importorskip("sevenn", reason="sevenn is not installed")
    with importing_e3nn():
        from sevenn.calculator import SevenNetCalculator
    if name.startswith("7net-mf"):
        if model_status(load_cards()[name]).weights is None:
            pytest.skip("this sevenn has no multi-fidelity weights; 0.11 and later have")
        modal = "R2SCAN" if name.endswith("r2scan") else "PBE"
        return SevenNetCalculator("7net-mf-0", device="cpu", modal=modal)
    return SevenNetCalculator(name, device="cpu")


def by_calculator(calc, structures):
    energies, forces, stresses = [], [], []
    for atoms in structures:
        atoms.calc = calc
        energies.append(atoms.get_potential_energy())
        forces.append(atoms.get_forces())
        stresses.append(atoms.get_stress(voigt=False))
    return np.array(energies), np.concatenate(forces), np.array(stresses)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_equals_the_packages_calculator(name):
    # float32 resolves 5e-4 meV/atom at -8 eV/atom; two of these steps are the limit. CHGNet's sums
    # are taken in another order than the package's, both of which are up to 0.012 meV/atom from
    # the same network in float64; there they agree (test_models_chgnet_graphs.py)
    reach = 5e-6 if name.startswith("chgnet") else 1e-6
    structures = varied({"chgnet": 50, "7net-0": 20}.get(name, 5))
    calc = calculator(name)
    energies = np.array([calc.get_potential_energy(atoms) for atoms in structures])
    model = loaded(name)
    assert np.abs(model.energies(structures) - energies) / structures.n_atoms == pytest.approx(
        0, abs=reach
    )
    few = structures[:5]
    energies, forces, stresses = by_calculator(calc, few)
    both = model.predict(few, forces=True, stresses=True)
    assert np.abs(both.energies - energies) / few.n_atoms == pytest.approx(0, abs=reach)
    assert both.forces == pytest.approx(forces, abs=1e-4, rel=1e-5)
    assert both.stresses == pytest.approx(stresses, abs=2e-5, rel=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["chgnet", "7net-0"])
def test_forces_and_stress_are_the_energys_derivatives(name):
    calculator(name)
    structures = varied(5)[[4]]
    model = loaded(name)
    exact = model.predict(structures, forces=True, stresses=True)
    h = 0.002  # CHGNet's surface is rough on the scale of 0.01 angstrom
    atoms = structures.atoms(0)
    images = []
    for sign in (1, -1):
        moved = atoms.copy()
        moved.positions[2, 1] += sign * h
        strained = atoms.copy()
        strained.set_cell(atoms.cell.array @ (np.eye(3) + sign * h * np.diag([0, 0, 0.5])), True)
        images += [moved, strained]
    up, up_strained, down, down_strained = model.energies(type(structures).from_atoms(images))
    assert -(up - down) / (2 * h) == pytest.approx(exact.forces[2, 1], abs=2e-3)
    stress = (up_strained - down_strained) / h / atoms.get_volume()
    assert stress == pytest.approx(exact.stresses[0, 2, 2], abs=5e-4)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in NAMES if "mf" not in name])
def test_answers_do_not_depend_on_what_else_is_in_the_batch(name):
    calc = calculator(name)
    # magnesium has no bonds below 3 angstrom, hence no angles for CHGNet
    bare = bulk("Mg", "fcc", a=4.8)
    bare.positions += 0.03
    images = list(varied(8))
    structures = type(varied(1)).from_atoms([images[0], bare, *images[1:]])
    model = loaded(name)
    options = {"forces": True, "stresses": True}
    alone = [model.predict_batch(structures[[i]], **options) for i in range(len(structures))]
    together = model.predict_batch(structures, **options)
    energies = np.concatenate([one.energies for one in alone])
    assert np.abs(energies - together.energies) / structures.n_atoms == pytest.approx(0, abs=1e-6)
    assert together.forces == pytest.approx(np.concatenate([one.forces for one in alone]), abs=1e-4)
    assert together.stresses == pytest.approx(
        np.concatenate([one.stresses for one in alone]), abs=2e-5
    )
    assert model.predict_batch(structures).energies[1] == pytest.approx(
        calc.get_potential_energy(bare), abs=1e-5
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "unseen"), [("chgnet", "Rn"), ("7net-0", "Rn"), ("chgnet", "Am")])
def test_an_element_that_was_not_trained_on_is_named(name, unseen):
    calculator(name)
    with pytest.raises(ModelError, match=f"{name} was not trained on {unseen}"):
        loaded(name).energies(one_structure_of(unseen))


@pytest.mark.filterwarnings("ignore")
def test_mptrj_lacks_the_elements_that_the_card_says():
    calculator("chgnet")
    calculator("7net-0")
    sevenn, chgnet = loaded("7net-0"), loaded("chgnet")
    sevenn.load()
    chgnet.load()
    # both are trained on MPtrj; SevenNet stores the elements that it found there
    missing = {chemical_symbols[z] for z in chgnet.elements - sevenn.elements}
    assert missing == set(chgnet.card.untrained)


@pytest.mark.filterwarnings("ignore")
def test_own_chgnet_checkpoint_and_one_of_another_family(tmp_path):
    pytest.importorskip("chgnet")
    pytest.importorskip("sevenn")
    registered = loaded("chgnet")
    own = resolve("chgnet", checkpoint=registered.weights, device="cpu")
    structures = varied(3)
    assert own.energies(structures) == pytest.approx(registered.energies(structures))
    other = resolve("sevenn", checkpoint=registered.weights)
    with pytest.raises(ModelError, match="of the chgnet family, not of sevenn: use --mlip chgnet"):
        other.energies(structures)
    wrong = resolve("chgnet", checkpoint=resolve("7net-l3i5").weights)
    with pytest.raises(ModelError, match="of the sevenn family, not of chgnet: use --mlip sevenn"):
        wrong.energies(structures)
    broken = tmp_path / "broken.pth"
    broken.write_bytes(b"not a checkpoint")
    with pytest.raises(ModelError, match="can't load the weights"):
        resolve("chgnet", checkpoint=broken, device="cpu").energies(structures)


@pytest.mark.filterwarnings("ignore")
def test_changed_checkpoint_under_the_same_name_is_another_model(tmp_path):
    pytest.importorskip("chgnet")
    path = tmp_path / "last.pth.tar"
    content = resolve("chgnet").weights.read_bytes()
    path.write_bytes(content)
    first = resolve("chgnet", checkpoint=path).fingerprint
    path.write_bytes(content + b"\0")
    assert resolve("chgnet", checkpoint=path).fingerprint != first


@pytest.mark.filterwarnings("ignore")
def test_modality_is_asked_for():
    calculator("7net-mf-0")
    weights = loaded("7net-mf-0").weights
    with pytest.raises(ModelError, match=r"option modality \(R2SCAN, PBE\)"):
        resolve("sevenn", checkpoint=weights, device="cpu").energies(varied(1))
    wrong = resolve("7net-mf-0", options={"modality": "HSE"}, device="cpu")
    with pytest.raises(ModelError, match="no modality HSE: use one of R2SCAN, PBE"):
        wrong.energies(varied(1))


@pytest.mark.filterwarnings("ignore")
def test_weights_of_a_later_version_are_asked_for():
    pytest.importorskip("sevenn")
    if model_status(load_cards()["7net-mf-0"]).weights is not None:
        pytest.skip("this sevenn has them")
    with pytest.raises(ModelError, match=r"has no weights for 7net-mf-0 .*install a version"):
        _ = resolve("7net-mf-0").fingerprint


@pytest.mark.filterwarnings("ignore")
def test_modality_of_a_model_that_has_none():
    pytest.importorskip("sevenn")
    with pytest.raises(ModelError, match="has no modality PBE: leave it out"):
        resolve("7net-0", options={"modality": "PBE"}, device="cpu").energies(varied(1))
