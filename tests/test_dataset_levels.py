"""Levels of theory that a record states more than once, and volumes beside its structure."""

from __future__ import annotations

import json

import pytest
from dataset_files import small_document
from hypothesis import given
from hypothesis import strategies as st

from symscape.crystal.read import read_structure
from symscape.dataset.documents import record_from_document
from symscape.dataset.record import BadRecord
from symscape.errors import StructureFileError

#: what is written -> functional, and whether +U is
LEVELS = {
    "GGA": ("PBE", False), "PBE": ("PBE", False), "GGA+U": ("PBE", True), "PBE+U": ("PBE", True),
    "R2SCAN": ("r2SCAN", False), "r2SCAN": ("r2SCAN", False), "PBEsol": ("PBEsol", False),
}  # fmt: skip
KEYS = ("run_type", "functional", "level_of_theory")
PLACES = ("document", "data", "parameters")


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(PLACES), st.sampled_from(KEYS)),
        st.sampled_from(sorted(LEVELS)),
        min_size=1,
        max_size=4,
    )
)
def test_levels_of_theory_that_differ_are_a_contradiction(stated):
    document = small_document(0)
    for (place, key), value in stated.items():
        (document if place == "document" else document.setdefault(place, {}))[key] = value
    functionals = {LEVELS[value][0] for value in stated.values()}
    # a functional alone may leave +U out, a run type says whether there is any
    hubbard = {
        LEVELS[value][1]
        for (_, key), value in stated.items()
        if key != "functional" or LEVELS[value][1]
    }
    if len(functionals) > 1 or len(hubbard) > 1:
        with pytest.raises(BadRecord, match="another level of theory") as caught:
            record_from_document(document)
        assert caught.value.kind == "contradiction"
    else:
        (base,) = functionals
        level = base + "+U" * (hubbard == {True})
        assert record_from_document(document).level_of_theory == level


@pytest.mark.parametrize("place", ["entry", "document"])
def test_a_document_and_the_entry_in_it_have_one_level(place):
    entry = small_document(0, parameters={"run_type": "GGA"})
    row = {"material_id": "mp-1", "computed_structure_entry": entry}
    assert record_from_document(row | {"functional": "PBE"}).level_of_theory == "PBE"
    (entry["parameters"] if place == "entry" else row)["functional"] = "r2SCAN"
    with pytest.raises(BadRecord, match="'r2SCAN'"):
        record_from_document(row)


@given(st.floats(0.2, 5.0))
def test_a_volume_is_its_cells_or_an_atoms(factor):
    """The cell of one atom; a rounded volume is no other one."""
    document = small_document(0, volume=27.0 * factor)
    if abs(factor - 1) <= 0.01:
        assert record_from_document(document).n_atoms == 1
    else:
        with pytest.raises(BadRecord, match=r"volume is .* the structure's cell has 27 cubic"):
            record_from_document(document)


@pytest.mark.parametrize(
    ("volume", "right"), [(27.0, True), (27, True), (None, True), (54.0, False)]
)
def test_a_volume_beside_a_structure_file(volume, right, tmp_path):
    path = tmp_path / "copper.json"
    path.write_text(json.dumps(small_document(0, volume=volume)))
    if right:
        assert len(read_structure(path).atoms) == 1
    else:
        with pytest.raises(StructureFileError, match="volume is 54, but the structure's cell"):
            read_structure(path)
