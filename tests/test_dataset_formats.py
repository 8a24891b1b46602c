"""Importing extended XYZ, CIF folders, tables of energies, and from the Materials Project."""

from __future__ import annotations

import gzip
import json

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from dataset_files import (
    cells_agree,
    documents,
    entries,
    structures,
    write_text,
)
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.cif import CifWriter

from symscape.dataset.folder import REJECTS
from symscape.dataset.importing import import_files
from symscape.dataset.options import ImportOptions
from symscape.dataset.read import iterate_chunks, load_dataset
from symscape.dataset.tables import Columns
from symscape.errors import DatasetError


def rejects(path):
    return [json.loads(line) for line in (path / REJECTS).read_text().splitlines()]


# -- extended XYZ ---------------------------------------------------------------------------------


def frames():
    """The crystals as ASE's atoms, with energies, forces and names."""
    made = []
    for k, structure in enumerate(structures()):
        atoms = AseAtomsAdaptor.get_atoms(structure.copy().remove_oxidation_states())
        atoms.calc = SinglePointCalculator(
            atoms, energy=-2.5 * len(atoms) - k, forces=np.zeros((len(atoms), 3))
        )
        atoms.info = {"mp_id": f"mp-{k}", "note": "a b=c"}
        made.append(atoms)
    return made


@pytest.mark.parametrize("suffix", [".extxyz", ".xyz.gz"])
def test_extxyz_agrees_with_ase(suffix, tmp_path):
    path = tmp_path / f"frames{suffix}"
    with gzip.open(path, "wt") if suffix.endswith("gz") else path.open("w") as file:
        ase.io.write(file, frames(), format="extxyz")
    summary = import_files([path], tmp_path / "made")
    assert (summary.imported, summary.rejected) == (5, {})
    table = load_dataset(tmp_path / "made")
    assert list(table["id"]) == [f"mp-{k}" for k in range(5)]
    np.testing.assert_allclose(table["energy_cell"], [a.get_potential_energy() for a in frames()])
    assert table["correction"].isna().all()
    (chunk,) = iterate_chunks(tmp_path / "made")
    for own, atoms in zip(frames(), chunk.structures, strict=True):
        np.testing.assert_array_equal(atoms.numbers, own.numbers)
        np.testing.assert_allclose(atoms.cell.array, own.cell.array, atol=1e-7)
        # ASE writes eight digits
        np.testing.assert_allclose(atoms.positions, own.positions, atol=2e-8)


def test_extxyz_takes_energies_from_a_key_and_names_those_without_one(tmp_path):
    made = frames()[1:3]
    for k, atoms in enumerate(made):
        atoms.calc = None
        atoms.info = {"dft_total": -1.0 - k, "level_of_theory": "r2SCAN"}
    ase.io.write(tmp_path / "some.extxyz", made, format="extxyz")
    assert import_files([tmp_path / "some.extxyz"], tmp_path / "none").imported == 0
    import_files(
        [tmp_path / "some.extxyz"], tmp_path / "made", ImportOptions(energy_key="dft_total")
    )
    table = load_dataset(tmp_path / "made")
    assert list(table["energy_cell"]) == [-1.0, -2.0]
    assert list(table["id"]) == ["some-1", "some-2"]
    assert set(table["level_of_theory"]) == {"r2SCAN"}


def test_bad_frames_are_listed_and_the_import_goes_on(tmp_path):
    good = 'Lattice="3 0 0 0 3 0 0 0 3" Properties=species:S:1:pos:R:3 energy=-3 id={} pbc="{}"\n'
    lines = [
        "1\n", good.format("a", "T T T"), "Cu 0 0 0\n",
        "1\n", good.format("b", "T T F"), "Cu 0 0 0\n",
        "1\n", good.format("c", "T T T"), "Qq 0 0 0\n",
        "1\n", good.format("d", "T T T"), "Cu 0 zero 0\n",
        "1\n", good.format("e", "T T T").replace("-3", "nan"), "Cu 0 0 0\n",
        "what is this?\n", "and this\n",
        "1\n", good.format("f", "T T T"), "Cu 0 0 0\n",
        "2\n", good.format("g", "T T T"), "Cu 0 0 0\n",
    ]  # fmt: skip
    path = write_text(tmp_path / "frames.extxyz", "".join(lines))
    summary = import_files([path], tmp_path / "made")
    assert list(load_dataset(tmp_path / "made")["id"]) == ["a", "f"]
    assert summary.rejected == {
        "malformed": 3,
        "no energy": 1,
        "not periodic": 1,
        "unknown element": 1,
    }
    listed = rejects(tmp_path / "made")
    assert [item["where"] for item in listed] == [
        "frame 2 at line 4", "frame 3 at line 7", "frame 4 at line 10", "frame 5 at line 13",
        "frame 6 at line 16", "frame 8 at line 21",
    ]  # fmt: skip


