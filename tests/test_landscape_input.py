"""``symscape landscape`` on crystals that are disordered, rigid, large or of unknown elements."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Element, Lattice, Structure
from typer.testing import CliRunner

from symscape.cli import app
from symscape.cli.structures import StructureReader, crystal_or_slice, slices_of
from symscape.errors import SymscapeError
from symscape.models.card import ModelCard

EMT = "ase.calculators.emt:EMT"


def run(*arguments):
    quick = ["--no-contracts", "--library", "0", "--points", "5", "--cache-dir", "cache"]
    return CliRunner().invoke(app, ["landscape", *map(str, arguments), "--mlip", EMT, *quick])


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_partial_occupancy_is_refused(here):
    shared = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(3.9), [{"Cu": 0.5, "Au": 0.5}], [[0, 0, 0]]
    )
    shared.to(filename="shared.cif")
    outcome = run("shared.cif")
    assert isinstance(outcome.exception, SymscapeError)
    assert "partially occupied" in str(outcome.exception)
    assert not (here / "landscape.html").exists()


@pytest.mark.parametrize("element", ["Cu", "Al", "Ni"])
def test_a_crystal_without_any_free_coordinate_gets_slices_of_subgroups(here, element):
    """One atom in the cell: nothing moves before the cell is doubled."""
    bulk(element).write("crystal.cif")
    outcome = run("crystal.cif", "--slices", 1)
    assert outcome.exit_code == 0, outcome.output
    assert "sit on special positions; slices are of its subgroups" in outcome.output
    assert (here / "landscape.html").stat().st_size > 10_000


def test_an_element_that_the_model_lacks_is_named():
    bulk("W").write("crystal.cif")
    outcome = run("crystal.cif", "--slices", 1)
    assert isinstance(outcome.exception, SymscapeError)
    assert "No EMT-potential for W" in str(outcome.exception)


@pytest.mark.parametrize("command", ["landscape", "draw"])
def test_elements_that_no_model_has_are_named_before_anything_slow(monkeypatch, command):
    pytest.importorskip("chgnet")
    monkeypatch.setattr("symscape.crystal.subgroups.distortions", lambda *_: pytest.fail("slow"))
    bulk("Po", "sc", 3.35).write("crystal.cif")
    outcome = CliRunner().invoke(app, [command, "crystal.cif", "--mlip", "chgnet"])
    assert isinstance(outcome.exception, SymscapeError)
    assert str(outcome.exception) == "chgnet was not trained on Po."


def test_a_model_that_lacks_an_element_is_left_out_and_the_others_page_written(here):
    pytest.importorskip("chgnet")
    bulk("PoO", "wurtzite", 3.8, c=6.2).write("crystal.cif")
    models = "ase.calculators.lj:LennardJones,chgnet"
    quick = ["--no-contracts", "--library", "0", "--points", "3", "--cache-dir", "cache"]
    command = ["landscape", "crystal.cif", "--slices", "1", "--mlip", models, *quick]
    outcome = CliRunner().invoke(app, command)
    assert outcome.exit_code == 1, outcome.output
    assert "symscape: chgnet: chgnet was not trained on Po." in outcome.output
    assert "LennardJones" in (here / "landscape.html").read_text()


@given(st.sets(st.integers(1, 118), min_size=1))
def test_elements_outside_the_runs_of_a_card_and_those_set_apart_are_untrained(numbers):
    card = ModelCard("some", "chgnet", elements="H-Bi, Ac-Pu, Og", untrained=("He",))
    known = (set(range(1, 84)) | set(range(89, 95)) | {118}) - {2}
    assert card.untrained_of(numbers) == tuple(
        Element.from_Z(z).symbol for z in sorted(numbers - known)
    )
    assert ModelCard("calculator", "ase").untrained_of(numbers) == ()


def test_what_could_move_in_500_atoms_is_chosen_in_bounded_time():
    atoms = bulk("NaCl", "rocksalt", 5.64, cubic=True).repeat((4, 4, 4))
    atoms.positions += np.random.default_rng(1).normal(scale=0.05, size=atoms.positions.shape)
    atoms.write("large.vasp", direct=True, sort=True)
    begin = time.process_time()
    path = Path("large.vasp")
    crystal = crystal_or_slice(path, StructureReader.told(None, "", "", 200.0, close_atoms=False))
    chosen = slices_of(path, crystal, axes=(), subgroup="", points=5, most=2)
    assert [one.shape for one in chosen] == [(5, 5)] * 2
    assert time.process_time() - begin < 60


def test_points_of_all_slices_are_written_beside_a_picture_of_the_first(here):
    bulk("CuAu", "cesiumchloride", 3.1).write("crystal.cif")
    outcome = run("crystal.cif", "-o", "first.png", "--slices", 2, "--dft", 2, "--write", "points")
    assert outcome.exit_code == 0, outcome.output
    assert "as yet" not in outcome.output
    assert len(list((here / "points").glob("*.extxyz"))) == 2
