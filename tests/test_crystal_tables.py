"""Coordinates as the International Tables for Crystallography, volume A, print them."""

from __future__ import annotations

import numpy as np
import pytest
import spglib
from ase.io import write
from ase.spacegroup import crystal as ase_crystal

from symscape.crystal.crystal import Crystal
from symscape.crystal.read import read_structure
from symscape.errors import StructureFileError, SymscapeError


def hall(number: int, choice: str | None = None) -> int:
    settings = [(h, spglib.get_spacegroup_type(h)) for h in range(1, 531)]
    return next(
        h for h, kind in settings if kind.number == number and choice in (None, kind.choice)
    )


#: space group, setting, cell, sites; for each orbit its Wyckoff position, site symmetry and
#: coordinates; number of free coordinates
TABLES = [
    (136, None, [4.6, 4.6, 3.0, 90, 90, 90], [("Ti", (0, 0, 0)), ("O", (0.305, 0.305, 0))],
     [("2a", "m.mm", "(0, 0, 0)"), ("4f", "m.2m", "(x, x, 0)")], 1),
    (186, None, [3.25, 3.25, 5.2, 90, 90, 120], [("Zn", (1 / 3, 2 / 3, 0)), ("S",
     (1 / 3, 2 / 3, 0.37))],
     [("2b", "3m.", "(1/3, 2/3, z)"), ("2b", "3m.", "(1/3, 2/3, z)")], 1),
    (152, None, [4.36, 4.36, 4.95, 90, 90, 120], [("Se", (0.225, 0, 1 / 3))],
     [("3a", ".2.", "(x, 0, 1/3)")], 1),
    (64, None, [3.31, 10.48, 4.37, 90, 90, 90], [("P", (0, 0.1, 0.08))],
     [("8f", "m..", "(0, y, z)")], 2),
    (63, None, [4.2, 10.6, 3.9, 90, 90, 90], [("Ca", (0, 0.36, 0.25)), ("Si", (0, 0.07, 0.25))],
     [("4c", "m2m", "(0, y, 1/4)"), ("4c", "m2m", "(0, y, 1/4)")], 2),
    (164, None, [4.58, 4.58, 7.27, 90, 90, 120],
     [("Mg", (0, 0, 0)), ("Mg", (1 / 3, 2 / 3, 0.63)), ("Sb", (1 / 3, 2 / 3, 0.23))],
     [("1a", "-3m.", "(0, 0, 0)"), ("2d", "3m.", "(1/3, 2/3, z)"),
     ("2d", "3m.", "(1/3, 2/3, z)")], 2),
    (166, "H", [3.8, 3.8, 10.7, 90, 90, 120], [("As", (0, 0, 0.227))],
     [("6c", "3m", "(0, 0, z)")], 1),
    (167, "H", [4.76, 4.76, 13.0, 90, 90, 120], [("Al", (0, 0, 0.352)), ("O", (0.306, 0, 0.25))],
     [("12c", "3.", "(0, 0, z)"), ("18e", ".2", "(x, 0, 1/4)")], 2),
    (62, None, [11.5, 4.15, 4.45, 90, 90, 90], [("Sn", (0.12, 0.25, 0.1)), ("Se",
     (0.85, 0.25, 0.48))],
     [("4c", ".m.", "(x, 1/4, z)"), ("4c", ".m.", "(x, 1/4, z)")], 4),
    (205, None, [5.4, 5.4, 5.4, 90, 90, 90], [("Fe", (0, 0, 0)), ("S", (0.385, 0.385, 0.385))],
     [("4a", ".-3.", "(0, 0, 0)"), ("8c", ".3.", "(x, x, x)")], 1),
    (122, None, [5.8, 5.8, 11.6, 90, 90, 90],
     [("Cu", (0, 0, 0)), ("In", (0, 0, 0.5)), ("Se", (0.22, 0.25, 0.125))],
     [("4a", "-4..", "(0, 0, 0)"), ("4b", "-4..", "(0, 0, 1/2)"),
     ("8d", ".2.", "(x, 1/4, 1/8)")], 1),
    (129, "2", [4.4, 4.4, 7.2, 90, 90, 90],
     [("F", (0.75, 0.25, 0)), ("Ba", (0.25, 0.25, 0.2)), ("Cl", (0.25, 0.25, 0.65))],
     [("2a", "-4m2", "(3/4, 1/4, 0)"), ("2c", "4mm", "(1/4, 1/4, z)"),
     ("2c", "4mm", "(1/4, 1/4, z)")], 2),
    (180, None, [5.0, 5.0, 5.5, 90, 90, 120], [("Si", (0.5, 0, 0)), ("O", (0.21, 0.42, 0.5))],
     [("3c", "222", "(1/2, 0, 0)"), ("6j", "..2", "(x, 2x, 1/2)")], 1),
    (227, "2", [8.1, 8.1, 8.1, 90, 90, 90],
     [("Mg", (0.125, 0.125, 0.125)), ("Al", (0.5, 0.5, 0.5)), ("O", (0.2625, 0.2625, 0.2625))],
     [("8a", "-43m", "(1/8, 1/8, 1/8)"), ("16d", ".-3m", "(1/2, 1/2, 1/2)"),
     ("32e", ".3m", "(x, x, x)")], 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "choice", "cell", "sites", "orbits", "n_wyckoff"), TABLES, ids=lambda v: str(v)[:12]
)
def test_positions_read_as_in_the_tables(number, choice, cell, sites, orbits, n_wyckoff):
    crystal = Crystal.from_sites(cell, hall(number, choice), sites)
    found = [(o.wyckoff, o.site_symmetry.strip(), o.coordinates) for o in crystal.orbits]
    assert found == orbits
    assert crystal.n_wyckoff == n_wyckoff


