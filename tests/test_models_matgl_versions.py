"""Which version of matgl computes a saved network: told from model.json alone."""

from __future__ import annotations

import json

import numpy as np
import pytest
import small_models as small
from model_structures import varied

from symscape.errors import ModelError
from symscape.models.matgl import check_format
from symscape.models.registry import resolve
from symscape.models.weights import distribution_version


def saved(folder, name, module, made, **arguments):
    """Write a model.json as the versions of the package do."""
    network = {"@class": name, "@module": module, "@model_version": made, "init_args": {}}
    document = {"@module": "matgl.apps.pes", "kwargs": {"model": network, **arguments}}
    (folder / "model.json").write_text(json.dumps(document))
    return folder


OLD = [
    ("M3GNet", "matgl.models._m3gnet", 2, {}),
    ("TensorNet", "matgl.models._tensornet_pyg", 1, {}),
    ("TensorNet", "matgl.models._tensornet_pyg", 1, {"calc_charge": False}),
]


@pytest.mark.parametrize(("name", "module", "made", "arguments"), OLD)
@pytest.mark.parametrize("version", ["3.0.0", "4.1.2", "10.0"])
def test_newer_versions_refuse_older_networks(tmp_path, name, module, made, arguments, version):
    saved(tmp_path, name, module, made, **arguments)
    with pytest.raises(
        ModelError, match=rf"matgl {version} computes other energies.*matgl 2\.0\.4"
    ):
        check_format(tmp_path, version)


def test_version_2_takes_the_graph_library_of_the_network(tmp_path):
    assert check_format(saved(tmp_path, *OLD[0][:3]), "2.0.4") == "DGL"
    assert check_format(saved(tmp_path, *OLD[1][:3]), "2.0.4") == "PYG"


def test_version_2_refuses_newer_networks(tmp_path):
    saved(tmp_path, "TensorNet", "matgl.models._tensornet", 2, calc_charge=False)
    assert check_format(tmp_path, "4.1.2") == "4"
    with pytest.raises(ModelError, match=r"of matgl 4, which matgl 2\.0\.4 can't compute"):
        check_format(tmp_path, "2.0.4")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"kwargs": {"model": 3}}'])
def test_an_unreadable_description_is_named(tmp_path, text):
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(ModelError, match=r"no readable model\.json of a matgl potential"):
        check_format(tmp_path, "4.1.2")


def need_dgl():
    pytest.importorskip("dgl", reason="dgl is not installed")
    if not distribution_version("matgl").startswith("2."):
        pytest.skip("matgl 2 is not installed")


def test_m3gnet_of_version_2_equals_its_calculator_in_batches_too(tmp_path, monkeypatch):
    need_dgl()
    monkeypatch.setenv("MATGL_BACKEND", "DGL")
    path = small.save_matgl(tmp_path / "m3gnet", "M3GNet")
    import matgl
    from matgl.ext.ase import PESCalculator

    structures = varied(8)
    calc = PESCalculator(matgl.load_model(path), stress_unit="eV/A3")
    energies, forces = [], []
    for atoms in structures:
        atoms.calc = calc
        energies.append(atoms.get_potential_energy())
        forces.append(atoms.get_forces())
    model = resolve("matgl", checkpoint=path, dtype="float32", device="cpu")
    found = model.predict_batch(structures, forces=True)
    assert found.energies / structures.n_atoms == pytest.approx(
        np.array(energies) / structures.n_atoms, abs=1e-4
    )
    assert found.forces == pytest.approx(np.concatenate(forces), abs=1e-3)
