"""Every dialect of CIF gives the crystal that was written, or a sentence.

The crystals are made with spglib's operations, not with gemmi, whose reading is tested.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import warnings

import gemmi
import numpy as np
import pytest
import spglib
import zstandard
from ase.data import atomic_numbers
from cif_dialects import DOTTED, NEW, OLD, Drawn, cell_of, write_cif
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symscape.crystal.read import ReadOptions, crystal_from_file, read_structure
from symscape.crystal.reading.agreement import formula_elements
from symscape.crystal.reading.cif import read_cif
from symscape.crystal.reading.cif_block import CifBlock
from symscape.crystal.reading.elements import element_of_label
from symscape.dataset.files import recognize
from symscape.dataset.importing import import_files
from symscape.dataset.options import ImportOptions
from symscape.dataset.readers.cif import read_cif_records as read_records
from symscape.errors import StructureFileError

PACK = {
    "": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}  # fmt: skip


def drawn(hall_number, seed):
    """A crystal of two elements in general positions of a setting."""
    rng = np.random.default_rng(seed)
    place = tuple(np.round(rng.uniform(0.05, 0.45, 3), 4))
    other = tuple(np.round(rng.uniform(0.55, 0.95, 3), 4))
    return Drawn(hall_number, cell_of(hall_number, 9.1, 10.3, 11.7), ((22, place), (8, other)))


def agrees(crystal, cell):
    """Whether the atoms read are spglib's images of those written, each with its partner."""
    places, numbers = crystal.all_atoms()
    if len(places) != len(cell.numbers):
        return False
    gaps = cell.positions[:, None] - places[None]
    apart = np.linalg.norm((gaps - np.round(gaps)) @ crystal.lattice, axis=-1)
    apart[cell.numbers[:, None] != numbers[None]] = np.inf
    return bool(apart.min(axis=1).max() < 1e-3 and apart.min(axis=0).max() < 1e-3)


def has_no_close_pair(crystal):
    places, _ = crystal.all_atoms()
    gaps = places[:, None] - places[None]
    apart = np.linalg.norm((gaps - np.round(gaps)) @ crystal.lattice, axis=-1)
    np.fill_diagonal(apart, np.inf)
    return apart.min() > 0.5


@pytest.mark.parametrize("by", ["operators", "hall"])
@settings(max_examples=60, deadline=None)
@given(
    hall_number=st.integers(1, 530),
    seed=st.integers(0, 10_000),
    tags=st.sampled_from([OLD, NEW, DOTTED]),
)
def test_every_setting_by_its_operators_or_its_hall_symbol(by, hall_number, seed, tags):
    crystal = drawn(hall_number, seed)
    assume(has_no_close_pair(crystal))
    cell = read_cif(write_cif(crystal, by=by, tags=tags))
    assert agrees(crystal, cell)
    assert cell.operations == len(crystal.operations[0])
    assert cell.space_group == crystal.kind.number


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_every_setting_by_its_symbol(data):
    """Symbols of gemmi's table, expanded by spglib's operations where they are the same group."""
    group = data.draw(st.sampled_from(list(gemmi.spacegroup_table_itb())))
    same = spglib_setting(group)
    assume(same is not None)
    crystal = drawn(same, data.draw(st.integers(0, 10_000)))
    assume(has_no_close_pair(crystal))
    qualifier = group.ext if group.ext in "12HR" else ""
    symbol = group.hm
    if qualifier:
        form = data.draw(st.sampled_from([" :{}", ":{}", " {}"]))
        letter = data.draw(
            st.sampled_from([qualifier, {"1": "S", "2": "Z"}.get(qualifier, qualifier)])
        )
        symbol += form.format(letter)
    assert agrees(crystal, read_cif(write_cif(crystal, by="symbol", symbol=symbol)))


def spglib_setting(group):
    """The Hall number of a setting of gemmi with the same operations, or None."""
    wanted = {operation.triplet() for operation in group.operations()}
    for hall_number in range(1, 531):
        kind = spglib.get_spacegroup_type(hall_number)
        if kind.number == group.number:
            operators = gemmi.symops_from_hall(kind.hall_symbol)
            if {operation.triplet() for operation in operators} == wanted:
                return hall_number
    return None


