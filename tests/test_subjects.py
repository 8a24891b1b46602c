"""What questions are asked about, and the two strings that results files name it by."""

from __future__ import annotations

import ast
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import symscape
from symscape.questions.subjects import (
    AllCrystals,
    ElementalPrototype,
    ElementGroup,
    HullSystem,
    MaterialSlice,
    SymmetryClass,
    SystemCrystals,
    subject_of,
)
from symscape.references.equations import ELEMENTAL
from symscape.science.hull.classes import lattice_class, wyckoff_class
from symscape.science.hull.systems import elements_of_system, system_of

SYMBOLS = st.lists(st.sampled_from(["Mg", "Si", "O", "P", "W", "Ti"]), min_size=1, unique=True)
SYSTEMS = SYMBOLS.map(system_of)
CLASSES = [
    *(SymmetryClass("n_wyckoff", wyckoff_class(n)) for n in range(10)),
    *(SymmetryClass("n_lattice", lattice_class(n)) for n in range(1, 7)),
]
AXIS = st.from_regex(r"[A-Z][a-z]?[0-9]?_[xyz]|ca|ba|alpha|volume", fullmatch=True)
MATERIALS = st.from_regex(r"([A-Z][a-z]?[0-9]?){1,3}-[PIFAC]-?[0-9m]{1,3}", fullmatch=True)


@given(
    st.one_of(
        st.builds(MaterialSlice, MATERIALS, st.tuples(AXIS, AXIS)),
        st.builds(HullSystem, SYSTEMS),
        st.builds(SystemCrystals, SYSTEMS),
        st.just(AllCrystals()),
        st.sampled_from(CLASSES),
        st.builds(ElementGroup, st.from_regex("group-1?[1-8]", fullmatch=True), SYMBOLS.map(tuple)),
        st.builds(ElementalPrototype, st.sampled_from(ELEMENTAL)),
    )
)
def test_every_subject_is_read_from_its_names(subject):
    again = subject_of(subject.material, subject.slice)
    assert again == subject
    assert subject.id == f"{subject.material}-{subject.slice}"


def test_words_and_elements():
    assert SymmetryClass("n_wyckoff", "3-4").words == "3–4 free Wyckoff coordinates"
    assert SymmetryClass("n_lattice", "1").words == "1 free lattice parameter"
    # the letters of a space group's symbol are no elements
    assert MaterialSlice.named("CaTiO3-Cmcm", "Ca_y-Ti_y").elements == ("Ca", "Ti", "O")
    assert HullSystem("Mg-Si").elements == ("Mg", "Si")
    assert subject_of("group-4", "Ti-Zr-Hf").elements == ("Ti", "Zr", "Hf")
    assert SymmetryClass("n_lattice", "2").elements == ()


@given(SYMBOLS)
def test_a_system_is_its_elements_in_the_order_of_the_alphabet(symbols):
    assert elements_of_system(system_of(symbols)) == tuple(sorted(symbols))


#: the modules that may take names apart at a hyphen, and which
AT_HYPHENS = {
    "crystal/reading/beside.py": "a chemical system that a file states",
    "questions/subjects.py": "the name of a subject",
    "science/hull/systems.py": "the name of a chemical system",
    "models/card.py": "a range of elements",
    "references/library.py": "the name of a material",
}


def test_no_other_module_takes_a_name_apart():
    source = Path(symscape.__file__).parent
    found = set()
    for path in source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("split", "rsplit", "partition", "rpartition")
                and node.args
                and isinstance(node.args[0], ast.Constant)
                and node.args[0].value == "-"
            ):
                found.add(path.relative_to(source).as_posix())
    assert found == set(AT_HYPHENS)
