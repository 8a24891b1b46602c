"""Structures in JSON, of pymatgen, ASE and anything else: the right crystal or one sentence."""

from __future__ import annotations

import gzip
import json
import sys

import pytest
from ase import Atoms
from ase.io import write
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from pymatgen.entries.computed_entries import ComputedStructureEntry
from silicon_carbide import SIC, refused

from symscape.crystal.read import crystal_from_file
from symscape.errors import SymscapeError


@pytest.mark.parametrize("form", ["structure", "entry", "entries", "ase"])
def test_json_of_pymatgen_and_ase(tmp_path, form):
    path = tmp_path / "x.json"
    if form == "ase":
        write(path, Atoms(SIC.atomic_numbers, SIC.cart_coords, cell=SIC.lattice.matrix, pbc=True))
    else:
        entry = ComputedStructureEntry(SIC, -30.0).as_dict()
        document = {"structure": SIC.as_dict(), "entry": entry, "entries": [entry, entry]}[form]
        path.write_text(json.dumps(document))
    found = crystal_from_file(path)
    assert (found.crystal.formula, found.crystal.symbol) == ("SiC", "P6_3mc")
    assert any("last of 2" in text for text in found.notices) == (form == "entries")


def test_no_module_that_a_json_names_is_imported(tmp_path, monkeypatch):
    (tmp_path / "symscape_trap.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    trap = {"@module": "symscape_trap", "@class": "Anything"}
    document = SIC.as_dict()
    document["sites"][0]["properties"] = {"tag": trap, "magmom": trap}
    document["lattice"] |= trap
    document["properties"] = trap
    for name in ("x.json", "x.mson", "x.json.gz"):
        path = tmp_path / name
        data = json.dumps(document | {"@module": "symscape_trap"}).encode()
        path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        assert crystal_from_file(path).crystal.formula == "SiC"
    assert "symscape_trap" not in sys.modules


@settings(max_examples=40, deadline=None)
@given(
    more=st.dictionaries(st.sampled_from(["Si", "C", "N"]), st.integers(0, 4)),
    sites=st.sampled_from([None, 2, 4, 8]),
    factor=st.sampled_from([1, 2, 0.5]),
)
def test_what_stands_beside_a_structure_is_compared(tmp_path_factory, more, sites, factor):
    path = tmp_path_factory.mktemp("json") / "x.json"
    stated = {"Si": 2, "C": 2} | more
    composition = {symbol: factor * n for symbol, n in stated.items() if n}
    document = {"structure": SIC.as_dict(), "composition": composition, "nsites": sites}
    path.write_text(json.dumps(document))
    same = stated.get("Si") == stated.get("C") and not stated.get("N") and stated.get("C")
    if (same or not composition) and sites in (None, 4):
        assert crystal_from_file(path).crystal.formula == "SiC"
    else:
        refused(path, "nsites is|the composition is")


@pytest.mark.parametrize("periodic", [[True, True, False], [False] * 3])
def test_a_lattice_that_is_not_periodic_is_no_crystal(tmp_path, periodic):
    path = tmp_path / "x.json"
    document = SIC.as_dict()
    document["lattice"]["pbc"] = periodic
    path.write_text(json.dumps(document))
    refused(path, "not periodic in three directions")


@settings(max_examples=30, deadline=None)
@given(
    where=st.sampled_from(["magmom", "spin", "spin of the species", "initial_magmoms", "magmoms"]),
    value=st.sampled_from([2.0, [0.0, 0.0, 2.0], [1.0, 0.0, 0.0]]),
    seen=st.sampled_from(["all", "one"]),
)
def test_moments_are_never_lost(tmp_path_factory, where, value, seen):
    """Of two equivalent atoms one has none: then the crystal without moments is another one."""
    path = tmp_path_factory.mktemp("json") / "x.json"
    moments = [value if seen == "all" or k == 0 else None for k in range(4)]
    if where.endswith("magmoms"):
        zero = [0.0] * 3 if isinstance(value, list) else 0.0
        row = {"numbers": SIC.atomic_numbers, "positions": SIC.cart_coords.tolist()}
        row |= {"cell": SIC.lattice.matrix.tolist(), "pbc": [True] * 3}
        document = {"1": row | {where: [m if m is not None else zero for m in moments]}}
    else:
        document = SIC.as_dict()
        for site, moment in zip(document["sites"], moments, strict=True):
            (species,) = site["species"]
            if where == "magmom":
                site["properties"] = {"magmom": moment}
            elif moment is not None:
                spin = moment if isinstance(moment, float) else 2.0
                species |= {"spin": spin} if where == "spin" else {"properties": {"spin": spin}}
    path.write_text(json.dumps(document, default=list))
    if seen == "all":
        assert crystal_from_file(path).notices == (
            "magnetic moments are ignored; with them the symmetry is lower",
        )
    else:
        refused(path, "equivalent in P6_3mc but for their magnetic moments")


HUGE = "9" * 5001


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"lattice": 1', "JSON is damaged"),
        (f'{{"a": {HUGE}}}', "JSON is damaged"),
        ("[" * 100_000, "nested too deeply|damaged"),
        ("[" * 400 + "]" * 400, "nested too deeply"),
        ("[" * 40 + "]" * 40, "holds neither"),
        ('{"a": "\\ud800"}', "half a character"),
        ('{"lattice": {}, "lattice": {}, "sites": []}', "'lattice' stands twice"),
        ('{"lattice": {"matrix": 3}, "sites": []}', "malformed"),
        ('{"lattice": {"a": 1e999}, "sites": [{}]}', "malformed"),
        ('{"numbers": ["x"], "positions": [], "cell": []}', "malformed"),
        ('{"a": 3}', "holds neither"),
    ],
)
def test_damaged_json(tmp_path, text, sentence):
    path = tmp_path / "x.json"
    path.write_text(text)
    refused(path, sentence)


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["lattice", "sites", "matrix", "species", "abc", "numbers", "cell"]
                ),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_a_crystal_or_a_sentence(tmp_path_factory, document):
    path = tmp_path_factory.mktemp("json") / "x.json"
    path.write_text(json.dumps(document))
    with pytest.raises(SymscapeError):
        crystal_from_file(path)


def test_occupancies_and_moments_in_json(tmp_path):
    path = tmp_path / "x.json"
    alloy = Structure(SIC.lattice, [{"Si": 0.5, "C": 0.5}], [[0, 0, 0]])
    path.write_text(json.dumps(alloy.as_dict()))
    refused(path, "partially occupied")
    iron = Structure(
        Lattice.cubic(2.87),
        ["Fe", "Fe"],
        [[0, 0, 0], [0.5] * 3],
        site_properties={"magmom": [2.2, 2.2]},
    )
    path.write_text(json.dumps(iron.as_dict()))
    assert crystal_from_file(path).notices == (
        "magnetic moments are ignored; with them the symmetry is lower",
    )
    iron.add_site_property("magmom", [2.2, -2.2])
    path.write_text(json.dumps(iron.as_dict()))
    refused(path, "equivalent in Im-3m but for their magnetic moments")
