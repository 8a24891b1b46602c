"""Code in the documentation runs, and tables made from the library are current."""

from __future__ import annotations

import io
import json
import math
import re
import tomllib
from contextlib import redirect_stdout

import numpy as np
import pytest
from ase.calculators.lj import LennardJones
from docs_pages import PAGES, ROOT, blocks, read

import symscape
from symscape.models.families import families
from symscape.models.registry import resolve
from symscape.verdict.tolerances import load_tolerances

# -- code -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_blocks_are_well_formed(page, tmp_path):
    for block in blocks(read(page)):
        if block.language == "python":
            # a line out of a table of dictionary entries or calls
            entry = block.text.startswith(" ")
            of_dictionary = re.match(r'"|Metric\(.*\): ', block.text.lstrip())
            brackets = ("{%s}" if of_dictionary else "(%s)") if entry else "%s"
            compile(brackets % block.text, page, "exec")
        elif block.language == "toml":
            document = tomllib.loads(block.text)
            if {"extends", "known_failure", "override", "energies"} & set(document):
                document.pop("extends", None)
                file = tmp_path / "tolerances.toml"
                file.write_text(block.text)
                unknown = {"median_error"} & set(document.get("energies", {}))
                assert unknown or load_tolerances(file)
        elif block.language == "json":
            json.loads(block.text)


@pytest.mark.parametrize("page", PAGES)
def test_names_of_the_library_exist(page):
    for module, names in re.findall(r"^from (symscape[\w.]*) import ([\w, ]+)$", read(page), re.M):
        imported = __import__(module, fromlist=["_"])
        for name in names.split(","):
            assert hasattr(imported, name.strip())
    for name in re.findall(r"\bsymscape\.(\w+)\(", read(page)):
        assert name in symscape.__all__
    for name in re.findall(r"^::: ([\w.]+)$", read(page), re.M):
        module, _, attribute = name.rpartition(".")
        assert hasattr(__import__(module, fromlist=["_"]), attribute)


def test_the_interface_page_describes_every_public_name():
    described = {
        name.rpartition(".")[2] for name in re.findall(r"^::: (\S+)$", read("docs/api.md"), re.M)
    }
    assert described - {"errors"} == set(symscape.__all__) - {"SymscapeError", "__version__"}


def test_the_table_of_references_is_current():
    from symscape.cli.materials import method_table
    from symscape.references.landscape_files import load_reference
    from symscape.references.library import find_references

    stored = [load_reference(e.path) for e in find_references([ROOT / "references"])]
    text = read("docs/references.md")
    shown = text.split("<!-- landscapes -->")[1].split("<!-- end of landscapes -->")[0]
    assert shown.strip() == method_table(stored), "run: symscape materials --markdown"


def test_the_table_of_plans_is_current():
    """Those without a grid, cheapest first, with the hours of all points, finished ones too."""
    from symscape.dft.cost import estimate_cost
    from symscape.dft.grid_ledger import open_ledger
    from symscape.dft.plan import load_plan
    from symscape.references.library import find_references

    text = read("docs/references.md").split("| plan | hours |")[1].split("\n\n")[0]
    rows = [line.split("|")[1:4] for line in text.splitlines()[2:]]
    shown = {name.strip(): (float(hours), int(atoms)) for name, hours, atoms in rows}
    done = {entry.material for entry in find_references([ROOT / "references"])}
    lists = ("all-electron", "crystals", "equations-of-state")
    plans = sorted((ROOT / "references" / "plans").glob("*.toml"))
    open_ones = [p for p in plans if p.stem not in done and not p.stem.startswith(lists)]
    assert set(shown) == {path.stem for path in open_ones}
    for path in open_ones:
        ledger = open_ledger(load_plan(path))
        points = len(ledger.points) + len(ledger.todo)
        hours = estimate_cost(ledger).seconds_per_point * points / 3600
        atoms = int(ledger.plan.slice.structures().n_atoms[0])
        expected = (pytest.approx(hours, rel=0.2, abs=0.1), atoms)
        assert shown[path.stem] == expected, f"{path.stem}: {hours:.1f} hours, {atoms} atoms"
    assert list(shown) == sorted(shown, key=lambda name: shown[name][0])


def test_the_tutorial_runs_and_prints_what_it_says(tmp_path, monkeypatch):
    pytest.importorskip("chgnet")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "references").symlink_to(ROOT / "references")
    namespace: dict[str, object] = {}
    for block in blocks(read("docs/tutorial.md")):
        if block.language != "python":
            continue
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(block.text, "docs/tutorial.md", "exec"), namespace)
        assert_printed(printed.getvalue(), block.output or "")
    assert (tmp_path / "landscape.png").stat().st_size > 20_000


def assert_printed(printed, expected):
    """Compare words exactly and numbers within two per cent: networks round differently."""
    found, wanted = printed.split(), expected.split()
    assert len(found) == len(wanted), printed
    for one, other in zip(found, wanted, strict=True):
        try:
            same = math.isclose(float(one), float(other), rel_tol=0.02, abs_tol=0.005)
        except ValueError:
            same = one == other
        assert same, f"printed {one!r} where the page says {other!r}:\n{printed}"


def test_the_adapter_of_the_recipe_agrees_with_ase(tmp_path, monkeypatch, request):
    """The class that docs/adding-a-model.md adds, against ASE's own Lennard-Jones calculator."""
    page = read("docs/adding-a-model.md")
    code = next(
        b.text for b in blocks(page) if "LennardJonesModel" in b.text and "import" in b.text
    )
    project = next(tomllib.loads(b.text) for b in blocks(page) if "entry-points" in b.text)[
        "project"
    ]
    package = tmp_path / "lj_family"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "adapter.py").write_text(code)
    info = tmp_path / f"lj_family-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    ((group, points),) = project["entry-points"].items()
    lines = [f"{name} = {value}" for name, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines]))
    monkeypatch.syspath_prepend(str(tmp_path))
    families.cache_clear()
    request.addfinalizer(families.cache_clear)
    file = tmp_path / "lj.json"
    parameters = re.search(r"echo '(\{.*?\})'", page)[1]
    file.write_text(parameters)
    given = json.loads(parameters)
    structures = symscape.load_reference("PbTiO3", ROOT / "references").structures()[:5]
    model = resolve("lennardjones", checkpoint=file)
    said = model.predict(structures, forces=True, stresses=True)
    for k, atoms in enumerate(structures):
        atoms.calc = LennardJones(
            epsilon=given["epsilon"], sigma=given["sigma"], rc=given["cutoff"]
        )
        own = slice(structures.offsets[k], structures.offsets[k + 1])
        assert said.energies[k] == pytest.approx(atoms.get_potential_energy())
        np.testing.assert_allclose(said.forces[own], atoms.get_forces(), atol=1e-8)
        np.testing.assert_allclose(said.stresses[k], atoms.get_stress(voigt=False), atol=1e-8)
