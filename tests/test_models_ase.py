"""The generic adapter."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest
from ase.calculators.calculator import all_changes
from ase.calculators.emt import EMT
from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress
from model_structures import varied

from symscape.bulk.pair import PairPotential
from symscape.errors import ModelError
from symscape.models.ase import ASEModel
from symscape.models.card import ModelCard
from symscape.models.evaluate import evaluate
from symscape.models.registry import resolve

METALS = ("Al", "Cu", "Ag", "Ni", "Pd", "Pt")


def write(path, body):
    path.write_text(textwrap.dedent(body))
    return path


def test_class_of_ase_gives_its_energies_forces_and_stresses():
    structures = varied(8, METALS)
    said = resolve("ase.calculators.emt:EMT").predict(structures, forces=True, stresses=True)
    for i, atoms in enumerate(structures):
        atoms.calc = EMT()
        own = slice(*structures.offsets[i : i + 2])
        assert said.energies[i] == pytest.approx(atoms.get_potential_energy())
        assert said.forces[own] == pytest.approx(atoms.get_forces())
        assert said.stresses[i] == pytest.approx(atoms.get_stress(voigt=False))


def test_calculator_of_ase_is_cacheable():
    one, two = (resolve("ase.calculators.emt:EMT") for _ in range(2))
    assert one.cacheable
    assert one.fingerprint == two.fingerprint
    assert one.fingerprint != resolve("ase.calculators.lj:LennardJones").fingerprint


def test_function_in_a_file_is_not_cacheable_unless_it_says_what_it_is(tmp_path):
    silent = write(
        tmp_path / "silent.py",
        """
        from ase.calculators.emt import EMT
        def make():
            return EMT()
        """,
    )
    declared = write(
        tmp_path / "declared.py",
        """
        from ase.calculators.emt import EMT
        def make():
            return EMT()
        make.fingerprint = "EMT as published"
        """,
    )
    structures = varied(3, METALS)
    expected = resolve("ase.calculators.emt:EMT").energies(structures)
    for path, cacheable in ((silent, False), (declared, True)):
        model = resolve(f"{path}:make", mlip_name="mine")
        assert model.card.name == "mine"
        assert model.cacheable is cacheable
        assert model.energies(structures) == pytest.approx(expected)


def test_declared_fingerprint_may_be_a_function_and_source_counts(tmp_path):
    body = """
        from ase.calculators.emt import EMT
        def make():
            return EMT()
        make.fingerprint = lambda: "weights 1"
        """
    one = resolve(f"{write(tmp_path / 'one.py', body)}:make").fingerprint
    changed = body.replace("weights 1", "weights 2")
    two = resolve(f"{write(tmp_path / 'two.py', changed)}:make").fingerprint
    assert one != two


def test_module_in_the_current_folder_is_found(tmp_path, monkeypatch):
    write(
        tmp_path / "module_of_a_user.py",
        """
        from ase.calculators.emt import EMT
        make = EMT
        """,
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [p for p in __import__("sys").path if p not in ("", ".")])
    assert np.isfinite(resolve("module_of_a_user:make").energies(varied(1, METALS))).all()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("no_such_package.module:make", "Can't import no_such_package"),
        ("ase.calculators.emt:nothing", "has no 'nothing'"),
        ("ase.calculators.emt:parameters", "no calculator class"),
        ("ase.build:molecule", "raised TypeError"),
        ("builtins:dict", "returned dict, which is no ASE calculator"),
        ("nowhere/at/all.py:make", "There is no file"),
    ],
)
def test_what_can_be_wrong_with_a_factory(name, sentence):
    with pytest.raises(ModelError, match=sentence):
        resolve(name).energies(varied(1, METALS))


def test_dtype_is_the_calculators_own():
    with pytest.raises(ModelError, match="leave out the dtype"):
        resolve("ase.calculators.emt:EMT", dtype="float64")


def test_device_is_passed_to_whoever_asks_for_it(tmp_path):
    path = write(
        tmp_path / "with_device.py",
        """
        from ase.calculators.emt import EMT
        asked = []
        def make(device="nowhere"):
            asked.append(device)
            return EMT()
        """,
    )
    model = resolve(f"{path}:make", device="cpu")
    model.energies(varied(1, METALS))
    import sys

    assert sys.modules[model.factory.__module__].asked == ["cpu"]


def test_a_calculator_gives_what_it_lists(tmp_path):
    path = write(
        tmp_path / "listed.py",
        """
        from ase.calculators.calculator import Calculator
        from ase.calculators.emt import EMT

        made = []

        class Energies(Calculator):
            implemented_properties = ["energy", "free_energy"]

            def calculate(self, atoms=None, properties=None, system_changes=None):
                self.results = {"energy": 1.0, "free_energy": 1.0}

        class Instance(EMT):
            implemented_properties = []

            def __init__(self):
                super().__init__()
                made.append(self)
                self.implemented_properties = ["energy", "forces", "magmom"]

        def energies():
            return Energies()

        class Silent:
            def get_potential_energy(self, atoms=None, force_consistent=False):
                return 2.0
        """,
    )
    everything = {"energy", "forces", "stress"}
    assert resolve("ase.calculators.emt:EMT").implements == everything
    for name, expected in (
        ("Energies", {"energy"}),
        ("energies", {"energy"}),
        ("Instance", {"energy", "forces"}),
        ("Silent", everything),
    ):
        assert resolve(f"{path}:{name}").implements == expected, name


def test_what_a_model_does_not_have_is_not_asked_for(tmp_path):
    path = write(
        tmp_path / "bare.py",
        """
        from ase.calculators.lj import LennardJones

        class Bare(LennardJones):
            implemented_properties = ["energy"]
        """,
    )
    model = resolve(f"{path}:Bare")
    structures = varied(3)
    assert np.isfinite(evaluate(model, structures).energies).all()
    with pytest.raises(ModelError, match="Bare gives no forces and no stress: ask it for energies"):
        evaluate(model, structures, forces=True, stresses=True)


def test_a_calculator_with_a_method_for_batches_gets_them_and_says_the_same():
    one_by_one, calls = PairPotential(), []

    class Counted(PairPotential):
        def symscape_predict_batch(self, structures, forces, stresses):
            calls.append(len(structures))
            return super().symscape_predict_batch(structures, forces, stresses)

    model = ASEModel(ModelCard("pair", "ase", "a:b"), "cpu")
    model._factory = Counted
    structures = varied(40, ("Na", "Cl", "Ti", "O"))
    # before it is known that it takes batches, and after
    first, second = model.predict(structures), model.predict(structures)
    assert (first.energies == second.energies).all()
    assert len(calls) == 4
    calls.clear()
    said = evaluate(model, structures, forces=True, stresses=True)
    assert len(calls) < 5
    alone = evaluate(model, structures)
    for i, atoms in enumerate(structures):
        atoms.calc = one_by_one
        own = slice(*structures.offsets[i : i + 2])
        assert said.energies[i] == alone.energies[i] == atoms.get_potential_energy()
        assert said.forces[own] == pytest.approx(atoms.get_forces(), abs=1e-12)
        assert said.stresses[i] == pytest.approx(atoms.get_stress(voigt=False), abs=1e-14)


def test_the_pair_potentials_forces_and_stresses_are_its_energys_slopes():
    atoms = varied(1, ("Na", "Cl")).atoms(0)
    atoms.calc = PairPotential()
    assert atoms.get_forces() == pytest.approx(calculate_numerical_forces(atoms), abs=1e-5)
    assert atoms.get_stress() == pytest.approx(calculate_numerical_stress(atoms), abs=1e-6)


def test_one_structure_that_spoils_a_batch_costs_the_others_nothing():
    class Spoilt(PairPotential):
        def symscape_predict_batch(self, structures, forces, stresses):
            if (structures.numbers == 79).any():
                raise ValueError("no gold")
            return super().symscape_predict_batch(structures, forces, stresses)

    model = ASEModel(ModelCard("pair", "ase", "a:b"), "cpu")
    model._factory = Spoilt
    structures = varied(12, ("Na", "Cl"))
    structures.numbers[structures.offsets[5]] = 79
    said = evaluate(model, structures)
    assert list(said.failures) == [5]
    assert np.isfinite(np.delete(said.energies, 5)).all()


def test_a_class_that_computes_by_itself_is_not_asked_for_what_it_inherits():
    class Shifted(PairPotential):
        def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
            super().calculate(atoms, properties, system_changes)
            self.results["energy"] += 1

    model = ASEModel(ModelCard("pair", "ase", "a:b"), "cpu")
    model._factory = Shifted
    structures = varied(3, ("Na", "Cl"))
    plain = evaluate(resolve("symscape.bulk.pair:PairPotential"), structures)
    assert evaluate(model, structures).energies == pytest.approx(plain.energies + 1)


def test_a_method_for_batches_that_returns_something_else_is_a_failure():
    class Bare(PairPotential):
        def symscape_predict_batch(self, structures, forces, stresses):
            return np.zeros(len(structures))

    model = ASEModel(ModelCard("pair", "ase", "a:b"), "cpu")
    model._factory = Bare
    said = evaluate(model, varied(2, ("Na", "Cl")))
    assert set(said.failures.values()) == {
        "symscape_predict_batch returned ndarray, not a Prediction"
    }
