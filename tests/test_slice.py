"""Slices: structures in one array operation, masks, residual symmetry."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.data import covalent_radii
from ase.geometry import get_distances
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

from symscape.crystal.contacts import closest_contact, closest_ratios
from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.propose import propose_slices
from symscape.crystal.slice import Slice
from symscape.crystal.structures import Structures
from symscape.errors import SymscapeError

CMCM = Crystal.from_sites(
    [4.2, 10.6, 3.9, 90, 90, 90], 298, [("Ca", (0, 0.36, 0.25)), ("Si", (0, 0.07, 0.25))]
)
ZNO = Crystal.from_sites(
    [3.25, 3.25, 5.2, 90, 90, 120], 480, [("Zn", (1 / 3, 2 / 3, 0)), ("O", (1 / 3, 2 / 3, 0.38))]
)


def cmcm_slice(n=5, ratio=0.7):
    return Slice(
        CMCM,
        (
            Axis("Ca_y", {"Ca_y": 1.0}, 0.30, 0.42, n, 0.36),
            Axis("Si_y", {"Si_y": 1.0}, 0.01, 0.13, n, 0.07),
        ),
        ratio,
    )


def zno_slice(n=4):
    height = 5.2 / 3.25
    return Slice(
        ZNO,
        (
            Axis("O_z", {"O_z": 1.0}, 0.34, 0.42, n, 0.38),
            Axis("c/a", {"c/a": 1.0}, 0.9 * height, 1.1 * height, n, height),
        ),
    )


def test_structures_are_those_that_ase_builds_from_the_sites():
    the_slice = cmcm_slice()
    built = the_slice.structures(primitive=False)
    for k, (ca, si) in enumerate(the_slice.grid_values):
        wanted = Crystal.from_sites(
            [4.2, 10.6, 3.9, 90, 90, 90], 298, [("Ca", (0, ca, 0.25)), ("Si", (0, si, 0.25))]
        ).to_atoms()
        found = built.atoms(k)
        for symbol in ("Ca", "Si"):
            a = found[found.symbols == symbol].get_scaled_positions()
            b = wanted[wanted.symbols == symbol].get_scaled_positions()
            gaps = a[:, None] - b[None]
            assert np.abs(gaps - np.rint(gaps)).max(axis=-1).min(axis=1).max() < 1e-9


def test_a_lattice_axis_keeps_the_volume_and_sets_the_ratio():
    the_slice = zno_slice()
    cells = the_slice.structures(primitive=False).cells
    np.testing.assert_allclose(np.linalg.det(cells), ZNO.to_atoms().get_volume())
    lengths = np.linalg.norm(cells, axis=2)
    np.testing.assert_allclose(lengths[:, 2] / lengths[:, 0], the_slice.grid_values[:, 1])
    np.testing.assert_allclose(lengths[:, 0], lengths[:, 1])


@pytest.mark.parametrize("the_slice", [cmcm_slice(3), zno_slice(3)], ids=["Cmcm", "P6_3mc"])
def test_primitive_and_conventional_cells_are_one_crystal(the_slice):
    matcher = StructureMatcher(primitive_cell=True, scale=False, attempt_supercell=False)
    small, large = the_slice.structures(), the_slice.structures(primitive=False)
    for k in range(len(small)):
        a, b = small.atoms(k), large.atoms(k)
        assert len(b) / len(a) == pytest.approx(b.get_volume() / a.get_volume())
        assert matcher.fit(to_pymatgen(a), to_pymatgen(b))


def to_pymatgen(atoms: Atoms) -> Structure:
    return Structure(
        Lattice(atoms.cell.array), atoms.get_chemical_symbols(), atoms.get_scaled_positions()
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=1, max_size=4))
def test_positions_are_linear_in_the_axes(values):
    the_slice = cmcm_slice()
    values = np.array(values)
    origin = the_slice.structures_at(the_slice.origins[None]).positions
    built = the_slice.structures_at(values).positions.reshape(len(values), -1, 3)
    one = np.eye(2)
    steps = np.array(
        [the_slice.structures_at((the_slice.origins + e)[None]).positions - origin for e in one]
    )
    wanted = origin + np.einsum("na,axy->nxy", values - the_slice.origins, steps)
    np.testing.assert_allclose(built, wanted, atol=1e-9)


def test_the_mask_is_the_closest_pair_over_the_radii():
    the_slice = cmcm_slice(7, 0.8)
    for k, atoms in enumerate(the_slice.structures(primitive=False)):
        super_ = atoms.repeat((3, 1, 3))
        _, distances = get_distances(super_.positions, cell=super_.cell, pbc=True)
        radii = covalent_radii[super_.numbers]
        ratios = distances / (radii[:, None] + radii[None])
        np.fill_diagonal(ratios, 9)
        assert the_slice.contact_ratios.ravel()[k] == pytest.approx(ratios.min(), abs=1e-9)
    assert (the_slice.mask == (the_slice.contact_ratios < 0.8)).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_contacts_in_skewed_cells_against_a_big_supercell(seed, n):
    rng = np.random.default_rng(seed)
    cell = np.diag(2 + 2 * rng.random(3)) + 1.5 * rng.standard_normal((3, 3))
    if abs(np.linalg.det(cell)) < 4:
        return
    positions = rng.random((n, 3)) @ cell
    numbers = rng.choice([6, 14, 55], n)
    shifts = np.stack(np.meshgrid(*[np.arange(-4, 5)] * 3, indexing="ij"), -1).reshape(-1, 3) @ cell
    gaps = positions[:, None, None] - positions[None, :, None] + shifts
    distances = np.linalg.norm(gaps, axis=-1)
    distances[distances < 1e-9] = np.inf
    radii = covalent_radii[numbers]
    ratio = (distances.min(-1) / (radii[:, None] + radii[None])).min()
    found = closest_ratios(Structures.stack(numbers, positions[None], cell[None]))[0]
    # images further than four cells away can be closer only in extremely flat cells
    assert found <= ratio + 1e-9
    contact = closest_contact(numbers, positions, cell)
    assert contact.ratio == pytest.approx(found)
    if np.linalg.cond(cell) < 8:
        assert found == pytest.approx(ratio)


@pytest.mark.parametrize("the_slice", [cmcm_slice(4), zno_slice(3)], ids=["Cmcm", "P6_3mc"])
def test_equivalent_points_are_those_that_pymatgen_matches(the_slice):
    matcher = StructureMatcher(
        ltol=1e-3, stol=1e-3, angle_tol=0.1, primitive_cell=False, scale=False
    )
    structures = [to_pymatgen(atoms) for atoms in the_slice.structures()]
    representatives = the_slice.representatives.ravel()
    for k in range(len(structures)):
        for other in range(k):
            if representatives[k] == representatives[other]:
                assert matcher.fit(structures[k], structures[other])
            elif matcher.fit(structures[k], structures[other]):
                pytest.fail(f"points {other} and {k} match but are not said to be equivalent")


def test_inversion_maps_the_ferroelectric_slice_to_itself():
    crystal = Crystal.from_sites(
        [3.9, 3.9, 4.15, 90, 90, 90],
        376,
        [
            ("Pb", (0, 0, 0)),
            ("Ti", (0.5, 0.5, 0.54)),
            ("O", (0.5, 0.5, -0.1)),
            ("O", (0.5, 0, 0.4)),
        ],
    )
    the_slice = Slice(
        crystal,
        (
            Axis("Ti_z", {"Ti_z": 1.0}, 0.42, 0.58, 15, 0.54),
            Axis("O_z", {"O1_z": 1.0, "O2_z": 1.0}, -0.14, 0.14, 15, -0.1),
        ),
    )
    (inversion,) = the_slice.grid_symmetries
    np.testing.assert_array_equal(inversion.permutation, np.arange(225)[::-1])
    assert len(np.unique(the_slice.representatives)) == 113


def test_a_diagonal_of_higher_symmetry_makes_a_slice_symmetric_under_transposition():
    crystal = _pnnm()
    the_slice = Slice(
        crystal,
        (
            Axis("O_x", {"O_x": 1.0}, 0.25, 0.36, 6, crystal.theta[0]),
            Axis("O_y", {"O_y": 1.0}, 0.25, 0.36, 6, crystal.theta[1]),
        ),
    )
    grid = the_slice.representatives
    assert (grid == grid.T).all()
    assert len(np.unique(grid)) == 21


def _pnnm():
    import spglib

    hall = next(h for h in range(1, 531) if spglib.get_spacegroup_type(h).number == 58)
    return Crystal.from_sites(
        [4.8, 4.8, 3.2, 90, 90, 90], hall, [("Sn", (0, 0, 0)), ("O", (0.31, 0.3, 0))]
    )


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ((("Zn_y", {"Zn_y": 1.0}), ("Si_y", {"Si_y": 1.0})), "Zn_y.*Ca_y"),
        ((("Ca_y", {"Ca_y": 1.0}), ("y", {"Ca_y": 2.0})), "independent"),
        ((("Ca_y", {"Ca_y": 1.0}), ("alpha", {"alpha": 1.0})), "alpha"),
        ((("Ca_y", {}), ("Si_y", {"Si_y": 1.0})), "Ca_y"),
    ],
)
def test_axes_that_make_no_slice(axes, sentence):
    made = [Axis(name, terms, 0.0, 0.1, 3, 0.05) for name, terms in axes]
    with pytest.raises(SymscapeError, match=sentence) as caught:
        Slice(CMCM, tuple(made))
    assert "\n" not in str(caught.value)


def test_structures_are_indexed_like_a_sequence():
    both = Structures.from_atoms([CMCM.to_atoms(), ZNO.to_atoms(), CMCM.to_atoms(primitive=True)])
    assert len(both) == 3
    assert both.n_atoms.tolist() == [8, 4, 4]
    picked = both[[2, 0]]
    np.testing.assert_allclose(picked.atoms(1).positions, CMCM.to_atoms().positions)
    assert picked.atoms(0).get_chemical_symbols() == both.atoms(2).get_chemical_symbols()
    assert len(both[1:1]) == 0
    assert len(Structures.from_atoms([])) == 0
    with pytest.raises(TypeError):
        both[np.array([[0]])]
    assert [len(a) for a in both] == [8, 4, 4]


def test_proposed_slices_are_usable_and_local_ones_centred():
    for crystal in (CMCM, ZNO, _pnnm()):
        proposals = propose_slices(crystal)
        assert proposals
        for proposal in proposals:
            the_slice = proposal.slice
            assert len(the_slice.structures()) == np.prod(the_slice.shape)
            assert not the_slice.mask.all()
            if proposal.kind == "local":
                for axis in the_slice.axes:
                    assert axis.start < axis.origin < axis.stop


def test_written_slices_can_be_read_by_ase(tmp_path):
    from ase.io import read, write
    from typer.testing import CliRunner

    from symscape.cli import app

    path = tmp_path / "zno.cif"
    write(path, ZNO.to_atoms())
    outcome = CliRunner().invoke(app, ["slices", str(path), "--write", str(tmp_path / "out")])
    assert outcome.exit_code == 0, outcome.output
    assert "P6_3mc" in outcome.output
    assert "Zn_z pinned" in outcome.output
    images = read(tmp_path / "out" / "O_z-ca.extxyz", ":")
    assert len(images) == 225
    described = json.loads((tmp_path / "out" / "O_z-ca.json").read_text())
    assert {axis["name"] for axis in described["axes"]} == {"O_z", "c/a"}
    picture = tmp_path / "masks.png"
    CliRunner().invoke(app, ["slices", str(path), "--plot", str(picture)])
    assert picture.stat().st_size > 5000
    assert Path(path).exists()
