"""POSCAR, JSON, compressed and other files: the right crystal or one sentence."""

from __future__ import annotations

import gzip
import json
import sys

import numpy as np
import pytest
import spglib
from ase import Atoms
from ase.io import write
from ase.spacegroup import crystal as ase_crystal
from command_line import typed as typed
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from pymatgen.entries.computed_entries import ComputedStructureEntry

from symscape.crystal.read import ReadOptions, crystal_from_file, read_structure
from symscape.errors import StructureFileError, SymscapeError

SIC = Structure(
    Lattice.hexagonal(3.08, 5.048),
    ["Si", "Si", "C", "C"],
    [[1 / 3, 2 / 3, 0], [2 / 3, 1 / 3, 0.5], [1 / 3, 2 / 3, 0.375], [2 / 3, 1 / 3, 0.875]],
)

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


def refused(path, sentence, options=None):
    with pytest.raises(StructureFileError, match=sentence) as caught:
        crystal_from_file(path, options=options)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))


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


# -- JSON -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["structure", "entry", "entries", "ase"])
def test_json_of_pymatgen_and_ase(tmp_path, form):
    path = tmp_path / "x.json"
    if form == "ase":
        write(path, Atoms(SIC.atomic_numbers, SIC.cart_coords, cell=SIC.lattice.matrix, pbc=True))
    else:
        entry = ComputedStructureEntry(SIC, -30.0).as_dict()
        document = {"structure": SIC.as_dict(), "entry": entry, "entries": [entry, entry]}[form]
        path.write_text(json.dumps(document))
    found = crystal_from_file(path)
    assert (found.crystal.formula, found.crystal.symbol) == ("SiC", "P6_3mc")
    assert any("last of 2" in text for text in found.notices) == (form == "entries")


def test_no_module_that_a_json_names_is_imported(tmp_path, monkeypatch):
    (tmp_path / "symscape_trap.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    trap = {"@module": "symscape_trap", "@class": "Anything"}
    document = SIC.as_dict()
    document["sites"][0]["properties"] = {"tag": trap, "magmom": trap}
    document["lattice"] |= trap
    document["properties"] = trap
    for name in ("x.json", "x.mson", "x.json.gz"):
        path = tmp_path / name
        data = json.dumps(document | {"@module": "symscape_trap"}).encode()
        path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        assert crystal_from_file(path).crystal.formula == "SiC"
    assert "symscape_trap" not in sys.modules


@settings(max_examples=40, deadline=None)
@given(
    more=st.dictionaries(st.sampled_from(["Si", "C", "N"]), st.integers(0, 4)),
    sites=st.sampled_from([None, 2, 4, 8]),
    factor=st.sampled_from([1, 2, 0.5]),
)
def test_what_stands_beside_a_structure_is_compared(tmp_path_factory, more, sites, factor):
    path = tmp_path_factory.mktemp("json") / "x.json"
    stated = {"Si": 2, "C": 2} | more
    composition = {symbol: factor * n for symbol, n in stated.items() if n}
    document = {"structure": SIC.as_dict(), "composition": composition, "nsites": sites}
    path.write_text(json.dumps(document))
    same = stated.get("Si") == stated.get("C") and not stated.get("N") and stated.get("C")
    if (same or not composition) and sites in (None, 4):
        assert crystal_from_file(path).crystal.formula == "SiC"
    else:
        refused(path, "nsites is|the composition is")


@pytest.mark.parametrize("periodic", [[True, True, False], [False] * 3])
def test_a_lattice_that_is_not_periodic_is_no_crystal(tmp_path, periodic):
    path = tmp_path / "x.json"
    document = SIC.as_dict()
    document["lattice"]["pbc"] = periodic
    path.write_text(json.dumps(document))
    refused(path, "not periodic in three directions")


@settings(max_examples=30, deadline=None)
@given(
    where=st.sampled_from(["magmom", "spin", "spin of the species", "initial_magmoms", "magmoms"]),
    value=st.sampled_from([2.0, [0.0, 0.0, 2.0], [1.0, 0.0, 0.0]]),
    seen=st.sampled_from(["all", "one"]),
)
def test_moments_are_never_lost(tmp_path_factory, where, value, seen):
    """Of two equivalent atoms one has none: then the crystal without moments is another one."""
    path = tmp_path_factory.mktemp("json") / "x.json"
    moments = [value if seen == "all" or k == 0 else None for k in range(4)]
    if where.endswith("magmoms"):
        zero = [0.0] * 3 if isinstance(value, list) else 0.0
        row = {"numbers": SIC.atomic_numbers, "positions": SIC.cart_coords.tolist()}
        row |= {"cell": SIC.lattice.matrix.tolist(), "pbc": [True] * 3}
        document = {"1": row | {where: [m if m is not None else zero for m in moments]}}
    else:
        document = SIC.as_dict()
        for site, moment in zip(document["sites"], moments, strict=True):
            (species,) = site["species"]
            if where == "magmom":
                site["properties"] = {"magmom": moment}
            elif moment is not None:
                spin = moment if isinstance(moment, float) else 2.0
                species |= {"spin": spin} if where == "spin" else {"properties": {"spin": spin}}
    path.write_text(json.dumps(document, default=list))
    if seen == "all":
        assert crystal_from_file(path).notices == (
            "magnetic moments are ignored; with them the symmetry is lower",
        )
    else:
        refused(path, "equivalent in P6_3mc but for their magnetic moments")


HUGE = "9" * 5001


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"lattice": 1', "JSON is damaged"),
        (f'{{"a": {HUGE}}}', "JSON is damaged"),
        ("[" * 100_000, "nested too deeply|damaged"),
        ("[" * 400 + "]" * 400, "nested too deeply"),
        ("[" * 40 + "]" * 40, "holds neither"),
        ('{"a": "\\ud800"}', "half a character"),
        ('{"lattice": {}, "lattice": {}, "sites": []}', "'lattice' stands twice"),
        ('{"lattice": {"matrix": 3}, "sites": []}', "malformed"),
        ('{"lattice": {"a": 1e999}, "sites": [{}]}', "malformed"),
        ('{"numbers": ["x"], "positions": [], "cell": []}', "malformed"),
        ('{"a": 3}', "holds neither"),
    ],
)
def test_damaged_json(tmp_path, text, sentence):
    path = tmp_path / "x.json"
    path.write_text(text)
    refused(path, sentence)


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["lattice", "sites", "matrix", "species", "abc", "numbers", "cell"]
                ),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_a_crystal_or_a_sentence(tmp_path_factory, document):
    path = tmp_path_factory.mktemp("json") / "x.json"
    path.write_text(json.dumps(document))
    with pytest.raises(SymscapeError):
        crystal_from_file(path)


def test_occupancies_and_moments_in_json(tmp_path):
    path = tmp_path / "x.json"
    alloy = Structure(SIC.lattice, [{"Si": 0.5, "C": 0.5}], [[0, 0, 0]])
    path.write_text(json.dumps(alloy.as_dict()))
    refused(path, "partially occupied")
    iron = Structure(
        Lattice.cubic(2.87),
        ["Fe", "Fe"],
        [[0, 0, 0], [0.5] * 3],
        site_properties={"magmom": [2.2, 2.2]},
    )
    path.write_text(json.dumps(iron.as_dict()))
    assert crystal_from_file(path).notices == (
        "magnetic moments are ignored; with them the symmetry is lower",
    )
    iron.add_site_property("magmom", [2.2, -2.2])
    path.write_text(json.dumps(iron.as_dict()))
    refused(path, "equivalent in Im-3m but for their magnetic moments")


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
    refused(path, "overlapping atoms")


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
