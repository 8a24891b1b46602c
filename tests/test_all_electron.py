"""Lines of stored grids against an all-electron code: its input, its output, what is stored."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.neighborlist import neighbor_list
from ase.units import Bohr, Hartree

from symscape.dft import elk
from symscape.dft.all_electron import finished_lines, load_line_list, run_lines
from symscape.dft.elk import Basis, compute_energy, input_text, read_energy, species_text
from symscape.errors import EngineError, PlanError, ReferenceFileError
from symscape.references.all_electron import as_markdown, load_lines, write_lines
from symscape.references.landscape_files import load_reference
from symscape.references.provenance import CurvesProvenance

ROOT = Path(__file__).parents[1]
REFERENCES = ROOT / "references"
MGS = Basis(radii_bohr={"Mg": 1.9, "S": 2.1}, rgkmax=7.5, k_mesh=(4, 4, 4))
SPECIES = """ 'Mg'  : spsymb
 'magnesium'  : spname
  -12.0000  : spzn
   44305.30  : spmass
  0.577350E-06    2.2000   39.6895   500    : rminsp, rmt, rmaxsp, nrmt
   5  : nstsp
   1   0   1   2.00000    T  : nsp, lsp, ksp, occsp, spcore
   2   0   1   2.00000    T
   2   1   1   2.00000    T
   2   1   2   4.00000    F
   3   0   1   2.00000    F
   1  : apword
    0.1500   0  F  : apwe0, apwdm, apwve
   0  : nlx
   1  : nlorb
   1   2  : lorbl, lorbord
    0.1500   0  F  : lorbe0, lorbdm, lorbve
   -1.7148   0  T
"""
OUTPUT = """
| Elk version 8.4.30 started |
 electron entropic           :    -0.5
 total energy                :     -100.0
Convergence targets achieved
 electron entropic           :    -0.02
 total energy                :     -599.63
"""
LIST = """
[[line]]
reference = "MgS-R3m/Mg_z-volume"
points = [[12, 4], [11, 4], [6, 4]]

[line.basis]
radii_bohr = { Mg = 1.9, S = 2.1 }
rgkmax = 7.5
k_mesh = [4, 4, 4]
"""


def block(text: str, name: str) -> list[str]:
    """Return the lines of a block of elk.in."""
    lines = text.splitlines()
    start = lines.index(name) + 1
    return lines[start : lines.index("", start) if "" in lines[start:] else None]


def test_the_input_is_the_structure_in_bohr():
    salt = bulk("MgS", "rocksalt", a=5.2)
    text = input_text(salt.get_chemical_symbols(), salt.positions, salt.cell.array, MGS)
    cell = np.array([row.split() for row in block(text, "avec")], dtype=float)
    np.testing.assert_allclose(cell * Bohr, salt.cell.array, atol=1e-9)
    count, *atoms = block(text, "atoms")
    assert (count, atoms[0], atoms[3]) == ("2", "'Mg.in'", "'S.in'")
    fractional = np.array([atoms[2].split()[:3], atoms[5].split()[:3]], dtype=float)
    wrapped = salt.get_scaled_positions(wrap=False)
    np.testing.assert_allclose(fractional, wrapped, atol=1e-9)
    assert block(text, "tasks") + block(text, "xctype") == ["1", "20"]
    assert float(block(text, "swidth")[0]) * Hartree == pytest.approx(0.05)


def orbitals(text: str) -> list[list[str]]:
    """Return the local orbitals of a species file: angular momentum, then the radial functions."""
    count, rows = text.split(": nlorb")
    words = [row.split(":")[0].split() for row in rows.splitlines()[1:]]
    triples = zip(words[::3], words[1::3], words[2::3], strict=True)
    found = [[head[0], " ".join(first), " ".join(second)] for head, first, second in triples]
    assert len(found) == int(count.split()[-1])
    return found


def test_a_sphere_is_resized_and_core_states_are_raised():
    text = species_text(SPECIES, 1.9, ((2, 0, -3.0), (2, 1, -1.7)))
    lines = text.splitlines()
    assert lines[4].split()[:4] == ["0.577350E-06", "1.9000", "39.6895", "500"]
    core = [line.split()[4] for line in lines[6:11]]
    assert core == ["T", "F", "F", "F", "F"]  # 1s stays
    assert orbitals(text)[-2:] == [
        ["0", "0.1500 0 F", "-3.0000 0 F"],
        ["1", "0.1500 0 F", "-1.7000 0 F"],
    ]


def test_each_angular_momentum_has_a_free_energy_and_a_high_orbital():
    own = orbitals(species_text(SPECIES.replace("-1.7148   0  T", "0.1500   1  F"), 2.2, ()))
    for second in ("0.1500 1 F", "2.0000 0 F"):
        assert sorted(row[0] for row in own if row[2] == second) == ["0", "1", "2", "3"]


def test_no_energy_is_searched_for_at_each_point():
    own = orbitals(species_text(SPECIES, 2.2, ()))
    assert own[0] == ["1", "0.1500 0 F", "-1.3148 0 F"]  # 0.4 above the atom's
    assert all(function.endswith("F") for row in own for function in row[1:])


def test_the_energy_is_the_last_one_without_half_of_the_entropy():
    assert read_energy(OUTPUT, "here") == pytest.approx((-599.63 + 0.01) * Hartree)
    with pytest.raises(EngineError, match="did not converge"):
        read_energy(OUTPUT.replace("Convergence", "No"), "here")


@pytest.fixture
def code(tmp_path, monkeypatch):
    """Put a program in Elk's place that counts its runs and always finds one energy."""
    species = tmp_path / "species"
    species.mkdir()
    for name in ("Mg", "S"):
        (species / f"{name}.in").write_text(SPECIES)
    program = tmp_path / "bin" / "elk-lapw"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\necho run >> ../runs\ntouch STATE.OUT\n"
        "printf '| Elk version 8.4.30 started |\\n electron entropic : 0.0\\n' > INFO.OUT\n"
        "printf ' total energy  : -599.6\\nConvergence targets achieved\\n' >> INFO.OUT\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(elk, "SPECIES", species)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return program


