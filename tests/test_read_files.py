"""POSCAR, compressed and other files: the right crystal or one sentence."""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import spglib
from ase import Atoms
from ase.io import write
from ase.spacegroup import crystal as ase_crystal
from command_line import typed as typed
from hypothesis import given, settings
from hypothesis import strategies as st
from silicon_carbide import SIC, refused

from symscape.crystal.read import ReadOptions, crystal_from_file, read_structure
from symscape.errors import StructureFileError, SymscapeError

DISTORTED = {
    "TiO2": ase_crystal(
        ["Ti", "O"],
        [(0, 0, 0), (0.305, 0.305, 0)],
        spacegroup=136,
        cellpar=[4.6, 4.6, 2.96, 90, 90, 90],
    ),
    "SrTiO3": ase_crystal(
        ["Sr", "Ti", "O"],
        [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0)],
        spacegroup=221,
        cellpar=[3.9, 3.9, 3.9, 90, 90, 90],
    ),
    "ZnO": ase_crystal(
        ["Zn", "O"],
        [(1 / 3, 2 / 3, 0), (1 / 3, 2 / 3, 0.382)],
        spacegroup=186,
        cellpar=[3.25, 3.25, 5.2, 90, 90, 120],
    ),
}


# -- POSCAR ---------------------------------------------------------------------------------------


def poscar(first="relaxed by vasp", symbols="", counts="2 2"):
    lattice = "\n".join(" ".join(f"{x:.10f}" for x in row) for row in SIC.lattice.matrix)
    places = "\n".join(" ".join(f"{x:.10f}" for x in row) for row in SIC.frac_coords)
    named = f"{symbols}\n" if symbols else ""
    return f"{first}\n1.0\n{lattice}\n{named}{counts}\nDirect\n{places}\n"


def test_a_poscar_without_symbols_is_refused_until_they_are_given(tmp_path):
    path = tmp_path / "POSCAR"
    path.write_text(poscar())
    refused(path, "names no elements .* --elements Si,C")
    named = crystal_from_file(path, options=ReadOptions(elements=("Si", "C")))
    assert (named.crystal.formula, named.crystal.symbol) == ("SiC", "P6_3mc")
    refused(path, "1 elements are given", ReadOptions(elements=("Si",)))
    refused(path, "'Va' is not a chemical element", ReadOptions(elements=("Si", "Va")))
    path.write_text(poscar(first="Si C"))
    found = crystal_from_file(path)
    assert found.crystal.formula == "SiC"
    assert found.notices == ("the elements Si C are those of the file's first line",)


def test_symbols_of_a_poscar(tmp_path):
    path = tmp_path / "x.vasp"
    path.write_text(poscar(symbols="Si_pv C/a1b2"))
    assert crystal_from_file(path).crystal.formula == "SiC"
    path.write_text(poscar(symbols="Si Va"))
    refused(path, "'Va' is not a chemical element")
    path.write_text(poscar(symbols="Si", counts="4 4"))
    refused(path, "1 kinds of atoms|no structure could be read")
    path.write_text(poscar(symbols="Si C"))
    refused(path, "the file names Si, C; leave it out", ReadOptions(elements=("Si", "N")))


@settings(max_examples=30, deadline=None)
@given(
    counted=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    selective=st.booleans(),
    behind=st.sampled_from(["", "\n0 0 0\n0 0 0\n", "Lattice velocities and vectors\n1 1 1\n"]),
)
def test_counts_of_a_poscar_are_those_of_its_lines(tmp_path_factory, counted, selective, behind):
    """Velocities and the like stand behind an empty line or one of words."""
    path = tmp_path_factory.mktemp("poscar") / "x.vasp"
    text = poscar(symbols="Si C", counts=f"{counted[0]} {counted[1]}")
    if selective:
        head, places = text.split("Direct\n")
        places = places.replace("\n", " T T F\n")
        text = f"{head}Selective dynamics\nDirect\n{places}"
    path.write_text(text + behind)
    if sum(counted) == 4:
        assert sorted(read_structure(path).atoms.numbers) == sorted(
            [14] * counted[0] + [6] * counted[1]
        )
    elif sum(counted) < 4:
        refused(path, f"counts {sum(counted)} atoms .* but 4 lines of coordinates follow")
    else:
        with pytest.raises(StructureFileError):
            read_structure(path)


# -- compression and limits -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bomb.cif.gz", "bomb.vasp.gz", "bomb.json.gz", "bomb.xyz.gz"])
def test_what_unpacks_to_too_much_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(b" " * 3_000_000))
    refused(path, "unpacks to more than 2 MB", ReadOptions(max_size_MB=2))
    path.write_bytes(b"x" * 3_000_000)
    refused(path, "is larger than 2 MB", ReadOptions(max_size_MB=2))


@pytest.mark.parametrize("size", [0, -1, np.nan, np.inf])
def test_sizes_that_are_none(size):
    with pytest.raises(SymscapeError, match="--max-size"):
        ReadOptions(max_size_MB=size)


