"""Grids from elsewhere are found on the slice, however their geometries are written, or refused."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell
from ase.calculators.singlepoint import SinglePointCalculator
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from imported_grids import PLANS, computed, imported_plan
from scipy.spatial.transform import Rotation

from symscape.dft.grid_ledger import open_ledger
from symscape.dft.grid_store import finish
from symscape.dft.importer import (
    Image,
    import_points,
)
from symscape.dft.matching import GridMatcher
from symscape.dft.plan import load_plan
from symscape.dft.quality import GridData, check_forces
from symscape.errors import PlanError
from symscape.references.landscape_files import load_reference


def disguised(atoms, seed, *, mirror=False):
    """The same crystal with another origin, atom order, cell and orientation."""
    random = np.random.default_rng(seed)
    cell = make_supercell(atoms, random_integer_matrix(random))
    order = random.permutation(len(cell))
    cell = cell[order]
    cell.translate(random.uniform(-2, 2, 3))
    rotation = Rotation.random(None, random).as_matrix() * (-1 if mirror else 1)
    cell = Atoms(
        numbers=cell.numbers,
        positions=cell.positions @ rotation,
        cell=cell.cell.array @ rotation,
        pbc=True,
    )
    if random.random() < 0.5:
        cell.wrap()
    return cell


def random_integer_matrix(random):
    """An integer matrix of determinant 1 or 2: other vectors of the lattice, or of half of it."""
    matrix = np.eye(3, dtype=int)
    for _ in range(3):
        i, j = random.choice(3, 2, replace=False)
        matrix[i] += random.integers(-1, 2) * matrix[j]
    if random.random() < 0.4:
        matrix[random.integers(3)] *= 2
    return matrix


@pytest.fixture(scope="module", params=list(PLANS))
def case(request, tmp_path_factory):
    """A plan and the reference that its grid has, point by point."""
    kind = request.param
    plan = imported_plan(tmp_path_factory.mktemp(kind), kind)
    images = [computed(atoms, kind) for atoms in plan.slice.structures()]
    return kind, plan, images, GridMatcher(plan.slice)


@given(st.integers(0, 2**31), st.booleans())
@hypothesis_settings(max_examples=12, deadline=None)
def test_a_disguised_geometry_is_found_with_its_forces(case, seed, mirror):
    kind, plan, images, matcher = case
    first = plan.slice.representatives.ravel()
    index = seed % len(images)
    image = disguised(images[index], seed, mirror=mirror)
    image = computed(image, kind)
    matches = matcher.matches(image)
    assert {int(first[match.index]) for match in matches} == {int(first[index])}
    for match in matches:
        assert match.deviation_A < 1e-5
        np.testing.assert_allclose(
            match.vectors(image.get_forces()), images[match.index].get_forces(), atol=1e-5
        )
        built = plan.slice.structures().cells[match.index]
        np.testing.assert_allclose(match.cell, built, atol=1e-5)
        if kind != "CrB":
            np.testing.assert_allclose(
                match.tensor(image.get_stress(voigt=False)),
                images[match.index].get_stress(voigt=False),
                atol=1e-6,
            )


def test_a_geometry_as_it_stands_is_on_its_own_point(case):
    _, _, images, matcher = case
    for index, image in enumerate(images):
        best = matcher.matches(image)[0]
        assert best.index == index
        assert best.turned < 1e-9


def test_an_imported_grid_is_the_grid(tmp_path):
    plan = imported_plan(tmp_path, "rutile")
    images = [
        computed(disguised(atoms, seed), "rutile")
        for seed, atoms in enumerate(plan.slice.structures())
    ]
    outcome = import_points(
        plan, images, provenance={"source": "a supplement", "citation": ["A. Author, 2024"]}
    )
    assert (outcome.added, outcome.known, outcome.missing) == (15, 0, 0)
    reference = load_reference(finish(open_ledger(plan), tmp_path))
    for k, atoms in enumerate(plan.slice.structures()):
        expected = computed(atoms, "rutile")
        where = divmod(k, 5)
        assert reference.energies[where] == pytest.approx(
            expected.get_potential_energy() / 6, abs=1e-7
        )
        np.testing.assert_allclose(reference.forces[where], expected.get_forces(), atol=1e-5)
    assert check_forces(GridData.from_reference(reference.path)).deviations == ()
    assert reference.method.code == "VASP"
    assert reference.method.datasets == "PBE.54"
    assert reference.method.cutoff_eV is None  # not stated, so not claimed
    assert reference.provenance.source == "a supplement"
    assert reference.provenance.citations == ("A. Author, 2024",)
    # a second time adds nothing
    again = import_points(plan, images)
    assert (again.added, again.known) == (0, 15)


def test_half_a_grid_is_enough_if_symmetry_gives_the_rest(tmp_path):
    plan = imported_plan(tmp_path, "perovskite")
    first = plan.slice.representatives.ravel()
    assert len(set(first)) == 13
    structures = plan.slice.structures()
    # of each pair the second member, which no symmetry-blind order would ask for
    chosen = [int(np.flatnonzero(first == k)[-1]) for k in sorted(set(first))]
    outcome = import_points(plan, [computed(structures.atoms(k), "perovskite") for k in chosen])
    assert outcome.missing == 0
    reference = load_reference(finish(open_ledger(plan), tmp_path))
    assert reference.valid.all()
    assert reference.computed.sum() == 13
    assert {int(k) for k in np.flatnonzero(reference.computed)} == set(chosen)


def test_free_energies_and_supercells_are_brought_to_the_primitive_cell(tmp_path):
    plan = imported_plan(tmp_path)
    atoms = plan.slice.structures().atoms(4).repeat((1, 1, 3))
    atoms.calc = SinglePointCalculator(atoms, energy=-30.0, free_energy=-30.3)
    import_points(plan, [atoms])
    (event,) = open_ledger(plan).points.values()
    assert event.energy_eV == pytest.approx(-10.0)
    assert event.free_energy_eV == pytest.approx(-10.1)
    assert event.forces_eV_A is None


def change_lattice(image):
    image.set_cell(image.cell * 1.01, scale_atoms=True)


def move_an_atom(image):
    image.positions[0] += [0, 0, 0.01]


def swap_an_element(image):
    image.numbers[0] = 47


def add_an_atom(image):
    image.extend(Atoms("Al", positions=[[0.7, 0.7, 0.7]]))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (change_lattice, r"supplement@3: the geometry lies on no grid point of AlCu-Cmcm"),
        (move_an_atom, r"supplement@3: the geometry lies on no grid point"),
        (swap_an_element, "is not made of the 4 atoms"),
        (add_an_atom, "is not made of the 4 atoms"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(tmp_path, spoil, sentence):
    plan = imported_plan(tmp_path)
    images = []
    for k, atoms in enumerate(plan.slice.structures()):
        if k == 3:
            spoil(atoms)
        atoms.calc = SinglePointCalculator(atoms, energy=-1.0)
        images.append(Image(atoms, f"supplement@{k}"))
    with pytest.raises(PlanError, match=sentence) as caught:
        import_points(plan, images)
    assert "\n" not in str(caught.value)
    assert not open_ledger(plan).points


def test_energies_that_are_missing_or_contradict_each_other(tmp_path):
    plan = imported_plan(tmp_path)
    atoms = plan.slice.structures().atoms(0)
    with pytest.raises(PlanError, match=r"image 0: the geometry has no energy"):
        import_points(plan, [atoms])
    one, other = computed(atoms, "CrB"), atoms.copy()
    other.calc = SinglePointCalculator(other, energy=one.get_potential_energy() + 0.04)
    with pytest.raises(
        PlanError, match=r"image 1: .*\(0, 0\) is 10.0 meV/atom away from that of image 0"
    ):
        import_points(plan, [one, other])
    import_points(plan, [one])
    with pytest.raises(PlanError, match=r"10.0 meV/atom away from that of the journal"):
        import_points(plan, [other])


def test_masked_points_and_unstated_methods_are_refused(tmp_path):
    everything = imported_plan(tmp_path, top="mask_ratio = 3.0")
    with pytest.raises(PlanError, match="every grid point is masked"):
        open_ledger(everything)
    plan = imported_plan(tmp_path, top="mask_ratio = 0.75")
    assert np.argwhere(plan.slice.mask).tolist() == [[0, 2]]
    atoms = computed(plan.slice.structures().atoms(2), "CrB")
    with pytest.raises(PlanError, match=r"\(0, 2\) is masked"):
        import_points(plan, [atoms])
    bare = imported_plan(tmp_path)
    bare.path.write_text(bare.path.read_text().replace('functional = "EMT"', ""))
    with pytest.raises(PlanError, match="state the functional"):
        import_points(load_plan(bare.path), [atoms])
    bare.path.write_text(bare.path.read_text().replace('code = "VASP"', ""))
    with pytest.raises(PlanError, match="name the code"):
        import_points(load_plan(bare.path), [atoms], method={"functional": "EMT"})
