"""What tells models apart: the code of their packages, torch and its precision."""

from __future__ import annotations

import ast
import importlib
import site
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from symscape.models import weights, working_copies
from symscape.models.precision import precision_kept, precision_settings
from symscape.models.registry import resolve
from symscape.models.weights import package_identity

METADATA = "Metadata-Version: 2.1\nName: toy-potential\nVersion: 1.0\n"


def install(folder, site, monkeypatch, editable=False):
    """Lay out a package and its metadata as an installer does."""
    package = folder / "toy_potential"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("CUTOFF = 5.0\n")
    (package / "part.py").write_text("")
    info = site / "toy_potential-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(METADATA)
    monkeypatch.syspath_prepend(str(site))
    if editable:
        monkeypatch.syspath_prepend(str(folder))
    return package


def identity():
    working_copies._distributions.cache_clear()
    forget()
    return package_identity("toy_potential", "toy-potential")


def test_an_installed_package_is_its_version(tmp_path, monkeypatch):
    site = tmp_path / "lib" / "site-packages"
    package = install(site, site, monkeypatch)
    assert identity() == "toy-potential 1.0"
    (package / "part.py").write_text("# an installer would have raised the version\n")
    assert identity() == "toy-potential 1.0"


@pytest.mark.parametrize("where", ["work/src", "shadow/lib/site-packages"])
def test_the_sources_of_a_working_copy_count(tmp_path, monkeypatch, where):
    site = tmp_path / "lib" / "site-packages"
    package = install(tmp_path / where, site, monkeypatch, editable=True)
    first = identity()
    assert first.startswith("toy-potential 1.0, sources ")
    assert identity() == first
    (package / "part.py").write_text("CUTOFF = 6.0\n")
    second = identity()
    (package / "notes.txt").write_text("no code")
    assert identity() == second != first
    (package / "part.py").rename(package / "other.py")
    assert identity() not in (first, second)


def test_a_package_of_no_distribution_is_its_sources(tmp_path, monkeypatch):
    package = tmp_path / "lonely_potential"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert package_identity("lonely_potential", "lonely").startswith("lonely unknown, sources ")


#: where a calculator's code lies: the module that makes it, and the files that are changed
LAYOUTS = {
    "package": ("pot.calc", ["pot/calc.py", "pot/inner.py", "pot/deep/more.py"]),
    "module": ("calc", ["calc.py", "inner.py"]),
    "namespace": ("spread.pot.calc", ["spread/pot/calc.py", "spread/pot/inner.py"]),
    "another package": ("pot.calc", ["pot/calc.py", "helper/__init__.py", "helper/table.py"]),
}
CALC = """
from ase.calculators.emt import EMT
{imported}
make = lambda: EMT()
make.fingerprint = "the same"
"""
IMPORTS = {
    "package": "from pot import inner\nfrom pot.deep import more",
    "module": "import inner",
    "namespace": "from spread.pot import inner",
    "another package": "def later():\n    from helper import table",
}


def work(folder, layout):
    """Write a calculator's code; a folder that is also in site-packages is a namespace."""
    module, files = LAYOUTS[layout]
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("STRENGTH = 1.0\n")
        for package in path.parents:
            if package != folder and folder in package.parents and package.name != "spread":
                (package / "__init__.py").touch()
    file = folder / (module.replace(".", "/") + ".py")
    file.write_text(CALC.format(imported=IMPORTS[layout]))


def forget():
    """Let this process look and import as a new one does."""
    for cached in (
        weights.package_folder,
        weights.distribution_version,
        weights._identity_at,
        working_copies._reached_from,
    ):
        cached.cache_clear()
    for name in [*sys.modules]:
        top = name.partition(".")[0]
        if top in ("pot", "calc", "inner", "spread", "helper") or top.startswith("symscape_calc"):
            del sys.modules[name]
    importlib.invalidate_caches()


def test_a_module_of_the_same_name_in_another_folder_is_another(tmp_path, monkeypatch):
    """A notebook that changes folders, say; nothing is forgotten in between."""
    found = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "samename.py").write_text(f"import helper_{name}\n")
        (folder / f"helper_{name}.py").write_text("scale = 1\n")
        with monkeypatch.context() as here:
            here.syspath_prepend(str(folder))
            importlib.invalidate_caches()
            told = package_identity("samename", "samename")
            found.append((working_copies.reached_copies("samename"), told))
    assert [reached for reached, _ in found] == [("helper_first",), ("helper_second",)]
    assert found[0][1] != found[1][1]


