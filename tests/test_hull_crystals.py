"""The hull crystals: what is relaxed, stored and refused; checked with spglib and closed forms."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import spglib
from ase.build import bulk
from ase.calculators.morse import MorsePotential
from ase.units import GPa
from typer.testing import CliRunner

from symscape.cli import app
from symscape.dft.crystal_ledger import open_crystal_ledger
from symscape.dft.crystal_list import load_crystal_list
from symscape.dft.crystal_run import run_crystals
from symscape.dft.crystal_store import store_crystals
from symscape.dft.engine import make_engine
from symscape.dft.recompute import settings_from_method
from symscape.dft.settings import EngineSpec
from symscape.dft.worker import LiveCalculator
from symscape.errors import EngineError, PlanError, ReferenceFileError
from symscape.hull.phases import energies_above_hull
from symscape.hull.table import crystal_table
from symscape.references.crystal_checks import count_freedom
from symscape.references.crystals import load_crystals, write_crystals
from symscape.references.library import find_references

HEAD = """
licence = "CC-BY-4.0"
[settings]
functional = "Morse"
k_density_A = 1.0
[engine]
name = "ase"
factory = "{factory}"
code = "Morse"
{options}
"""
FCC = """
[[crystal]]
id = "Cu-fcc"
prototype = "Cu (A1)"
hall_number = 523
cell = [{a}, {a}, {a}, 90, 90, 90]
sites = [["Cu", 0, 0, 0]]
"""
CRB = """
[[crystal]]
id = "AlCu-CrB"
prototype = "CrB (B33)"
k_density_A = 2.0
hall_number = 298
cell = [2.35, 8.9, 3.75, 90, 90, 90]
sites = [["Al", 0, 0.33, "1/4"], ["Cu", 0, 0.07, 0.25]]
"""


def write_list(folder, *crystals, factory="generate_factories:set_morse", options=""):
    """Write a list of crystals and read it."""
    path = folder / "list.toml"
    path.write_text(HEAD.format(factory=factory, options=options) + "".join(crystals))
    return load_crystal_list(path)


@pytest.fixture(scope="module", autouse=True)
def _workers_find_the_factories():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        yield


@pytest.fixture
def listed(tmp_path):
    return partial(write_list, tmp_path)


@pytest.fixture(scope="module")
def relaxed(tmp_path_factory):
    """A small library, relaxed with a Morse potential."""
    folder = tmp_path_factory.mktemp("library")
    plan = write_list(folder, FCC.format(a=3.5), CRB)
    ledger = run_crystals(plan, folder / "out", jobs=2, command="symscape reference crystals")
    files, notices = store_crystals(ledger, folder)
    assert not notices
    assert [file.name for file in files] == ["Cu.json", "Al-Cu.json"]
    return folder / "crystals"


@pytest.fixture
def library(relaxed, tmp_path):
    shutil.copytree(relaxed, tmp_path / "crystals")
    return tmp_path


def morse_fcc_minimum():
    """Energy (eV/atom) and lattice constant (angstrom) of fcc, by a scan."""
    a = np.linspace(3.3, 3.9, 601)
    energies = []
    for value in a:
        atoms = bulk("Cu", "fcc", value)
        atoms.calc = MorsePotential(epsilon=0.3, r0=2.6, rho0=4.0, rcut1=1.3, rcut2=1.9)
        energies.append(atoms.get_potential_energy())
        if len(energies) > 2 and energies[-1] > energies[-2] > energies[-3]:
            break
    best = int(np.argmin(energies))
    return energies[best], a[best]


def test_relaxed_crystals_are_the_minimum_and_keep_their_symmetry(library):
    crystals = load_crystals([library])
    assert crystals.systems == ("Al-Cu", "Cu")
    assert crystals.level_of_theory == "Morse"
    compound, element = crystals.crystals
    energy, a = morse_fcc_minimum()
    assert element.energy_per_atom == pytest.approx(energy, abs=1e-4)
    assert element.crystal.lattice[0, 0] == pytest.approx(a, abs=2e-3)
    for crystal, number, free in ((compound, 63, (3, 2)), (element, 225, (1, 0))):
        atoms = crystal.to_atoms()
        found = spglib.get_symmetry_dataset(
            (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers), symprec=0.01
        )
        assert found.number == crystal.crystal.space_group_number == number
        assert (crystal.crystal.n_lattice, crystal.crystal.n_wyckoff) == free
        atoms.calc = MorsePotential(epsilon=0.3, r0=2.6, rho0=4.0, rcut1=1.3, rcut2=1.9)
        assert atoms.get_potential_energy() == pytest.approx(crystal.energy, abs=1e-6)
        assert atoms.get_forces() == pytest.approx(crystal.forces, abs=1e-4)
        assert atoms.get_stress() == pytest.approx(crystal.stress, abs=1e-5)
        assert np.linalg.norm(atoms.get_forces(), axis=1).max() < 0.02
        assert np.abs(atoms.get_stress()).max() / GPa < 0.2
    assert compound.material == "AlCu-Cmcm"
    assert compound.k_mesh[0] > element.k_mesh[0] / 2
    counts = [4, 1]
    assert crystals.structures.n_atoms.tolist() == counts
    assert find_references([library]) == []  # crystals are no slices


def test_the_library_says_how_it_was_made(library):
    document = json.loads((library / "crystals" / "Cu.json").read_text())
    assert document["method"]["functional"] == "Morse"
    assert document["method"]["code"] == "Morse"
    assert document["provenance"]["licence"] == "CC-BY-4.0"
    assert document["provenance"]["complete"] is True
    lines = (library / "crystals" / "Al-Cu.json").read_text().splitlines()
    assert sum('"id": "AlCu-CrB"' in line for line in lines) == 1  # one crystal a line


def _space_group(r):
    r["space_group_number"] = 216


def _wyckoff(r):
    r["n_wyckoff"] = 3


def _formula(r):
    r["formula"] = "Al2Cu"


def _force(r):
    r["forces_eV_A"][0] = [0.0, 0.03, 0.0]


def _stress(r):
    r["stress_GPa"][2] = -0.3


def _nan_energy(r):
    r["energy_eV"] = float("nan")


def _nan_stress(r):
    r["stress_GPa"][0] = float("nan")


def _shape(r):
    r["positions"] = r["positions"][:-1]


def _element(r):
    r["symbols"] = ["Cu"] * 4


def _unknown_element(r):
    r["symbols"][0] = "Qq"


def _mesh(r):
    r["k_mesh"] = [1, 1, 1]


def _missing(r):
    del r["prototype"]


def _overlap(r):
    r["positions"] = [r["positions"][0]] * 4


def _infinite(r):
    r["cell_A"][0][0] = float("inf")


def _moved(r):
    r["positions"][0][0] += 0.02


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_space_group, "space_group_number is 216, but the structure has 63"),
        (_wyckoff, "n_wyckoff is 3, but the structure has 2"),
        (_formula, "formula is 'Al2Cu', but the structure has 'AlCu'"),
        (_force, "a force of 0.030 eV/angstrom is left"),
        (_stress, "a stress of 0.30 GPa is left"),
        (_nan_energy, "the energy is no number"),
        (_nan_stress, "a stress of nan GPa is left"),
        (_shape, "an array is malformed"),
        (_element, "does not belong to the system Al-Cu"),
        (_unknown_element, "an array is malformed"),
        (_mesh, r"the k-mesh \(1, 1, 1\) is coarser"),
        (_missing, r"field 'crystals\[0\].prototype' is missing"),
        (_overlap, "Al-Cu.json"),
        (_infinite, "Al-Cu.json"),
        (_moved, "space_group_number is 63, but the structure has"),
    ],
)
def test_what_contradicts_itself_is_refused(library, spoil, says):
    path = library / "crystals" / "Al-Cu.json"
    document = json.loads(path.read_text())
    spoil(document["crystals"][0])
    path.write_text(json.dumps(document))
    with pytest.raises(ReferenceFileError, match=says) as caught:
        load_crystals([library])
    assert "\n" not in str(caught.value)
    assert "Al-Cu.json" in str(caught.value)


def test_files_that_do_not_belong_together_are_refused(library):
    path = library / "crystals" / "Al-Cu.json"
    document = json.loads(path.read_text())
    document["method"]["cutoff_eV"] = 400.0
    path.write_text(json.dumps(document))
    with pytest.raises(ReferenceFileError, match=r"cutoff_eV is 520\.0, but .*\.json has 400"):
        load_crystals([library])


def test_duplicates_wrong_names_and_empty_folders_are_refused(library, tmp_path):
    path = library / "crystals" / "Cu.json"
    document = json.loads(path.read_text())
    document["crystals"] *= 2
    path.write_text(json.dumps(document))
    with pytest.raises(ReferenceFileError, match="'Cu-fcc' is listed twice"):
        load_crystals([library])
    path.rename(path.with_name("Ag.json"))
    with pytest.raises(ReferenceFileError, match="system is 'Cu', but the file is called 'Ag'"):
        load_crystals([library])
    (tmp_path / "none").mkdir()
    with pytest.raises(ReferenceFileError, match="there are no files crystals"):
        load_crystals([tmp_path / "none"])
    other = tmp_path / "other"
    (other / "crystals").mkdir(parents=True)
    (other / "crystals" / "Al-Cu.json").write_text("{}")
    with pytest.raises(ReferenceFileError, match="is stored in"):
        load_crystals([library, other])


def test_a_bad_record_leaves_the_old_file(library):
    path = library / "crystals" / "Cu.json"
    before = path.read_text()
    document = json.loads(before)
    document["crystals"][0]["n_lattice"] = 2
    with pytest.raises(ReferenceFileError, match="n_lattice is 2"):
        write_crystals(
            library, "Cu", document["crystals"], document["method"], document["provenance"]
        )
    assert path.read_text() == before
    assert sorted(p.name for p in path.parent.iterdir()) == ["Al-Cu.json", "Cu.json"]


def test_one_crystal_from_two_starts_is_stored_once(listed, tmp_path):
    again = FCC.format(a=3.6).replace("Cu-fcc", "Cu-again")
    ledger = run_crystals(listed(FCC.format(a=3.8), again), tmp_path / "out")
    _, notices = store_crystals(ledger, tmp_path)
    assert notices == ["Cu-again has relaxed to Cu-fcc and is left out"]
    assert [c.id for c in load_crystals([tmp_path]).crystals] == ["Cu-fcc"]


def test_failures_are_recorded_and_tried_again_only_when_asked(listed, tmp_path):
    plan = listed(FCC.format(a=3.8), CRB, "[relax]\nmax_steps = 2\n")
    ledger = run_crystals(plan, tmp_path / "out")
    assert set(ledger.failed) == {"Cu-fcc", "AlCu-CrB"}
    assert "has not converged after 2 steps" in ledger.reason("AlCu-CrB")
    assert run_crystals(plan, tmp_path / "out").failed == ledger.failed
    enough = listed(FCC.format(a=3.8), CRB, "[relax]\nmax_steps = 60\n")
    assert not open_crystal_ledger(enough, tmp_path / "out").todo
    ledger = run_crystals(enough, tmp_path / "out", retry_failed=True)
    assert not ledger.failed
    assert set(ledger.done) == {"Cu-fcc", "AlCu-CrB"}


def test_an_engine_that_always_fails_ends_the_run(listed, tmp_path):
    copies = [FCC.format(a=3.8).replace("Cu-fcc", f"Cu-{k}") for k in range(5)]
    plan = listed(*copies, factory="generate_factories:hopeless")
    with pytest.raises(EngineError, match="the first 4 crystals all failed"):
        run_crystals(plan, tmp_path / "out")


def test_a_killed_run_goes_on_where_it_was(listed, tmp_path):
    slow = {"factory": "generate_factories:slow_emt", "options": "options = { seconds = 0.02 }"}
    plan = listed(FCC.format(a=3.5), CRB, **slow)
    command = [sys.executable, "-m", "symscape", "reference", "crystals", str(plan.path)]
    command += ["--references", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command[1:3] = ["-c", "from symscape.cli import main; main()"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    journal = tmp_path / "list.out" / "AlCu-CrB.journal.jsonl"
    deadline = time.monotonic() + 120
    while not (journal.exists() and journal.read_text().count("\n") >= 3):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    lines = journal.read_text().splitlines()
    assert (tmp_path / "list.out" / "Cu-fcc.relaxed.json").exists()
    assert load_crystals([tmp_path]).systems == ("Cu",)  # stored as they come
    ledger = run_crystals(plan, tmp_path / "list.out")
    assert set(ledger.done) == {"Cu-fcc", "AlCu-CrB"}
    assert journal.read_text().splitlines()[:3] == lines[:3]


def test_other_settings_are_refused(listed, tmp_path):
    run_crystals(listed(FCC.format(a=3.8)), tmp_path / "out")
    changed = listed(FCC.format(a=3.8) + "k_density_A = 3.0\n")
    with pytest.raises(PlanError, match="Cu-fcc was computed with k_mesh"):
        open_crystal_ledger(changed, tmp_path / "out")
    with pytest.raises(PlanError, match="relaxed from another crystal"):
        open_crystal_ledger(listed(FCC.format(a=3.7)), tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there is nothing to relax"),
        (FCC.format(a=3.8) * 2, "'Cu-fcc' is listed twice"),
        (FCC.format(a=3.8) + "k_density_A = 0.5", "at least the common 1"),
        (FCC.format(a=3.8).replace("Cu-fcc", "../x"), "can't be a file's name"),
        (FCC.format(a=3.8).replace("hall_number", "hall"), "the key 'hall' is unknown"),
        (FCC.format(a=3.8) + "[relax]\nforce_eV_A = 0.1", "force_eV_A must be at most 0.02"),
        (FCC.format(a=3.8) + "[relax]\ncutoff_eV = 600", "the key 'cutoff_eV' is unknown"),
        (FCC.format(a='"x"'), "unreadable"),
    ],
)
def test_lists_that_make_no_sense_are_refused(listed, text, says):
    with pytest.raises(PlanError, match=says) as caught:
        listed(text)
    assert "\n" not in str(caught.value)


def test_meshes_keep_the_symmetry_of_centred_lattices(listed):
    bct = """
