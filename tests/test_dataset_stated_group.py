"""A space group that a record states is compared with its structure."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from ase.spacegroup import crystal
from command_line import typed as typed
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer
from pymatgen.symmetry.groups import SpaceGroup

from symscape.crystal import engines
from symscape.dataset.importing import import_files
from symscape.dataset.record import BadRecord, CrystalRecord
from symscape.dataset.stated_group import check_group
from symscape.errors import DatasetError

CRYSTALS = {
    "PbTiO3": crystal(["Pb", "Ti", "O"], [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0)],
                      spacegroup=221, cellpar=[4.0, 4.0, 4.0, 90, 90, 90]),
    "TiO2": crystal(["Ti", "O"], [(0, 0, 0), (0.305, 0.305, 0)],
                    spacegroup=136, cellpar=[4.6, 4.6, 2.96, 90, 90, 90]),
    "ZnO": crystal(["Zn", "O"], [(1 / 3, 2 / 3, 0), (1 / 3, 2 / 3, 0.382)],
                   spacegroup=186, cellpar=[3.25, 3.25, 5.2, 90, 90, 120]),
    "NaCl": crystal(["Na", "Cl"], [(0, 0, 0), (0.5, 0.5, 0.5)], spacegroup=225,
                    cellpar=[5.6, 5.6, 5.6, 90, 90, 90], primitive_cell=True),
    "SiO2": crystal(["Si", "O"], [(0.4697, 0, 0), (0.4135, 0.2669, 0.1191)],
                    spacegroup=152, cellpar=[4.916, 4.916, 5.405, 90, 90, 120]),
}  # fmt: skip


@st.composite
def atoms(draw):
    """Draw a crystal whose atoms, cell or one element's atoms are off by 1e-5 to 0.3 angstrom."""
    made = CRYSTALS[draw(st.sampled_from(sorted(CRYSTALS)))].copy()
    size = 10 ** draw(st.floats(-5, -0.5))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["nothing", "all atoms", "an element", "an axis"]))
    if kind == "all atoms":
        made.positions += size * random.uniform(-1, 1, made.positions.shape)
    elif kind == "an element":
        made.positions[made.numbers == made.numbers[0], 2] += size
    elif kind == "an axis":
        made.set_cell(made.cell.array @ np.diag([1, 1, 1 + size / 4]), scale_atoms=True)
    if draw(st.booleans()):  # left-handed vectors
        made = Atoms(
            made.numbers, cell=made.cell.array[[1, 0, 2]], positions=made.positions, pbc=True
        )
    return made


def record_of(made, number=0):
    places = made.get_scaled_positions(wrap=False)
    return CrystalRecord("x", made.numbers, made.cell.array, places, -1.0, space_group=number)


def pymatgens(made, symprec):
    """Return the number that pymatgen says, with its own tolerance of angles."""
    structure = Structure(made.cell.array, made.numbers, made.get_scaled_positions())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SpacegroupAnalyzer(structure, symprec).get_space_group_number()


@settings(max_examples=60, deadline=None)
@given(atoms(), st.sampled_from([1e-3, 0.01, 0.1]), st.booleans())
def test_what_pymatgen_says_of_a_structure_is_no_contradiction(made, symprec, quick):
    """The Materials Project states what pymatgen finds with 0.1 angstrom, others with less."""
    number = pymatgens(made, symprec)
    with pytest.MonkeyPatch.context() as patch:
        if not quick:
            patch.setattr(engines, "_MOYOPY", False)
        checked = check_group(record_of(made, number))
    # with angles 5 degrees off there may be more symmetry than lengths allow, or a tolerance
    # between those tried gave it: nothing is said but that atoms have more
    assert all(f"No. {number})" in notice for notice in checked.notices)


def is_part_of(number, whole):
    return number == whole or SpaceGroup.from_int_number(number).is_subgroup(
        SpaceGroup.from_int_number(whole)
    )


@settings(max_examples=60, deadline=None)
@given(atoms(), st.integers(2, 230))
def test_a_group_that_the_crystal_has_at_no_tolerance_is_a_contradiction(made, number):
    groups = {pymatgens(made, symprec) for symprec in (1e-5, 1e-4, 1e-3, 0.01, 0.03, 0.1)}
    if any(is_part_of(number, group) for group in groups):
        return
    with pytest.raises(BadRecord, match=rf"\(No\. {number}\), but its atoms have ") as caught:
        check_group(record_of(made, number))
    assert caught.value.kind == "contradiction"


