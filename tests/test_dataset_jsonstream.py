"""JSON is read as a stream, whatever its blocks and whatever stands in it."""

from __future__ import annotations

import contextlib
import io
import json
import string

import numpy as np
import pytest
from dataset_files import (
    documents,
    entries,
    small_document,
    structures,
    summary_document,
    thermo_document,
    write_text,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Structure

from symscape.dataset import jsonstream
from symscape.dataset.importing import import_files
from symscape.dataset.jsonstream import DamagedFile, json_values
from symscape.dataset.read import load_dataset
from symscape.dataset.readers.json_records import from_document
from symscape.dataset.record import (
    LEAST_VOLUME_A3,
    BadRecord,
    Reject,
    check_energy,
    check_geometry,
)

TEXT = st.text(string.printable + "é€😀\u2028", max_size=9)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def same(a, b):
    """Equality in which NaN equals itself."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


@settings(deadline=None, max_examples=80)
@given(
    st.lists(VALUES, max_size=6),
    st.integers(1, 40),
    st.sampled_from([None, 1]),
    st.booleans(),
)
def test_array_items_are_what_json_reads_for_any_block_size(items, block, indent, ascii_only):
    text = json.dumps(items, indent=indent, ensure_ascii=ascii_only).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonstream, "_BLOCK", block)
        found = [value.parse() for value in json_values(io.BytesIO(text))]
    assert same(found, items)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.dictionaries(st.text(), VALUES, min_size=1, max_size=3), min_size=1, max_size=4),
       st.integers(1, 40))  # fmt: skip
def test_columns_are_what_json_reads_for_any_block_size(rows, block):
    names = {str(k): f"name {k}" for k in range(len(rows))}
    table = {
        "material_id": names,
        "skipped": rows,
        "entry": {str(k): r for k, r in enumerate(rows)},
    }
    text = json.dumps(table).encode()
    with pytest.MonkeyPatch.context() as patch:
        # what the file is like must be seen in the first block
        patch.setattr(jsonstream, "_BLOCK", 40 + block)
        found = list(json_values(io.BytesIO(text)))
    assert same([value.parse() for value in found], rows)
    assert [value.name for value in found] == list(names.values())


@settings(deadline=None, max_examples=120)
@given(st.data())
def test_any_mutated_file_gives_records_or_one_error(data):
    text = bytearray(json.dumps([small_document(k) for k in range(3)]).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(text) - 1))
        if data.draw(st.booleans()):
            text[place] = data.draw(st.sampled_from(list(b'{}[]",:\\ 0-n\n\xff')))
        else:
            del text[place : place + data.draw(st.integers(1, 30))]
    count = 0
    try:
        for value in json_values(io.BytesIO(bytes(text))):
            count += 1
            try:
                document = value.parse()
            except ValueError:
                continue
            from_document(document, "file", value.where)
    except DamagedFile:
        pass
    assert count <= len(text)


def places(value, path=()):
    """Every place in a document."""
    yield path
    if isinstance(value, (dict, list)):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, below in inner:
            yield from places(below, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


JUNK = VALUES | st.sampled_from([10**308, -(10**400), 1e-300, 1e12, -1, 0, "Fe", "", [], {}, [[]]])
DOCUMENTS = {
    "entry": lambda: documents()[0],
    "wrapped": lambda: {"material_id": "wbm-1", "computed_structure_entry": documents()[2]},
    "summary": lambda: summary_document(1, structures()[1], -5.0, 0.0),
    "thermo": lambda: thermo_document(0, entries()[0]),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", DOCUMENTS)
def test_whatever_stands_in_a_document_it_is_taken_or_rejected(kind):
    original = DOCUMENTS[kind]()
    own = list(places(original))
    # most places are somewhere among the sites
    place = st.sampled_from([path for path in own if len(path) < 5]) | st.sampled_from(own)

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.tuples(place, JUNK), min_size=1, max_size=2))
    def check(changes):
        document = original
        for path, new in changes:
            # a place may be gone by now
            with contextlib.suppress(LookupError, TypeError):
                document = replaced(document, path, new)
        found = from_document(document, "file", "record 1", "")
        if isinstance(found, Reject):
            assert found.reason.endswith(".")
            return
        try:
            check_geometry(found)
            check_energy(found)
        except BadRecord as error:
            assert error.reason.endswith(".")  # noqa: PT017
        else:
            assert np.isfinite(found.energy_eV)
            assert found.volume >= LEAST_VOLUME_A3
            assert len(found.positions) == found.n_atoms

    check()


def test_a_record_without_end_is_not_read_to_the_end_of_the_file(monkeypatch):
    monkeypatch.setattr(jsonstream, "LONGEST_RECORD", 10_000)
    monkeypatch.setattr(jsonstream, "_BLOCK", 1000)
    file = io.BytesIO(b'[{"a": [' + b"1, " * 1_000_000)
    with pytest.raises(DamagedFile, match="within reason"):
        list(json_values(file))
    assert file.tell() < 100_000


def test_structures_survive_pymatgens_own_round_trip(tmp_path):
    """What a data set holds gives pymatgen the same crystal again."""
    path = write_text(tmp_path / "entries.json", json.dumps(documents()))
    import_files([path], tmp_path / "made")
    rows = load_dataset(tmp_path / "made", structures=True)
    for own, row in zip(structures(), rows.itertuples(), strict=True):
        again = Structure(
            row.cell.reshape(3, 3), list(row.numbers), row.scaled_positions.reshape(-1, 3)
        )
        assert again.matches(own.copy().remove_oxidation_states())
