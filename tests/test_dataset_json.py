"""Importing JSON: every layout, against pymatgen's own reading; damaged records and files."""

from __future__ import annotations

import json

import numpy as np
import pytest
from dataset_files import (
    cells_agree,
    documents,
    entries,
    small_document,
    structures,
    summary_document,
    thermo_document,
    write_text,
)
from pymatgen.entries.computed_entries import ComputedStructureEntry

from symscape.dataset.folder import REJECTS
from symscape.dataset.importing import import_files
from symscape.dataset.options import ImportOptions
from symscape.dataset.read import iterate_chunks, load_dataset
from symscape.errors import DatasetError


def as_columns(
    wrap=lambda names, column: {"material_id": names, "computed_structure_entry": column},
):
    made = documents()
    names = {str(k): f"mp-{k}-{d['parameters'].get('run_type')}" for k, d in enumerate(made)}
    return json.dumps(wrap(names, {str(k): d for k, d in enumerate(made)}))


LAYOUTS = {
    "array": lambda: json.dumps(documents()),
    "indented array": lambda: json.dumps(documents(), indent=2),
    "lines": lambda: "\n".join(json.dumps(d) for d in documents()) + "\n",
    "lines, no end": lambda: "\n\n".join(json.dumps(d) for d in documents()),
    "indented, in a row": lambda: "\n".join(json.dumps(d, indent=1) for d in documents()),
    "response": lambda: json.dumps({"meta": {"total_doc": 5}, "data": documents()}),
    "entries": lambda: json.dumps({"entries": documents()}),
    "columns": as_columns,
    "columns by name": lambda: as_columns(
        lambda names, column: {"entry": {names[k]: d for k, d in column.items()}}
    ),
    "columns, others between": lambda: as_columns(
        lambda names, column: {
            "material_id": names,
            "initial_structure": {k: d["structure"] for k, d in column.items()},
            "formula_from_cse": dict.fromkeys(names, 'a "}{'),
            "cse": column,
        }
    ),
    "wrapped lines": lambda: "\n".join(
        json.dumps({"material_id": d["entry_id"], "formula": "X", "computed_structure_entry": d})
        for d in documents()
    ),
}  # fmt: skip


