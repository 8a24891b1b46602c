"""DFT points on a slice: placed whatever their cell, between grid points too; errors; the page."""

from __future__ import annotations

import re

import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from ase.spacegroup import crystal as spacegroup_crystal
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import symscape
from symscape.cli import app
from symscape.dft.importer import Image
from symscape.errors import PlanError, SymscapeError
from symscape.references.library import ReferenceEntry
from symscape.science.landscape.overlay import DftPoints, place_points, point_errors
from symscape.science.landscape.similar import library_distances, sampled_points, similar_references

#: of EMT's elements, with a free coordinate and a free ratio of axes
CU3AU = spacegroup_crystal(
    ["Au", "Cu"], [(0, 0, 0), (0.30, 0.30, 0)], spacegroup=136, cellpar=[5.4, 5.4, 3.5] + [90] * 3
)
SLICE = symscape.propose_slices(CU3AU, points=7)[0].slice
EMT_NAME = "ase.calculators.emt:EMT"
LOW = np.array([axis.start for axis in SLICE.axes])
SPAN = np.array([axis.stop - axis.start for axis in SLICE.axes])


def image(values, energy=0.0, name="here"):
    atoms = SLICE.structures_at(np.array([values])).atoms(0)
    atoms.calc = SinglePointCalculator(atoms, energy=energy)
    return Image(atoms, name)


@settings(deadline=None, max_examples=10)
@given(
    st.tuples(st.floats(0.05, 0.95), st.floats(0.05, 0.95)),
    st.integers(0, 10**6),
    st.booleans(),
)
def test_a_point_is_found_whatever_its_origin_order_cell_and_axes(shares, seed, doubled):
    random = np.random.default_rng(seed)
    values = LOW + np.array(shares) * SPAN
    atoms = SLICE.structures_at(values[None]).atoms(0)
    if doubled:
        atoms = make_supercell(atoms, [[1, 1, 0], [0, 1, 0], [0, 0, 2]])
    atoms = atoms[random.permutation(len(atoms))]
    atoms.rotate(45.0, random.standard_normal(3), rotate_cell=True)
    atoms.translate(random.standard_normal(3))
    atoms.wrap()
    atoms.calc = SinglePointCalculator(atoms, energy=-3.0 * len(atoms))
    points, others = place_points(SLICE, [Image(atoms, "moved")])
    assert others == ()
    assert points.energies == pytest.approx([-3.0])
    found = SLICE.structures_at(points.values).atoms(0)
    # another place of the slice may hold the same structure: what counts is that it is congruent
    wanted = SLICE.structures_at(values[None]).atoms(0)
    for one in (found, wanted):
        one.calc = EMT()
    assert found.get_potential_energy() == pytest.approx(wanted.get_potential_energy(), abs=1e-3)


def test_what_lies_on_no_slice_is_named():
    off = image(LOW + 0.5 * SPAN, name="off")
    off.atoms.positions[1] += [0.0, 0.0, 0.2]
    other = Atoms("Cu2", scaled_positions=[(0, 0, 0), (0.5, 0.5, 0.5)], cell=[3, 3, 3], pbc=True)
    other.calc = SinglePointCalculator(other, energy=0.0)
    points, others = place_points(
        SLICE, [off, image(LOW + 0.5 * SPAN, name="on"), Image(other, "other")]
    )
    assert points.names == ("on",)
    assert others == ("off", "other")
    without = image(LOW)
    without.atoms.calc = None
    with pytest.raises(PlanError, match="has no energy"):
        place_points(SLICE, [without])


@settings(deadline=None)
@given(
    st.lists(st.floats(0.001, 0.4), min_size=2, max_size=8, unique=True),
    st.floats(0.3, 2.0),
    st.floats(-20, 20),
)
def test_errors_are_above_the_lowest_dft_point(energies, slope, zero):
    dft = np.array([0.0, *energies])
    points = DftPoints(np.zeros((len(dft), 2)), dft - 7.0, ("x",) * len(dft))
    (one,) = point_errors(points, {"m": zero + slope * dft})
    assert one.errors == pytest.approx(1000 * (slope - 1) * dft, abs=1e-9)
    assert one.softening == pytest.approx(slope)
    assert one.mean == pytest.approx(1000 * (slope - 1) * np.mean(energies), abs=1e-9)
    assert one.mean_absolute == pytest.approx(abs(one.mean))
    assert one.rank_correlation in (pytest.approx(1), pytest.approx(np.nan, nan_ok=True))


