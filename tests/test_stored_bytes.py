"""All files of a library are written by one function; it gives the committed ones to the byte."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toys import store, toy_document

from symscape.decode import decode, encode
from symscape.errors import ReferenceFileError
from symscape.references.crystal_files import read_crystals
from symscape.references.crystals import write_crystals
from symscape.references.landscape_files import write_reference
from symscape.references.own_curves import CurvesRecord, write_own_curves
from symscape.references.point_records import PointRecord
from symscape.references.schema import LandscapeRecord, dump_document, read_document, write_document

REFERENCES = Path(__file__).parents[1] / "references"
GRIDS = sorted(p for p in REFERENCES.glob("*/*.json") if "points" in json.loads(p.read_bytes()))
#: files whose checks of convergence stand on one line, as an earlier version wrote them
OLDER = {"P_y-P_z", "Ti_z-O_z"}
CRYSTALS = sorted((REFERENCES / "crystals").glob("*.json"))


@pytest.mark.parametrize("path", [*GRIDS, *CRYSTALS], ids=lambda path: path.stem)
def test_a_committed_file_is_what_would_be_written_of_it(path):
    text = path.read_text(encoding="utf-8")
    if path in GRIDS:
        record, rows = read_document(path), "points"
        points = [decode(PointRecord, point, "") for point in record.points]
        record = replace(record, points=points)
    else:
        record, rows = read_crystals(path), "crystals"
    again = dump_document(encode(record), rows)
    if path.stem in OLDER:
        assert json.loads(again) == json.loads(text)
    else:
        assert again == text


def test_a_grid_is_stored_again_as_it_is(tmp_path):
    path = min((p for p in GRIDS if p.stem not in OLDER), key=lambda path: path.stat().st_size)
    written = store(tmp_path, json.loads(path.read_bytes()))
    assert write_reference(tmp_path, read_document(path)) == written
    assert written.read_bytes() == path.read_bytes()


def test_crystals_are_stored_again_as_they_are(tmp_path):
    path = min(CRYSTALS, key=lambda path: path.stat().st_size)
    read = read_crystals(path)
    written = write_crystals(tmp_path, read.system, read.crystals, read.method, read.provenance)
    assert written.read_bytes() == path.read_bytes()


def test_curves_are_stored_again_as_they_are(tmp_path):
    path = REFERENCES / "equations-of-state" / "own.json"
    shutil.copytree(path.parent, tmp_path / path.parent.name)
    read = decode(CurvesRecord, json.loads(path.read_bytes()), "")
    written = write_own_curves(tmp_path, read.crystals, read.method, read.provenance)
    assert written.read_bytes() == path.read_bytes()


# ------------------------------------------------------------------ what takes another's place


TOY = json.loads(json.dumps(toy_document(points=3)))


def grid(computed: int, *, complete: bool) -> LandscapeRecord:
    """A toy of nine points of which the first are computed."""
    provenance = {**TOY["provenance"], "complete": complete}
    document = {**TOY, "points": TOY["points"][:computed], "provenance": provenance}
    return decode(LandscapeRecord, document, "")


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(1, 9), st.integers(1, 9), st.booleans(), st.booleans())
def test_a_grid_that_is_not_complete_takes_no_fuller_ones_place(
    tmp_path, before, after, was_complete, complete
):
    path = tmp_path / "grid.json"
    path.unlink(missing_ok=True)
    old, new = grid(before, complete=was_complete), grid(after, complete=complete)
    write_document(path, old, "points", Path.read_text)
    if after < before and not complete:
        with pytest.raises(ReferenceFileError, match=f"only {after} of what would take its place"):
            write_document(path, new, "points", Path.read_text)
        assert json.loads(path.read_text()) == encode(old)
    else:
        write_document(path, new, "points", Path.read_text)
        assert json.loads(path.read_text()) == encode(new)


@pytest.mark.parametrize("text", ['{"schema": "symscape-landscape/2"}', "{", ""])
def test_what_this_version_can_not_read_stays(tmp_path, text):
    path = write_reference(tmp_path, grid(9, complete=True))
    path.write_text(text)
    with pytest.raises(ReferenceFileError, match=f"^{path}: "):
        write_reference(tmp_path, grid(9, complete=True))
    assert path.read_text() == text


def test_what_does_not_load_is_not_written(tmp_path):
    def refuse(trial):
        raise ReferenceFileError(f"{trial}: no")

    with pytest.raises(ReferenceFileError, match="no"):
        write_document(tmp_path / "a" / "b.json", grid(9, complete=True), "points", refuse)
    assert not list((tmp_path / "a").iterdir())