@settings(max_examples=60, deadline=None)
@given(
    hall_number=st.integers(1, 530),
    seed=st.integers(0, 10_000),
    by=st.sampled_from(["operators", "hall", "nothing"]),
    occupancy=st.sampled_from([None, ".", "?", "1", "1.0", "1.000(2)"]),
    types=st.booleans(),
    packing=st.sampled_from(list(PACK)),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
    other=st.booleans(),
)
def test_dialects(
    tmp_path_factory, hall_number, seed, by, occupancy, types, packing, newline, encoding, other
):
    crystal = drawn(hall_number, seed)
    assume(has_no_close_pair(crystal))
    text = write_cif(
        crystal, by=by, occupancy=occupancy, types=types, extra="_publ_author_name 'Müller, J.'"
    )
    if other:  # a block without a crystal is no second structure
        text += "\ndata_global\n_audit_author_name 'Noël'\n"
    path = tmp_path_factory.mktemp("dialects") / f"x.cif{packing}"
    path.write_bytes(PACK[packing](text.replace("\n", newline).encode(encoding)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a reader's cosmetics reach nobody
        content = read_structure(path)
    places, numbers = crystal.all_atoms()
    assert sorted(content.atoms.numbers) == sorted(numbers)
    cell = (content.atoms.cell.array, content.atoms.get_scaled_positions(), content.atoms.numbers)
    ours = spglib.get_symmetry_dataset(cell, symprec=1e-3)
    theirs = spglib.get_symmetry_dataset((crystal.lattice, places, numbers), symprec=1e-3)
    assert ours.number == theirs.number
    if occupancy == "?":
        (notice,) = content.notices
        assert notice.endswith("is unknown (?), taken as 1")
    else:
        assert content.notices == ()


@pytest.mark.parametrize("places", [3, 4, 5])
@pytest.mark.parametrize("packing", ["", ".gz"])
def test_thirds_are_put_in_place(tmp_path, places, packing):
    third = round(1 / 3, places)
    crystal = Drawn(
        488, (3.2, 3.2, 5.2, 90.0, 90.0, 120.0), ((12, (third, round(2 / 3, places), 0.25)),)
    )
    path = tmp_path / f"mg.cif{packing}"
    path.write_bytes(PACK[packing](write_cif(crystal, digits=places).encode()))
    found = crystal_from_file(path).crystal
    assert (found.symbol, len(found)) == ("P6_3/mmc", 2)


@pytest.mark.parametrize("packing", PACK)
def test_import_knows_packed_files(tmp_path, packing):
    path = tmp_path / f"x.cif{packing}"
    crystal = drawn(225, 1)
    path.write_bytes(PACK[packing](write_cif(crystal).encode()))
    assert recognize(path) == "cif"
    (record,) = read_records(path)
    assert record.n_atoms == len(crystal.all_atoms()[1])


IDENTITY = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n_symmetry_Int_Tables_number {}"
CONTENT = "loop_\n_atom_type_symbol\n_atom_type_number_in_cell\nNa1+ {}\nCl1- {}"
SALT = Drawn(523, (5.64,) * 3 + (90.0,) * 3, ((11, (0.0, 0.0, 0.0)), (17, (0.5, 0.5, 0.5))))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"formula": "Na2 Cl"}, "says Na2 Cl, but the atoms listed make Na4 Cl4"),
        ({"formula": "Na Cl H2"}, "says Na Cl H2, but"),
        ({"formula": "Na Cl", "units": 8}, "says Z = 8 of Na Cl, 16 atoms"),
        ({"extra": "_cell_volume 90.1"}, "volume is 90.1"),
        ({"extra": "_symmetry_Int_Tables_number 166"}, "operators means space group No. 225"),
        ({"extra": "_symmetry_space_group_name_H-M 'P a -3'"}, "No. 225, P a -3 means No. 205"),
        ({"extra": "_symmetry_space_group_name_Hall '-P 4n 2n'"}, "not those of the Hall symbol"),
        ({"extra": "_symmetry_Int_Tables_number 231"}, "no space group number 231"),
        ({"by": "symbol", "symbol": "F d -3 m"}, "may mean F d -3 m:1 and F d -3 m:2"),
        ({"by": "symbol", "symbol": "P 6 m m"}, "does not have the shape that P 6 m m asks for"),
        ({"by": "symbol", "symbol": "Q 17"}, "space group 'Q 17' is unknown"),
        ({"by": "hall", "extra": "_symmetry_Int_Tables_number 1"}, "No. 1"),
        ({"by": "nothing", "extra": IDENTITY.format(194)}, "atoms have No. 225"),
        ({"by": "nothing", "extra": "_symmetry_Int_Tables_number 194"}, "P 63/m m c asks for"),
        ({"occupancy": "0.5"}, "Na1 is a partially occupied site"),
        ({"occupancy": "2"}, "partially occupied"),
        ({"extra": "_chemical_formula_iupac 'K Cl'"}, "says K Cl, but the atoms listed make"),
        ({"extra": "_chemical_formula_weight 59.44"}, "weigh 59.44 u each, but the atoms listed"),
        ({"extra": "_chemical_formula_weight 58.44", "units": 2}, "2 formula units weigh 58.44"),
        (
            {"extra": CONTENT.format(4, 8)},
            "says that 8 atoms of Cl are in the cell, but there are 4",
        ),
        ({"extra": "_cell_modulation_dimension 1"}, "the crystal is modulated"),
        ({"extra": "loop_\n_cell_wave_vector_seq_id\n_cell_wave_vector_x\n1 .3"}, "is modulated"),
    ],
)
def test_what_contradicts_itself_is_refused(arguments, sentence):
    with pytest.raises(StructureFileError, match=sentence) as caught:
        read_cif(write_cif(SALT, **arguments))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"formula": "Na Cl", "units": 4},
        {"formula": "Na4 Cl4", "units": 4},  # pymatgen's way
        {"formula": "Na4 Cl4", "units": 1},
        {"extra": "_cell_volume 179.4\n_symmetry_space_group_name_H-M 'F m -3 m'"},
        {"extra": "_chemical_formula_moiety 'Na 1+, Cl 1-'"},
        {"by": "nothing", "extra": IDENTITY.format(225)},
        {"by": "nothing", "extra": "_symmetry_Int_Tables_number 225"},
        {"by": "number"},
        {"extra": "_chemical_formula_weight 58.4", "units": 4},
        {"extra": "_chemical_formula_weight 58.44"},
        {"extra": "_chemical_formula_iupac 'sodium chloride'"},
        {"extra": CONTENT.format(4, 4)},
        {"extra": CONTENT.format("?", ".")},
        {"extra": "_cell_modulation_dimension 0"},
    ],
)
def test_what_agrees_is_read(arguments):
    assert len(read_cif(write_cif(SALT, **arguments)).numbers) == 8


