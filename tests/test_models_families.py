"""A family that another package adds by an entry point."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from model_structures import varied
from typer.testing import CliRunner

from symscape.cli import app
from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.models import weights as weights_module
from symscape.models import working_copies
from symscape.models.cache import EnergyCache
from symscape.models.evaluate import Evaluator
from symscape.models.families import adapter_of, families
from symscape.models.registry import resolve

EXAMPLE = Path(__file__).with_name("example_family")


def install(site: Path, name: str = "gauss-potential", points: str | None = None) -> None:
    """Lay out the example as an installer does: the package and its metadata."""
    shutil.copytree(EXAMPLE / "gauss_potential", site / "gauss_potential", dirs_exist_ok=True)
    info = site / f"{name.replace('-', '_')}-1.2.dist-info"
    info.mkdir(parents=True)
    metadata = (EXAMPLE / "METADATA").read_text().replace("gauss-potential", name)
    (info / "METADATA").write_text(metadata)
    (info / "entry_points.txt").write_text(points or (EXAMPLE / "entry_points.txt").read_text())


def forget():
    """Let what is known of installed packages be looked up again."""
    for known in (
        families,
        weights_module.package_folder,
        weights_module.distribution_version,
        weights_module._identity_at,
        working_copies._reached_from,
        working_copies._distributions,
    ):
        known.cache_clear()


@pytest.fixture
def site(tmp_path, monkeypatch):
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    forget()
    yield folder
    forget()
    for name in [name for name in sys.modules if name.partition(".")[0] == "gauss_potential"]:
        del sys.modules[name]


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "soft.json"
    path.write_text(json.dumps({"height": 2.0, "width": 0.5}))
    return path


def test_without_the_package_there_is_no_such_family(site, weights):
    with pytest.raises(ModelError, match="There is no model family 'gauss'"):
        resolve("gauss", checkpoint=weights)


def test_the_family_is_there_once_the_package_is(site, weights, tmp_path):
    install(site)
    model = resolve("gauss", checkpoint=weights, mlip_name="mine")
    assert (model.card.name, model.card.family) == ("mine", "gauss")
    # one atom in a cube: the sum over the lattice is a product of three theta functions
    cube = Structures.stack(np.array([6]), np.zeros((1, 1, 3)), 1.5 * np.eye(3)[None])
    row = np.exp(-0.5 * (1.5 * np.arange(-9, 10) / 0.5) ** 2).sum()
    assert model.energies(cube) == pytest.approx([2.0 * (row**3 - 1) / 2], rel=1e-9)
    # and everything else is as for any family: cache, checks, options
    structures = varied(7)
    cache = EnergyCache(tmp_path / "cache")
    first = Evaluator(model, cache).evaluate(structures, forces=True, stresses=True)
    again = Evaluator(resolve("gauss", checkpoint=weights), cache).evaluate(structures)
    assert again.n_cached == 7
    assert np.array_equal(again.energies, first.energies)
    double = resolve("gauss", checkpoint=weights, options={"scale": 2})
    assert double.energies(structures) == pytest.approx(2 * first.energies)
    assert double.fingerprint != model.fingerprint
    with pytest.raises(ModelError, match="no option 'head': the gauss family takes scale"):
        resolve("gauss", checkpoint=weights, options={"head": 1})


def test_a_new_version_of_the_adapters_package_is_another_model(site, weights):
    install(site)
    model = resolve("gauss", checkpoint=weights)
    first = model.fingerprint
    assert model.identity["adapter"] == "gauss_potential 1.2"
    (metadata,) = site.glob("*.dist-info/METADATA")
    metadata.write_text(metadata.read_text().replace("1.2", "1.3"))
    forget()
    assert resolve("gauss", checkpoint=weights).fingerprint != first


def test_the_list_of_models_names_the_family_and_its_package(site):
    install(site)
    shown = CliRunner().invoke(app, ["models"])
    assert "family gauss, of gauss-potential 1.2" in shown.stdout


def test_it_runs_in_a_script_and_in_a_process_of_its_own(site, weights):
    install(site)
    code = (
        "from model_structures import varied\n"
        "from symscape.models.evaluate import Evaluator\n"
        "from symscape.models.registry import resolve\n"
        "if __name__ == '__main__':\n"
        f"    model = resolve('gauss', checkpoint={str(weights)!r})\n"
        "    asked = Evaluator(model, point_timeout=60.0)\n"
        "    assert asked.evaluate(varied(3)).failures == {}\n"
        "    asked.close()\n"
        "    print(model.card.name)\n"
    )
    script = site.parent / "script.py"
    script.write_text(code)
    paths = os.pathsep.join(map(str, (site, Path(__file__).parent, *filter(None, sys.path))))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.stdout == "gauss-soft\n", done.stderr


def test_a_family_that_two_packages_offer_is_refused(site, weights):
    install(site)
    install(site, "other-potential")
    with pytest.raises(ModelError, match=r"offered by .*-potential 1.2 and .*: uninstall one"):
        resolve("gauss", checkpoint=weights)


def test_a_package_that_can_not_be_imported_is_named(site, weights):
    install(site, points="[symscape.families]\ngauss = gauss_potential.nothing:GaussModel\n")
    with pytest.raises(ModelError, match=r"gauss-potential 1\.2 offers the model family 'gauss'"):
        resolve("gauss", checkpoint=weights)


def test_no_package_replaces_a_family_of_symscape(site):
    install(site, points="[symscape.families]\nchgnet = gauss_potential.adapter:GaussModel\n")
    with pytest.raises(ModelError, match="offered by symscape and gauss-potential"):
        adapter_of("chgnet")
