"""A project in which everything is wrong with some file or other."""

from __future__ import annotations

import copy
import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ase.build import bulk
from benchmark_text import benchmark
from generate_plans import AXES, CRYSTAL, write_plan
from inprocess import import_lazy_modules, run_of_one_case, without_figures
from mutations import toml
from scale_sets import record, write_set
from toys import store, toy_document

import symscape.models.family
from symscape.references.landscape_files import load_reference
from symscape.references.schema import dump_document
from symscape.results.files import save_results

CALCULATORS = """
from ase.calculators.emt import EMT


def exact():
    return EMT()


exact.fingerprint = "exact"
a_number = 3


def no_calculator():
    return "EMT"


def raising():
    raise OSError("no licence file")


class Typo(EMT):
    def calculate(self, *args, **kwargs):
        raise ValueError("first line\\nsecond line")


def typo():
    return Typo()
"""


CIF = """data_x
_cell_length_a 4
_cell_length_b 4
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
{sites}
"""
POSCAR = "x\n1\n4 0 0\n0 4 0\n0 0 4\n{elements}\n{counts}\nDirect\n{positions}\n"

#: structure files: name -> content
STRUCTURES: dict[str, str | bytes] = {
    "empty.cif": "",
    "prose.cif": "This is a letter, not a crystal.\n",
    "binary.vasp": bytes(range(256)),
    "no-atoms.xyz": "0\n\n",
    "molecule.xyz": "2\n\nO 0 0 0\nO 0 0 1.2\n",
    "overlap.vasp": POSCAR.format(elements="Al", counts="2", positions="0 0 0\n0 0 0.00001"),
    "nan.vasp": POSCAR.format(elements="Al", counts="2", positions="0 0 0\nnan 0.5 0.5"),
    "unknown.vasp": POSCAR.format(elements="Qq", counts="1", positions="0 0 0"),
    "flat.vasp": "x\n1\n4 0 0\n8 0 0\n0 0 4\nAl\n1\nDirect\n0 0 0\n",
    "partial.cif": CIF.format(sites="A Al 0 0 0 0.5\nB Cu 0.5 0.5 0.5 1.0"),
    "cut.cif": CIF.format(sites="A Al 0 0"),
    "cubic.vasp": POSCAR.format(elements="Al", counts="1", positions="0 0 0"),
    "good.vasp": "x\n1\n2.9 0 0\n0 8.2 0\n0 0 4\nAl Cu\n4 4\nDirect\n"
    "0 0.36 0.25\n0.5 0.86 0.25\n0 0.64 0.75\n0.5 0.14 0.75\n"
    "0 0.07 0.25\n0.5 0.57 0.25\n0 0.93 0.75\n0.5 0.43 0.75\n",
}

#: what `symscape import` is given: name -> content
DATASETS: dict[str, str | bytes] = {
    "entries-torn.json": '[{"entry_id": 1',
    "entries-other.json": '{"a": 3}',
    "entries-empty.json": "[]",
    "entries-strange.json": '[{"a": 3}]',
    "entries.json.gz": b"no gzip",
    "entries.zip": b"PK\x03\x04" + bytes(40),
    "table.csv": "id,energy\n1,2\n",
    "table-twice.csv": "id,energy\n1,2\n1,3\n",
    "table-empty.csv": "",
    "frame.xyz": '1\nLattice="4 0 0 0 4 0 0 0 4" pbc="T T T"\nAl 0 0 0\n',
    "letter.cif": "Dear reader, this is no crystal.\n",
}

#: tolerance files
TOLERANCES: dict[str, str] = {
    "torn.toml": "[energies\nmae = 3\n",
    "metric.toml": "[energies]\nmaee = 3\n",
    "question.toml": "[energy]\nmae = 3\n",
    "negative.toml": "[energies]\nmae = -3\n",
    "text.toml": "[energies]\nmae = 'three'\n",
    "interval.toml": "[energies]\nsoftening_scale = [1.2, 0.8]\n",
    "selector.toml": "[[override]]\nmaterial = 3\n",
    "loop.toml": "extends = 'loop.toml'\n",
    "parent.toml": "extends = 'strikt'\n",
    "override.toml": "[[override]]\nmaterial = 'AlCo-*'\n[override.energies]\nmae = 3\n",
    "no-reason.toml": "[[known_failure]]\nmodel = 'x'\nexpires = 2999-01-01\n",
    "no-expiry.toml": "[[known_failure]]\nmodel = 'x'\nreason = 'y'\n",
    "all-known.toml": "[[known_failure]]\nreason = 'y'\nexpires = 2999-01-01\n",
    "wrong-known.toml": "[[known_failure]]\nmlip = 'x'\nreason = 'y'\nexpires = 2999-01-01\n",
}