@pytest.mark.parametrize("suffix", [".json", ".json.gz"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_agrees_with_pymatgen(layout, suffix, tmp_path):
    text = LAYOUTS[layout]()
    path = write_text(tmp_path / f"entries{suffix}", text)
    summary = import_files([path], tmp_path / "made")
    assert (summary.records, summary.imported, summary.rejected) == (5, 5, {})

    # pymatgen's own reading of the same dictionaries, NaN and all
    theirs = [ComputedStructureEntry.from_dict(json.loads(json.dumps(d))) for d in documents()]
    table = load_dataset(tmp_path / "made")
    assert list(table["id"]) == [entry.entry_id for entry in theirs]
    np.testing.assert_allclose(table["energy"], [e.uncorrected_energy_per_atom for e in theirs])
    np.testing.assert_allclose(table["energy_cell"], [e.uncorrected_energy for e in theirs])
    stated = [e.correction_per_atom if e.energy_adjustments else np.nan for e in theirs]
    np.testing.assert_allclose(table["correction_stated"], stated)
    assert list(table["formula"]) == ["MgO", "Si", "Mg", "TiO2", "NaCl"]
    assert list(table["system"]) == [e.composition.chemical_system for e in theirs]
    assert list(table["level_of_theory"]) == ["PBE", "PBE+U", "r2SCAN", "unknown", "PBEsol"]
    volumes = [e.structure.volume / len(e.structure) for e in theirs]
    np.testing.assert_allclose(table["volume"], volumes)
    (chunk,) = iterate_chunks(tmp_path / "made")
    assert cells_agree([e.structure for e in theirs], range(5), chunk.structures)


def test_summary_documents(tmp_path):
    made = [summary_document(k, s, -5.0 - k, -0.1 * (k + 1)) for k, s in enumerate(structures())]
    path = write_text(tmp_path / "summary.json", json.dumps({"data": made, "meta": {}}))
    import_files([path], tmp_path / "made", ImportOptions(level_of_theory="PBE"))
    table = load_dataset(tmp_path / "made")
    np.testing.assert_allclose(table["energy"], [-5.0 - k for k in range(5)])
    # both energies are stated, and so is their difference
    np.testing.assert_allclose(table["correction"], [-0.1 * (k + 1) for k in range(5)])
    assert set(table["level_of_theory"]) == {"PBE"}
    assert list(table["id"]) == [f"mp-{k}" for k in range(5)]


def test_summary_without_the_uncorrected_energy_is_rejected(tmp_path):
    made = summary_document(0, structures()[0], -5.0, -0.1)
    del made["uncorrected_energy_per_atom"]
    path = write_text(tmp_path / "summary.json", json.dumps([made]))
    assert import_files([path], tmp_path / "made").rejected == {"no energy": 1}


def test_thermo_documents_give_the_entry_that_their_energy_is_of(tmp_path):
    own = entries()
    both = thermo_document(0, own[0])
    both["entries"]["r2SCAN"] = own[1].as_dict()
    ambiguous = thermo_document(2, own[2], "GGA+U")
    ambiguous["entries"] = {"GGA": own[2].as_dict(), "r2SCAN": own[1].as_dict()}
    made = [both, thermo_document(1, own[1], "GGA+U"), ambiguous]
    path = write_text(tmp_path / "thermo.json", json.dumps(made))
    summary = import_files([path], tmp_path / "made")
    assert summary.rejected == {"malformed": 1}
    table = load_dataset(tmp_path / "made").set_index("id")
    np.testing.assert_allclose(table["energy"], [e.uncorrected_energy_per_atom for e in own[:2]])
    np.testing.assert_allclose(
        table["correction"], [e.correction_per_atom for e in own[:2]], atol=1e-12
    )
    assert list(table["level_of_theory"]) == ["PBE", "PBE+U"]


# -- bad records ----------------------------------------------------------------------------------


def site(element="Cu", abc=(0.5, 0.5, 0.5), occu=1.0):
    return {"species": [{"element": element, "occu": occu}], "abc": list(abc)}


def spoilt(**structure):
    return {"structure": small_document(0)["structure"] | structure}


BAD = {
    "energy NaN": ({"energy": float("nan")}, "no energy"),
    "energy infinite": ({"energy": float("-inf")}, "no energy"),
    "energy null": ({"energy": None}, "no energy"),
    "energy of no float": ({"energy": 10**400}, "no energy"),
    "energy text": ({"energy": "-3.7 eV"}, "malformed"),
    "occupancy NaN": (spoilt(sites=[site(occu=float("nan"))]), "partial occupancy"),
    "energy true": ({"energy": True}, "malformed"),
    "correction infinite": ({"correction": float("inf")}, "no energy"),
    "adjustment NaN": ({"energy_adjustments": [{"value": float("nan")}]}, "no energy"),
    "structure null": ({"structure": None}, "no structure"),
    "structure a list": ({"structure": [1, 2]}, "no structure"),
    "no lattice": ({"structure": {"sites": [site()]}}, "no structure"),
    "no sites": (spoilt(sites=[]), "no structure"),
    "two coordinates": (spoilt(sites=[site(abc=(0, 0))]), "no structure"),
    "coordinate NaN": (spoilt(sites=[site(abc=(0, 0, float("nan")))]), "no numbers"),
    "lattice NaN": (spoilt(lattice={"matrix": [[float("nan")] * 3] * 3}), "no numbers"),
    "lattice short": (spoilt(lattice={"matrix": [[1, 0], [0, 1]]}), "no structure"),
    "lattice text": (spoilt(lattice={"matrix": "abc"}), "no structure"),
    "zero volume": (spoilt(lattice={"matrix": [[3, 0, 0], [0, 3, 0], [3, 3, 0]]}), "no volume"),
    "tiny volume": (spoilt(lattice={"matrix": [[0.1, 0, 0], [0, 0.1, 0], [0, 0, 1]]}), "no volume"),
    "overlap": (spoilt(sites=[site(), site(abc=(0.5, 0.5, 0.51))]), "overlapping atoms"),
    "overlap of images": (
        spoilt(sites=[site(abc=(0, 0, 0.99)), site(abc=(1, -2, 0.01))]),
        "overlapping atoms",
    ),
    "overlap with itself": (
        spoilt(lattice={"matrix": [[0.3, 0, 0], [0, 9, 0], [0, 0, 9]]}),
        "overlapping atoms",
    ),
    "unknown element": (spoilt(sites=[site("Qq")]), "unknown element"),
    "dummy": (spoilt(sites=[site("X")]), "unknown element"),
    "element a number": (spoilt(sites=[site(29)]), "unknown element"),
    "partial occupancy": (spoilt(sites=[site(occu=0.5)]), "partial occupancy"),
    "slab": (
        spoilt(lattice={"matrix": [[3, 0, 0], [0, 3, 0], [0, 0, 3]], "pbc": [True, True, False]}),
        "not periodic",
    ),
    "shared site": (
        spoilt(
            sites=[{"species": [{"element": "Cu", "occu": 0.5}, {"element": "Au", "occu": 0.5}],
                    "abc": [0, 0, 0]}]
        ),
        "partial occupancy",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_record_is_listed_and_the_import_goes_on(name, tmp_path):
    changes, kind = BAD[name]
    made = [small_document(0), small_document(1, **changes), small_document(2)]
    path = write_text(tmp_path / "entries.json", json.dumps(made))
    summary = import_files([path], tmp_path / "made")
    assert summary.rejected == {kind: 1}
    assert list(load_dataset(tmp_path / "made")["id"]) == ["e-0", "e-2"]
    (line,) = (tmp_path / "made" / REJECTS).read_text().splitlines()
    reject = json.loads(line)
    assert (reject["id"], reject["file"], reject["kind"]) == ("e-1", "entries.json", kind)
    assert reject["where"] == f"record 2 at byte {len(json.dumps(made[0])) + 3}"
    assert reject["reason"].endswith(".")
    assert "\n" not in reject["reason"]


@pytest.mark.parametrize("record", [1, "text", None, [], {}, {"entry": 3}, {"data": []}])
def test_records_that_are_none(record, tmp_path):
    path = write_text(tmp_path / "entries.json", json.dumps([record, small_document(1)]))
    assert import_files([path], tmp_path / "made").rejected == {"malformed": 1}


def test_a_record_that_is_damaged_inside_spoils_no_other(tmp_path):
    good = [json.dumps(small_document(k)) for k in range(3)]
    bad = '{"entry_id": "b", "energy": -1,, "structure": {"sites": [}}'
    deep = '{"data": ' + "[" * 100_000 + "]" * 100_000 + "}"
    for suffix, text in (
        (".json", "[" + ", ".join([good[0], bad, good[1], deep, good[2]]) + "]"),
        (".jsonl", "\n".join([good[0], bad[:-9], good[1], deep, good[2]])),
    ):
        path = write_text(tmp_path / f"entries{suffix}", text)
        summary = import_files([path], tmp_path / f"made{suffix}")
        assert (summary.imported, summary.rejected) == (3, {"malformed": 2})


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[1, 2", "ends at byte"),
        ('[{"energy": 1', "has no end"),
        ('[{"energy": "1', "has no end"),
        ('[{"a": 1} {"a": 2}]', "where it can't be"),
        ('{"data": [{"a": 1}', "ends at byte"),
        ('{"data": [{"a": 1}], 3: 4}', "no name stands"),
        ('{"material_id": {"0": "a"', "has no end"),
        ('{"material_id": {"0": nan}, "entry": {}}', "the column 'material_id'"),
        ('["no end', "has no end"),
    ],
)
def test_a_damaged_file_is_one_sentence_and_leaves_nothing(text, part, tmp_path):
    path = write_text(tmp_path / "entries.json", text)
    with pytest.raises(DatasetError) as caught:
        import_files([path], tmp_path / "made")
    assert part in str(caught.value)
    assert str(path) in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["entries.json"]


def test_a_cut_off_gzip_file_is_one_sentence(tmp_path):
    path = write_text(tmp_path / "entries.json.gz", json.dumps(documents()))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DatasetError, match=r"damaged or cut off .*fetch it again"):
        import_files([path], tmp_path / "made")
    assert [p.name for p in tmp_path.iterdir()] == ["entries.json.gz"]
