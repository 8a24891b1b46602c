"""MACE, matgl and ORB: models that their packages build and save, against their calculators."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import numpy as np
import pytest
import small_models as small
from model_structures import one_structure_of, varied

from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.models.published import published_structure
from symscape.models.registry import load_cards, resolve

PACKAGES = {"mace": "mace", "matgl": "matgl", "orb": "orb_models"}
KINDS = [
    "mace",
    "matgl-M3GNet",
    "matgl-TensorNet",
    "matgl-CHGNet",
    "orb-conservative",
    "orb-direct",
]
pytestmark = pytest.mark.filterwarnings("ignore")


def need(family):
    pytest.importorskip(PACKAGES[family], reason=f"{PACKAGES[family]} is not installed")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return a function that gives the path of a saved model, built at the first call."""
    folder = tmp_path_factory.mktemp("models")
    made = {}

    def get(kind):
        family, _, variant = kind.partition("-")
        need(family)
        if kind not in made:
            path = folder / kind
            if family == "mace":
                made[kind] = small.save_mace(path)
            elif family == "matgl":
                made[kind] = small.save_matgl(path, variant)
            else:
                made[kind] = small.save_orb(path, variant == "conservative")
        return made[kind]

    return get


def load(kind, path, monkeypatch, dtype="float64", **more):
    family, _, variant = kind.partition("-")
    options = {}
    if family == "orb":
        name = small.register_small_orb(monkeypatch, variant == "conservative")
        options["architecture"] = name
    return resolve(family, checkpoint=path, dtype=dtype, device="cpu", options=options, **more)