def test_the_tolerance_is_no_contradiction():
    """Cubic but for 0.05 angstrom: the Materials Project's 0.1 says so, ours of 0.01 doesn't."""
    made = CRYSTALS["PbTiO3"].copy()
    made.positions[made.numbers == 22, 2] += 0.05
    assert pymatgens(made, 0.1) == 221
    assert pymatgens(made, 0.01) == 99
    for number in (221, 99):
        assert check_group(record_of(made, number)).notices == ()
    (notice,) = check_group(record_of(made, 25)).notices
    assert notice == (
        "the record states space group Pmm2 (No. 25), but its atoms have P4mm (No. 99)"
    )
    with pytest.raises(BadRecord) as caught:
        check_group(record_of(made, 225))
    assert caught.value.reason == (
        "the record states space group Fm-3m (No. 225), but its atoms have P4mm (No. 99) within "
        "0.01 angstrom, and the stated one not even within 0.1."
    )
    # with 0.3 angstrom it is no longer cubic
    made.positions[made.numbers == 22, 2] += 0.25
    with pytest.raises(BadRecord):
        check_group(record_of(made, 221))


def test_a_record_without_a_statement_costs_no_search(monkeypatch):
    monkeypatch.setattr("symscape.dataset.stated_group.found_symmetry", None)
    for number in (0, 1):  # P1 is written where nobody has looked
        check_group(record_of(CRYSTALS["TiO2"], number))


def document(**more):
    made = CRYSTALS["TiO2"]
    structure = Structure(made.cell.array, made.numbers, made.get_scaled_positions())
    return {"entry_id": "x", "structure": structure.as_dict(), "energy": -50.0, **more}


#: where a group may stand, as {} of number or symbol
PLACES = {
    "symmetry": lambda number, symbol: {"symmetry": {"number": number, "symbol": symbol}},
    "number as text": lambda number, symbol: {"symmetry": {"number": str(number)}},
    "symbol alone": lambda number, symbol: {"spacegroup": {"symbol": symbol}},
    "spacegroup": lambda number, symbol: {"spacegroup": number},
    "float of pandas": lambda number, symbol: {"spacegroup_number": float(number)},
    "flat": lambda number, symbol: {"symmetry.number": number},
    "symbol": lambda number, symbol: {"Space_Group": symbol},
    "data": lambda number, symbol: {"data": {"spg": number}},
}


def write_json(path, more):
    path.write_text(json.dumps([document(**more)]))
    return [path]


def write_pandas(path, more):
    rows = {"material_id": ["x"], "computed_structure_entry": [document()]}
    columns = {**rows, **{key: [value] for key, value in more.items()}}
    path.write_text(json.dumps({key: {"0": value[0]} for key, value in columns.items()}))
    return [path]


def write_row(path, more):
    path.write_text(json.dumps({"material_id": "x", "entry": document(), **more}))
    return [path]


def imported(tmp_path, files):
    summary = import_files(files, tmp_path / "set", None)
    rejects = (tmp_path / "set" / "rejects.jsonl").read_text().splitlines()
    return summary, [json.loads(line) for line in rejects]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("how", [write_json, write_row])
def test_json(tmp_path, place, how):
    for number, symbol in ((136, "P4_2/mnm"), (1, "P1")):
        summary, rejects = imported(
            tmp_path, how(tmp_path / "x.json", PLACES[place](number, symbol))
        )
        assert (summary.imported, summary.notices, rejects) == (1, (), [])
        (tmp_path / "set").rename(tmp_path / f"set{number}")
    summary, (reject,) = imported(tmp_path, how(tmp_path / "x.json", PLACES[place](225, "Fm-3m")))
    assert summary.rejected == {"contradiction": 1}
    assert "Fm-3m (No. 225), but its atoms have P42/mnm (No. 136)" in reject["reason"]
    assert reject["id"] == "x"


@pytest.mark.parametrize("key", ["spacegroup", "spacegroup_number", "SPG", "sg_number"])
@pytest.mark.parametrize(("value", "good"), [(136, True), ("P 42/m n m", True), (225, False)])
def test_extended_xyz(tmp_path, key, value, good):
    made = CRYSTALS["TiO2"].copy()
    made.info = {"name": "x", "REF_energy": -50.0, key: value}
    write(tmp_path / "x.xyz", made, format="extxyz")
    summary, rejects = imported(tmp_path, [tmp_path / "x.xyz"])
    assert summary.imported == good
    if not good:
        assert "No. 225), but its atoms have P42/mnm (No. 136)" in rejects[0]["reason"]


