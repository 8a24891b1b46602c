"""The hull crystals: what is relaxed, stored and refused; checked with spglib and closed forms."""

from __future__ import annotations

import json

import numpy as np
import pytest
import spglib
from ase.build import bulk
from ase.calculators.morse import MorsePotential
from ase.units import GPa
from crystal_lists import library as library
from crystal_lists import relaxed as relaxed
from crystal_lists import workers_find_the_factories as workers_find_the_factories

from symscape.decode import decode
from symscape.errors import ReferenceFileError
from symscape.references.crystal_files import CrystalsRecord
from symscape.references.crystals import load_crystals, write_crystals
from symscape.references.library import find_references


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
        (_nan_energy, r"field 'crystals\[0\].energy_eV' is not a number"),
        (_nan_stress, r"stress_GPa\[0\]' is not a finite number"),
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
    spoilt = decode(CrystalsRecord, document, "")
    with pytest.raises(ReferenceFileError, match="n_lattice is 2"):
        write_crystals(library, "Cu", spoilt.crystals, spoilt.method, spoilt.provenance)
    assert path.read_text() == before
    assert sorted(p.name for p in path.parent.iterdir()) == ["Al-Cu.json", "Cu.json"]