def test_stated_z_decides_between_origins():
    carbon = Drawn(525, (3.57,) * 3 + (90.0,) * 3, ((6, (0.0, 0.0, 0.0)),))
    text = write_cif(carbon, by="symbol", symbol="F d -3 m", formula="C", units=8)
    assert len(read_cif(text).numbers) == 8


@pytest.mark.parametrize("element", ["In", "Ni", "Cs", "Sc", "Pb", "Co"])
@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_symbols_in_capitals_are_the_same_element(element, case):
    """ASE reads IN as iodine, which is no disagreement on the crystal."""
    text = write_cif(SALT, occupancy="1").replace("Na1 Na", f"{element}1 {case(element)}")
    assert set(read_cif(text).numbers) == {17, atomic_numbers[element]}


@pytest.mark.parametrize(("axes", "cells"), [(459, 1), (459, 3), (458, 1)])
def test_multiplicities_may_be_those_of_the_hexagonal_cell(axes, cells):
    crystal = Drawn(axes, cell_of(axes), ((80, (0.0, 0.0, 0.0)),))
    text = write_cif(crystal).replace(
        "_atom_site_fract_x", "_atom_site_symmetry_multiplicity\n_atom_site_fract_x"
    )
    found = 3 if axes == 458 else 1
    assert len(read_cif(text.replace("Hg1 Hg", f"Hg1 Hg {found * cells}")).numbers) == found
    with pytest.raises(StructureFileError, match="has multiplicity 2"):
        read_cif(text.replace("Hg1 Hg", "Hg1 Hg 2"))


def test_weights_of_deuterides_are_not_compared():
    text = write_cif(SALT, extra="_chemical_formula_weight 25.0").replace("Cl2 Cl", "D2 D")
    assert sorted(set(read_cif(text).numbers)) == [1, 11]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("Na1 Na", "Va1 Va", "'Va' is not a chemical element"),
        ("Na1 Na", "X1 X", "'X' is not a chemical element"),
        ("Na1 Na", "O1 OH", "'OH' is not a chemical element"),
        ("Na1 Na 0.000000", "Na1 Na ?", "coordinates of Na1"),
        ("Na1 Na 0.000000", "Na1 Na 0.03", "Na1 .* near a special position"),
        ("Cl2 Cl 0.500000 0.500000 0.500000", "Cl2 Cl 0 0 0", "Na1 and Cl2 are at the same place"),
        ("'-x,-y,z'\n", "", "make no group"),
        ("'-x,-y,z'", "'-x,-y,q'", "can't be understood"),
        ("_cell_length_b 5.64", "", "_cell_length_b is 'missing'"),
        ("_cell_length_b 5.64", "_cell_length_b 5.9", "does not have the shape"),
    ],
)
def test_incomplete_files_are_refused(old, new, sentence):
    text = write_cif(SALT)
    assert old in text
    with pytest.raises(StructureFileError, match=sentence) as caught:
        read_cif(text.replace(old, new, 1))
    assert "\n" not in str(caught.value)


