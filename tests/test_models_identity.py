"""What tells models apart: the code of their packages, torch and its precision."""

from __future__ import annotations

import subprocess
import sys

import pytest

from symscape.models import weights
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
    for cached in (weights.package_folder, weights.distribution_version, package_identity):
        cached.cache_clear()
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


def test_a_calculators_package_counts_with_all_its_files(tmp_path):
    package = tmp_path / "pot"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "inner.py").write_text("STRENGTH = 1.0\n")
    (package / "calc.py").write_text(
        "from ase.calculators.emt import EMT\nmake = lambda: EMT()\nmake.fingerprint = 'w1'\n"
    )
    code = (
        "from symscape.models.registry import resolve\n"
        "print(resolve('pot.calc:make', mlip_name='pot').fingerprint)"
    )

    def fingerprint():
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout

    first = fingerprint()
    assert fingerprint() == first
    (package / "inner.py").write_text("STRENGTH = 1.1\n")
    assert fingerprint() != first


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
