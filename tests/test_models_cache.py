"""The energies on disk."""

from __future__ import annotations

import multiprocessing
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_structures import varied
from typer.testing import CliRunner

from symscape.cli import app
from symscape.crystal.structures import Structures
from symscape.models import cache_tables as tables
from symscape.models.cache import CacheEntry, CacheWarning, EnergyCache, structure_keys


def entries(n, start=0, n_atoms=2):
    rng = np.random.default_rng(start)
    return {
        i.to_bytes(16, "big"): CacheEntry(float(i), rng.random((n_atoms, 3)), rng.random((3, 3)))
        for i in range(start, start + n)
    }


@pytest.fixture
def cache(tmp_path):
    with EnergyCache(tmp_path / "cache") as made:
        yield made


def test_gives_back_exactly_what_was_put(cache):
    put = entries(1200)
    cache.put("model a", "A", put)
    got = EnergyCache(cache.folder).get("model a", list(put))
    assert got.keys() == put.keys()
    for key, entry in put.items():
        assert got[key].energy == entry.energy
        assert np.array_equal(got[key].forces, entry.forces)
        assert np.array_equal(got[key].stress, entry.stress)


def test_another_fingerprint_knows_nothing(cache):
    put = entries(3)
    cache.put("model a", "A", put)
    assert cache.get("model b", list(put)) == {}


def test_energy_alone_does_not_cover_forces_and_does_not_erase_them(cache):
    (key,) = entries(1)
    cache.put("m", "M", {key: CacheEntry(1.0)})
    known = cache.get("m", [key])[key]
    assert known.covers(False, False)
    assert not known.covers(True, False)
    assert not known.covers(False, True)
    cache.put("m", "M", {key: CacheEntry(1.0, np.ones((1, 3)))})
    cache.put("m", "M", {key: CacheEntry(1.0, None, np.ones((3, 3)))})
    assert cache.get("m", [key])[key].covers(True, True)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.integers(0, 4),
    st.sampled_from(["numbers", "positions", "cells"]),
    st.floats(1e-15, 1e-3),
    st.data(),
)
def test_any_change_of_a_structure_changes_its_key_alone(i, what, size, data):
    structures = varied(5)
    arrays = {
        "numbers": structures.numbers.copy(),
        "positions": structures.positions.copy(),
        "cells": structures.cells.copy(),
    }
    if what == "cells":
        where: tuple[int, ...] = (i, data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2)))
    else:
        atom = data.draw(st.integers(structures.offsets[i], structures.offsets[i + 1] - 1))
        where = (atom,) if what == "numbers" else (atom, data.draw(st.integers(0, 2)))
    before = arrays[what][where]
    arrays[what][where] = before + 1 if what == "numbers" else np.nextafter(before + size, np.inf)
    changed = Structures(**arrays, offsets=structures.offsets)
    same = [
        a == b for a, b in zip(structure_keys(structures), structure_keys(changed), strict=True)
    ]
    assert same == [j != i for j in range(5)]


def test_key_does_not_depend_on_the_neighbours_or_the_sign_of_zero():
    structures = varied(6)
    assert structure_keys(structures[[4]]) == structure_keys(structures)[4:5]
    zero = Structures.stack(np.array([1]), np.zeros((1, 1, 3)), np.eye(3)[None])
    minus = Structures.stack(np.array([1]), -np.zeros((1, 1, 3)), np.eye(3)[None])
    assert structure_keys(zero) == structure_keys(minus)


def test_atoms_cannot_be_taken_for_cells():
    # equal bytes in another division would collide if the parts were not told apart by length
    one = Structures.stack(np.array([1, 1]), np.zeros((1, 2, 3)), np.zeros((1, 3, 3)))
    two = Structures.stack(np.array([1]), np.zeros((1, 1, 3)), np.zeros((1, 3, 3)))
    assert structure_keys(one) != structure_keys(two)


