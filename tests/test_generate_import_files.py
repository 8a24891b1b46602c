"""Files of other codes and stored references are imported into plans."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from ase.io import write
from generate_plans import AXES, write_plan
from imported_grids import computed, imported_plan, write_vasprun

from symscape.dft.grid_ledger import open_ledger
from symscape.dft.grid_run import run_plan
from symscape.dft.grid_store import finish
from symscape.dft.importer import (
    Image,
    import_points,
    import_stored,
    read_images,
)
from symscape.dft.plan import load_plan
from symscape.dft.quality import GridData, check_forces
from symscape.errors import PlanError
from symscape.references.landscape_files import load_reference

# ------------------------------------------------------------------------------------------ files


def test_extxyz_and_folders_are_read(tmp_path):
    plan = imported_plan(tmp_path)
    images = [computed(atoms, "CrB") for atoms in plan.slice.structures()]
    write(tmp_path / "grid.extxyz", images[:6])
    folder = tmp_path / "runs"
    folder.mkdir()
    write(folder / "more.xyz", images[6:], format="extxyz")
    read = read_images([tmp_path / "grid.extxyz", folder])
    assert len(read) == 9
    assert read[0].name.endswith("grid.extxyz@0")
    outcome = import_points(plan, read)
    assert (outcome.added, outcome.missing) == (9, 0)
    assert outcome.largest_deviation_A < 1e-6


def test_vasp_runs_are_read(tmp_path):
    plan = imported_plan(tmp_path)
    for k, atoms in enumerate(plan.slice.structures()):
        folder = tmp_path / "vasp" / f"{k:03d}"
        folder.mkdir(parents=True)
        image = computed(atoms, "CrB")
        write_vasprun(folder / "vasprun.xml", image)
        (folder / "OUTCAR").write_text("the same once more")
    outcome = import_points(plan, read_images([tmp_path / "vasp"]))
    assert (outcome.added, outcome.missing) == (9, 0)
    reference = load_reference(finish(open_ledger(plan), tmp_path))
    image = computed(plan.slice.structures().atoms(5), "CrB")
    assert reference.energies[1, 2] == pytest.approx(image.get_potential_energy() / 4, abs=1e-7)
    np.testing.assert_allclose(reference.forces[1, 2], image.get_forces(), atol=1e-5)


def test_files_that_can_not_be_read(tmp_path):
    with pytest.raises(PlanError, match="there is no such file"):
        read_images([tmp_path / "absent.extxyz"])
    (tmp_path / "vasprun.xml").write_text("<modeling><broken")
    with pytest.raises(PlanError, match="ASE can't read this file"):
        read_images([tmp_path / "vasprun.xml"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(PlanError, match=r"holds no vasprun\.xml"):
        read_images([tmp_path / "empty"])


def test_imported_points_are_told_apart_in_the_journal(tmp_path):
    plan = imported_plan(tmp_path)
    image = computed(plan.slice.structures().atoms(0), "CrB")
    import_points(plan, [Image(image, "supplement.xyz@0")], command="symscape reference import x")
    lines = [json.loads(line) for line in plan.journal_path.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["start", "point"]
    assert lines[1]["imported"] == "supplement.xyz@0"
    assert lines[0]["command"] == "symscape reference import x"


# --------------------------------------------------------------------------- stored references


def test_a_stored_reference_can_be_checked_and_extended(tmp_path, toy_file, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    axes = AXES.replace("span = [-0.03, 0.03]", "start = 0.04\nstop = 0.10")
    path = write_plan(tmp_path, points=5, axes=axes)
    plan = load_plan(path)
    outcome = import_stored(plan, toy_file, command="symscape reference import")
    assert (outcome.added, outcome.known, outcome.missing) == (25, 0, 0)
    assert import_stored(plan, toy_file).known == 25
    stored, again = load_reference(toy_file), load_reference(finish(open_ledger(plan), tmp_path))
    np.testing.assert_array_equal(again.energies, stored.energies)
    np.testing.assert_array_equal(again.forces, stored.forces)
    assert again.method == stored.method
    assert again.provenance.licence == stored.provenance.licence == "CC0-1.0"
    assert again.provenance.command == stored.provenance.command
    # a finer grid keeps the points and computes the others
    path.write_text(path.read_text().replace("points = 5", "points = 9"))
    finer = load_plan(path)
    assert len(open_ledger(finer).todo) == 81 - 25
    ledger = run_plan(finer, only=open_ledger(finer).todo[:2], command="symscape reference run")
    assert len(ledger.done) == 27
    extended = load_reference(finish(ledger, tmp_path))
    assert extended.provenance.command == "made by the tests; symscape reference run"
    assert check_forces(GridData.from_reference(extended.path)).deviations == ()


def test_a_stored_reference_of_another_grid_or_setting_is_refused(tmp_path, toy_file):
    path = write_plan(tmp_path, points=4)
    with pytest.raises(PlanError, match=r"point \(0, 1\) of .* lies on no grid point of the plan"):
        import_stored(load_plan(path), toy_file)
    document = json.loads(toy_file.read_text())
    document["method"]["cutoff_eV"] = 400
    other = tmp_path / "AlCu-Cmcm" / toy_file.name
    other.parent.mkdir()
    other.write_text(json.dumps(document))
    with pytest.raises(PlanError, match=r"cut-off is 520 eV, but .* with 400 eV"):
        import_stored(load_plan(path), other)