# -- CIF ------------------------------------------------------------------------------------------


def write_cifs(folder, names=("a", "b", "sub/c", "d", "e")):
    """The crystals as CIF files, symmetrized, the last one packed."""
    for name, structure in zip(names, structures(), strict=True):
        path = folder / f"{name}.cif"
        path.parent.mkdir(parents=True, exist_ok=True)
        symprec = None if name == "e" else 1e-3
        text = str(CifWriter(structure, symprec=symprec, significant_figures=10))
        write_text(path.with_name(path.name + ".gz") if name == "e" else path, text)


def test_cif_folder_with_its_table_agrees_with_pymatgen(tmp_path):
    folder = tmp_path / "cifs"
    write_cifs(folder)
    (folder / "energies.csv").write_text(
        "id,energy\na,-40\nb.cif,-43.2\nsub/c,-3.1\nd.cif,-52\ne,-6.5\n"
    )
    summary = import_files([folder], tmp_path / "made", ImportOptions(level_of_theory="PBE"))
    assert summary.rejected == {}
    table = load_dataset(tmp_path / "made")
    assert list(table["id"]) == ["a", "b.cif", "d.cif", "e", "sub/c"]
    assert list(table["energy_cell"]) == [-40, -43.2, -52, -6.5, -3.1]
    (chunk,) = iterate_chunks(tmp_path / "made")
    files = ["a.cif", "b.cif", "d.cif", None, "sub/c.cif"]
    for k, name in enumerate(files):
        if name:
            theirs = Structure.from_file(folder / name).remove_oxidation_states()
            assert cells_agree([theirs], [k], chunk.structures)


def test_cif_folder_with_a_table_of_other_names(tmp_path):
    folder = tmp_path / "cifs"
    write_cifs(folder)
    table = tmp_path / "energies.csv.gz"
    rows = {
        "label": ["x1", "x2", "x3", "x9", "x1"],
        "file": ["a.cif", "b.cif", "c.cif", "gone.cif", "d.cif"],
        "E0": [-5.0, -5.4, "", -1.0, -2.0],
        "dE": [-0.3, 0.0, 0.0, 0.0, 0.0],
    }
    pd.DataFrame(rows).to_csv(table, index=False)
    columns = Columns(id="label", energy="E0", correction="dE", per_atom=True)
    summary = import_files([folder, table], tmp_path / "made", ImportOptions(columns=columns))
    assert summary.rejected == {"duplicate id": 1, "no energy": 2, "no structure": 1}
    made = load_dataset(tmp_path / "made")
    assert list(made["id"]) == ["x1", "x2"]
    np.testing.assert_allclose(made["energy_cell"], [-40.0, -43.2])
    np.testing.assert_allclose(made["correction"], [-0.3, 0.0])
    kinds = {item["id"]: (item["kind"], item["where"]) for item in rejects(tmp_path / "made")}
    assert kinds["x9"] == ("no structure", "row 4")
    assert kinds["x3"][0] == "no energy"


def test_damaged_and_disordered_cifs_are_listed(tmp_path):
    folder = tmp_path / "cifs"
    write_cifs(folder)
    text = (folder / "a.cif").read_text()
    (folder / "a.cif").write_text(text.replace("_cell_length_b", "_cell_length_q"))
    alloy = Structure(structures()[0].lattice, [{"Cu": 0.5, "Au": 0.5}], [[0, 0, 0]])
    (folder / "b.cif").write_text(str(CifWriter(alloy)))
    (folder / "d.cif").write_bytes(b"\x00\xff not a CIF")
    (folder / "energies.csv").write_text("id,energy\na,-1\nb,-1\nc,-3.1\nd,-1\ne,-6.5\n")
    summary = import_files([folder], tmp_path / "made")
    assert set(load_dataset(tmp_path / "made")["id"]) == {"c", "e"}
    # the rows of the table whose structures are unusable say so too
    assert summary.rejected == {"malformed": 2, "no structure": 3, "partial occupancy": 1}
    assert {item["file"] for item in rejects(tmp_path / "made")} >= {"a.cif", "b.cif", "d.cif"}


# -- tables ---------------------------------------------------------------------------------------


