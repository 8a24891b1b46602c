"""The command that imports data sets, and what data sets are for."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time

import numpy as np
import pytest
from dataset_files import entries_file as entries_file
from dataset_files import (
    small_document,
    write_small,
    write_text,
)
from typer.testing import CliRunner

from symscape.cli import app
from symscape.dataset import importing
from symscape.dataset.folder import REJECTS, dataset_info
from symscape.dataset.importing import import_files
from symscape.dataset.read import load_dataset
from symscape.errors import DatasetError

# -- memory ---------------------------------------------------------------------------------------


PEAKS = """
import resource, sys
from symscape.dataset import write
from symscape.dataset.importing import import_files
from symscape.dataset.read import iterate_chunks

write.PART_CRYSTALS = 500

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

for k, path in enumerate(sys.argv[2:]):
    made = f"{sys.argv[1]}/made-{k}"
    import_files([path], made)
    imported = peak()
    count = sum(len(chunk.structures) for chunk in iterate_chunks(made, 400))
    print(imported, peak(), count)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is counted in kilobytes on Linux")
def test_memory_does_not_grow_with_the_number_of_records(tmp_path):
    few, many = 2_000, 14_000
    files = [write_small(tmp_path / f"{n}.json", n) for n in (few, many)]
    outcome = subprocess.run(
        [sys.executable, "-c", PEAKS, str(tmp_path), *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
    )
    (_, first, n_first), (imported, read, n_second) = (
        map(int, line.split()) for line in outcome.stdout.splitlines()
    )
    assert (n_first, n_second) == (few, many)
    # the identifiers are kept, some 100 bytes each; a record that was kept would take thousands
    assert imported - first < 300 * (many - few)
    assert read - imported < 2 * 2**20


# -- the command ----------------------------------------------------------------------------------


def run(*arguments):
    return CliRunner().invoke(app, ["import", *map(str, arguments)])


def test_the_command_sums_up(entries_file, tmp_path):
    bad = write_text(
        tmp_path / "bad.json", json.dumps([small_document(0, energy=None), small_document(1)])
    )
    outcome = run(entries_file, bad, "-o", tmp_path / "made", "--level-of-theory", "PBE")
    assert outcome.exit_code == 0
    for line in (
        "records    7",
        "imported   6",
        "rejected   1",
        "no energy            1",
        "elements   7: Cl Cu Mg Na O Si Ti",
        "no crystal of the element: Cl Na O Ti",
        "systems    6",
        "atoms      27, 1 to 8 a cell, median 2",
    ):
        assert line in [text.strip() for text in outcome.stdout.splitlines()]
    assert dataset_info(tmp_path / "made").crystals == 6


def test_the_command_fails_if_no_record_is_usable(tmp_path):
    bad = write_text(tmp_path / "bad.json", json.dumps([small_document(0, energy=None)]))
    outcome = run(bad, "-o", tmp_path / "made")
    assert outcome.exit_code == 1
    assert "none of 1 records could be imported" in outcome.output
    assert [p.name for p in (tmp_path / "made").iterdir()] == [REJECTS]
    with pytest.raises(DatasetError, match="no data set"):
        load_dataset(tmp_path / "made")
    # the name is not taken
    good = write_text(tmp_path / "good.json", json.dumps([small_document(0)]))
    assert run(good, "-o", tmp_path / "made").exit_code == 0


def test_the_command_wants_a_key_for_the_materials_project(tmp_path, monkeypatch):
    monkeypatch.delenv("MP_API_KEY", raising=False)
    outcome = run("--mp", "Mg-O", "-o", tmp_path / "made")
    assert isinstance(outcome.exception, DatasetError)
    assert "MP_API_KEY" in str(outcome.exception)


def test_the_command_fetches_with_the_given_key(tmp_path, monkeypatch):
    from contextlib import contextmanager

    from test_dataset_materials_project import client

    keys = []

    @contextmanager
    def opened(key):
        keys.append(key)
        yield client()

    monkeypatch.setattr("symscape.dataset.materials_project.open_client", opened)
    outcome = run("--mp", "Mg-O", "Si", "--key", "mine", "-o", tmp_path / "made")
    assert outcome.exit_code == 0, outcome.output
    assert keys == ["mine"]
    assert set(load_dataset(tmp_path / "made")["system"]) == {"Mg", "Mg-O", "Si"}


def test_progress_reaches_the_end_and_counts(tmp_path):
    path = write_small(tmp_path / "small.json.gz", 500)
    seen = []
    importing.import_files(
        [path, path], tmp_path / "made", progress=lambda *state: seen.append(state)
    )
    done, totals, counts = zip(*seen, strict=True)
    assert set(totals) == {2 * path.stat().st_size}
    assert list(done) == sorted(done)
    assert done[-1] == totals[-1]
    assert list(counts) == sorted(counts)


# -- what it is for -------------------------------------------------------------------------------


def test_hulls_of_a_data_set_agree_with_pymatgen(tmp_path):
    """Formation energies and hulls take the table as it comes."""
    from dataset_files import structures
    from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
    from pymatgen.core import Lattice, Structure

    mgo, silicon, magnesium, *_ = structures()
    silicide = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(6.35), ["Si", "Mg"], [[0, 0, 0], [0.25, 0.25, 0.25]]
    )
    loose = silicide.copy()
    loose.scale_lattice(300)
    oxygen = Structure(Lattice.cubic(5.0), ["O", "O"], [[0, 0, 0], [0.25, 0, 0]])
    kinds = {
        "Mg": (magnesium, -1.6), "Si": (silicon, -5.4), "O": (oxygen, -4.9), "MgO": (mgo, -6.0),
        "Mg2Si": (silicide, -3.1), "loose": (loose, -2.9),
    }  # fmt: skip
    made = [
        {"entry_id": name, "energy": energy * len(s), "correction": 0.0, "structure": s.as_dict()}
        for name, (s, energy) in kinds.items()
    ]
    path = write_text(tmp_path / "entries.json", json.dumps(made))
    import_files([path], tmp_path / "made")

    from symscape.science.hull.phases import energies_above_hull, formation_energies, select_system

    table = load_dataset(tmp_path / "made")
    entries = [
        PDEntry(s.composition.element_composition, energy * len(s)) for s, energy in kinds.values()
    ]
    diagram = PhaseDiagram(entries)
    formation = [diagram.get_form_energy_per_atom(entry) for entry in entries]
    np.testing.assert_allclose(formation_energies(table), formation, atol=1e-9)
    above = [diagram.get_e_above_hull(entry) for entry in entries]
    np.testing.assert_allclose(energies_above_hull(table), above, atol=1e-9)
    assert above[-1] == pytest.approx(0.2)
    assert set(select_system(table, "Mg-Si")["id"]) == {"Mg", "Si", "Mg2Si", "loose"}


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def test_a_long_import_shows_its_progress_on_a_terminal(monkeypatch):
    from symscape.cli import dataset

    monkeypatch.setenv("TERM", "xterm")
    for patience, shown in ((3600.0, False), (0.0, True)):
        monkeypatch.setattr(sys, "stderr", terminal := Terminal())
        monkeypatch.setattr(dataset, "_PATIENCE", patience)
        with dataset._progress("kB") as progress:
            time.sleep(0.15)
            progress(512_000, 1_024_000, 37)
            time.sleep(0.15)
        assert ("512/1024" in terminal.getvalue().replace(" ", "")) == shown


@pytest.mark.parametrize("level", ["", "PBE"])
def test_crystals_without_a_level_of_theory_are_noticed(level, tmp_path):
    file = write_text(tmp_path / "one.json", json.dumps([small_document(0)]))
    named = ["--level-of-theory", level] if level else []
    done = CliRunner().invoke(app, ["import", str(file), "-o", str(tmp_path / "made"), *named])
    assert done.exit_code == 0, done.output
    said = "unknown ones are taken for one; name it with --level-of-theory"
    assert (said in done.output) is not bool(level)