@pytest.mark.parametrize("kind", ["mace", "matgl-M3GNet"])
def test_a_saved_model_is_loaded_by_a_process_that_has_imported_nothing(kind, saved):
    """The file names classes, whose modules are imported while it is read."""
    code = (
        "import sys, symscape; from ase.build import bulk;"
        "from symscape.crystal.structures import Structures;"
        "model = symscape.model(sys.argv[1], checkpoint=sys.argv[2], device='cpu');"
        "print(model.energies(Structures.from_atoms([bulk('MgO', 'rocksalt', 4.2)])))"
    )
    command = [sys.executable, "-c", code, kind.partition("-")[0], str(saved(kind))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert np.isfinite(float(done.stdout.splitlines()[-1].strip("[]")))


def calculator(kind, path, monkeypatch, dtype):
    """Return the package's own ASE calculator."""
    family, _, variant = kind.partition("-")
    with small.quietly():
        if family == "mace":
            from mace.calculators import MACECalculator

            return MACECalculator(model_paths=str(path), device="cpu", default_dtype=dtype)
        if family == "matgl":
            import matgl
            import torch
            from matgl.ext.ase import PESCalculator

            # restored when the test ends; the converter reads these
            monkeypatch.setattr(matgl, "float_th", getattr(torch, dtype))
            monkeypatch.setattr(matgl, "float_np", getattr(np, dtype))
            potential = matgl.load_model(path).to(getattr(torch, dtype))
            return PESCalculator(potential, stress_unit="eV/A3")
        from orb_models.forcefield.calculator import ORBCalculator
        from orb_models.forcefield.pretrained import ORB_PRETRAINED_MODELS

        name = small.register_small_orb(monkeypatch, variant == "conservative")
        precision = {"float32": "float32-highest", "float64": "float64"}[dtype]
        with unchanged_default_dtype():
            model = ORB_PRETRAINED_MODELS[name](
                weights_path=str(path), device="cpu", precision=precision, compile=False
            )
        return ORBCalculator(model, device="cpu")


@contextlib.contextmanager
def unchanged_default_dtype():
    import torch

    before = torch.get_default_dtype()
    try:
        yield torch
    finally:
        torch.set_default_dtype(before)


def by_calculator(calc, structures, dtype):
    with unchanged_default_dtype() as torch:
        torch.set_default_dtype(getattr(torch, dtype))
        energies, forces, stresses = [], [], []
        for atoms in structures:
            atoms.calc = calc
            energies.append(atoms.get_potential_energy())
            forces.append(atoms.get_forces())
            stress = calc.results["stress"]
            # matgl's calculator hands out the matrix that ASE takes for six components
            stresses.append(stress if np.shape(stress) == (3, 3) else atoms.get_stress(voigt=False))
    return np.array(energies), np.concatenate(forces), np.array(stresses)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_equals_the_packages_calculator(kind, dtype, saved, monkeypatch):
    path = saved(kind)
    structures = varied(50)
    energies, forces, stresses = by_calculator(
        calculator(kind, path, monkeypatch, dtype), structures, dtype
    )
    # the structures differ by far more than the tolerance, or this test would say little
    assert np.std(energies / structures.n_atoms) > 0.1
    assert np.std(forces) > 1e-3
    model = load(kind, path, monkeypatch, dtype)
    step = 1e-6 if dtype == "float32" else 1e-10
    largest = np.abs(energies / structures.n_atoms).max()
    per_atom = np.abs(model.energies(structures) - energies) / structures.n_atoms
    assert per_atom == pytest.approx(0, abs=float(step * largest))
    all_three = model.predict(structures, forces=True, stresses=True)
    assert np.abs(all_three.energies - energies) / structures.n_atoms == pytest.approx(
        0, abs=float(step * largest)
    )
    assert all_three.forces == pytest.approx(forces, abs=float(100 * step * np.abs(forces).max()))
    assert all_three.stresses == pytest.approx(
        stresses, abs=float(100 * step * np.abs(stresses).max())
    )


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "orb-direct"])
def test_forces_and_stress_are_the_energys_derivatives(kind, saved, monkeypatch):
    model = load(kind, saved(kind), monkeypatch)
    structures = varied(5)[[4]]
    exact = model.predict(structures, forces=True, stresses=True)
    h = 1e-4
    atoms = structures.atoms(0)
    images = []
    for sign in (1, -1):
        moved, strained = atoms.copy(), atoms.copy()
        moved.positions[2, 1] += sign * h
        strained.set_cell(atoms.cell.array @ (np.eye(3) + sign * h * np.diag([0, 0, 1])), True)
        images += [moved, strained]
    up, up_strained, down, down_strained = model.energies(type(structures).from_atoms(images))
    assert -(up - down) / (2 * h) == pytest.approx(exact.forces[2, 1], rel=1e-4, abs=1e-5)
    stress = (up_strained - down_strained) / (2 * h) / atoms.get_volume()
    assert stress == pytest.approx(exact.stresses[0, 2, 2], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_loading_and_asking_leaves_torch_as_it_was(kind, saved, monkeypatch):
    path = saved(kind)
    import torch

    before = torch.get_default_dtype(), torch.get_float32_matmul_precision()
    load(kind, path, monkeypatch).energies(varied(2))
    assert (torch.get_default_dtype(), torch.get_float32_matmul_precision()) == before


@pytest.mark.parametrize("kind", ["mace", "matgl-M3GNet"])
def test_an_element_that_the_model_lacks_is_named(kind, saved, monkeypatch):
    model = load(kind, saved(kind), monkeypatch, mlip_name="mine")
    with pytest.raises(ModelError, match="mine was not trained on Au"):
        model.energies(one_structure_of("Au"))


def test_mace_computes_as_stored_unless_told_otherwise(saved):
    path = saved("mace")
    model = resolve("mace", checkpoint=path, device="cpu")
    structures = varied(5)
    double = resolve("mace", checkpoint=path, device="cpu", dtype="float64")
    assert np.array_equal(model.energies(structures), double.energies(structures))
    single = resolve("mace", checkpoint=path, device="cpu", dtype="float32")
    assert not np.array_equal(model.energies(structures), single.energies(structures))
    assert len({m.fingerprint for m in (model, double, single)}) == 3


def test_mace_heads(tmp_path):
    need("mace")
    path = small.save_mace(tmp_path / "heads.model", heads=("pbe", "r2scan"))
    structures = varied(3)
    with pytest.raises(ModelError, match=r"choose one with the option head \(pbe, r2scan\)"):
        resolve("mace", checkpoint=path, device="cpu").energies(structures)
    with pytest.raises(ModelError, match="no head scan: use one of pbe, r2scan"):
        resolve("mace", checkpoint=path, options={"head": "scan"}).energies(structures)
    from mace.calculators import MACECalculator

    for head in ("pbe", "r2scan"):
        model = resolve("mace", checkpoint=path, device="cpu", options={"head": head})
        calc = MACECalculator(model_paths=str(path), default_dtype="float64", head=head)
        expected = [calc.get_potential_energy(atoms) for atoms in structures]
        assert model.energies(structures) == pytest.approx(expected, abs=1e-9)


def test_orb_needs_to_know_the_architecture(saved):
    model = resolve("orb", checkpoint=saved("orb-direct"), device="cpu")
    with pytest.raises(ModelError, match="option architecture, one of orb-v3-conservative-omol"):
        model.energies(varied(1))


def test_orb_for_molecules_is_refused(tmp_path):
    need("orb")
    from orb_models.forcefield.pretrained import orb_v3_direct_architecture

    with small.quietly():
        import torch
        from orb_models.forcefield.atomic_system import SystemConfig

        network = orb_v3_direct_architecture(
            device="cpu",
            system_config=SystemConfig(radius=6.0, max_num_neighbors=120),
            has_charge_spin_cond=True,
            has_stress=False,
        )
        torch.save(network.state_dict(), tmp_path / "omol.ckpt")
    options = {"architecture": "orb-v3-direct-omol"}
    model = resolve("orb", checkpoint=tmp_path / "omol.ckpt", device="cpu", options=options)
    with pytest.raises(ModelError, match="for charged molecules"):
        model.energies(varied(1))


def test_checkpoints_are_recognized(saved):
    for kind, other in (("mace", "orb"), ("matgl-M3GNet", "mace"), ("orb-direct", "mace")):
        path, family = saved(kind), kind.partition("-")[0]
        need(other)
        with pytest.raises(ModelError, match=f"of the {family} family, not of {other}"):
            _ = resolve(other, checkpoint=path).fingerprint


def test_training_state_of_mace_is_not_a_model(tmp_path):
    need("mace")
    import torch

    path = tmp_path / "run_epoch-3.pt"
    torch.save({"model": {"w": torch.zeros(2)}, "epoch": 3}, path)
    with pytest.raises(ModelError, match=r"holds a dict, not a MACE model: give the \.model file"):
        resolve("mace", checkpoint=path, device="cpu").energies(varied(1))


@pytest.mark.parametrize("family", PACKAGES)
def test_weights_that_cannot_be_downloaded(family, monkeypatch, tmp_path):
    need(family)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CACHED_PATH_CACHE_ROOT", str(tmp_path / "cached_path"))
    block_downloads(monkeypatch)
    for card in load_cards().values():
        if card.family != family:
            continue
        with pytest.raises(ModelError) as caught:
            _ = resolve(card.name).fingerprint
        said = str(caught.value)
        assert said.startswith(f"The weights of {card.name} are missing")
        assert "no network in this test" in said
        assert str(tmp_path) in said
        assert f"--mlip {card.name} --checkpoint PATH" in said


def block_downloads(monkeypatch):
    def refuse(*_, **__):
        raise OSError("no network in this test")

    import importlib

    for module, name in (
        ("mace.calculators.foundations_models", "_urlretrieve_with_timeout"),
        ("matgl.utils.io", "_download_from_hf_hub"),
        ("cached_path", "cached_path"),
    ):
        try:
            monkeypatch.setattr(importlib.import_module(module), name, refuse)
        except ImportError:
            continue


@pytest.mark.parametrize("family", ["mace", "matgl", "orb"])
def test_a_copied_file_stands_in_for_a_download(family, saved, monkeypatch, tmp_path):
    kind = {"mace": "mace", "matgl": "matgl-TensorNet", "orb": "orb-direct"}[family]
    path = saved(kind)
    card = next(c for c in load_cards().values() if c.family == family)
    model = resolve(card.name, checkpoint=path)
    assert model.card.level_of_theory == card.level_of_theory
    assert model.card.reference == card.reference
    assert model.weights == path


@pytest.mark.parametrize("kind", ["mace", "orb-conservative", "orb-direct"])
def test_a_published_molecule_in_its_box_is_the_molecule_alone(kind, saved, monkeypatch):
    """Values of molecules were published without a cell; here crystals alone are asked about."""
    path = saved(kind)
    # ORB's direct networks take lone molecules in single precision only
    dtype = "float32" if kind == "orb-direct" else "float64"
    boxed = next(iter(published_structure("toluene")))
    boxed.numbers = np.where(boxed.numbers == 6, 14, 8)
    ours = load(kind, path, monkeypatch, dtype).energies(Structures.from_atoms([boxed]))
    alone = boxed.copy()
    alone.set_cell(None)
    alone.pbc = False
    alone.calc = calculator(kind, path, monkeypatch, dtype)
    tolerance = 1e-4 if dtype == "float32" else 1e-6
    assert float(ours[0]) == pytest.approx(alone.get_potential_energy(), abs=tolerance)