def test_pruning_drops_what_was_used_longest_ago(tmp_path, monkeypatch):
    now = [1_000_000.0]
    monkeypatch.setattr(tables.time, "time", lambda: now[0])
    cache = EnergyCache(tmp_path, max_bytes=500_000)
    old, kept = entries(500, 0, n_atoms=10), entries(500, 500, n_atoms=10)
    cache.put("m", "M", old)
    now[0] += 10_000
    cache.put("m", "M", kept)
    now[0] += 10_000
    assert len(cache.get("m", list(old)[:50])) == 50  # used again, so they are young now
    now[0] += 10_000
    new = entries(300, 1000, n_atoms=10)
    cache.put("m", "M", new)
    assert len(cache.get("m", list(new))) == 300
    assert len(cache.get("m", list(old)[:50])) == 50
    assert len(cache.get("m", list(old)[50:])) == 0
    assert cache.path.stat().st_size <= 500_000


def test_an_unlimited_cache_drops_nothing(cache):
    put = entries(300)
    cache.put("m", "M", put)
    assert cache.prune() == 0
    assert len(cache.get("m", list(put))) == 300


def test_info_and_clear(cache):
    assert cache.info().entries == {}
    assert not cache.path.exists()
    cache.put("a1", "A", entries(3))
    cache.put("a2", "A", entries(2))
    cache.put("b", "B", entries(4))
    assert cache.info().entries == {"A": 5, "B": 4}
    assert cache.info().size > 0
    assert cache.clear("A") == 5
    assert cache.info().entries == {"B": 4}
    assert cache.clear() == 4
    assert cache.info().entries == {}


def test_outcomes_are_kept_by_model_and_question(cache):
    assert cache.get_outcome("a", b"?") is None
    cache.put_outcome("a", "A", b"?", "first")
    cache.put_outcome("a", "A", b"?", "second")
    cache.put_outcome("b", "B", b"?", "other")
    assert cache.get_outcome("a", b"?") == "second"
    assert cache.get_outcome("b", b"?") == "other"
    assert cache.get_outcome("a", b"!") is None
    cache.clear("A")
    assert cache.get_outcome("a", b"?") is None
    assert cache.get_outcome("b", b"?") == "other"
    cache.clear()
    assert cache.get_outcome("b", b"?") is None


def test_not_a_database_is_set_aside(cache):
    cache.folder.mkdir()
    cache.path.write_bytes(b"this is no database at all" * 100)
    put = entries(2)
    with pytest.warns(CacheWarning, match="set aside as energies"):
        cache.put("m", "M", put)
    assert len(cache.get("m", list(put))) == 2
    (kept,) = cache.folder.glob("*damaged*")
    assert kept.read_bytes().startswith(b"this is no database")


