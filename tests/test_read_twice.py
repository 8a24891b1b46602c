"""Files that say the same thing twice, and not alike, or leave out what their reader makes up."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from symscape.crystal.read import crystal_from_file, read_structure
from symscape.dataset.documents import record_from_document
from symscape.dataset.record import BadRecord
from symscape.errors import StructureFileError

RUTILE = Structure(
    Lattice.tetragonal(4.6, 2.96),
    ["Ti"] * 2 + ["O"] * 4,
    [[0, 0, 0], [0.5, 0.5, 0.5], [0.305, 0.305, 0], [0.695, 0.695, 0], [0.195, 0.805, 0.5],
     [0.805, 0.195, 0.5]],
)  # fmt: skip


def refused(path, sentence):
    with pytest.raises(StructureFileError, match=sentence) as caught:
        crystal_from_file(path)
    assert "\n" not in str(caught.value)


# -- JSON -----------------------------------------------------------------------------------------


def scaled(factor):
    def change(document):
        lattice = document["lattice"]
        lattice["matrix"] = (np.array(lattice["matrix"]) * factor).tolist()

    return change


def set_lattice(key, value):
    return lambda document: document["lattice"].update({key: value})


def moved(key, by):
    def change(document):
        site = document["sites"][3]
        site[key] = [x + by for x in site[key]]

    return change


EDITS = {
    "matrix": (scaled(1.2), "lattice's a is 4.6, but its matrix has 5.52"),
    "volume": (set_lattice("volume", 100), "volume is 100, but its matrix has 62.6"),
    "c": (set_lattice("c", 3.1), "c is 3.1, but"),
    "gamma": (set_lattice("gamma", 120), "gamma is 120, but"),
    "abc": (moved("abc", 0.02), "site 4 is 0.14 angstrom elsewhere"),
    "xyz": (moved("xyz", 0.3), "site 4 is 0.52 angstrom elsewhere"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_structure_edited_in_one_of_its_two_forms_is_refused(tmp_path, edit):
    change, sentence = EDITS[edit]
    document = RUTILE.as_dict()
    change(document)
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document))
    refused(path, sentence)
    with pytest.raises(BadRecord, match=sentence) as caught:
        record_from_document({"structure": document, "energy": -50.0})
    assert caught.value.kind == "contradiction"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(2.5, 12), min_size=3, max_size=3),
    st.lists(st.floats(60, 119), min_size=3, max_size=3),
    st.integers(4, 12),
    st.integers(0, 2**32 - 1),
)
def test_what_pymatgen_writes_agrees_with_itself(lengths, angles, digits, seed):
    """However it is rounded, and wherever sites stand: outside the cell as well."""
    random = np.random.default_rng(seed)
    try:
        lattice = Lattice.from_parameters(*lengths, *angles)
    except ValueError:
        assume(False)
    assume(lattice.volume > 3)
    document = Structure(lattice, ["Na", "Cl"], random.uniform(-2, 2, (2, 3))).as_dict()
    rounded = json.loads(json.dumps(document), parse_float=lambda x: round(float(x), digits))
    record = record_from_document({"structure": rounded, "energy": -1.0})
    assert record.cell_volume == pytest.approx(lattice.volume, rel=1e-2)


@pytest.mark.parametrize(
    "beside",
    [{"natoms": 12}, {"nsites": 3}, {"formula": "MgO"}, {"formula_pretty": "Ti2O"}],
)
def test_numbers_and_formulas_beside_a_structure(tmp_path, beside):
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"structure": RUTILE.as_dict(), **beside}))
    refused(path, next(iter(beside)))
    path.write_text(json.dumps({"structure": RUTILE.as_dict(), "natoms": 6, "formula": "Ti2 O4"}))
    assert crystal_from_file(path).crystal.space_group_number == 136


def test_a_row_of_ases_database(tmp_path):
    cell = (4 * np.eye(3)).tolist()
    row = {"numbers": [11, 17], "positions": [[0, 0, 0], [2, 2, 2]], "cell": cell}
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"1": {**row, "natoms": 2, "formula": "NaCl"}}))
    assert crystal_from_file(path).crystal.formula == "NaCl"
    for wrong in ({"natoms": 4}, {"formula": "NaF"}):
        path.write_text(json.dumps({"1": {**row, **wrong}}))
        refused(path, "but the structure")


# -- POSCAR ---------------------------------------------------------------------------------------


def poscar(labels, flags="", mode="Direct"):
    places = [" ".join(f"{x:.6f}" for x in site.frac_coords) for site in RUTILE]
    rows = [f"{place} {flags} {label}" for place, label in zip(places, labels, strict=True)]
    head = ["t", "1.0", "4.6 0 0", "0 4.6 0", "0 0 2.96", "Ti O", "2 4", mode]
    return "\n".join([*head, *rows]) + "\n"


WRITTEN = {
    "plain": "{}", "numbered": "{}1", "comment": "! {}", "hash": "# {}", "none": "", "ion": "{}2-",
    "word": "atom",
}  # fmt: skip


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("flags", ["", "T T F", "F  F  F"])
def test_labels_behind_coordinates(tmp_path, how, flags):
    path = tmp_path / "x.vasp"
    mode = "Selective dynamics\nDirect" if flags else "Direct"
    right = [WRITTEN[how].format(symbol) for symbol in ["Ti"] * 2 + ["O"] * 4]
    path.write_text(poscar(right, flags, mode))
    assert crystal_from_file(path).crystal.space_group_number == 136
    if "{}" in WRITTEN[how]:
        other = [WRITTEN[how].format(symbol) for symbol in ["O"] * 4 + ["Ti"] * 2]
        path.write_text(poscar(other, flags, mode))
        refused(path, "atom 1 is Ti by the counts, but its line ends with O")
    # labels of some lines only are comments
    path.write_text(
        poscar([*right[:-1], "H"] if how == "none" else [*right[:-1], "x"], flags, mode)
    )
    assert crystal_from_file(path).crystal.formula == "TiO2"


# -- other formats --------------------------------------------------------------------------------

DUMP = """ITEM: TIMESTEP
0
ITEM: NUMBER OF ATOMS
2
ITEM: BOX BOUNDS pp pp pp
0 4
0 4
0 4
ITEM: ATOMS id type {column} x y z
1 1 {first} 0 0 0
2 2 {second} 2 2 2
"""


def test_types_of_lammps_are_no_elements(tmp_path):
    path = tmp_path / "x.lammpstrj"
    path.write_text(DUMP.format(column="", first="", second=""))
    refused(path, "no elements but types of LAMMPS")
    path.write_text(DUMP.format(column="element", first="Cs", second="Cl"))
    assert crystal_from_file(path).crystal.formula == "CsCl"
    cscl = Atoms("CsCl", [[0, 0, 0], [2, 2, 2]], cell=[4, 4, 4], pbc=True)
    write(tmp_path / "x.data", cscl, format="lammps-data")
    refused(tmp_path / "x.data", "no elements but types of LAMMPS")


CAR = """!BIOSYM archive 3
PBC=ON
title
!DATE
PBC    5.6000    5.6000    5.6000   90.0000   90.0000   90.0000 ({})
Na1      0.000000000    0.000000000    0.000000000 XXXX 1      xx      Na  0.000
Cl1      2.800000000    2.800000000    2.800000000 XXXX 1      xx      Cl  0.000
end
end
"""


@pytest.mark.parametrize(
    ("name", "text", "group"),
    [
        ("x.car", CAR, "FM-3M"),
        ("x.cssr", "5.6 5.6 5.6\n90 90 90 SPGR = {}    OPT = 1\n2 0\n0 t\n", "225 F m -3 m"),
        ("x.xsd", '<XSD><SpaceGroup ID="1" GroupName="{}"/></XSD>', "FM-3M"),
    ],
)
def test_an_asymmetric_unit_is_not_taken_for_the_crystal(tmp_path, name, text, group):
    path = tmp_path / name
    path.write_text(text.format(group))
    refused(path, "asymmetric unit only")


def test_the_same_formats_without_symmetry_are_read(tmp_path):
    path = tmp_path / "x.car"
    path.write_text(CAR.format("P1"))
    assert len(read_structure(path).atoms) == 2
    RUTILE.to_ase_atoms().write(path, format="dmol-car")
    assert crystal_from_file(path).crystal.space_group_number == 136


def test_what_ase_says_of_its_castep_is_not_said_of_the_crystal(tmp_path):
    path = tmp_path / "x.cell"
    RUTILE.to_ase_atoms().write(path, format="castep-cell")
    assert crystal_from_file(path).notices == ()
