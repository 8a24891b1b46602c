"""Stored references: what comes back is what was stored, and nothing that contradicts itself."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
import spglib
from ase.calculators.emt import EMT
from ase.stress import voigt_6_to_full_3x3_stress
from hypothesis import given
from hypothesis import strategies as st
from toys import store

from symscape.errors import ReferenceFileError
from symscape.references.landscape_files import load_reference
from symscape.references.library import ReferenceEntry, find_references, select_materials
from symscape.references.schema import dump_document

LIBRARY = Path(__file__).parents[1] / "references"
STORED = find_references([LIBRARY])


def test_a_reference_comes_back_as_it_was_stored(toy_reference):
    for k, atoms in enumerate(toy_reference.structures()):
        atoms.calc = EMT()
        where = divmod(k, 5)
        assert toy_reference.energies[where] == pytest.approx(
            atoms.get_potential_energy() / len(atoms), abs=1e-6
        )
        np.testing.assert_allclose(toy_reference.forces[where], atoms.get_forces(), atol=1e-4)
    assert toy_reference.id == "AlCu-Cmcm-Al_y-Cu_y"
    assert toy_reference.relative.min() == 0
    assert toy_reference.valid.all()
    assert toy_reference.level_of_theory == "EMT"


def test_a_file_has_one_line_a_point(toy_file):
    lines = toy_file.read_text().splitlines()
    assert sum('"energy_eV"' in line for line in lines) == 25
    assert json.loads(toy_file.read_text())["schema"] == "symscape-landscape/1"


def test_symmetry_equivalent_points_can_be_stored_by_name(tmp_path, toy_document_copy):
    point = toy_document_copy["points"][3]
    toy_document_copy["points"][3] = {"i": 0, "j": 3, "same_as": [0, 2]}
    reference = load_reference(store(tmp_path, toy_document_copy))
    assert reference.energies[0, 3] == reference.energies[0, 2]
    assert not reference.computed[0, 3]
    assert np.isnan(reference.forces[0, 3]).all()
    assert point["energy_eV"] / 4 != reference.energies[0, 3]


def test_points_that_failed_or_are_not_there_have_no_energy(tmp_path, toy_document_copy):
    toy_document_copy["points"][3] = {"i": 0, "j": 3, "failed": "no convergence"}
    del toy_document_copy["points"][7]
    reference = load_reference(store(tmp_path, toy_document_copy))
    assert not reference.valid[0, 3]
    assert not reference.valid[1, 2]
    assert reference.valid.sum() == 23


def change(path, value):
    def apply(document):
        *way, last = path
        for key in way:
            document = document[key]
        if value is DELETE:
            del document[last]
        else:
            document[last] = value

    return apply


DELETE = object()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (change(["schema"], "symscape-landscape/9"), "schema is 'symscape-landscape/9'"),
        (change(["schema"], DELETE), "schema is None"),
        (change(["method", "functional"], DELETE), "'method.functional' is missing"),
        (change(["provenance", "licence"], 3), "'provenance.licence' is not a string"),
        (change(["crystal"], []), "'crystal' is not an object"),
        (change(["crystal", "hall_number"], 531), "531"),
        (change(["crystal", "hall_number"], 525), "hall|group|operation|cell|lattice"),
        (change(["crystal", "atoms", 0, 0], "Xx"), "Xx"),
        (change(["crystal", "atoms", 0], ["Al", 0.1]), "crystal"),
        (change(["axes"], []), "two axes"),
        (change(["axes", 0, "stop"], None), r"axes\[0\].stop' is not a finite number"),
        (change(["axes", 0, "points"], True), r"axes\[0\].points' is not an integer"),
        (change(["crystal", "lattice_A", 1], [0, 1]), r"lattice_A\[1\]' is not a list of 3"),
        (change(["axes", 0, "points"], 1), "at least two points"),
        (change(["axes", 0, "points"], DELETE), r"axes\[0\].points' is missing"),
        (change(["axes", 0, "terms"], {"Zn_y": 1.0}), "Zn_y"),
        (change(["axes", 0, "stop"], 0.395), "angstrom away from the one that the slice gives"),
        (change(["slice"], "Al_y-Cu_z"), "slice"),
        (change(["mask_ratio"], 1.2), "mask_ratio"),
        (change(["points", 4, "positions", 0, 1], 0.361), r"point \(0, 4\).*angstrom away"),
        (change(["points", 4, "positions"], [[0, 0, 0]]), "atoms of the slice's primitive cell"),
        (change(["points", 4, "i"], 7), "outside the grid"),
        (change(["points", 4, "j"], 3), "listed twice"),
        (change(["points", 4, "energy_eV"], "low"), "point 4 is malformed"),
        (change(["points", 4, "energy_eV"], DELETE), "point 4 .*energy_eV is not a finite"),
        (change(["points", 4, "masked"], "yes"), r"points\[4\].masked' is not true or false"),
        (change(["points", 4, "i"], True), r"points\[4\].i' is not an integer"),
        (change(["points", 4, "same_as"], [0]), r"points\[4\].same_as' is not a list of 2"),
        (change(["points", 4], [0, 4]), r"points\[4\]' is not an object"),
        (change(["points", 4, "cell_A", 1, 1], "x"), "point 4 .*cell_A is not a table of 3 rows"),
        (
            change(["points", 4, "stress_eV_A3"], [0.1, 0.1]),
            "is not a row of 6 numbers",
        ),
        (change(["points", 4], {"i": 0, "j": 4, "masked": True}), "masked in the file"),
        (
            change(["points", 4], {"i": 0, "j": 4, "same_as": [9, 9]}),
            r"point 4 .*\(9, 9\), which is outside",
        ),
        (change(["points"], []), "no energy at all"),
    ],
)
def test_what_does_not_fit_is_refused_with_one_sentence(
    tmp_path, toy_document_copy, spoil, sentence
):
    spoil(toy_document_copy)
    path = tmp_path / "AlCu-Cmcm" / "Al_y-Cu_y.json"
    path.parent.mkdir()
    path.write_text(dump_document(toy_document_copy))
    with pytest.raises(ReferenceFileError, match=sentence) as caught:
        load_reference(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "\xff\xfe"])
def test_files_that_are_no_reference(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ReferenceFileError):
        load_reference(path)
    with pytest.raises(ReferenceFileError, match="no such reference file"):
        load_reference(tmp_path / "y.json")


def test_a_refused_reference_leaves_no_file(tmp_path, toy_document_copy):
    toy_document_copy["points"] = []
    with pytest.raises(ReferenceFileError):
        store(tmp_path, toy_document_copy)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_a_file_must_be_named_for_what_it_holds(tmp_path, toy_file):
    other = tmp_path / "AlCu-Pnma" / toy_file.name
    other.parent.mkdir()
    other.write_bytes(toy_file.read_bytes())
    with pytest.raises(ReferenceFileError, match="its folder says 'AlCu-Pnma'"):
        load_reference(other)


def test_stresses_are_symmetric_tensors(toy_file):
    assert load_reference(toy_file).stresses is None
    document = json.loads(toy_file.read_text())
    document["points"][3]["stress_eV_A3"] = [1, 2, 3, 4, 5, 6]
    toy_file.write_text(json.dumps(document))
    stresses = load_reference(toy_file).stresses
    assert stresses[0, 3].tolist() == voigt_6_to_full_3x3_stress([1, 2, 3, 4, 5, 6]).tolist()
    assert np.isfinite(stresses).all(axis=(2, 3)).sum() == 1


def test_materials_are_chosen_by_name_or_formula(toy_file):
    entries = find_references([toy_file.parents[1]])
    assert [e.id for e in entries] == ["AlCu-Cmcm-Al_y-Cu_y"]
    assert select_materials(entries, ["AlCu"]) == entries
    assert select_materials(entries, ["AlCu-Cmcm"]) == entries
    # symbols of space groups have hyphens of their own
    arsenic = [ReferenceEntry("As-R-3m", "ca-As_z", Path("x"))]
    assert select_materials(arsenic, ["As"]) == arsenic
    with pytest.raises(ReferenceFileError, match="did you mean AlCu-Cmcm"):
        select_materials(entries, ["AlCo"])
    with pytest.raises(ReferenceFileError, match="no such folder"):
        find_references([toy_file.parent / "absent"])
    with pytest.raises(ReferenceFileError, match="is stored in"):
        find_references([toy_file.parents[1], toy_file.parents[1]])


# ------------------------------------------------------------------------- the library as it stands


@pytest.mark.parametrize("entry", STORED, ids=lambda e: e.id)
def test_every_stored_reference_holds_together(entry):
    reference = load_reference(entry.path)
    assert reference.level_of_theory == "PBE"
    assert reference.provenance.licence == "CC-BY-4.0"
    assert reference.valid.sum() >= 0.3 * reference.valid.size
    # points said to be equal are equivalent by the slice's own symmetry
    representatives = reference.slice.representatives
    for point in json.loads(entry.path.read_text())["points"]:
        if "same_as" in point:
            source = tuple(point["same_as"])
            assert representatives[point["i"], point["j"]] == representatives[source]


@pytest.mark.parametrize("entry", STORED, ids=lambda e: e.id)
def test_spglib_finds_the_stored_space_group_at_the_minimum(entry):
    reference = load_reference(entry.path)
    number = reference.slice.crystal.space_group_number
    points = np.flatnonzero(reference.valid)
    found = set()
    for k in points[:: max(1, len(points) // 7)]:
        atoms = reference.structures().atoms(int(k))
        cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
        found.add(
            spglib.get_spacegroup_type_from_symmetry(
                *(lambda s: (s["rotations"], s["translations"]))(spglib.get_symmetry(cell, 1e-4)),
                lattice=atoms.cell.array,
            ).number
        )
    assert number in found


@pytest.mark.parametrize("entry", STORED, ids=lambda e: e.id)
def test_stored_forces_integrate_to_stored_energies(entry):
    """Simpson's rule over the forces along an axis gives the energy differences of DFT."""
    reference = load_reference(entry.path)
    the_slice = reference.slice
    own = the_slice.atom_indices()
    cells = the_slice.cells_at(the_slice.grid_values).reshape(*the_slice.shape, 3, 3)
    for axis, lattice_parameter in enumerate(the_slice._lattice_names):
        if lattice_parameter is not None:
            continue  # forces say nothing about strain
        step = np.diff(the_slice.axes[axis].values)[0]
        moves = the_slice.displacements[axis][own] @ cells
        slope = -np.einsum("...ax,...ax->...", reference.forces, moves)
        slope = np.moveaxis(slope, axis, 0)
        energies = np.moveaxis(reference.relative, axis, 0)
        integral = step / 3 * (slope[:-2] + 4 * slope[1:-1] + slope[2:]) / len(own)
        difference = energies[2:] - energies[:-2]
        low = np.isfinite(integral) & (energies[1:-1] < 0.5)
        assert low.sum() >= 3
        error = np.abs(integral - difference)[low]
        # 1 meV/atom, or 1 % where walls are steep and a full period makes the steps large; a point
        # in another electronic state would be far outside
        assert np.median(error) < max(1e-3, 0.01 * np.median(np.abs(difference[low])))
        assert error.max() < 0.05 * np.abs(difference[low]).max() + 5e-3


def test_the_whole_library_loads_in_about_a_second():
    begin = time.perf_counter()
    for entry in STORED:
        load_reference(entry.path)
    # generous: a loaded machine must not fail this, a quadratic loader must
    assert time.perf_counter() - begin < 10


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text().filter(lambda k: k != "points"), json_values, min_size=1))
def test_whatever_a_document_holds_comes_back(header):
    document = {**header, "points": [{"i": 0, "note": "[ 1,\n 2 ]"}]}
    assert json.loads(dump_document(document)) == document
