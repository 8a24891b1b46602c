"""Stored references can be reproduced: GPAW gives the same energy again."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from symscape.dft.engine import make_engine
from symscape.dft.recompute import recompute_point, settings_from_method
from symscape.dft.settings import EngineSpec, Settings
from symscape.errors import EngineError, PlanError
from symscape.references.landscape_files import load_reference
from symscape.references.library import find_references
from symscape.references.method import KPoints, Method

LIBRARY = Path(__file__).parents[1] / "references"
GPAW = importlib.util.find_spec("gpaw") is not None


def effort(reference):
    """A rough measure of what a point costs."""
    structures = reference.structures()
    settings = settings_from_method(reference.method)
    mesh = settings.with_mesh(structures.cells).k_mesh
    rotations = len(np.unique(reference.slice.crystal.group.rotations, axis=0))
    volume = abs(np.linalg.det(structures.cells[0]))
    return volume * structures.n_atoms[0] * np.prod(mesh) / rotations * settings.cutoff_eV**1.5


def cheapest():
    """The two stored GPAW references whose points cost least, and of each the quickest point."""
    stored = [load_reference(entry.path) for entry in find_references([LIBRARY])]
    stored = [r for r in stored if r.method.code.startswith("GPAW")]
    return sorted(stored, key=effort)[:2]


@pytest.mark.skipif(not GPAW, reason="GPAW is not installed: pip install symscape[dft]")
@pytest.mark.parametrize("rank", [0, 1])
def test_the_cheapest_points_are_reproduced(rank, tmp_path):
    stored = cheapest()
    if len(stored) <= rank:
        pytest.skip("fewer than two GPAW references are stored")
    reference = stored[rank]
    # the lowest one: far from crossings of electronic states
    point = reference.minimum
    if not reference.computed[point]:
        point = tuple(np.argwhere(reference.computed)[0])
    energy = recompute_point(reference, point, tmp_path)
    # other releases of GPAW and its datasets agree within 0.1 meV/atom; a wrong setting does not
    assert energy == pytest.approx(reference.energies[point], abs=1e-3)


@pytest.mark.skipif(GPAW, reason="GPAW is installed")
def test_without_gpaw_there_is_one_sentence_that_says_what_to_install():
    with pytest.raises(EngineError, match=r"GPAW is not installed; install it with 'apt-get"):
        make_engine(EngineSpec(), Settings())


def test_stored_methods_tell_their_settings():
    settings = settings_from_method(
        Method(code="GPAW", functional="PBE", cutoff_eV=520.0, k_mesh=(5, 5, 4), smearing_eV=0.1)
    )
    assert (settings.cutoff_eV, settings.k_mesh, settings.smearing_eV) == (520.0, (5, 5, 4), 0.1)
    in_words = settings_from_method(
        Method(
            code="GPAW",
            functional="PBE",
            mode="plane waves, 600 eV",
            kpoints=KPoints(density_per_inverse_angstrom=2.5),
        )
    )
    assert (in_words.cutoff_eV, in_words.k_density_A) == (600.0, 2.5)
    with pytest.raises(PlanError, match="does not state its cut-off and k-points"):
        settings_from_method(Method(code="GPAW", functional="PBE"))


@pytest.mark.skipif(not GPAW, reason="GPAW is not installed: pip install symscape[dft]")
def test_a_grid_with_gpaw(tmp_path):
    """Two atoms, coarse settings: moved and new calculators agree, forces follow energies."""
    from symscape.dft.grid_run import run_plan
    from symscape.dft.grid_store import finish
    from symscape.dft.plan import load_plan

    path = tmp_path / "As.toml"
    path.write_text(
        """
[crystal]
spacegroup = 166
cell = [3.82, 3.82, 10.72, 90, 90, 120]
sites = [["As", 0, 0, 0.227]]
[[axes]]
name = "As_z"
start = 0.221
stop = 0.233
points = 3
[[axes]]
name = "c/a"
relative_span = [-0.01, 0.01]
points = 2
[settings]
cutoff_eV = 200
k_density_A = 1.0
"""
    )
    ledger = run_plan(load_plan(path))
    assert len(ledger.done) == 6, ledger.failures
    reference = load_reference(finish(ledger, tmp_path))
    assert reference.method.code == "GPAW"
    assert reference.method.k_mesh == ledger.settings.k_mesh
    again = recompute_point(reference, (1, 1), tmp_path)
    assert again == pytest.approx(reference.energies[1, 1], abs=2e-4)
    assert all(event.stress_eV_A3 is not None for event in ledger.points.values())