def test_hydrogens_that_are_only_counted_are_refused():
    column = "_atom_site_attached_hydrogens\n_atom_site_fract_x"
    text = write_cif(SALT).replace("_atom_site_fract_x", column)
    text = text.replace("Na1 Na", "Na1 Na 2").replace("Cl2 Cl", "Cl2 Cl .")
    with pytest.raises(StructureFileError, match="Na1 has 2 attached hydrogens"):
        read_cif(text)


@pytest.mark.parametrize(
    ("label", "formula", "number"),
    [
        ("Co1", "", 27), ("CO1", "C O", None), ("CO1", "Co O", 27), ("CL2", "Na Cl", 17),
        ("Va", "", None), ("O1A", "", 8), ("Ow", "", 8), ("H(1)", "", 1), ("D1", "", 1),
        ("Xx", "", None),
    ],
)  # fmt: skip
def test_elements_of_labels(label, formula, number):
    known = formula_elements(CifBlock("x", {"_chemical_formula_sum": (formula,)}))
    if number is None and not formula:
        with pytest.raises(StructureFileError):
            element_of_label(label, known)
    else:
        assert element_of_label(label, known) == (number or 6)


def test_blocks_are_chosen_by_name(tmp_path):
    path = tmp_path / "two.cif"
    other = Drawn(1, (4.0, 5.0, 6.0, 90.0, 90.0, 90.0), ((55, (0.0, 0.0, 0.0)),))
    path.write_text(write_cif(SALT, name="salt") + write_cif(other, name="other"))
    last = read_structure(path)
    assert set(last.atoms.symbols) == {"Cs"}
    (notice,) = last.notices
    assert notice.startswith("took the last of 2 structures, data block other, of salt, other; ")
    named = read_structure(path, ReadOptions(block="SALT"))
    assert set(named.atoms.symbols) == {"Na", "Cl"}
    assert named.notices == ()
    with pytest.raises(StructureFileError, match=r"no data block 'third' .* salt, other"):
        read_structure(path, ReadOptions(block="third"))


def test_an_import_takes_a_named_block_and_keeps_the_limit(tmp_path):
    path, table = tmp_path / "two.cif", tmp_path / "energies.csv"
    other = Drawn(1, (4.0, 5.0, 6.0, 90.0, 90.0, 90.0), ((55, (0.0, 0.0, 0.0)),))
    path.write_text(write_cif(SALT, name="salt") + write_cif(other, name="other"))
    table.write_text("file,energy\ntwo.cif,-27.0\n")
    for reading, elements in (("", ("Cs",)), ("salt", ("Cl", "Na"))):
        options = ImportOptions(reading=ReadOptions(block=reading))
        summary = import_files([path, table], tmp_path / f"set {reading}", options)
        assert summary.elements == elements
    options = ImportOptions(reading=ReadOptions(max_size_MB=1e-4))
    summary = import_files([path, table], tmp_path / "none", options)
    assert summary.imported == 0
    (reject, _) = (tmp_path / "none" / "rejects.jsonl").read_text().splitlines()
    assert "larger than 0.0001 MB" in reject


MAGNETIC = """data_m
_cell_length_a 4.0
_cell_length_b 4.0
_cell_length_c 8.0
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_space_group_symop_magn_operation.id
_space_group_symop_magn_operation.xyz
1 x,y,z,+1
loop_
_space_group_symop_magn_centering.id
_space_group_symop_magn_centering.xyz
1 x,y,z,+1
2 x,y,z+1/2,{reversal}
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Mn1 Mn 0 0 0
F1 F 0.5 0.5 0.2
loop_
_atom_site_moment.label
_atom_site_moment.crystalaxis_x
_atom_site_moment.crystalaxis_y
_atom_site_moment.crystalaxis_z
Mn1 0 0 3.0
"""


def test_moments_that_lower_the_symmetry_are_refused(tmp_path):
    path = tmp_path / "m.mcif"
    path.write_text(MAGNETIC.format(reversal="-1"))
    content = read_structure(path)
    assert len(content.atoms) == 4
    np.testing.assert_allclose(content.moments[:, 2], [3, -3, 0, 0])
    with pytest.raises(
        StructureFileError, match="equivalent in P4mm but for their magnetic moments"
    ):
        crystal_from_file(path)
    path.write_text(MAGNETIC.format(reversal="+1"))
    found = crystal_from_file(path)
    assert len(found.crystal) == 2
    assert "magnetic moments are ignored" in found.notices[-1]
