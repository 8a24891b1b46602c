"""Data sets on disk: whole or not at all, checked, read in chunks, in bounded memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from dataset_files import (
    Interrupting,
    small_document,
    write_small,
    write_text,
)
from dataset_files import entries_file as entries_file
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from symscape.dataset import write
from symscape.dataset.folder import MANIFEST, REJECTS, dataset_info
from symscape.dataset.importing import import_files
from symscape.dataset.options import ImportOptions
from symscape.dataset.read import _cuts, iterate_chunks, load_dataset
from symscape.dataset.record import CrystalRecord
from symscape.dataset.write import DatasetWriter
from symscape.errors import DatasetError


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A data set of a hundred crystals of one to seven atoms, in several parts."""
    path = tmp_path_factory.mktemp("small") / "made"
    rng = np.random.default_rng(3)
    with DatasetWriter(path, part_atoms=60) as writer:
        for k in range(100):
            n = int(rng.integers(1, 8))
            positions = np.zeros((n, 3))
            positions[:, 0] = np.arange(n) / n
            record = CrystalRecord(
                f"c{k}", rng.integers(1, 90, n), np.diag([2.0 * n, 3, 3 + 0.01 * k]), positions, -n
            )
            assert writer.add(record)
        writer.finish({})
    return path


# -- the folder -----------------------------------------------------------------------------------


def test_the_manifest_says_what_is_there(small):
    info = dataset_info(small)
    assert len(info.parts) > 3
    assert info.crystals == sum(part.crystals for part in info.parts) == 100
    assert info.atoms == sum(part.atoms for part in info.parts)
    assert {p.name for p in small.iterdir()} == {
        MANIFEST, REJECTS, *(part.file for part in info.parts)
    }  # fmt: skip
    assert info.atoms == load_dataset(small)["n_atoms"].sum()


def test_the_second_of_two_records_with_an_id_is_rejected(tmp_path):
    made = [small_document(0), small_document(1), small_document(0, energy=-9.0)]
    first = write_text(tmp_path / "a.json", json.dumps(made))
    second = write_text(tmp_path / "b.json", json.dumps(made[1:2]))
    done = import_files([first, second], tmp_path / "made")
    assert (done.records, done.imported, done.rejected) == (4, 2, {"duplicate id": 2})
    table = load_dataset(tmp_path / "made")
    assert list(table["energy"]) == [-3.7, -3.7]
    assert not table["id"].duplicated().any()


def test_an_id_of_a_rejected_record_is_free(tmp_path):
    made = [small_document(0, energy=None), small_document(0)]
    path = write_text(tmp_path / "a.json", json.dumps(made))
    assert import_files([path], tmp_path / "made").imported == 1


def test_import_is_reproducible(entries_file, tmp_path):
    for name in ("one", "two"):
        import_files([entries_file], tmp_path / name)
    assert [p.sha256 for p in dataset_info(tmp_path / "one").parts] == [
        p.sha256 for p in dataset_info(tmp_path / "two").parts
    ]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("of any kind")])
def test_an_interrupted_import_leaves_nothing_and_can_be_repeated(error, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "PART_CRYSTALS", 100)
    path = write_small(tmp_path / "small.json", 1500)
    with pytest.raises(type(error)):
        import_files([path], tmp_path / "made", progress=Interrupting(error))
    assert [p.name for p in tmp_path.iterdir()] == ["small.json"]
    assert import_files([path], tmp_path / "made").imported == 1500


def test_a_killed_import_can_be_repeated(tmp_path):
    """SIGKILL in the middle, when parts have been written already."""
    path = write_small(tmp_path / "small.json", 300)
    program = (
        "import sys, time\n"
        "from symscape.dataset import importing, write\n"
        "write.PART_CRYSTALS = 20\n"
        "done = []\n"
        "def slow(*_):\n"
        "    time.sleep(60)\n"
        "own = write.DatasetWriter.add\n"
        "def add(self, record, file=''):\n"
        "    done.append(1)\n"
        "    if len(done) == 200: slow()\n"
        "    return own(self, record, file)\n"
        "write.DatasetWriter.add = add\n"
        "importing.import_files([sys.argv[1]], sys.argv[2])\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(path), str(tmp_path / "made")])
    partial = tmp_path / ".made.partial"
    deadline = time.monotonic() + 120
    while not (partial / "crystals-00008.parquet").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # while it runs, no other may write there
    with pytest.raises(DatasetError, match="another import is writing it"):
        import_files([path], tmp_path / "made")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "made").exists()
    assert import_files([path], tmp_path / "made").imported == 300
    assert {p.name for p in tmp_path.iterdir()} == {"small.json", "made"}


def test_what_is_there_already_is_kept_unless_told_otherwise(entries_file, tmp_path):
    made = tmp_path / "made"
    import_files([entries_file], made)
    before = (made / MANIFEST).read_bytes()
    one = write_text(tmp_path / "one.json", json.dumps([small_document(0)]))
    with pytest.raises(DatasetError, match=r"a data set already.*--replace"):
        import_files([one], made)
    # one that fails replaces nothing
    broken = write_text(tmp_path / "broken.json", "[")
    with pytest.raises(DatasetError):
        import_files([broken], made, ImportOptions(replace=True))
    assert (made / MANIFEST).read_bytes() == before
    import_files([one], made, ImportOptions(replace=True))
    assert list(load_dataset(made)["id"]) == ["e-0"]
    assert {p.name for p in tmp_path.iterdir()} == {
        "entries.json", "one.json", "broken.json", "made"
    }  # fmt: skip