def test_a_tied_coordinate_moves_as_its_form_says():
    crystal = Crystal.from_sites(
        [5.0, 5.0, 5.5, 90, 90, 120], hall(180), [("Si", (0.5, 0, 0)), ("O", (0.21, 0.42, 0.5))]
    )
    (free,) = crystal.free_coordinates
    assert free.name == "O_x"
    representative = next(o for o in crystal.orbits if o.label == "O").representative
    np.testing.assert_allclose(crystal.B[representative, :, 0], [1, 2, 0])


def test_labels_are_numbered_only_where_needed():
    crystal = Crystal.from_sites(
        [3.9, 3.9, 4.15, 90, 90, 90],
        hall(99),
        [
            ("Pb", (0, 0, 0)),
            ("Ti", (0.5, 0.5, 0.54)),
            ("O", (0.5, 0.5, -0.1)),
            ("O", (0.5, 0, 0.4)),
        ],
    )
    assert crystal.labels == ("Pb", "Ti", "O1", "O2")
    assert [f.name for f in crystal.free_coordinates] == ["Ti_z", "O1_z", "O2_z"]
    assert crystal.pinned == ("Pb_z",)
    assert crystal.formula == "PbTiO3"


@pytest.mark.parametrize("digits", [4, 5, 8])
@pytest.mark.parametrize(
    ("symbols", "basis", "number", "cell", "n_wyckoff"),
    [
        (["Zn", "O"], [(1 / 3, 2 / 3, 0), (1 / 3, 2 / 3, 0.382)], 186,
         [3.25, 3.25, 5.2, 90, 90, 120], 1),
        (["Si", "O"], [(0.4697, 0, 1 / 3), (0.4135, 0.2669, 0.1191 + 1 / 3)], 152,
         [4.916, 4.916, 5.4054, 90, 90, 120], 4),
        (["Al", "O"], [(0, 0, 0.35219), (0.30624, 0, 0.25)], 167,
         [4.759, 4.759, 12.991, 90, 90, 120], 2),
    ],
)  # fmt: skip
def test_rounded_files_are_counted_right(tmp_path, symbols, basis, number, cell, n_wyckoff, digits):
    atoms = ase_crystal(symbols, basis, spacegroup=number, cellpar=cell)
    atoms.set_scaled_positions(np.round(atoms.get_scaled_positions(), digits))
    path = tmp_path / "rounded.vasp"
    write(path, atoms, format="vasp", direct=True)
    crystal = Crystal.from_structure(read_structure(path).atoms)
    assert crystal.space_group_number == number
    assert crystal.n_wyckoff == n_wyckoff


def test_a_crystal_keeps_its_group_at_a_point_of_higher_symmetry():
    centred = [
        ("Pb", (0, 0, 0)),
        ("Ti", (0.5, 0.5, 0.5)),
        ("O", (0.5, 0.5, 0)),
        ("O", (0.5, 0, 0.5)),
    ]
    crystal = Crystal.from_sites([3.9, 3.9, 3.9, 90, 90, 90], hall(99), centred)
    assert crystal.symbol == "P4mm"
    assert crystal.n_wyckoff == 3


@pytest.mark.parametrize(
    ("lattice", "positions", "numbers", "hall_number", "sentence"),
    [
        (np.diag([4, 4, 5]), [[0.1, 0.2, 0.3]], [14], 376, "operation|atom"),
        (np.diag([4, 5, 5]), [[0, 0, 0]], [14], 376, "lattice|cell"),
        (np.diag([4, 4, 5]), [[0, 0, 0]], [14], 0, "530"),
        (np.diag([4, 4, 5]), [[0, 0, np.nan]], [14], 376, "finite"),
        (np.diag([4, 4, 5]), [[0, 0]], [14], 376, "three fractional"),
        (np.diag([4, 4, 5]), [[0, 0, 0], [0, 0, 0.0001]], [14, 8], 376, "same place"),
    ],
)
def test_what_is_no_crystal_is_refused(lattice, positions, numbers, hall_number, sentence):
    with pytest.raises(SymscapeError, match=sentence) as caught:
        Crystal(np.array(lattice, float), np.array(positions), np.array(numbers), hall_number)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("absent.cif", None, "no such file"),
        ("empty.cif", "", "no structure|empty"),
        ("junk.cif", "junk", "no structure"),
        ("junk.xyz", "1\n\nH 0 0 0\n", "periodic|lattice|cell"),
    ],
)
def test_files_without_a_crystal(tmp_path, name, content, sentence):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(StructureFileError, match=sentence) as caught:
        Crystal.from_structure(read_structure(path).atoms)
    assert "\n" not in str(caught.value)
