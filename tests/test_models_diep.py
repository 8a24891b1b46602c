"""DIEP: a small network that its package builds and saves, against the package's calculator."""

from __future__ import annotations

import numpy as np
import pytest
from model_structures import one_structure_of, varied
from small_models import ELEMENTS, quietly

from symscape.errors import ModelError
from symscape.models.registry import resolve

pytest.importorskip("diep", reason="diep is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return the folder of an untrained network."""
    with quietly():
        import torch
        from diep.apps.pes import Potential
        from diep.models import DIEP

        torch.manual_seed(4)
        small = {"dim_node_embedding": 16, "dim_edge_embedding": 16, "units": 16, "nblocks": 2}
        network = DIEP(element_types=ELEMENTS, is_intensive=False, **small)
        path = tmp_path_factory.mktemp("diep") / "small"
        references = torch.linspace(-1.0, -6.0, len(ELEMENTS))
        # untrained networks say nearly the same of every structure; the factor makes it eV
        Potential(network, data_std=2000.0, element_refs=references).save(path)
    return path


def test_equals_the_packages_calculator(saved):
    from diep.pretrained import make_calculator

    structures = varied(6)
    calc = make_calculator(saved)
    energies, forces, stresses = [], [], []
    for atoms in structures:
        atoms.calc = calc
        energies.append(atoms.get_potential_energy())
        forces.append(atoms.get_forces())
        # handed out as the matrix that ASE takes for six components
        stresses.append(np.reshape(calc.results["stress"], (3, 3)))
    largest = np.abs(np.concatenate(forces)).max()
    assert largest > 1e-2
    found = resolve("diep", checkpoint=saved, device="cpu").predict_batch(
        structures, forces=True, stresses=True
    )
    # float32 throughout
    per_atom = np.array(energies) / structures.n_atoms
    assert np.std(per_atom) > 0.1
    assert found.energies / structures.n_atoms == pytest.approx(
        per_atom, abs=float(2e-6 * np.abs(per_atom).max())
    )
    assert found.forces == pytest.approx(np.concatenate(forces), abs=float(1e-3 * largest))
    assert found.stresses == pytest.approx(
        np.array(stresses), abs=float(1e-3 * np.abs(stresses).max())
    )


def test_an_element_that_the_model_lacks_is_named(saved):
    with pytest.raises(ModelError, match="mine was not trained on Au"):
        resolve("diep", checkpoint=saved, mlip_name="mine", device="cpu").energies(
            one_structure_of("Au")
        )


def test_checkpoints_are_recognized(saved):
    from symscape.models.checkpoints import recognize_family

    assert recognize_family(saved) == "diep"
