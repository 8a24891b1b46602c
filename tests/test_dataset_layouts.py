"""Layouts of files that people have, and what of them is no crystal or contradicts itself."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.io import write
from dataset_files import documents, entries, structures, summary_document
from hypothesis import given, settings
from hypothesis import strategies as st

from symscape.dataset.documents import record_from_document
from symscape.dataset.importing import import_files
from symscape.dataset.jsonstream import json_values
from symscape.dataset.options import ImportOptions
from symscape.dataset.read import load_dataset
from symscape.dataset.record import (
    LONGEST_BOND_A,
    MOST_VOLUME_A3,
    BadRecord,
    CrystalRecord,
    check_geometry,
)
from symscape.errors import DatasetError


def imported(tmp_path, text, name="file.json", **options):
    path = tmp_path / name
    path.write_text(text)
    summary = import_files([path], tmp_path / "made", ImportOptions(replace=True, **options))
    table = load_dataset(tmp_path / "made") if summary.imported else None
    return table, summary


def rejects(tmp_path):
    lines = (tmp_path / "made" / "rejects.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def rows():
    return [{"material_id": f"m-{k}", "entry": d} for k, d in enumerate(documents())]


NAMES = [f"m-{k}" for k in range(5)]
LAYOUTS = {
    "name to entry": lambda: json.dumps(dict(zip(NAMES, documents(), strict=True))),
    "name to row": lambda: json.dumps({row["material_id"]: row for row in rows()}),
    "pandas, by index": lambda: pd.DataFrame(rows()).to_json(orient="index"),
    "pandas, by name": lambda: (
        pd.DataFrame(rows()).set_index("material_id").to_json(orient="index")
    ),
    "pandas, split": lambda: pd.DataFrame(rows()).to_json(orient="split"),
    "pandas, split by name": lambda: (
        pd.DataFrame(rows()).set_index("material_id").to_json(orient="split")
    ),
    "pandas, records": lambda: pd.DataFrame(rows()).to_json(orient="records"),
    "mat_id in data": lambda: json.dumps(
        [
            d | {"entry_id": None, "data": {"mat_id": name}}
            for name, d in zip(NAMES, documents(), strict=True)
        ]
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_hold_the_same_crystals(layout, tmp_path):
    table, summary = imported(tmp_path, LAYOUTS[layout]())
    assert summary.rejected == {}
    assert list(table["id"]) == NAMES
    own = [entry.uncorrected_energy_per_atom for entry in entries()]
    np.testing.assert_allclose(table["energy"], own, rtol=1e-9)


# who writes a document orders its keys, and adds some: the first ones say nothing


def jumbled(document, random):
    """A document with fields of nobody, and its keys in any order."""
    extra = {
        "builder_meta": {"version": "1", "sites": 3},
        "forces": [[0.0, 0.0, 0.0]],
        "band_gap": None,
        'a "key" {of} [mine': "},]",
        "symmetry": {"number": 225, "lattice": "cubic"},
    }
    fields = [*document.items(), *extra.items()]
    return dict(fields[k] for k in random.permutation(len(fields)))


BY_LAYOUT = {
    "array": lambda made: list(made.values()),
    "array in an object": lambda made: {"count": 5, "fields": ["x"], "data": list(made.values())},
    "name to entry": lambda made: made,
    "name to list": lambda made: {"Mg-O": list(made.values())[:2], "Si": list(made.values())[2:]},
    "frames by name by material": lambda made: {
        "empty": {}, "one": dict(list(made.items())[:2]), "two": dict(list(made.items())[2:]),
    },
    "name to row": lambda made: {k: {"gap": 0, "id": k, "entry": d} for k, d in made.items()},
    "split": lambda made: {
        "columns": ["gap", "id", "entry"],
        "index": list(range(5)),
        "data": [[0, k, d] for k, d in made.items()],
    },
    "split, with structures": lambda made: {
        "columns": ["gap", "structure", "energy"],
        "index": list(made),
        "data": [[0, d["structure"], d["energy"]] for d in made.values()],
    },
    "a column": lambda made: {
        "gap": dict.fromkeys(made, 1.0),
        "structure": {k: d["structure"] for k, d in made.items()},
        "entry": made,
    },
    "rows in a table with a schema": lambda made: {
        "schema": {"fields": [{"name": "gap"}]},
        "data": [{"index": k, "id": name, "entry": d} for k, (name, d) in enumerate(made.items())],
    },
}  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(BY_LAYOUT)), st.integers(0, 10**6), st.sampled_from([None, 1]))
def test_no_order_of_keys_hides_a_layout(layout, seed, indent):
    random = np.random.default_rng(seed)
    made = {n: jumbled(d, random) for n, d in zip(NAMES, documents(), strict=True)}
    if layout in ("array", "array in an object", "name to list"):
        made = {n: d | {"entry_id": n} for n, d in made.items()}
    text = json.dumps(BY_LAYOUT[layout](made), indent=indent)
    found = [(v.name, v.parse()) for v in json_values(io.BytesIO(text.encode()))]
    records = [record_from_document(document, name) for name, document in found]
    assert [record.id for record in records] == NAMES
    np.testing.assert_allclose([r.energy_eV for r in records], [d["energy"] for d in documents()])


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"id": {"0": "a"}, "structure": {"0": {"lattice": {}}}, "energy": {"0": 1}}, "by rows"),
        ({"structure": {"0": {"lattice": {}}}, "energy": {"0": 1.0}}, "by rows"),
        ({"id": {"0": "a"}, "energy": {"0": 1.0}}, "by rows"),
        ({"data": [["a", {"structure": {"sites": []}}]], "columns": ["id", "entry"]}, "by rows"),
        ([], "no records"),
        ({"data": []}, "no records"),
    ],
)
def test_what_holds_no_record_by_itself_is_a_sentence(document, said, tmp_path):
    with pytest.raises(DatasetError, match=said):
        imported(tmp_path, json.dumps(document))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("rest", ["{}", "[]", "]", '{"mp-2": {}}', "x"])
def test_what_follows_the_records_is_not_passed_over(rest, tmp_path):
    for whole in (documents(), dict(zip(NAMES, documents(), strict=True))):
        with pytest.raises(DatasetError, match="follows the records"):
            imported(tmp_path, f"{json.dumps(whole)}\n{rest}\n")


@pytest.mark.parametrize("key", ["run_type", "functional", "level_of_theory"])
@pytest.mark.parametrize("place", ["document", "data", "parameters"])
def test_a_functional_is_read_wherever_it_is_stated(key, place, tmp_path):
    document = documents()[0] | {"parameters": {}, "data": {}}
    if place == "document":
        document[key] = "r2SCAN"
    else:
        document[place] = {key: "r2SCAN"}
    table, _ = imported(tmp_path, json.dumps([document]))
    assert list(table["level_of_theory"]) == ["r2SCAN"]


def test_frames_by_material_are_named_by_their_own_keys(tmp_path):
    frames = {}
    for k, d in enumerate(documents()):
        frame = {
            "structure": d["structure"],
            "uncorrected_total_energy": d["energy"],
            "corrected_total_energy": d["energy"] - 0.5,
            "energy_per_atom": 0.0,
            "mp_id": f"mp-{k}",
        }
        frames[f"mp-{k}"] = {f"mp-{k}-0-0": frame, f"mp-{k}-0-1": frame}
    table, summary = imported(tmp_path, json.dumps(frames))
    assert summary.rejected == {}
    assert list(table["id"]) == [f"mp-{k}-0-{j}" for k in range(5) for j in range(2)]
    own = np.repeat([entry.uncorrected_energy for entry in entries()], 2)
    np.testing.assert_allclose(table["energy_cell"], own)
    np.testing.assert_allclose(table["correction"] * table["n_atoms"], -0.5)


def test_an_elements_energy_per_atom_is_its_own_and_a_compounds_is_corrected(tmp_path):
    named = {
        name: {"energy_per_atom": -3.0, "structure": d["structure"]}
        for name, d in zip(("MgO", "Si", "Mg"), documents(), strict=False)
    }
    table, summary = imported(tmp_path, json.dumps(named))
    assert list(table["id"]) == ["Si", "Mg"]
    assert list(table["energy"]) == [-3.0, -3.0]
    assert summary.rejected == {"no energy": 1}


@pytest.mark.parametrize(
    ("composition", "good"),
    [
        ({"Mg": 4, "O": 4}, True),
        ({"Mg2+": 4.0, "O2-": 4.0}, True),
        ({}, True),
        ({"Mg": 1, "O": 1}, False),
        ({"Mg": 4, "S": 4}, False),
        ({"Mg": 4}, False),
        ({"Mg": 4, "O": 4, "H": 1}, False),
    ],
)
def test_a_composition_must_be_the_structures(composition, good, tmp_path):
    _, summary = imported(tmp_path, json.dumps([documents()[0] | {"composition": composition}]))
    assert summary.rejected == ({} if good else {"contradiction": 1})


@pytest.mark.parametrize("key", ["nsites", "n_sites"])
def test_a_number_of_sites_must_be_the_structures(key, tmp_path):
    for count, found in ((8, {}), (2, {"contradiction": 1}), (None, {})):
        _, summary = imported(tmp_path, json.dumps([documents()[0] | {key: count}]))
        assert summary.rejected == found


@pytest.mark.parametrize(
    ("composition", "good"), [({"Mg": 1, "O": 1}, True), ({"Mg": 1, "O": 2}, False)]
)
def test_energies_per_atom_are_of_a_composition_in_proportion(composition, good, tmp_path):
    made = summary_document(0, structures()[0], -5.0, -0.1) | {"composition": composition}
    _, summary = imported(tmp_path, json.dumps([made]))
    assert summary.rejected == ({} if good else {"contradiction": 1})


def frame(atoms, name="x.xyz", **info):
    atoms = atoms.copy()
    atoms.info = info
    return atoms


def xyz(tmp_path, frames):
    write(tmp_path / "source.xyz", frames, format="extxyz")
    return (tmp_path / "source.xyz").read_text()


KEYS = ["Energy", "DFT_energy", "ref_energy", "REF_energy", "dft_energy", "ENERGY", "total_energy"]


@pytest.mark.parametrize("key", KEYS)
def test_energies_under_the_keys_that_people_use(key, tmp_path):
    text = xyz(tmp_path, [frame(bulk("Cu", cubic=True), **{key: -14.0})])
    table, summary = imported(tmp_path, text, "file.xyz")
    assert list(table["energy_cell"]) == [-14.0]
    assert summary.notices == ()


def test_of_two_keys_the_one_taken_is_said(tmp_path):
    made = frame(bulk("Cu", cubic=True), REF_energy=-14.0, total_energy=-99.0, material_id="cu")
    text = xyz(tmp_path, [made])
    table, summary = imported(tmp_path, text, "file.xyz")
    assert list(table["energy_cell"]) == [-14.0]
    (notice,) = summary.notices
    assert "REF_energy" in notice
    assert "total_energy" in notice
    table, summary = imported(tmp_path, text, "file.xyz", energy_key="total_energy")
    assert list(table["energy_cell"]) == [-99.0]
    assert summary.notices == ()


@pytest.mark.parametrize(
    "keys", [("REF_energy", "ref_energy"), ("Energy", "ENERGY"), ("dft_energy", "DFT_energy")]
)
def test_of_two_keys_that_differ_in_case_the_one_taken_is_said(keys, tmp_path):
    first, second = keys
    made = frame(bulk("Cu", cubic=True), **{first: -14.0, second: -99.0})
    table, summary = imported(tmp_path, xyz(tmp_path, [made]), "file.xyz")
    (notice,) = summary.notices
    taken = first if list(table["energy_cell"]) == [-14.0] else second
    assert f"that of {taken}; {second if taken == first else first} was there" in notice


@pytest.mark.parametrize("key", ["run_type", "functional", "level_of_theory"])
@pytest.mark.parametrize(
    ("stated", "level"), [("GGA", "PBE"), ("GGA+U", "PBE+U"), ("r2SCAN", "r2SCAN"), ("PBE", "PBE")]
)
def test_a_frames_functional_is_read_as_an_entrys(key, stated, level, tmp_path):
    made = frame(bulk("Cu", cubic=True), energy=-14.0, **{key: stated})
    table, _ = imported(tmp_path, xyz(tmp_path, [made]), "file.xyz")
    assert list(table["level_of_theory"]) == [level]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_byte_order_mark_is_no_number_of_atoms(encoding, ends, tmp_path):
    text = xyz(tmp_path, [frame(bulk("Cu", cubic=True), energy=-14.0)]).replace("\n", ends)
    path = tmp_path / "marked.xyz"
    path.write_bytes(text.encode(encoding))
    summary = import_files([path], tmp_path / "marked")
    assert (summary.records, summary.imported) == (1, 1)


def test_an_unknown_key_is_named(tmp_path):
    text = xyz(tmp_path, [frame(bulk("Cu"), my_energy_eV=-14.0, weight=2.0)])
    _, summary = imported(tmp_path, text, "file.xyz")
    assert summary.rejected == {"no energy": 1}
    (reject,) = rejects(tmp_path)
    assert "my_energy_eV" in reject["reason"]
    assert "--energy-key" in reject["reason"]
    assert "weight" not in reject["reason"]


@pytest.mark.parametrize("symbol", ["D", "T"])
def test_heavy_hydrogen_is_hydrogen(symbol, tmp_path):
    atoms = frame(bulk("NaCl", "rocksalt", a=4.8, cubic=True), energy=-30.0)
    text = xyz(tmp_path, [atoms]).replace("\nCl ", f"\n{symbol} ")
    table, _ = imported(tmp_path, text, "file.xyz")
    assert list(table["formula"]) == ["NaH"]


@pytest.mark.parametrize(
    "name", ["IsolatedAtom", "isolated_atom", "Isolated Atoms", "isolated-atom", "ISOLATED_ATOM"]
)
def test_isolated_atoms_by_name_and_by_nature(name, tmp_path):
    named = frame(bulk("Cu"), config_type=name, energy=-0.2)
    lone = frame(Atoms("Cu", cell=[15.0] * 3, pbc=True), energy=-0.2)
    boxed = frame(molecule("O2", cell=[9.0] * 3, pbc=True), energy=-9.8)
    crystal = frame(bulk("Cu"), energy=-3.7)
    table, summary = imported(tmp_path, xyz(tmp_path, [named, lone, boxed, crystal]), "file.xyz")
    assert list(table["energy"]) == [-3.7]
    assert summary.rejected == {"isolated atoms": 3}
    assert all(reject["reason"].endswith(".") for reject in rejects(tmp_path))


def record(atoms):
    return CrystalRecord("x", atoms.numbers, atoms.cell.array, atoms.get_scaled_positions(), -1.0)


@settings(deadline=None, max_examples=60)
@given(st.floats(2.0, 25.0), st.floats(2.0, 25.0), st.floats(2.0, 25.0), st.floats(0.0, 1.0))
def test_one_atom_is_a_crystal_while_its_images_are_neighbours(a, b, c, shift):
    atoms = Atoms("Cs", cell=[a, b, c], scaled_positions=[[shift] * 3], pbc=True)
    volume, nearest = a * b * c, min(a, b, c)
    if abs(nearest - LONGEST_BOND_A) < 1e-6 or abs(volume - MOST_VOLUME_A3) < 1e-6:
        return
    if volume > MOST_VOLUME_A3 or nearest > LONGEST_BOND_A:
        with pytest.raises(BadRecord) as caught:
            check_geometry(record(atoms))
        assert caught.value.kind == "isolated atoms"
    else:
        check_geometry(record(atoms))


@pytest.mark.parametrize("element", ["Cs", "K", "Xe", "I"])
def test_the_emptiest_elements_are_crystals(element):
    cell = {"Cs": 6.2, "K": 5.4, "Xe": 6.4, "I": 5.5}[element]
    check_geometry(record(bulk(element, "fcc" if element == "Xe" else "bcc", a=cell)))


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 9), st.floats(2.0, 12.0))
def test_an_adatom_far_from_everything_is_seen(layers, height):
    """Above a net of few layers or of many: how dense the rest is says nothing of one atom."""
    net = [[x, y, 2 * z] for z in range(layers) for x in (0, 4) for y in (0, 4)]
    top = net[-1][2]
    cell = [8.0, 8.0, top + 2 * height]
    atoms = Atoms(f"Cu{len(net) + 1}", [*net, [0, 0, top + height]], cell=cell, pbc=True)
    distances = atoms.get_all_distances(mic=True)[-1, :-1]
    nearest = min(8.0, distances.min())  # its own images are 8 angstrom away
    if abs(nearest - LONGEST_BOND_A) < 1e-6:
        return
    if nearest < LONGEST_BOND_A:
        check_geometry(record(atoms))
        return
    with pytest.raises(BadRecord, match=f"the atom {len(net)} has no other within 7 angstrom"):
        check_geometry(record(atoms))


@pytest.mark.parametrize("most", [1, 2, 4, 8])
def test_large_cells_are_left_out_and_listed(most, tmp_path):
    frames = [bulk("Cu", "fcc", a=3.6).repeat((n, 1, 1)) for n in (1, 2, 4)]
    for frame in frames:
        frame.info["energy"] = -3.7 * len(frame)
    write(tmp_path / "some.extxyz", frames)
    options = ImportOptions(max_atoms=most)
    summary = import_files([tmp_path / "some.extxyz"], tmp_path / "made", options)
    assert summary.imported == sum(len(frame) <= most for frame in frames)
    assert summary.rejected.get("large cell", 0) == 3 - summary.imported
