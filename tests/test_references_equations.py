"""The stored equations of state: what they hold, and what is said of damaged files."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import spglib

from symscape.errors import ReferenceFileError
from symscape.references.birch_murnaghan import GPA
from symscape.references.equations import COMPLETE_CODES, ELEMENTAL, load_equations
from symscape.references.library import find_references
from symscape.science.equation_of_state.compare import EXCELLENT, GOOD, epsilon
from symscape.science.equation_of_state.prototypes import differences

REFERENCES = Path(__file__).parents[1] / "references"


@pytest.fixture(scope="module")
def equations():
    """Return what the project stores."""
    return load_equations([REFERENCES])


@pytest.fixture
def library(tmp_path):
    """Return a copy that may be damaged."""
    shutil.copytree(REFERENCES / "equations-of-state", tmp_path / "equations-of-state")
    return tmp_path


def change(library: Path, name: str, old: str, new: str, *, sign: bool = False) -> None:
    """Edit a file once; with ``sign`` store its new checksum as well."""
    folder = library / "equations-of-state"
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))
    if sign:
        about = json.loads((folder / "about.json").read_text())
        about["files"][name.partition(".")[0]] = hashlib.sha256(
            (folder / name).read_bytes()
        ).hexdigest()
        (folder / "about.json").write_text(json.dumps(about))


def test_960_crystals_of_96_elements(equations):
    assert len(equations) == 960
    assert (~equations.oxide).sum() == 384
    assert sorted(set(equations.elements)) == list(range(1, 97))
    assert len(set(equations.ids)) == 960
    folder = REFERENCES / "equations-of-state"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 300_000
    assert "CC BY 4.0" in equations.about.licence
    assert "10.1038/s42254-023-00655-3" in equations.about.citation


def test_they_are_no_landscapes():
    assert not [entry for entry in find_references([REFERENCES]) if "equations" in entry.material]


def test_structures_have_their_volume_and_space_group(equations):
    chosen = equations[np.array([i.startswith("Ti-") for i in equations.ids])]
    assert len(chosen) == 10
    volumes = chosen.sampled_volumes()
    structures = chosen.structures(volumes)
    found = np.abs(np.linalg.det(structures.cells)) / structures.n_atoms
    np.testing.assert_allclose(found, volumes.ravel())
    for i, name in enumerate(chosen.names):
        numbers, positions, cell = structures.arrays(7 * i)
        fractional = positions @ np.linalg.inv(cell)
        dataset = spglib.get_symmetry_dataset((cell, fractional, numbers))
        assert dataset.international == chosen.about.prototypes[name].space_group
        # all of them are cubic of the highest class: nothing but the volume strains the cell
        assert dataset.pointgroup == "m-3m"


def test_a_well_known_crystal_is_what_it_should_be(equations):
    i = equations.ids.index("Al-FCC")
    # PBE: a = 4.04 angstrom, B0 = 78 GPa (Lejaeghere et al., Science 351, aad3000)
    assert (4 * equations.average.volume[i]) ** (1 / 3) == pytest.approx(4.04, abs=0.01)
    assert GPA * equations.average.bulk_modulus[i] == pytest.approx(78, abs=2)
    # rock salt: MgO with a = 4.26 angstrom
    i = equations.ids.index("Mg-XO")
    assert (8 * equations.average.volume[i]) ** (1 / 3) == pytest.approx(4.26, abs=0.02)


def test_the_all_electron_codes_agree_as_the_study_says(equations):
    # "excellent" is what the study found between these two
    found = epsilon(equations.codes["FLEUR"], equations.codes["WIEN2k"])
    assert np.median(found) < EXCELLENT / 2
    assert (found <= GOOD).mean() > 0.99
    for code in COMPLETE_CODES:
        found = epsilon(equations.codes[code], equations.average)
        assert np.isfinite(found).all()
        assert np.median(found) < GOOD


def test_codes_agree_on_differences_between_prototypes(equations):
    elemental = equations[~equations.oxide]
    assert elemental.names[:4] == ELEMENTAL
    energies = [equations.by_prototype(equations.codes[code].energy)[1] for code in COMPLETE_CODES]
    np.testing.assert_array_equal(energies[0], elemental.codes["FLEUR"].energy.reshape(-1, 4))
    found = differences(np.array(energies), energies[2])
    assert np.nanmedian(found.spread) < 2
    # VASP is a code among them
    assert np.nanmedian(np.abs(found.errors)) < 2


@pytest.mark.parametrize("name", ["elements.csv", "oxides.csv"])
@pytest.mark.parametrize("column", ["V0", "FLEUR E0", "GPAW B1"])
def test_a_number_edited_by_a_thousandth_is_found(library, name, column):
    path = library / "equations-of-state" / name
    header, *rows = [line.split(",") for line in path.read_text().splitlines()]
    row = rows[17]
    i = header.index(column)
    row[i] = f"{1.001 * float(row[i]):.6f}"
    path.write_text("\n".join(",".join(cells) for cells in [header, *rows]) + "\n")
    with pytest.raises(ReferenceFileError, match="a number was changed"):
        load_equations([library])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Ti,BCC", "Ti,HCP", "unknown prototype 'HCP'; the known ones are SC, BCC"),
        ("Ti,BCC", "Xy,BCC", "no element 'Xy'"),
        ("Ti,BCC,1,", "Ti,BCC,2,", "Ti-BCC has 2 atoms a cell, but its prototype has 1"),
        ("Ti,BCC,1,17", "Ti,BCC,1,18", "Ti-BCC: the volume of FLEUR deviates .* by 5"),
        ("Ti,BCC,1,17", "Ti,BCC,1,x17", "not a table of numbers"),
        ("Ti,BCC,1,17", "Ti,BCC,1,-17", "lacks its number of atoms, V0"),
        ("FLEUR E0", "FLEUR energy", "its columns must be element, prototype"),
        ("Ti,BCC,1,", "Ti,BCC,", "not a table of numbers"),
        ("Ti,SC,", "Ti,FCC,", "Ti-FCC is listed twice"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(library, old, new, said):
    change(library, "elements.csv", old, new, sign=True)
    with pytest.raises(ReferenceFileError, match=said) as caught:
        load_equations([library])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("symscape-equations-of-state/1", "other", "schema is 'other'"),
        ('"licence"', '"license"', "'provenance.licence' is missing"),
        ('"positions"', '"sites"', "'prototypes.SC.positions' is missing"),
        ('"species": ["X"]', '"species": ["Y"]', "species may be X and O, not"),
        ("[1, 0, 0]", "[0, 0, 0]", "prototype SC: its lattice is flat"),
        ('"elements":', '"metals":', "'files.elements' is missing"),
        ('"QE":', '"Espresso":', "QE is not among its codes"),
        ('"Diamond":', '"A4":', "Diamond is not among its codes or prototypes"),
    ],
)
def test_a_description_that_is_none_is_refused(library, old, new, said):
    change(library, "about.json", old, new)
    with pytest.raises(ReferenceFileError, match=said):
        load_equations([library])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"space_group": "Pm-3m"', '"space_group": "P4/mmm"', "declared 'P4/mmm', but spglib"),
        ("[1, 0, 0]", "[1.1, 0, 0]", "declared 'Pm-3m', but spglib finds P4/mmm"),
    ],
)
def test_a_prototype_of_another_space_group_is_refused(library, old, new, said):
    change(library, "about.json", old, new)
    equations = load_equations([library])
    with pytest.raises(ReferenceFileError, match=said):
        equations.structures(equations.sampled_volumes())


def test_a_library_without_them_has_none(tmp_path):
    assert load_equations([tmp_path]) is None


def test_two_libraries_with_them_are_refused(library):
    with pytest.raises(ReferenceFileError, match=r"are stored in .* as well"):
        load_equations([REFERENCES, library])


def test_validate_knows_them(library):
    from symscape.leaderboard.validate import check_file

    path = library / "equations-of-state" / "about.json"
    assert check_file(path).summary == "equations of state of 960 crystals"
    change(library, "about.json", '"space_group": "Pm-3m"', '"space_group": "Pm-3"')
    with pytest.raises(ReferenceFileError, match="spglib finds Pm-3m"):
        check_file(path)