def wbm_summary(names):
    """Matbench Discovery's summary of WBM: the columns that its documentation lists."""
    made = entries()
    return pd.DataFrame(
        {
            "material_id": names,
            "formula": [e.composition.alphabetical_formula.replace(" ", "") for e in made],
            "n_sites": [len(e.structure) for e in made],
            "volume": [e.structure.volume for e in made],
            "uncorrected_energy": [e.uncorrected_energy for e in made],
            "e_form_per_atom_wbm": 0.1,
            "e_above_hull_wbm": 0.0,
            "bandgap_pbe": 1.0,
            "wyckoff_spglib_initial_structure": "AB_cF8_225_a_b",
            "uncorrected_energy_from_cse": [e.uncorrected_energy for e in made],
            "e_correction_per_atom_mp2020": [-0.1 * k for k in range(len(made))],
            "e_correction_per_atom_mp_legacy": 9.0,
            "e_form_per_atom_uncorrected": 0.1,
            "e_form_per_atom_mp2020_corrected": 0.1,
            "e_above_hull_mp2020_corrected_ppd_mp": 0.0,
            "site_stats_fingerprint_init_final_norm_diff": 0.0,
            "wyckoff_spglib": "AB_cF8_225_a_b",
            "unique_prototype": True,
        }
    )


def test_wbm_entries_get_their_corrections_from_the_summary(tmp_path):
    names = [f"wbm-1-{k}" for k in range(5)]
    lines = [
        json.dumps(
            {
                "material_id": name,
                "formula_from_cse": d["structure"]["sites"][0]["label"],
                "computed_structure_entry": d | {"energy_adjustments": [], "correction": 0.0},
            }
        )
        for name, d in zip(names, documents(), strict=True)
    ]
    cse = write_text(tmp_path / "wbm-cse.jsonl.gz", "\n".join(lines) + "\n")
    # a table in another order, with one row too many
    summary = wbm_summary(names).iloc[::-1]
    summary = pd.concat([summary, summary.iloc[:1].assign(material_id="wbm-5-1")])
    summary.to_csv(tmp_path / "wbm-summary.csv.gz", index=False)
    done = import_files([tmp_path / "wbm-summary.csv.gz", cse], tmp_path / "made")
    assert (done.records, done.imported, done.rejected) == (6, 5, {"no structure": 1})
    table = load_dataset(tmp_path / "made")
    assert list(table["id"]) == names
    np.testing.assert_allclose(table["correction"], [-0.1 * k for k in range(5)], atol=1e-12)
    np.testing.assert_allclose(table["energy_cell"], wbm_summary(names)["uncorrected_energy"])


def test_energies_alone_are_no_data_set(tmp_path):
    wbm_summary(list("abcde")).to_csv(tmp_path / "summary.csv", index=False)
    with pytest.raises(DatasetError, match="energies but no structures"):
        import_files([tmp_path / "summary.csv"], tmp_path / "made")


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        ("a,b\n1,2\n", Columns(), "no column names the crystals"),
        ("id,b\n1,2\n", Columns(), "no column holds energies"),
        ("id,b\n1,2\n", Columns(energy="E"), "there is no column 'E'; there are id, b"),
        ('id,energy\n"a,1\n', Columns(), "the table can't be read"),
    ],
)
def test_unusable_tables_are_one_sentence(text, columns, message, tmp_path):
    path = write_text(tmp_path / "table.csv", text)
    entry_file = write_text(tmp_path / "entries.json", json.dumps(documents()))
    with pytest.raises(DatasetError, match=message):
        import_files([entry_file, path], tmp_path / "made", ImportOptions(columns=columns))


# -- recognizing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.json", b" \n", "empty"),
        ("some.zip", b"PK\x03\x04abc", "zip file; unpack"),
        ("prose.txt", b"Dear reader\nthis is prose", "not recognized"),
        ("table.parquet", b"PAR1abc", "Parquet file"),
    ],
)
def test_unusable_files_are_one_sentence(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        import_files([tmp_path / name], tmp_path / "made")


def test_missing_files_folders_without_cif_and_unknown_formats_are_one_sentence(tmp_path):
    with pytest.raises(DatasetError, match="no such file"):
        import_files([tmp_path / "gone"], tmp_path / "made", ImportOptions(format="json"))
    with pytest.raises(DatasetError, match="holds no CIF files"):
        import_files([tmp_path], tmp_path / "made")
    path = write_text(tmp_path / "entries.json", json.dumps(documents()))
    with pytest.raises(DatasetError, match="'yaml' is unknown"):
        import_files([path], tmp_path / "made", ImportOptions(format="yaml"))


def test_a_format_can_be_named(tmp_path):
    """A frame whose comment looks like no extended XYZ at first sight."""
    text = "1\n\nCu 0 0 0\n"
    path = write_text(tmp_path / "plain", text)
    with pytest.raises(DatasetError, match="--format"):
        import_files([path], tmp_path / "made")
    done = import_files([path], tmp_path / "made", ImportOptions(format="extxyz"))
    assert done.rejected == {"not periodic": 1}
