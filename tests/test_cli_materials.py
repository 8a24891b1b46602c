"""``symscape materials``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from symscape.cli import app
from symscape.cli.materials import COLUMNS
from symscape.errors import ReferenceFileError
from symscape.references.library import find_references

REFERENCES = Path(__file__).parents[1] / "references"


def run(*args):
    return CliRunner().invoke(app, ["materials", *map(str, args)])


def rows(text):
    """Cells of a table whose columns are parted by two spaces."""
    return [
        [cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.split("\n")
    ]


def stored_counts(path):
    """Kinds of points as they stand in a reference's file, without symscape."""
    document = json.loads(path.read_text())
    points = document["points"]
    shape = [axis["points"] for axis in document["axes"]]
    masked = sum(bool(p.get("masked")) for p in points)
    same = sum("same_as" in p for p in points)
    energies = sum("energy_eV" in p for p in points)
    return shape, energies, same, masked


@pytest.mark.parametrize(
    "path", [entry.path for entry in find_references([REFERENCES])], ids=lambda p: p.parent.name
)
def test_counts_are_those_of_the_file(path):
    outcome = run(path.parent.name, "--references", REFERENCES)
    assert outcome.exit_code == 0
    row = next(r for r in rows(outcome.stdout) if r[:2] == [path.parent.name, path.stem])
    cells = dict(zip(COLUMNS, row, strict=True))
    shape, energies, same, masked = stored_counts(path)
    size = shape[0] * shape[1]
    assert cells["points"] == f"{shape[0]} x {shape[1]}"
    assert int(cells["computed"]) == energies
    assert int(cells["masked"]) >= masked
    counted = [int(cells[kind]) for kind in COLUMNS[5:9]]
    assert sum(counted) == size
    assert int(cells["by symmetry"]) <= same


def test_symmetry_is_named_and_counted(toy_file):
    text = run("--references", toy_file.parents[1]).stdout
    row = dict(zip(COLUMNS, rows(text)[1], strict=True))
    # CrB type: Cmcm, a, b and c free, one y for each of two orbits at 4c
    assert row["space group"] == "Cmcm (63)"
    assert (row["n_lattice"], row["n_wyckoff"]) == ("3", "2")
    assert row["axes"] == "Al_y 0.33 .. 0.39, Cu_y 0.04 .. 0.1"
    assert row["theory"] == "EMT"


def test_a_spoilt_file_does_not_hide_the_others(toy_file, tmp_path):
    for name in ("AlCu-Cmcm", "Bad-P1"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / toy_file.name).write_bytes(toy_file.read_bytes())
    outcome = run("--references", tmp_path)
    assert outcome.exit_code == 1
    assert "AlCu-Cmcm" in outcome.stdout
    assert "material is 'AlCu-Cmcm' but its folder says 'Bad-P1'" in outcome.stderr


def test_no_references_is_a_sentence(tmp_path):
    outcome = run("--references", tmp_path)
    assert isinstance(outcome.exception, ReferenceFileError)
    assert "no references here" in str(outcome.exception)
    outcome = run("Nope", "--references", REFERENCES)
    assert "material 'Nope' is not in the references" in str(outcome.exception)


def test_the_summary_counts_what_the_files_hold():
    outcome = run("--references", REFERENCES, "--summary")
    assert outcome.exit_code == 0, outcome.output
    numbers = [int(n) for n in re.findall(r"\d+", outcome.stdout)]
    landscapes, materials, _, _, crystals, systems, free, near, _, free_near, curves = numbers
    entries = find_references([REFERENCES])
    assert landscapes == len(entries)
    assert materials == len({entry.material for entry in entries})
    files = [json.loads(p.read_text()) for p in (REFERENCES / "crystals").glob("*.json")]
    stored = [crystal for file in files for crystal in file["crystals"]]
    assert (crystals, systems) == (len(stored), len(files))
    assert free == sum(crystal["n_wyckoff"] > 0 for crystal in stored)
    # every chemical system has a crystal on its hull, which is none above it
    assert len(files) // 2 < near <= crystals
    assert free_near <= min(near, free)
    tables = (REFERENCES / "equations-of-state" / f"{n}.csv" for n in ("elements", "oxides"))
    assert curves == sum(len(path.read_text().splitlines()) - 1 for path in tables)


def test_the_summary_is_of_the_whole_library(tmp_path):
    assert run("PbTiO3", "--references", REFERENCES, "--summary").exit_code == 2