@pytest.mark.parametrize("how", ["editable", "pth", "path", "file"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_changed_file_of_a_working_copy_is_another_model(tmp_path, monkeypatch, how, layout):
    """Whatever file it is, wherever it lies: the next process computes anew, others do not."""
    folder, packages = tmp_path / "work", tmp_path / "site-packages"
    module, files = LAYOUTS[layout]
    work(folder, layout)
    packages.mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path])
    if layout == "namespace":
        (packages / "spread" / "other").mkdir(parents=True)
        (packages / "spread" / "other" / "__init__.py").touch()
    if how == "editable":
        info = packages / "mine-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
        (info / "RECORD").write_text("mine.pth,,\nmine-1.0.dist-info/METADATA,,\n")
        (info / "top_level.txt").write_text(module.partition(".")[0] + "\n")
    if how in ("editable", "pth"):
        (packages / "mine.pth").write_text(f"{folder}\n")
    else:
        monkeypatch.syspath_prepend(str(folder))
    site.addsitedir(str(packages))
    working_copies._distributions.cache_clear()
    where = folder / (module.replace(".", "/") + ".py") if how == "file" else module

    def fingerprint():
        forget()
        return resolve(f"{where}:make", mlip_name="mine").fingerprint

    seen = [fingerprint()]
    assert fingerprint() == seen[0]
    for name in files:
        path = folder / name
        path.write_text(path.read_text() + "# changed\n")
        seen.append(fingerprint())
    assert len(set(seen)) == len(seen), files
    (folder / "unrelated.py").write_text("")
    assert fingerprint() == seen[-1]
    forget()
    working_copies._distributions.cache_clear()


def test_energies_of_a_changed_working_copy_are_computed_anew(tmp_path):
    """As a user meets it: edit the file beside the calculator's, run again."""
    work(tmp_path, "module")
    calc = tmp_path / "calc.py"
    calc.write_text(calc.read_text().replace("EMT()", "LennardJones(epsilon=inner.STRENGTH)"))
    calc.write_text("from ase.calculators.lj import LennardJones\n" + calc.read_text())
    code = (
        "from ase.build import bulk\n"
        "from symscape.crystal.structures import Structures\n"
        "from symscape.models.cache import EnergyCache\n"
        "from symscape.models.evaluate import Evaluator\n"
        "from symscape.models.registry import resolve\n"
        "asked = Evaluator(resolve('calc:make', mlip_name='mine'), EnergyCache('kept'))\n"
        "found = asked.evaluate(Structures.from_atoms([bulk('Ar', 'fcc', 1.5)]))\n"
        "print(found.energies[0], found.n_cached)"
    )

    def run():
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    energy, cached = run()
    assert cached == "0"
    assert run() == [energy, "1"]
    (tmp_path / "inner.py").write_text("STRENGTH = 2.0\n")
    changed, cached = run()
    assert cached == "0"
    assert float(changed) == pytest.approx(2 * float(energy))


def test_precision_and_torch_belong_to_the_fingerprint(monkeypatch):
    pytest.importorskip("chgnet")
    torch = pytest.importorskip("torch")
    model = resolve("chgnet", device="cpu")
    plain = model.fingerprint
    assert precision_settings() == {}
    seen = {plain}
    with precision_kept():
        for change in (
            lambda: torch.set_default_dtype(torch.float64),
            lambda: torch.set_float32_matmul_precision("high"),
            lambda: torch.set_float32_matmul_precision("medium"),
        ):
            change()
            seen.add(model.fingerprint)
    assert len(seen) == 4
    assert model.fingerprint == plain
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    assert model.fingerprint not in seen
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE")
    monkeypatch.setattr("symscape.models.family.distribution_version", lambda name: f"{name} 99")
    assert model.fingerprint not in seen


def test_the_fingerprint_is_the_same_before_and_after_torch_is_imported():
    pytest.importorskip("chgnet")
    code = (
        "import sys\n"
        "from symscape.models.registry import resolve\n"
        "model = resolve('chgnet', device='cpu')\n"
        "before = model.fingerprint\n"
        "assert 'torch' not in sys.modules\n"
        "model.load()\n"
        "assert 'torch' in sys.modules\n"
        "assert model.fingerprint == before\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_imports_are_found_wherever_a_statement_may_stand():
    """All of the standard library's, compared with a walk through every node."""
    sources = sorted(Path(ast.__file__).parent.glob("*.py"))
    assert len(sources) > 100
    for path in sources:
        walked = list(ast.walk(ast.parse(path.read_bytes())))
        names = [a.name for node in walked if isinstance(node, ast.Import) for a in node.names]
        names += [n.module for n in walked if isinstance(n, ast.ImportFrom) and not n.level]
        found = working_copies._imported(path)
        assert sorted(found) == sorted(name.partition(".")[0] for name in names), path


def test_imports_within_match_and_except_groups_are_found(tmp_path):
    source = tmp_path / "nested.py"
    source.write_text(
        "match 1:\n    case 1:\n        import first\n"
        "async def f():\n    async with g():\n        async for x in h():\n"
        "            import second\n        else:\n            import third\n"
        "try:\n    pass\nexcept* ValueError:\n    import fourth.part\nfinally:\n    import fifth\n"
    )
    found = sorted(working_copies._imported(source))
    assert found == ["fifth", "first", "fourth", "second", "third"]


def test_packages_are_of_the_distributions_that_the_standard_library_finds():
    for package, names in packages_distributions().items():
        assert set(names) <= set(working_copies.distributions_of(package)), package