def test_a_folder_that_is_no_data_set_is_never_replaced(entries_file, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    for target in (tmp_path / "mine", entries_file):
        with pytest.raises(DatasetError, match="no data set"):
            import_files([entries_file], target, ImportOptions(replace=True))
    assert (tmp_path / "mine" / "thesis.tex").exists()


def test_a_full_disk_is_one_sentence_and_leaves_nothing(entries_file, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.write_table", full)
    with pytest.raises(DatasetError, match=r"can't be written \(No space left on device\)"):
        import_files([entries_file], tmp_path / "made")
    assert [p.name for p in tmp_path.iterdir()] == ["entries.json"]


def test_without_pyarrow_there_is_one_sentence(entries_file, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(DatasetError, match=r"pip install symscape\[scale\]"):
        import_files([entries_file], tmp_path / "made")


def test_the_lock_is_released(entries_file, tmp_path):
    with (
        FileLock(tmp_path / ".made.lock"),
        pytest.raises(DatasetError, match="another import is writing it"),
    ):
        import_files([entries_file], tmp_path / "made")
    import_files([entries_file], tmp_path / "made")
    assert not (tmp_path / ".made.lock").exists()


# -- reading --------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=50), st.integers(1, 60))
def test_chunks_hold_no_more_atoms_than_told(sizes, most):
    cuts = list(_cuts(np.array(sizes), most))
    assert [start for start, _ in cuts] == [0, *(end for _, end in cuts[:-1])]
    assert cuts[-1][1] == len(sizes)
    for (start, end), following in zip(cuts, [*cuts[1:], None], strict=True):
        assert end > start
        assert sum(sizes[start:end]) <= most or end == start + 1
        # as many as fit
        assert following is None or sum(sizes[start : end + 1]) > most


@pytest.mark.parametrize("max_atoms", [1, 7, 59, 60, 61, 150, 10_000])
def test_chunks_hold_every_crystal_once_whatever_their_size(max_atoms, small):
    whole = load_dataset(small, structures=True)
    chunks = list(iterate_chunks(small, max_atoms))
    ids = [name for chunk in chunks for name in chunk.table["id"]]
    assert ids == list(whole["id"])
    sizes = [end - start for start, end in _cuts(whole["n_atoms"].to_numpy(), max_atoms)]
    assert [len(chunk.structures) for chunk in chunks] == sizes
    for chunk in chunks:
        assert list(chunk.table.index) == list(range(chunk.index, chunk.index + len(chunk.table)))
        for k, row in enumerate(whole.loc[chunk.table.index].itertuples()):
            numbers, positions, cell = chunk.structures.arrays(k)
            np.testing.assert_array_equal(numbers, row.numbers)
            np.testing.assert_array_equal(cell.ravel(), row.cell)
            expected = row.scaled_positions.reshape(-1, 3) @ cell
            np.testing.assert_allclose(positions, expected, atol=1e-12)


def test_tables_carry_their_settings_and_chosen_columns(entries_file, tmp_path):
    import_files([entries_file], tmp_path / "made", ImportOptions(source="a talk"))
    table = load_dataset(tmp_path / "made", columns=["energy", "id"])
    assert list(table.columns) == ["energy", "id"]
    assert table.attrs["settings"]["dataset"]["sources"] == ["entries.json"]
    assert set(load_dataset(tmp_path / "made")["source"]) == {"a talk"}
    with pytest.raises(DatasetError, match="no column 'enrgy'"):
        load_dataset(tmp_path / "made", columns=["enrgy"])
    with pytest.raises(DatasetError, match="0 atoms"):
        next(iterate_chunks(tmp_path / "made", 0))


def test_damaged_and_missing_files_are_one_sentence(entries_file, tmp_path):
    made = tmp_path / "made"
    import_files([entries_file], made)
    part = made / dataset_info(made).parts[0].file
    whole = part.read_bytes()
    spoilt = bytearray(whole)
    spoilt[len(spoilt) // 2] ^= 1
    part.write_bytes(bytes(spoilt))
    for read in (load_dataset, lambda path: list(iterate_chunks(path))):
        with pytest.raises(DatasetError, match="checksum"):
            read(made)
    part.write_bytes(whole[:100])
    with pytest.raises(DatasetError, match="can't be read"):
        load_dataset(made, verify=False)
    part.unlink()
    with pytest.raises(DatasetError, match="lacks this file"):
        load_dataset(made)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "damaged"),
        ("[]", "damaged"),
        ('{"schema": "other/1"}', "schema is 'other/1'"),
        ('{"schema": "symscape-dataset/2", "crystals": "x"}', "damaged"),
    ],
)
def test_a_damaged_manifest_is_one_sentence(text, message, entries_file, tmp_path):
    import_files([entries_file], tmp_path / "made")
    (tmp_path / "made" / MANIFEST).write_text(text)
    with pytest.raises(DatasetError, match=message):
        load_dataset(tmp_path / "made")


def test_what_is_no_data_set_is_one_sentence(tmp_path):
    with pytest.raises(DatasetError, match="this is no data set"):
        load_dataset(tmp_path)
