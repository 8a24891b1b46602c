"""Crystals that pymatgen's packages carry, written in several formats and read again."""

from __future__ import annotations

import json
import warnings
from functools import cache
from pathlib import Path

import pymatgen.util
import pytest
import spglib
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.cif import CifWriter
from pymatgen.io.vasp import Poscar
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from symscape.crystal.read import crystal_from_file
from symscape.crystal.tolerance import SYMPREC
from symscape.errors import StructureFileError

OWN = sorted((Path(next(iter(pymatgen.util.__path__))) / "structures").glob("*.json"))
FORMATS = {
    "cif": lambda structure: str(CifWriter(structure)),
    "symmetry.cif": lambda structure: str(CifWriter(structure, symprec=SYMPREC)),
    "vasp": lambda structure: Poscar(structure).get_str(),
    "json": lambda structure: json.dumps(structure.as_dict()),
}


@cache
def prototypes():
    from pymatgen.analysis.prototypes import AFLOW_PROTOTYPE_LIBRARY

    return [entry["snl"].structure for entry in AFLOW_PROTOTYPE_LIBRARY]


def check(structure, form, folder):
    """spglib says which group the structure has, pymatgen's matcher whether it is the same one."""
    structure = structure.get_sorted_structure()
    if form == "symmetry.cif":
        # its writer moves atoms by up to the tolerance, after which the group can be a higher one
        structure = SpacegroupAnalyzer(structure, SYMPREC).get_refined_structure()
    file = folder / f"crystal.{form}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file.write_text(FORMATS[form](structure), encoding="utf-8")
        atoms = AseAtomsAdaptor.get_atoms(structure)
    crystal = crystal_from_file(file).crystal
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    found = spglib.get_symmetry_dataset(cell, symprec=SYMPREC)
    assert spglib.get_spacegroup_type(crystal.hall_number).number == found.number
    read = AseAtomsAdaptor.get_structure(crystal.to_atoms(primitive=True))
    primitive = spglib.find_primitive(cell, symprec=SYMPREC)
    assert len(read) == len(primitive[2])
    assert read.composition.reduced_formula == structure.composition.reduced_formula
    assert StructureMatcher(ltol=0.02, stol=0.02, angle_tol=0.5, scale=False).fit(read, structure)


@settings(deadline=None, max_examples=8)
@given(data=st.data(), form=st.sampled_from(sorted(FORMATS)))
def test_prototypes_of_the_aflow_encyclopedia_come_back(data, form, tmp_path_factory):
    small = [structure for structure in prototypes() if len(structure) <= 30]
    check(data.draw(st.sampled_from(small)), form, tmp_path_factory.mktemp("read"))


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_structures_of_pymatgens_tests_come_back(form, tmp_path):
    assert OWN
    for path in OWN:
        structure = Structure.from_file(path).remove_oxidation_states()
        if structure.is_ordered and len(structure) <= 30:
            check(structure, form, tmp_path)


def test_those_that_share_sites_are_refused(tmp_path):
    structure = Structure.from_spacegroup(
        "Fm-3m", [[4.2, 0, 0], [0, 4.2, 0], [0, 0, 4.2]], [{"Mg": 0.5, "Fe": 0.5}, "O"],
        [[0, 0, 0], [0.5, 0.5, 0.5]],
    )  # fmt: skip
    for form in ("cif", "json"):
        (tmp_path / f"shared.{form}").write_text(FORMATS[form](structure), encoding="utf-8")
        with pytest.raises(StructureFileError, match=r"occup|shared|disorder"):
            crystal_from_file(tmp_path / f"shared.{form}")
