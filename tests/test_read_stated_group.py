"""Crystals that differ from a more symmetric one by less than the tolerance of the search."""

from __future__ import annotations

import json

import numpy as np
import pytest
import spglib
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Structure

from symscape.crystal.read import crystal_from_file, read_structure
from symscape.errors import StructureFileError

#: symbol, number, the number without displacement, cell and atoms by displacement in angstrom
PSEUDO_SYMMETRIC = {
    "PbTiO3": (
        "P 4 m m", 99, 221,
        lambda d: (4.0, 4.0, 4.0),
        lambda d: [("Pb", 0, 0, 0), ("Ti", 0.5, 0.5, 0.5 + d / 4),
                   ("O", 0.5, 0.5, 0), ("O", 0.5, 0, 0.5)],
    ),
    "TiO2": (
        "P 42 n m", 102, 136,
        lambda d: (4.6, 4.6, 2.96),
        lambda d: [("Ti", 0, 0, d / 2.96), ("O", 0.305, 0.305, 0)],
    ),
    "NaCl": (
        "F m m m", 69, 225,
        lambda d: (5.6, 5.6 + d, 5.6 + 2 * d),
        lambda d: [("Na", 0, 0, 0), ("Cl", 0.5, 0.5, 0.5)],
    ),
    "CsCl": (
        "P 4/m m m", 123, 221,
        lambda d: (4.1, 4.1, 4.1 + d),
        lambda d: [("Cs", 0, 0, 0), ("Cl", 0.5, 0.5, 0.5)],
    ),
}  # fmt: skip
NAMES = sorted(PSEUDO_SYMMETRIC)


def cif(name, displacement):
    symbol, number, _, cell, atoms = PSEUDO_SYMMETRIC[name]
    lengths = zip("abc", cell(displacement), strict=True)
    rows = [f"{e} {x:.9f} {y:.9f} {z:.9f}" for e, x, y, z in atoms(displacement)]
    return "\n".join([
        "data_x",
        *(f"_cell_length_{key} {value:.9f}" for key, value in lengths),
        *(f"_cell_angle_{key} 90" for key in ("alpha", "beta", "gamma")),
        f"_symmetry_space_group_name_H-M '{symbol}'",
        f"_symmetry_Int_Tables_number {number}",
        "loop_", "_atom_site_type_symbol",
        *(f"_atom_site_fract_{x}" for x in "xyz"),
        *rows, "",
    ])  # fmt: skip


def spglibs(path, symprec):
    atoms = read_structure(path).atoms
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    return spglib.get_symmetry_dataset(cell, symprec=symprec)


@settings(max_examples=30, deadline=None)
@given(name=st.sampled_from(NAMES), size=st.floats(-4, -1).map(lambda power: 10**power))
def test_the_group_that_the_file_states_is_taken_however_small_its_displacement(
    tmp_path_factory, name, size
):
    path = tmp_path_factory.mktemp("stated") / "x.cif"
    path.write_text(cif(name, size))
    found = crystal_from_file(path)
    _, number, high, *_ = PSEUDO_SYMMETRIC[name]
    assert found.crystal.space_group_number == number == spglibs(path, 1e-6).number
    by_default = spglibs(path, 0.01).number
    if by_default == number:
        assert found.notices == ()
        return
    (notice,) = found.notices
    used = float(notice.split()[2])
    assert used < 0.01
    assert spglibs(path, used).number == number
    assert f"for with 0.01 {found_name(path)} is found" in notice
    assert notice.endswith(f"but the file states space group No. {number}")
    if size < 3e-4:
        assert by_default == high


def found_name(path):
    """What the tolerance of 0.01, asked for, gives: that one is the user's and isn't changed."""
    found = crystal_from_file(path, symprec=0.01)
    (notice,) = found.notices
    assert notice.endswith("which was taken")
    return f"{found.crystal.symbol} (No. {found.crystal.space_group_number})"


@pytest.mark.parametrize("name", NAMES)
def test_a_crystal_with_more_symmetry_than_stated_keeps_it_and_says_so(tmp_path, name):
    path = tmp_path / "x.cif"
    path.write_text(cif(name, 0.0))
    found = crystal_from_file(path)
    _, number, high, *_ = PSEUDO_SYMMETRIC[name]
    assert found.crystal.space_group_number == high
    (notice,) = found.notices
    assert notice == (
        f"the file states space group No. {number}, but its atoms have {found.crystal.symbol} "
        f"(No. {high}), which was taken"
    )


def test_of_groups_above_the_stated_one_the_lowest_is_taken(tmp_path):
    """Stated orthorhombic, tetragonal but for nothing, cubic but for 0.004 angstrom."""
    path = tmp_path / "x.cif"
    text = cif("PbTiO3", 0.004).replace("P 4 m m", "P m m 2").replace("number 99", "number 25")
    path.write_text(text + "O 0 0.5 0.5\n")
    found = crystal_from_file(path)
    assert found.crystal.symbol == "P4mm"
    assert [notice.split(",")[0] for notice in found.notices] == [
        "symprec = 0.001 angstrom was used",
        "the file states space group No. 25",
    ]


def materials_project(tmp_path, group):
    """A document whose structure is P4mm, cubic but for 0.02 angstrom."""
    (tmp_path / "x.cif").write_text(cif("PbTiO3", 0.02))
    atoms = read_structure(tmp_path / "x.cif").atoms
    structure = Structure(
        atoms.cell.array, atoms.get_chemical_symbols(), atoms.get_scaled_positions()
    )
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"structure": structure.as_dict(), "symmetry": {"number": group}}))
    return path


def test_the_group_beside_a_structure_in_json_is_what_the_file_states(tmp_path):
    for written in (99, "99", 99.0):
        found = crystal_from_file(materials_project(tmp_path, written))
        assert (found.crystal.space_group_number, found.notices) == (99, ())
    # the Materials Project searches with 0.1 angstrom
    found = crystal_from_file(materials_project(tmp_path, 221))
    assert found.crystal.space_group_number == 221
    (notice,) = found.notices
    assert notice.startswith("symprec = 0.1 angstrom was used")
    found = crystal_from_file(materials_project(tmp_path, 25))
    assert found.crystal.space_group_number == 99
    assert "states space group No. 25, but its atoms have P4mm (No. 99)" in found.notices[0]


@pytest.mark.parametrize("number", [227, 194, 231, 0, -1, "225", 99.5])
def test_another_group_beside_a_structure_is_refused(tmp_path, number):
    with pytest.raises(StructureFileError, match=r"space group") as caught:
        crystal_from_file(materials_project(tmp_path, number))
    assert "\n" not in str(caught.value)
    assert str(number) in str(caught.value)


def test_displacements_are_in_the_table(tmp_path):
    """The atoms stay where the file has them, not where the higher symmetry would."""
    path = tmp_path / "x.cif"
    path.write_text(cif("PbTiO3", 0.004))
    crystal = crystal_from_file(path).crystal
    heights = crystal.positions[np.isin(crystal.numbers, [22, 82]), 2]
    assert (heights[0] - heights[1]) % 0.5 == pytest.approx(0.001, abs=1e-9) or (
        heights[1] - heights[0]
    ) % 0.5 == pytest.approx(0.001, abs=1e-9)