AXIS = '[[axes]]\nname = "{0}"\nstart = 0.3\nstop = 0.4\npoints = {1}\n'

#: plans: name -> arguments of `write_plan`
PLANS: dict[str, dict[str, Any]] = {
    "unknown-key": {"top": "mask = 0.5"},
    "no-crystal": {"crystal": ""},
    "no-cell": {"crystal": CRYSTAL.replace("cell =", "#")},
    "five-numbers": {"crystal": CRYSTAL.replace("90, 90, 90", "90, 90")},
    "negative-cell": {"crystal": CRYSTAL.replace("2.9", "-2.9")},
    "no-group": {"crystal": CRYSTAL.replace("hall_number = 298", 'spacegroup = "Pxyz"')},
    "hall-531": {"crystal": CRYSTAL.replace("298", "531")},
    "element": {"crystal": CRYSTAL.replace('"Cu"', '"Cuu"')},
    "on-top": {"crystal": CRYSTAL.replace("0.07, 0.25", "0.36, 0.25")},
    "structure": {"crystal": '[crystal]\nfile = "empty.cif"\n'},
    "one-axis": {"axes": AXIS.format("Al_y", 3)},
    "one-point": {"axes": AXIS.format("Al_y", 1) + AXIS.format("Cu_y", 3)},
    "coordinate": {"axes": AXIS.format("Al_z", 3) + AXIS.format("Cu_y", 3)},
    "same-axes": {"axes": AXIS.format("Al_y", 3) + AXIS.format("Al_y", 3)},
    "backwards": {"axes": AXES.replace("0.39", "0.30")},
    "masked": {"top": "mask_ratio = 3.0"},
    "cutoff": {"more": "[relax]\ncutoff_eV = -1"},
    "no-relax": {},
    "no-module": {"factory": "absent_module:make"},
    "no-function": {"factory": "cheap:absent"},
    "no-colon": {"factory": "cheap"},
    "raising": {"factory": "cheap:raising"},
    "no-calculator": {"factory": "cheap:no_calculator"},
    "journal": {},
    "good": {},
}


def _change(*path_and_value: Any) -> Callable[[dict[str, Any]], None]:
    *path, last, value = path_and_value

    def apply(document: dict[str, Any]) -> None:
        holder: Any = document
        for key in path:
            holder = holder[key]
        holder[last] = value

    return apply


#: folders of references: name -> what is done to a good document; None for a torn file
REFERENCES: dict[str, Callable[[dict[str, Any]], None] | None] = {
    "torn": None,
    "newer": _change("schema", "symscape-landscape/9"),
    "moved": _change("points", 4, "positions", 0, 1, 0.361),
    "nan": _change("points", 4, "energy_eV", float("nan")),
    "shape": _change("points", 4, "forces_eV_A", [[0.0, 0.0]]),
    "text": _change("points", 4, "energy_eV", "low"),
    "twice": _change("points", 4, "j", 0),
    "element": _change("crystal", "atoms", 0, 0, "Xx"),
    "negative": _change("crystal", "lattice_A", 0, 0, -2.9),
    "group": _change("crystal", "hall_number", 531),
    "other-group": _change("crystal", "space_group_number", 62),
    "kind": _change("kind", "locale"),
    "no-points": _change("points", []),
}


def build_project(folder: Path, document: dict[str, Any], results: dict[str, Any]) -> Path:
    """Write the project: the benchmark, good references, and all that is wrong.

    Parameters
    ----------
    document
        A good reference.
    results
        A good results file of the model ``exact`` on it.
    """
    (folder / "benchmarks").mkdir(parents=True)
    (folder / "benchmarks" / "test_landscape.py").write_text(benchmark("energies"))
    (folder / "cheap.py").write_text(CALCULATORS)
    (folder / "broken.py").write_text("this is no Python\n")
    (folder / "a-file").write_text("x")
    (folder / "a-folder").mkdir()
    (folder / "a-dataset").mkdir()
    (folder / "a-dataset" / "dataset.json").write_text("{")
    for name, content in {**STRUCTURES, **TOLERANCES, **DATASETS}.items():
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(raw)
    _references(folder, document)
    _plans(folder)
    _results(folder, results)
    _checkpoints(folder)
    (folder / "hull").mkdir()
    write_set(folder / "good-set", [record("Al", bulk("Al", "fcc", 4.05))])
    write_set(folder / "no-element", [record("AlCu", bulk("AlCu", "rocksalt", 5))])
    cache = folder / "torn-cache"
    cache.mkdir()
    (cache / "energies-2.sqlite3").write_bytes(b"SQLite format 3\x00" + bytes(range(200)))
    return folder