def test_damage_within_the_file_is_set_aside(cache):
    put = entries(3000)
    cache.put("m", "M", put)
    cache.close()
    content = bytearray(cache.path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    cache.path.write_bytes(content)
    again = EnergyCache(cache.folder)
    with pytest.warns(CacheWarning, match="damaged"):
        assert again.get("m", list(put)) == {}
    again.put("m", "M", put)
    assert len(again.get("m", list(put))) == 3000


def test_folder_that_is_a_file_switches_the_cache_off(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    cache = EnergyCache(blocked)
    with pytest.warns(CacheWarning, match="--cache-dir"):
        cache.put("m", "M", entries(1))
    cache.put("m", "M", entries(1))  # silent now
    assert cache.get("m", list(entries(1))) == {}


def _fill(folder, start):
    with EnergyCache(folder) as cache:
        for k in range(10):
            cache.put("m", "M", entries(20, start + 20 * k))


def test_several_processes_write_at_once(tmp_path):
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_fill, args=(tmp_path, 1000 * w)) for w in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert EnergyCache(tmp_path).info().entries == {"M": 800}


def test_a_killed_writer_leaves_a_sound_file(tmp_path):
    code = f"""
import os
from symscape.models.cache import EnergyCache, CacheEntry
cache = EnergyCache({str(tmp_path)!r})
cache.put("m", "M", {{bytes(16): CacheEntry(1.0)}})
cache._connection.execute("BEGIN")
cache._connection.execute("DELETE FROM energies")
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert EnergyCache(tmp_path).get("m", [bytes(16)])[bytes(16)].energy == 1.0


def test_works_after_a_fork(cache):
    cache.put("m", "M", entries(2))

    def child():
        assert len(cache.get("m", list(entries(2)))) == 2

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(30)
    assert process.exitcode == 0
    assert len(cache.get("m", list(entries(2)))) == 2


def test_environment_names_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("SYMSCAPE_CACHE_DIR", str(tmp_path / "x"))
    assert EnergyCache().folder == tmp_path / "x"
    monkeypatch.delenv("SYMSCAPE_CACHE_DIR")
    assert EnergyCache().folder.name == "symscape"


def test_the_file_is_plain_sqlite(cache):
    cache.put("m", "M", entries(1))
    with sqlite3.connect(cache.path) as connection:
        assert connection.execute("SELECT energy FROM energies").fetchall() == [(0.0,)]


def rewrite(cache, statement, *values):
    """Change the file behind the cache's back."""
    cache.close()
    with sqlite3.connect(cache.path) as connection:
        assert connection.execute(statement, values).rowcount == 1
    connection.close()


#: what may stand in a damaged field, whatever its type was
ANYTHING = st.one_of(
    st.none(), st.integers(-9, 9), st.floats(-9, 9), st.binary(max_size=40), st.text(max_size=9)
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(["energy", "forces", "stress", "checksum", "used", "model"]), ANYTHING)
def test_a_damaged_row_is_forgotten_and_the_others_are_not(tmp_path_factory, column, value):
    with EnergyCache(tmp_path_factory.mktemp("cache")) as cache:
        put = entries(3)
        cache.put("a", "A", put)
        cache.put("b", "B", entries(1, 100))
        key = next(iter(put))
        try:
            statement = f"UPDATE energies SET {column} = ? WHERE structure = ?"
            rewrite(cache, statement, value, key)
        except sqlite3.IntegrityError:  # SQLite itself refuses some
            return
        for fingerprint in ("a", "b"):
            for found, entry in cache.get(fingerprint, list(put)).items():
                assert fingerprint == "a"
                assert entry.energy == put[found].energy
                assert np.array_equal(entry.forces, put[found].forces)
                assert np.array_equal(entry.stress, put[found].stress)
        assert {*put} - {key} <= set(cache.get("a", list(put)))
        cache.put("a", "A", {key: put[key]})
        assert set(cache.get("a", list(put))) == set(put)


@pytest.mark.parametrize("length", [0, 1, 23, 25])
def test_a_blob_of_the_wrong_length_is_forgotten(cache, length):
    (key,) = entries(1)
    cache.put("a", "A", {key: CacheEntry(1.0, np.ones((1, 3)))})
    rewrite(cache, "UPDATE energies SET forces = ?", bytes(length))
    assert cache.get("a", [key]) == {}
    assert cache.info().entries == {}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(min_size=1, max_size=30), st.one_of(ANYTHING, st.just(b"\xff\xfe{")), st.booleans())
def test_a_damaged_text_is_forgotten(tmp_path_factory, text, value, verdict):
    with EnergyCache(tmp_path_factory.mktemp("cache")) as cache:
        put, get, table, column = (
            (cache.put_verdict, cache.get_verdict, "verdicts", "verdict")
            if verdict
            else (cache.put_outcome, cache.get_outcome, "outcomes", "outcome")
        )
        put("a", "A", b"?", text)
        assert get("a", b"?") == text
        if value is None:
            return
        rewrite(cache, f"UPDATE {table} SET {column} = CAST(? AS TEXT)", value)
        assert get("a", b"?") in (None, text)
        put("a", "A", b"?", text)
        assert get("a", b"?") == text


def test_what_an_earlier_version_kept_is_left_alone_until_all_is_cleared(cache):
    cache.folder.mkdir()
    earlier = cache.folder / "energies-1.sqlite3"
    earlier.write_bytes(b"of another schema")
    cache.put("a", "A", entries(1))
    assert cache.get("a", list(entries(1)))
    assert cache.info().earlier == 17
    shown = CliRunner().invoke(app, ["cache", "info", "--cache-dir", str(cache.folder)])
    assert "17 bytes beside it are of an earlier version" in shown.stdout
    cache.clear("A")
    assert earlier.read_bytes() == b"of another schema"
    cache.clear()
    assert not earlier.exists()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_energy_comes_back_as_it_was(tmp_path_factory, energy):
    with EnergyCache(tmp_path_factory.mktemp("cache")) as cache:
        cache.put("a", "A", {bytes(16): CacheEntry(energy)})
        assert cache.get("a", [bytes(16)])[bytes(16)].energy == energy
