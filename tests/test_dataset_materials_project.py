"""Entries that the Materials Project's client gives become a data set."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest
from dataset_files import (
    entries,
    thermo_document,
)
from pymatgen.core import Structure

from symscape.dataset.importing import import_materials_project
from symscape.dataset.materials_project import open_client
from symscape.dataset.read import load_dataset
from symscape.errors import DatasetError


class Thermo:
    """Answers as ``MPRester.materials.thermo`` does with ``use_document_model=False``."""

    def __init__(self, documents, wrap=lambda document: document):
        self.documents = documents
        self.wrap = wrap
        self.asked = []

    def search(self, chemsys, thermo_types, all_fields, fields):
        self.asked.append((chemsys, tuple(thermo_types)))
        assert all_fields is False
        return [
            self.wrap({k: v for k, v in document.items() if k in fields})
            for document in self.documents
            if next(iter(document["entries"].values()))["structure"] is not None
            and Structure.from_dict(
                next(iter(document["entries"].values()))["structure"]
            ).composition.element_composition.chemical_system
            == chemsys
        ]


def client(*, wrap=lambda document: document):
    kinds = ("GGA", "GGA+U", "r2SCAN", "GGA", "GGA")
    made = [
        thermo_document(k, e, kind)
        for k, (e, kind) in enumerate(zip(entries(), kinds, strict=True))
    ]
    return SimpleNamespace(materials=SimpleNamespace(thermo=Thermo(made, wrap)))  # fmt: skip


class Model:
    """A pydantic document, as ``MPRester`` gives by default."""

    def __init__(self, document):
        self.document = document

    def model_dump(self, mode):
        assert mode == "json"
        return self.document


def as_objects(document):
    """A document whose entries are pymatgen's objects already."""
    from pymatgen.entries.computed_entries import ComputedStructureEntry

    made = {k: ComputedStructureEntry.from_dict(e) for k, e in document["entries"].items()}
    return document | {"entries": made}


@pytest.mark.parametrize("wrap", [lambda document: document, Model, as_objects])
def test_the_materials_project_gives_systems_with_all_that_they_contain(wrap, tmp_path):
    mp = client(wrap=wrap)
    done = import_materials_project(["O-Mg", "Si"], tmp_path / "made", mp)
    asked = [system for system, _ in mp.materials.thermo.asked]
    assert asked == ["Mg", "O", "Si", "Mg-O"]
    assert {types for _, types in mp.materials.thermo.asked} == {("GGA_GGA+U",)}
    table = load_dataset(tmp_path / "made").set_index("id")
    assert set(table.index) == {"mp-0", "mp-1", "mp-2"}
    own = {f"mp-{k}": entry for k, entry in enumerate(entries())}
    for name, row in table.iterrows():
        assert row["energy"] == pytest.approx(own[name].uncorrected_energy_per_atom)
        assert row["correction"] == pytest.approx(own[name].correction_per_atom, abs=1e-12)
        assert row["source"] == "Materials Project"
    assert done.lacking == ("O",)


@pytest.mark.parametrize(
    ("systems", "message"),
    [
        (["Li-Xe"], "the chemical system Li-Xe is empty"),
        (["Mg-Oo"], "'Oo' is no element"),
        ([""], "'' is no element"),
        ([], "no chemical system"),
    ],
)
def test_empty_and_misspelt_systems_are_one_sentence_and_leave_nothing(systems, message, tmp_path):
    with pytest.raises(DatasetError, match=message):
        import_materials_project(systems, tmp_path / "made", client())
    assert not list(tmp_path.iterdir())


def test_failing_requests_and_unknown_types_are_one_sentence(tmp_path):
    mp = client()

    def fail(**_):
        raise ConnectionError("the network is down\nmore")

    mp.materials.thermo.search = fail
    with pytest.raises(
        DatasetError, match=r"entries of Si can't be fetched \(the network is down\)"
    ):
        import_materials_project(["Si"], tmp_path / "made", mp)
    with pytest.raises(DatasetError, match="thermo type 'PBE' is unknown"):
        import_materials_project(["Si"], tmp_path / "made", client(), "PBE")


def test_a_missing_key_or_package_is_one_sentence(monkeypatch):
    monkeypatch.delenv("MP_API_KEY", raising=False)
    with pytest.raises(DatasetError, match="MP_API_KEY"):
        open_client()
    monkeypatch.setitem(sys.modules, "mp_api", None)
    monkeypatch.setitem(sys.modules, "mp_api.client", None)
    with pytest.raises(DatasetError, match="pip install"):
        open_client("key")


def test_the_client_gets_the_users_key(monkeypatch):
    made = {}

    class MPRester:
        def __init__(self, key, **settings):
            made["key"] = key
            made.update(settings)
            if key == "bad":
                raise ValueError("Invalid API key.")

    module = ModuleType("mp_api.client")
    module.MPRester = MPRester
    monkeypatch.setitem(sys.modules, "mp_api", ModuleType("mp_api"))
    monkeypatch.setitem(sys.modules, "mp_api.client", module)
    monkeypatch.setenv("MP_API_KEY", "from the environment")
    open_client()
    assert made["key"] == "from the environment"
    assert made["use_document_model"] is False
    open_client("given")
    assert made["key"] == "given"
    with pytest.raises(DatasetError, match="Invalid API key"):
        open_client("bad")
