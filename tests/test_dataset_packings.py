"""Compressed lists of crystals are read as plain ones are, whole or not at all."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma

import ase.io
import pytest
from ase.build import bulk
from dataset_files import documents, small_document
from hypothesis import given, settings
from hypothesis import strategies as st

from symscape.crystal.reading.packing import DAMAGED, packing_of, unpacked
from symscape.dataset.importing import import_files
from symscape.dataset.read import load_dataset
from symscape.errors import DatasetError


def zstd(data):
    return pytest.importorskip("zstandard").ZstdCompressor().compress(data)


PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}


def frames():
    file = io.StringIO()
    made = bulk("Cu", cubic=True)
    made.info = {"energy": -14.0, "material_id": "mp-30"}
    ase.io.write(file, [made], format="extxyz")
    return file.getvalue()


TEXTS = {
    "list.json": lambda: json.dumps(documents()),
    "lines.jsonl": lambda: "\n".join(json.dumps(small_document(k)) for k in range(9)),
    "frames.extxyz": frames,
}


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("name", TEXTS)
def test_a_packed_list_is_read_as_the_plain_one(name, ending, tmp_path):
    plain, packed = tmp_path / name, tmp_path / f"packed-{name}{ending}"
    plain.write_text(TEXTS[name]())
    packed.write_bytes(PACKERS[ending](plain.read_bytes()))
    for path, output in ((plain, "plain"), (packed, "packed")):
        import_files([path], tmp_path / output)
    one, other = (load_dataset(tmp_path / output) for output in ("plain", "packed"))
    assert len(one) > 0
    assert one.drop(columns="source").equals(other.drop(columns="source"))


@pytest.mark.parametrize("ending", PACKERS)
def test_a_packed_table_of_energies_is_read(ending, tmp_path):
    """The structures have no energies; the table has."""
    entries = [small_document(k) for k in range(3)]
    for entry in entries:
        del entry["energy"]
    (tmp_path / "crystals.json").write_text(json.dumps(entries))
    rows = "id,uncorrected_energy\n" + "".join(f"e-{k},{-3.0 - k}\n" for k in range(3))
    table = tmp_path / f"energies.csv{ending}"
    table.write_bytes(PACKERS[ending](rows.encode()))
    import_files([tmp_path / "crystals.json", table], tmp_path / "made")
    assert list(load_dataset(tmp_path / "made")["energy_cell"]) == [-3.0, -4.0, -5.0]


@pytest.mark.parametrize("ending", PACKERS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_is_cut_off_or_changed_is_never_taken_for_the_whole(ending, data):
    """Also where what is left unpacks well: lines of a list end anywhere."""
    content = "\n".join(json.dumps(small_document(k)) for k in range(9)).encode()
    parts = [content[: len(content) // 2], content[len(content) // 2 :]]
    packed = b"".join(PACKERS[ending](part) for part in parts)  # frames one behind the other
    end = data.draw(st.integers(8, len(packed)))
    first = len(PACKERS[ending](parts[0]))
    stream = io.BytesIO(packed[:end])
    reader = unpacked(stream, packing_of(packed), "a file")
    if end in (first, len(packed)):
        assert reader.read() == (parts[0] if end == first else content)
        return
    with pytest.raises(DAMAGED):
        list(iter(lambda: reader.read(100), b""))


@pytest.mark.parametrize("ending", PACKERS)
def test_a_cut_off_list_of_lines_is_one_sentence_and_leaves_nothing(ending, tmp_path):
    path = tmp_path / f"lines.jsonl{ending}"
    packed = PACKERS[ending](TEXTS["lines.jsonl"]().encode())
    path.write_bytes(packed[: len(packed) * 3 // 4])
    with pytest.raises(DatasetError, match=r"damaged or cut off .*fetch it again") as caught:
        import_files([path], tmp_path / "made")
    assert str(path) in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