def _references(folder: Path, document: dict[str, Any]) -> None:
    for name, spoil in {"references": lambda _: None, **REFERENCES}.items():
        spoiled = copy.deepcopy(document)
        if spoil is not None:
            spoil(spoiled)
        text = dump_document(spoiled)
        place = folder / (name if name == "references" else f"references-{name}")
        path = place / document["material"] / f"{document['slice']}.json"
        path.parent.mkdir(parents=True)
        path.write_text(text[:400] if spoil is None else text)


def _plans(folder: Path) -> None:
    plans = folder / "plans"
    plans.mkdir()
    (plans / "torn.toml").write_text("[crystal\n")
    (plans / "empty.cif").write_text("")
    for name, arguments in PLANS.items():
        write_plan(plans, name=name, **{"factory": "cheap:exact", **arguments})
    (plans / "journal.journal.jsonl").write_text('{"event": "start"\n{"event": "point"}\n')
    (plans / "relaxed.toml").write_text(
        (plans / "good.toml").read_text() + "[relax]\nforce_eV_A = 0.01\n"
    )
    (plans / "relaxed.relaxed.json").write_text("{")
    (plans / "imported.toml").write_text(
        (plans / "good.toml").read_text().replace('name = "ase"', 'name = "import"')
    )


def _results(folder: Path, results: dict[str, Any]) -> None:
    (folder / "results-good.json").write_text(json.dumps(results))
    for name, changes in {
        "newer": {"schema": "symscape-results/99"},
        "other": {"schema": "something-else/1"},
        "lacking": {"cases": None},
    }.items():
        (folder / f"results-{name}.json").write_text(json.dumps({**results, **changes}))
    (folder / "results-torn.json").write_text(json.dumps(results)[:500])
    cards = {"mine": {"family": "chgnett", "level_of_theory": "PBE"}}
    (folder / "card.toml").write_text(toml(cards))


def _checkpoints(folder: Path) -> None:
    (folder / "empty.pth").write_bytes(b"")
    (folder / "prose.pth").write_text("these are no weights\n")
    # the opcodes of a pickle that names one of another family's classes
    (folder / "other.pth").write_bytes(b"\x80\x02cmace.modules.models\nScaleShiftMACE\n.")


def locked_cache(folder: Path) -> sqlite3.Connection:
    """A cache that another process writes to and does not let go of."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(folder / "energies-2.sqlite3")
    connection.execute("CREATE TABLE IF NOT EXISTS other (x)")
    connection.execute("BEGIN EXCLUSIVE")
    return connection


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project in which something is wrong with nearly every file."""
    folder = tmp_path_factory.mktemp("bad")
    document = toy_document(points=3)
    reference = load_reference(store(folder / "good", document))
    run = run_of_one_case(reference, 1.0, "exact")
    results = json.loads(save_results(folder / "results.json", run).read_text())
    with pytest.MonkeyPatch.context() as monkeypatch:
        without_figures(monkeypatch)
        import_lazy_modules(folder / "lazy", reference)
    return build_project(folder / "project", document, results)


@pytest.fixture
def here(project, monkeypatch, tmp_path):
    """The project as the current folder; of the model packages only mace is missing."""
    monkeypatch.chdir(project)
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.setenv("PYTHONPATH", str(project))
    monkeypatch.delenv("MP_API_KEY", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
    monkeypatch.setattr(
        symscape.models.family,
        "package_folder",
        lambda package: None if package == "mace" else tmp_path,
    )
    without_figures(monkeypatch)
    known = set(sys.modules)
    yield project
    # modules of this project must not be taken for those of the next one, of the same names
    for name in set(sys.modules) - known:
        if name in ("broken", "cheap") or name.startswith("symscape_calculator"):
            del sys.modules[name]