def test_one_point_and_none_say_so():
    alone = DftPoints(np.zeros((1, 2)), np.array([-7.0]), ("x",))
    (one,) = point_errors(alone, {"m": np.array([3.0])})
    assert np.isnan(one.mean)
    with pytest.raises(ValueError, match="no DFT point"):
        point_errors(DftPoints(np.zeros((0, 2)), np.zeros(0), ()), {})


# -- the library's materials ----------------------------------------------------------------------


def test_the_most_similar_materials_come_first():
    entries = [
        ReferenceEntry(name, "a-b", None)
        for name in ("PbTiO3-P4mm", "SiO2-Pnnm", "TiO2-P4_2mnm", "Se-P3_121", "SnTe-R3m")
    ]
    crystal = symscape.propose_slices(
        spacegroup_crystal(
            ["Ti", "O"], [(0, 0, 0), (0.305, 0.305, 0)], spacegroup=136,
            cellpar=[4.6, 4.6, 2.96] + [90] * 3,
        ),
        points=5,
    )[0].slice.crystal  # fmt: skip
    chosen = [entry.material for entry in similar_references(entries, crystal, 5)]
    assert chosen == ["TiO2-P4_2mnm", "PbTiO3-P4mm", "SiO2-Pnnm"]
    assert similar_references(entries, crystal, 0) == []


@pytest.mark.parametrize("name", ["PbTiO3", "BeO"])
def test_a_sample_spans_the_energies_and_holds_the_minimum(name):
    reference = symscape.load_reference(name)
    asked = sampled_points(reference, 10)
    assert asked[reference.minimum]
    assert 10 <= asked.sum() <= 11
    energies = reference.relative[asked]
    assert np.isfinite(energies).all()
    assert energies.max() <= 0.5
    assert energies.max() > 0.8 * reference.relative[reference.relative <= 0.5].max()


def test_distances_in_the_library_are_pooled_and_need_no_common_zero():
    reference = symscape.load_reference("BeO")
    asked = sampled_points(reference)
    own = np.where(asked, reference.energies, np.nan)
    soft = 5.0 + 0.5 * own
    found = library_distances([reference], [{"right": own, "soft": soft}])
    known = asked.copy()
    known[reference.minimum] = False
    expected = 500 * np.sqrt((reference.relative[known] ** 2).mean())
    assert found.from_dft == {"right": pytest.approx(0, abs=1e-9), "soft": pytest.approx(expected)}
    assert found.apart == {("right", "soft"): pytest.approx(expected)}
    assert library_distances([reference], [{"none": np.full_like(own, np.nan)}]) is None


# -- the command ----------------------------------------------------------------------------------


def run(*arguments):
    return CliRunner().invoke(app, ["landscape", *map(str, arguments)])


@pytest.fixture
def crystal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    CU3AU.write("crystal.cif")
    return tmp_path


def frames(calculator, shares):
    made = []
    for share in shares:
        atoms = SLICE.structures_at((LOW + np.array(share) * SPAN)[None]).atoms(0)
        atoms.calc = calculator()
        energy = atoms.get_potential_energy()
        atoms.calc = SinglePointCalculator(atoms, energy=energy)
        made.append(atoms)
    return made


SHARES = [(0.5, 0.5), (0.2, 0.3), (0.81, 0.4), (0.5, 0.77), (0.3, 0.66)]


def test_a_model_against_its_own_energies_has_no_error(crystal):
    """EMT plays DFT: the page says that EMT is right and Lennard-Jones is not."""
    write("dft.extxyz", frames(EMT, SHARES))
    outcome = run(
        *("crystal.cif", "--mlip", f"{EMT_NAME},ase.calculators.lj:LennardJones"),
        *("--against", "dft.extxyz", "--axes", ",".join(a.name for a in SLICE.axes)),
        *("--points", 5, "-o", "page.html", "--cache-dir", "cache", "--library", 0),
        "--no-contracts",
    )
    assert outcome.exit_code == 0, outcome.output
    assert "EMT: mean absolute error 0.0, mean +0.0 meV/atom against 5 DFT points" in outcome.output
    (wrong,) = re.findall(r"LennardJones: mean absolute error ([\d.]+)", outcome.output)
    assert float(wrong) > 1
    text = (crystal / "page.html").read_text(encoding="utf-8")
    assert "Against DFT" in text
    assert "dft.extxyz@4" in text
    assert 'id="reload"' not in text
    assert "There is no DFT here" not in text
    assert outcome.output.index("as yet") < outcome.output.index("complete")