@pytest.mark.parametrize("head", [b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"])
def test_damaged_compression(tmp_path, head):
    path = tmp_path / "x.cif.gz"
    path.write_bytes(head + b"not what it says")
    refused(path, "is damaged or cut off|is empty")


def test_other_formats_are_read_compressed_too(tmp_path):
    atoms = ase_crystal("Si", [(0, 0, 0)], spacegroup=227, cellpar=[5.43] * 3 + [90] * 3)
    plain = tmp_path / "x.extxyz"
    write(plain, [atoms, atoms])
    packed = tmp_path / "x.extxyz.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for path in (plain, packed):
        content = read_structure(path)
        assert len(content.atoms) == 8
        assert content.notices == ("took the last of 2 structures",)


@settings(max_examples=40, deadline=None)
@given(
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
    ends=st.sampled_from(["\n", "\r\n", "\r"]),
    packed=st.booleans(),
    symbol=st.sampled_from(["H", "D", "T"]),
)
def test_texts_of_any_encoding_are_one_crystal(tmp_path_factory, encoding, ends, packed, symbol):
    path = tmp_path_factory.mktemp("xyz") / ("x.xyz.gz" if packed else "x.xyz")
    text = (
        '2\nLattice="3.2 0 0 0 3.2 0 0 0 3.4" Properties=species:S:1:pos:R:3 author="Li\u00e8ge"\n'
        f"Li 0 0 0\n{symbol} 1.6 1.6 1.6\n"
    )
    data = text.replace("\n", ends).encode(encoding)
    path.write_bytes(gzip.compress(data) if packed else data)
    assert read_structure(path).atoms.get_chemical_formula() == "HLi"


def test_an_asymmetric_unit_is_no_crystal(tmp_path):
    line = "CRYST1    4.000    4.000    4.000  90.00  90.00  90.00 {:<11}   1\n"
    atom = "ATOM      1  SI  MOL     1       0.000   0.000   0.000  1.00  0.00          SI\n"
    path = tmp_path / "x.pdb"
    path.write_text(line.format("F m -3 m") + atom + "END\n")
    refused(path, "asymmetric unit only .*F m -3 m")
    path.write_text(line.format("P 1") + atom + "END\n")
    assert crystal_from_file(path).crystal.symbol == "Pm-3m"


# -- symmetry tolerance ---------------------------------------------------------------------------


@pytest.mark.parametrize(("works", "named"), [(1e-3, "0.001"), (0.03, "0.03")])
def test_a_tolerance_that_fits_is_found_and_named(tmp_path, monkeypatch, works, named):
    """What spglib accepts is played here: it refuses all distances but one."""
    import symscape.crystal.standardize

    standardize = symscape.crystal.standardize.standardize

    def refusing(structure, symprec, hall_number=None):
        if symprec != works:
            raise StructureFileError(f"not within {symprec:g}; change symprec.")
        return standardize(structure, symprec, hall_number)

    monkeypatch.setattr(symscape.crystal.standardize, "standardize", refusing)
    path = tmp_path / "x.vasp"
    path.write_text(poscar(symbols="Si C"))
    (notice,) = crystal_from_file(path).notices
    assert notice == f"symprec = {named} angstrom was used, for with 0.01 not within 0.01"
    with pytest.raises(StructureFileError, match=r"not within 0\.01"):
        crystal_from_file(path, symprec=0.01)  # the user's own is not changed


@settings(max_examples=20, deadline=None)
@given(
    crystal=st.sampled_from(sorted(DISTORTED)),
    repeats=st.tuples(*[st.integers(1, 2)] * 3),
    size=st.floats(-6, -0.7).map(lambda power: 10**power),
    seed=st.integers(0, 99),
)
def test_distorted_crystals_have_spglibs_group_at_the_tolerance_that_is_said(
    tmp_path_factory, crystal, repeats, size, seed
):
    """From far below the tolerance to far above; another than 0.01 is taken if that fails."""
    path = tmp_path_factory.mktemp("distorted") / "x.vasp"
    atoms = DISTORTED[crystal].repeat(repeats)
    rng = np.random.default_rng(seed)
    atoms.positions += size * rng.uniform(-1, 1, atoms.positions.shape)
    strain = np.eye(3) + size / 10 * rng.uniform(-1, 1, (3, 3))
    atoms.set_cell(atoms.cell.array @ strain, scale_atoms=True)
    write(path, atoms, sort=True)
    found = crystal_from_file(path)
    symprec = 0.01
    if found.notices:
        (notice,) = found.notices
        symprec = float(notice.split()[2])
        with pytest.raises(StructureFileError):
            crystal_from_file(path, symprec=0.01)
    read = read_structure(path).atoms
    cell = (read.cell.array, read.get_scaled_positions(), read.numbers)
    wanted = spglib.get_symmetry_dataset(cell, symprec=symprec)
    assert found.crystal.space_group_number == wanted.number
    assert len(found.crystal) == len(wanted.std_types)


@pytest.mark.parametrize("apart", [0.0, 1e-4, 0.009, 0.2])
def test_overlapping_atoms_are_no_crystal_at_any_tolerance(tmp_path, apart):
    path = tmp_path / "x.vasp"
    write(path, Atoms("Al2", [[0, 0, 0], [0, 0, apart]], cell=[4, 4, 4], pbc=True))
    refused(path, "overlapping atoms.*--close-atoms")


@settings(max_examples=20, deadline=None)
@given(st.floats(2e-3, 0.39), st.sampled_from([[0, 0, 1], [1, 1, 0], [1, 2, 3]]))
def test_close_atoms_are_taken_when_asked_for(apart, way):
    offset = apart * np.array(way) / np.linalg.norm(way)
    atoms = Atoms("Al2", [[0, 0, 0], offset], cell=[4, 4, 4], pbc=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.vasp")
        write(path, atoms)
        refused(path, "overlapping atoms")
        found = crystal_from_file(path, options=ReadOptions(close_atoms=True))
    assert any("apart were taken as they are" in notice for notice in found.notices)
    wanted = spglib.get_symmetry_dataset(
        (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers), symprec=1e-3
    )
    assert found.crystal.space_group_number == wanted.number
    assert len(found.crystal) == len(wanted.std_types)


# -- every command --------------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path, monkeypatch, typed):
    monkeypatch.chdir(tmp_path)
    return typed


PLAN = '[crystal]\nfile = "x.vasp"\n\n[engine]\nname = "import"\n'


def test_every_command_shows_the_same_notices_once(command, tmp_path):
    text = poscar(first="Si C")
    (tmp_path / "x.vasp").write_text(text)
    said = "the elements Si C are those of the file's first line"
    for words in (("slices", "x.vasp"), ("reference", "plan", "x.vasp")):
        code, _, err = command(*words)
        assert code == 0
        assert err.count(said) == 1
    (tmp_path / "x.toml").write_text(PLAN)
    code, out, _ = command("reference", "plan", "x.toml")
    assert (code, out.count(said)) == (0, 1)


def test_every_command_refuses_the_same(command, tmp_path):
    (tmp_path / "x.vasp").write_text(poscar())
    (tmp_path / "x.toml").write_text(PLAN)
    for words in (
        ("slices", "x.vasp"), ("reference", "plan", "x.vasp"), ("reference", "plan", "x.toml"),
    ):  # fmt: skip
        code, _, err = command(*words)
        assert code == 2
        assert "names no elements" in err
    assert command("slices", "x.vasp", "--elements", "Si,C")[0] == 0
    (tmp_path / "x.toml").write_text(PLAN.replace("\n\n", '\nelements = ["Si", "C"]\n\n', 1))
    assert command("reference", "plan", "x.toml")[0] == 0


def test_every_command_takes_close_atoms_when_asked_for(command, tmp_path):
    """Rutile with one oxygen split in two, its occupancies lost."""
    split = DISTORTED["TiO2"].copy()
    split.append("O")
    split.positions[-1] = split.positions[-2] + [0, 0, 0.2]
    write(tmp_path / "x.vasp", split, sort=True)
    write(tmp_path / "x.cif", split)
    (tmp_path / "x.csv").write_text("id,energy\nx,-40\n")
    (tmp_path / "x.toml").write_text(PLAN)
    said = "apart were taken as they are"
    soft = ("--points", "3", "--mlip", "symscape.bulk.pair:soft")
    for words in (
        ("slices", "x.vasp"), ("slices", "x.cif"), ("reference", "plan", "x.vasp"),
        ("landscape", "x.vasp", "--library", "0", "--no-contracts", *soft),
        ("draw", "x.vasp", *soft),
    ):  # fmt: skip
        code, _, err = command(*words)
        assert (code, "--close-atoms" in err) == (2, True), err
        err = command(*words, "--close-atoms")[2]
        assert err.count(said) == 1
        assert "overlapping" not in err
    assert command("import", "x.cif", "x.csv", "-o", "set")[0] == 1
    assert "--close-atoms" in (tmp_path / "set" / "rejects.jsonl").read_text()
    code, _, err = command("import", "x.cif", "x.csv", "-o", "set", "--close-atoms")
    assert (code, err.count(said)) == (0, 1)
    assert command("reference", "plan", "x.toml")[0] == 2
    (tmp_path / "x.toml").write_text(PLAN.replace("\n\n", "\nclose_atoms = true\n\n", 1))
    code, out, _ = command("reference", "plan", "x.toml")
    assert (code, out.count(said)) == (0, 1)


def test_what_spglib_says_of_a_tolerance_that_fails_is_not_shown(tmp_path, monkeypatch):
    quartz = ase_crystal(
        ["Si", "O"],
        [(0.4697, 0, 0), (0.4135, 0.2669, 0.1191)],
        spacegroup=152,
        cellpar=[4.916, 4.916, 5.405, 90, 90, 120],
    )
    quartz.positions += 0.05 * np.random.default_rng(2261).uniform(-1, 1, (len(quartz), 3))
    write(tmp_path / "x.extxyz", quartz)
    monkeypatch.delenv("SPGLIB_WARNING", raising=False)
    command = [sys.executable, "-m", "symscape", "slices", "x.extxyz", "--symprec", "0.1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "spglib: " not in done.stderr