@pytest.mark.parametrize(
    ("columns", "row", "reason"),
    [
        ("spacegroup", "136", ""),
        ("spg_symbol", "P4_2/mnm", ""),
        ("spacegroup", "225", "Fm-3m (No. 225), but its atoms have P42/mnm"),
        ("spacegroup", "", ""),
        ("spacegroup", "231", "which is no space group"),
        ("formula,n_sites", "Ti2 O4,6", ""),
        ("formula", "TiO2", ""),
        ("formula", "rutile", ""),
        ("formula", "MgO", "formula is 'MgO', but the structure is TiO2"),
        ("n_sites", "12", "the table's n_sites is 12, but the structure has 6 sites"),
    ],
)
def test_tables(tmp_path, columns, row, reason):
    made = CRYSTALS["TiO2"].copy()
    made.info = {"name": "x"}
    write(tmp_path / "x.xyz", made, format="extxyz")
    (tmp_path / "x.csv").write_text(f"id,energy,{columns}\nx,-50.0,{row}\n")
    summary, rejects = imported(tmp_path, [tmp_path / "x.xyz", tmp_path / "x.csv"])
    assert summary.imported == (not reason)
    assert all(reason in reject["reason"] for reject in rejects[:1])
    assert bool(rejects) == bool(reason)


@pytest.mark.parametrize(
    "more",
    [
        {"formula": "MgO"}, {"formula_pretty": "Ti2O"}, {"chemsys": "Mg-O"},
        {"natoms": 3}, {"nsites": 12}, {"data": {"formula": "Mg"}},
        {"spacegroup": 136, "symmetry": {"number": 225}}, {"spacegroup": 0}, {"spg": 99.5},
    ],
)  # fmt: skip
def test_other_contradictions(tmp_path, more):
    summary, (reject,) = imported(tmp_path, write_json(tmp_path / "x.json", more))
    assert summary.rejected == {"contradiction": 1}
    assert "\n" not in reject["reason"]


@pytest.mark.parametrize(
    "more",
    [
        {"formula": "Ti2 O4"}, {"formula_pretty": "TiO2"}, {"formula": "O2Ti"},
        {"formula": "(TiO2)2"}, {"formula": "rutile"}, {"formula": None}, {"spacegroup": None},
        {"spacegroup": float("nan")}, {"spacegroup": "none"}, {"symmetry": {"number": None}},
        {"symmetry": "P42/mnm"}, {"spacegroup": [136]}, {"spacegroup": True},
    ],
)  # fmt: skip
def test_what_is_no_contradiction(tmp_path, more):
    summary, rejects = imported(tmp_path, write_json(tmp_path / "x.json", more))
    assert (summary.imported, rejects) == (1, [])


@pytest.mark.parametrize(
    ("info", "kind"),
    [
        ({"formula": "MgO"}, "contradiction"), ({"n_atoms": 12}, "contradiction"),
        ({"nsites": 3}, "contradiction"), ({"chemsys": "Mg-O"}, "contradiction"),
        ({"formula": "Ti2O4", "natoms": 6, "chemsys": "Ti-O"}, ""),
    ],
)  # fmt: skip
def test_what_a_frame_says_of_its_crystal(tmp_path, info, kind):
    made = CRYSTALS["TiO2"].copy()
    made.info = {"name": "x", "REF_energy": -50.0, **info}
    write(tmp_path / "x.xyz", made, format="extxyz")
    summary, _ = imported(tmp_path, [tmp_path / "x.xyz"])
    assert summary.rejected == ({kind: 1} if kind else {})


@pytest.mark.parametrize("column", ["occupancy", "occupancies"])
def test_a_column_of_occupancies(tmp_path, column):
    made = CRYSTALS["TiO2"].copy()
    made.info = {"name": "x", "REF_energy": -50.0}
    for share, rejected in ((1.0, {}), (0.5, {"partial occupancy": 1})):
        made.arrays[column] = np.array([1, 1, 1, 1, 1, share], dtype=float)
        write(tmp_path / "x.xyz", made, format="extxyz")
        summary, _ = imported(tmp_path, [tmp_path / "x.xyz"])
        assert summary.rejected == rejected
        (tmp_path / "set").rename(tmp_path / f"set{share}")


def test_two_columns_of_one_name(tmp_path):
    made = CRYSTALS["TiO2"].copy()
    made.info = {"name": "x"}
    write(tmp_path / "x.xyz", made, format="extxyz")
    table = tmp_path / "x.csv"
    table.write_text("id,energy, energy\nx,-50.0,-60.0\n")
    with pytest.raises(DatasetError, match="two columns are called 'energy'"):
        import_files([tmp_path / "x.xyz", table], tmp_path / "set", None)
    table.write_text("id,energy,note,note\nx,-50.0,,\n")
    assert import_files([tmp_path / "x.xyz", table], tmp_path / "set", None).imported == 1
