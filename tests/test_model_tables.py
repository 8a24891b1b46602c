"""A model's tables of a library of crystals: each crystal is evaluated and relaxed once."""

from __future__ import annotations

import numpy as np
import pytest
from hull_library import write_library
from hull_suite_models import model

from symscape.errors import HullError
from symscape.models.evaluate import Evaluator
from symscape.references.crystals import load_crystals
from symscape.science.hull.model_tables import DescribedCrystals, ModelTables


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    return DescribedCrystals(load_crystals([write_library(tmp_path_factory.mktemp("tables"))]))


def tables(described, **options):
    return ModelTables(described, Evaluator(model(**options)))


def test_a_model_is_asked_about_each_crystal_once(described):
    own = tables(described)
    assert not own.compared
    assert own.whole
    assert own.left_out == []
    first = own.table()
    assert own.compared
    assert own.table() is first
    assert list(first["id"]) == list(described.table["id"])
    # the model is what made the references
    assert np.abs(first["error_above_hull"]).max() < 0.01


def test_only_what_is_not_relaxed_is_relaxed(described):
    own = tables(described)
    wanted = own.not_relaxed_yet(["Cu"])
    assert sorted(wanted) == sorted(own.system("Cu")["id"])
    own.relax(wanted)
    assert own.not_relaxed_yet(["Cu"]) == []
    left = own.not_relaxed_yet(["Cu", "Al-Cu", "Cu"])
    assert sorted([*left, *wanted]) == sorted(own.system("Al-Cu")["id"])
    made = own.relaxed("Cu")
    assert sorted(made["id"]) == sorted(wanted)
    assert made.attrs["not_relaxed"] == []
    assert np.abs(made["error_fixed"]).max() < 5
    assert own.whole


def test_crystals_without_energy_are_named_and_left_out(described):
    def pairs(atoms):
        return len(atoms) == 2 and set(atoms.numbers) == {29}

    atoms = {crystal.id: crystal.to_atoms() for crystal in described.library.crystals}
    lost = [name for name in described.table["id"] if pairs(atoms[name])]
    assert lost
    own = tables(described, without=pairs)
    assert set(own.table()["id"]) == set(described.table["id"]) - set(lost)
    assert own.left_out == lost
    assert not own.whole


def test_a_model_without_any_energy_is_refused(described):
    own = tables(described, without=lambda atoms: True)
    with pytest.raises(HullError, match="gave no energy for any crystal"):
        own.table()
    assert not own.compared