def test_dft_energies_without_a_slope_have_none(crystal):
    same = frames(EMT, SHARES)
    for atoms in same:
        atoms.calc = SinglePointCalculator(atoms, energy=-1.0)
    write("dft.extxyz", same)
    outcome = run(
        *("crystal.cif", "--mlip", f"{EMT_NAME},ase.calculators.lj:LennardJones"),
        *("--against", "dft.extxyz", "--axes", ",".join(a.name for a in SLICE.axes)),
        *("--library", "0", "--no-contracts", "--points", "5", "-o", "page.html"),
    )
    assert outcome.exit_code == 0, outcome.output
    assert "meV/atom against 5 DFT points\n" in outcome.output
    assert "slope" not in outcome.output
    page = (crystal / "page.html").read_text(encoding="utf-8")
    assert not re.search(r">[^<]*\bnan\b[^<]*<", page)


def test_a_single_dft_point_is_said_to_compare_nothing(crystal):
    write("dft.extxyz", frames(EMT, SHARES[:1]))
    outcome = run(
        *("crystal.cif", "--mlip", EMT_NAME, "--against", "dft.extxyz", "-o", "picture.png"),
        *("--axes", ",".join(a.name for a in SLICE.axes), "--points", 3, "--cache-dir", "cache"),
    )
    assert outcome.exit_code == 0, outcome.output
    assert "one DFT point, which is the zero: nothing to compare" in outcome.output
    assert "nan" not in outcome.output


def test_contracts_stand_on_the_page(crystal):
    """EMT's neighbours are cut off sharply nowhere: it keeps every contract but for kinks."""
    outcome = run(
        *("crystal.cif", "--mlip", EMT_NAME, "--points", 3, "--slices", 1, "--library", 0),
        *("-o", "page.html", "--cache-dir", "cache"),
    )
    assert outcome.exit_code == 0, outcome.output
    text = (crystal / "page.html").read_text(encoding="utf-8")
    for name in ("rotation", "space-group operations", "largest jump", "stress against strain"):
        (row,) = re.findall(rf"<tr><td>{name}</td>.*</tr>", text)
        assert "broken" not in row


def test_points_of_something_else_are_refused_before_a_model_is_asked(crystal):
    other = [Atoms("Cu", cell=[3, 3, 3], pbc=True)]
    other[0].calc = SinglePointCalculator(other[0], energy=1.0)
    write("dft.extxyz", other)
    outcome = run("crystal.cif", "--mlip", EMT_NAME, "--against", "dft.extxyz", "-o", "page.html")
    assert isinstance(outcome.exception, SymscapeError)
    assert "none of the 1 geometries lies on" in str(outcome.exception)
    assert not (crystal / "page.html").exists()
    missing = run("crystal.cif", "--mlip", EMT_NAME, "--against", "no.xml")
    assert "there is no such file" in str(missing.exception)


def test_some_points_off_the_slice_are_named(crystal):
    images = frames(EMT, SHARES[:2])
    off = frames(EMT, [(0.4, 0.4)])[0]
    off.positions[1] += [0, 0, 0.3]
    off.calc = SinglePointCalculator(off, energy=0.0)
    write("dft.extxyz", [*images, off])
    outcome = run(
        *("crystal.cif", "--mlip", EMT_NAME, "--against", "dft.extxyz", "-o", "picture.png"),
        *("--axes", ",".join(a.name for a in SLICE.axes), "--points", 5, "--cache-dir", "cache"),
    )
    assert outcome.exit_code == 0, outcome.output
    assert "dft.extxyz@2 lies on none of the slices" in outcome.output
    assert (crystal / "picture.png").stat().st_size > 10_000