[[crystal]]
id = "Si-BCT5"
hall_number = 424
cell = [3.4, 3.4, 6.1, 90, 90, 90]
sites = [["Si", 0, 0, 0.2]]
"""
    (planned,) = listed(bct).crystals
    assert len(set(planned.settings.k_mesh)) == 1


def test_the_command_shows_how_far_it_is(listed, tmp_path):
    plan = listed(FCC.format(a=3.8), CRB)
    arguments = ["reference", "crystals", str(plan.path), "--references", str(tmp_path)]
    outcome = CliRunner().invoke(app, [*arguments, "--status"])
    assert outcome.stdout.splitlines() == [
        "Cu: 0 of 1 relaxed, 0 failed",
        "Al-Cu: 0 of 1 relaxed, 0 failed",
    ]
    run_crystals(plan, tmp_path / "list.out")
    outcome = CliRunner().invoke(app, [*arguments, "--finish"])
    assert outcome.exit_code == 0
    assert "Al-Cu: 1 of 1 relaxed" in outcome.stdout
    assert len(load_crystals([tmp_path])) == 2


def test_the_list_of_the_library_is_what_the_library_needs():
    plan = load_crystal_list(Path(__file__).parents[1] / "references" / "plans" / "crystals.toml")
    systems = {planned.system for planned in plan.crystals}
    assert len(plan.crystals) >= 80
    assert sum(system.count("-") == 1 for system in systems) >= 6
    assert sum(system.count("-") == 2 for system in systems) >= 1
    for system in systems:  # every element and every edge of a ternary has crystals
        elements = system.split("-")
        assert set(elements) <= systems
    assert {planned.crystal.system for planned in plan.crystals} >= {
        "cubic", "hexagonal", "trigonal", "tetragonal", "orthorhombic", "monoclinic",
    }  # fmt: skip


LIBRARY = Path(__file__).parents[1] / "references"


def stored():
    if not list((LIBRARY / "crystals").glob("*.json")):
        pytest.skip("no crystals are stored yet")
    return load_crystals([LIBRARY])


def test_numbers_of_freedom_are_those_of_the_crystal_package():
    """Against exact arithmetic on the Wyckoff positions, for one crystal of most kinds."""
    plan = load_crystal_list(LIBRARY / "plans" / "crystals.toml")
    chosen = {(p.crystal.hall_number, p.crystal.n_wyckoff): p.crystal for p in plan.crystals}
    assert len(chosen) > 20
    for crystal in chosen.values():
        atoms = crystal.to_atoms(primitive=True)
        cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
        found = spglib.get_symmetry_dataset(cell, symprec=0.01)
        if found.number == crystal.space_group_number:
            freedom = count_freedom(atoms, found.rotations, found.translations)
            assert freedom == (crystal.n_lattice, crystal.n_wyckoff)


def test_the_stored_crystals_are_whole():
    """Loading checks each; here, that hulls can be made of all of them."""
    library = stored()
    assert library.method["code"] == "GPAW"
    assert library.level_of_theory == "PBE"
    for system in library.systems:
        assert set(system.split("-")) <= set(library.systems)
        assert library.provenance[system]["licence"] == "CC-BY-4.0"
    table = crystal_table(library.crystals)
    above = energies_above_hull(table)
    assert above.min() == 0
    assert above.max() < 2


@pytest.mark.skipif(
    importlib.util.find_spec("gpaw") is None,
    reason="GPAW is not installed: pip install symscape[dft]",
)
def test_the_cheapest_stored_crystal_is_reproduced(tmp_path):
    library = stored()
    crystal = min(library.crystals, key=lambda c: (c.n_atoms, np.prod(c.k_mesh)))
    method = {**library.method, "k_mesh": list(crystal.k_mesh)}
    settings = settings_from_method(method)
    live = LiveCalculator(make_engine(EngineSpec(), settings), settings, tmp_path)
    task = {"numbers": crystal.numbers, "positions": crystal.positions, "cell": crystal.cell}
    assert live.compute(task)["energy_eV"] == pytest.approx(crystal.energy, abs=1e-3)