def runs(folder: Path) -> int:
    """Return how often the program ran for points of one line."""
    return len((folder / "runs").read_text().split())


def test_lines_are_computed_once_stored_and_compared(tmp_path, code):
    library = tmp_path / "references"
    shutil.copytree(REFERENCES / "MgS-R3m", library / "MgS-R3m")
    plan = tmp_path / "lines.toml"
    plan.write_text(LIST)
    the_list = load_line_list(plan, library)
    run_lines(the_list)
    folder = tmp_path / "lines.out" / "MgS-R3m-Mg_z-volume"
    assert runs(folder) == 4  # the first point begins with a run for its density
    run_lines(load_line_list(plan, library))
    assert runs(folder) == 4
    records, method = finished_lines(the_list)
    assert (method.code, method.version) == ("Elk", "8.4.30")
    write_lines(library, records, method, CurvesProvenance(licence="CC-BY-4.0"))
    (line,) = load_lines(library)
    reference = load_reference(library / "MgS-R3m" / "Mg_z-volume.json")
    own = reference.energies[[12, 11, 6], [4, 4, 4]]
    np.testing.assert_allclose(line.own, 1000 * (own - own.min()))
    np.testing.assert_allclose(line.all_electron, 0, atol=1e-9)  # the program's energies are equal
    assert as_markdown([line]).count("MgS-R3m-Mg_z-volume") == 3


def test_another_basis_is_another_run(tmp_path, code):
    salt = bulk("MgS", "rocksalt", a=5.2)
    structure = salt.get_chemical_symbols(), salt.positions, salt.cell.array
    first = compute_energy(tmp_path / "line" / "a", *structure, MGS)
    assert first == compute_energy(tmp_path / "line" / "a", *structure, MGS)
    assert runs(tmp_path / "line") == 2
    denser = Basis(radii_bohr=MGS.radii_bohr, rgkmax=8.0, k_mesh=(4, 4, 4))
    compute_energy(tmp_path / "line" / "a", *structure, denser)
    assert runs(tmp_path / "line") == 4


def test_the_kept_list_can_be_computed():
    """Spheres of a radius that its file states don't overlap at any point."""
    the_list = load_line_list(ROOT / "references" / "plans" / "all-electron.toml", REFERENCES)
    for line, reference in zip(the_list.lines, the_list.references, strict=True):
        assert len(line.points) >= 5
        for i, j in line.points:
            atoms = reference.structures().atoms(i * reference.slice.shape[1] + j)
            radii = np.array([line.basis.radii_bohr[s] for s in atoms.get_chemical_symbols()])
            first, second, length = neighbor_list("ijd", atoms, 2 * radii.max() * Bohr)
            assert (length / Bohr > radii[first] + radii[second]).all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("[6, 4]", "[0, 4]"), "has no energy"),
        (("[6, 4]", "[99, 4]"), "has no energy"),
        (("rgkmax", "rkmax"), "rkmax"),
        ((LIST, "licence = 'CC0'"), "nothing to compute"),
    ],
)
def test_a_list_that_can_not_be_computed_is_refused(tmp_path, change, sentence):
    (tmp_path / "lines.toml").write_text(LIST.replace(*change))
    with pytest.raises(PlanError, match=sentence):
        load_line_list(tmp_path / "lines.toml", REFERENCES)


def test_a_missing_code_or_radius_is_named(tmp_path, monkeypatch):
    salt = bulk("MgS", "rocksalt", a=5.2)
    structure = salt.get_chemical_symbols(), salt.positions, salt.cell.array
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="apt-get install elk-lapw"):
        compute_energy(tmp_path / "a", *structure, MGS)
    without = Basis(radii_bohr={"Mg": 1.9}, rgkmax=7.5, k_mesh=(4, 4, 4))
    with pytest.raises(EngineError, match="radius for S"):
        compute_energy(tmp_path / "a", *structure, without)


def test_a_stored_line_that_does_not_fit_its_slice_is_refused(tmp_path, code):
    shutil.copytree(REFERENCES / "MgS-R3m", tmp_path / "MgS-R3m")
    (tmp_path / "lines.toml").write_text(LIST)
    the_list = load_line_list(tmp_path / "lines.toml", tmp_path)
    run_lines(the_list)
    records, method = finished_lines(the_list)
    path = write_lines(tmp_path, records, method, CurvesProvenance(licence="CC-BY-4.0"))
    document = json.loads(path.read_text())
    document["lines"][0]["energies_eV_atom"].pop()
    path.write_text(json.dumps(document))
    with pytest.raises(ReferenceFileError, match="one energy for each"):
        load_lines(tmp_path)


def test_the_table_in_the_documentation_is_that_of_the_file():
    text = (ROOT / "docs" / "references.md").read_text(encoding="utf-8")
    shown = text.split("<!-- all-electron lines -->")[1].split("<!-- end of all-electron lines")[0]
    assert shown.strip() == as_markdown(load_lines(REFERENCES)), (
        "run: symscape reference lines references/plans/all-electron.toml --finish"
    )
