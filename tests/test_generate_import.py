"""Grids from elsewhere are found on the slice, however their geometries are written, or refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell
from ase.calculators.emt import EMT
from ase.calculators.morse import MorsePotential
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from generate_plans import AXES, write_plan
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from symscape.dft.grid_ledger import open_ledger
from symscape.dft.grid_run import run_plan
from symscape.dft.grid_store import finish
from symscape.dft.importer import (
    Image,
    import_points,
    import_stored,
    read_images,
)
from symscape.dft.matching import GridMatcher
from symscape.dft.plan import load_plan
from symscape.dft.quality import GridData, check_forces
from symscape.errors import PlanError
from symscape.references.store import load_reference

ENGINE = '[engine]\nname = "import"\ncode = "VASP"\nversion = "6.4.2"\ndatasets = "PBE.54"'

#: ferroelectric perovskite, whose inversion maps (u, v) to (1 - u, -v)
PEROVSKITE = {
    "top": "mask_ratio = 0.5",
    "crystal": """
[crystal]
spacegroup = 99
cell = [3.9, 3.9, 4.15, 90, 90, 90]
sites = [["Pb", 0, 0, 0], ["Ti", 0.5, 0.5, 0.54], ["O", 0.5, 0.5, -0.1], ["O", 0.5, 0, 0.4]]
""",
    "axes": """
[[axes]]
name = "Ti_z"
start = 0.44
stop = 0.56
points = 5
[[axes]]
name = "O_z"
terms = { O1_z = 1.0, O2_z = 1.0 }
start = -0.12
stop = 0.12
points = 5
""",
}
#: rutile type, x against c/a
RUTILE = {
    "top": "",
    "crystal": """
[crystal]
spacegroup = 136
cell = [4.6, 4.6, 3.0, 90, 90, 90]
sites = [["Ti", 0, 0, 0], ["O", 0.305, 0.305, 0]]
""",
    "axes": """
[[axes]]
name = "c/a"
relative_span = [-0.04, 0.04]
points = 3
[[axes]]
name = "O_x"
span = [-0.02, 0.02]
points = 5
""",
}
PLANS = {"CrB": {}, "perovskite": PEROVSKITE, "rutile": RUTILE}


def imported_plan(folder, kind="CrB", **changes):
    """A plan whose energies come from elsewhere."""
    path = write_plan(folder, points=3, **{**PLANS[kind], **changes})
    text = path.read_text()
    path.write_text(text[: text.index("[engine]")] + ENGINE)
    return load_plan(path)


def potential(kind):
    """What takes the place of DFT."""
    if kind == "CrB":
        return EMT()
    return MorsePotential(epsilon=0.3, r0=2.2, rho0=4.0, rcut1=1.3, rcut2=1.9)


def computed(atoms, kind, force_error=0.0):
    """The atoms with the results of that potential, as a file would hold them."""
    atoms = atoms.copy()
    atoms.calc = potential(kind)
    results = {
        "energy": atoms.get_potential_energy(),
        "forces": atoms.get_forces() + force_error,
    }
    if kind != "CrB":
        results["stress"] = atoms.get_stress()
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def disguised(atoms, seed, *, mirror=False):
    """The same crystal with another origin, atom order, cell and orientation."""
    random = np.random.default_rng(seed)
    cell = make_supercell(atoms, random_integer_matrix(random))
    order = random.permutation(len(cell))
    cell = cell[order]
    cell.translate(random.uniform(-2, 2, 3))
    rotation = Rotation.random(rng=random).as_matrix() * (-1 if mirror else 1)
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
    assert reference.method["code"] == "VASP"
    assert reference.method["datasets"] == "PBE.54"
    assert "cutoff_eV" not in reference.method  # not stated, so not claimed
    assert reference.provenance["source"] == "a supplement"
    assert reference.provenance["citation"] == ["A. Author, 2024"]
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
    assert event["energy_eV"] == pytest.approx(-10.0)
    assert event["free_energy_eV"] == pytest.approx(-10.1)
    assert "forces_eV_A" not in event


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


# ------------------------------------------------------------------------------------------ files


def test_extxyz_and_folders_are_read(tmp_path):
    plan = imported_plan(tmp_path)
    images = [computed(atoms, "CrB") for atoms in plan.slice.structures()]
    write(tmp_path / "grid.extxyz", images[:6])
    folder = tmp_path / "runs"
    folder.mkdir()
    write(folder / "more.xyz", images[6:], format="extxyz")
    read = read_images([tmp_path / "grid.extxyz", folder])
    assert len(read) == 9
    assert read[0].name.endswith("grid.extxyz@0")
    outcome = import_points(plan, read)
    assert (outcome.added, outcome.missing) == (9, 0)
    assert outcome.largest_deviation_A < 1e-6


VASPRUN = """<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
 <generator><i name="program" type="string">vasp </i></generator>
 <incar></incar>
 <kpoints></kpoints>
 <parameters><i type="string" name="PREC">accura</i></parameters>
 <atominfo>
  <atoms> 4 </atoms><types> 2 </types>
  <array name="atoms" ><set>{atoms}</set></array>
 </atominfo>
 <structure name="initialpos" >
  <crystal><varray name="basis" >{cell}</varray><i name="volume"> {volume:.8f} </i></crystal>
  <varray name="positions" >{positions}</varray>
 </structure>
 <calculation>
  <scstep><energy><i name="e_fr_energy"> {energy:.8f} </i><i name="e_wo_entrp"> {energy:.8f} </i>
   <i name="e_0_energy"> {energy:.8f} </i></energy></scstep>
  <structure>
   <crystal><varray name="basis" >{cell}</varray><i name="volume"> {volume:.8f} </i></crystal>
   <varray name="positions" >{positions}</varray>
  </structure>
  <varray name="forces" >{forces}</varray>
  <energy><i name="e_fr_energy"> {energy:.8f} </i><i name="e_wo_entrp"> {energy:.8f} </i>
   <i name="e_0_energy"> {energy:.8f} </i></energy>
 </calculation>
</modeling>
"""


def rows(vectors):
    return "".join("<v>" + " ".join(f"{x:.8f}" for x in vector) + "</v>" for vector in vectors)


def test_vasp_runs_are_read(tmp_path):
    plan = imported_plan(tmp_path)
    for k, atoms in enumerate(plan.slice.structures()):
        folder = tmp_path / "vasp" / f"{k:03d}"
        folder.mkdir(parents=True)
        image = computed(atoms, "CrB")
        (folder / "vasprun.xml").write_text(
            VASPRUN.format(
                atoms="".join(f"<rc><c>{s} </c><c> 1</c></rc>" for s in image.symbols),
                energy=image.get_potential_energy(),
                cell=rows(image.cell),
                volume=image.get_volume(),
                positions=rows(image.get_scaled_positions()),
                forces=rows(image.get_forces()),
            )
        )
        (folder / "OUTCAR").write_text("the same once more")
    outcome = import_points(plan, read_images([tmp_path / "vasp"]))
    assert (outcome.added, outcome.missing) == (9, 0)
    reference = load_reference(finish(open_ledger(plan), tmp_path))
    image = computed(plan.slice.structures().atoms(5), "CrB")
    assert reference.energies[1, 2] == pytest.approx(image.get_potential_energy() / 4, abs=1e-7)
    np.testing.assert_allclose(reference.forces[1, 2], image.get_forces(), atol=1e-5)


def test_files_that_can_not_be_read(tmp_path):
    with pytest.raises(PlanError, match="there is no such file"):
        read_images([tmp_path / "absent.extxyz"])
    (tmp_path / "vasprun.xml").write_text("<modeling><broken")
    with pytest.raises(PlanError, match="ASE can't read this file"):
        read_images([tmp_path / "vasprun.xml"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(PlanError, match=r"holds no vasprun\.xml"):
        read_images([tmp_path / "empty"])


def test_imported_points_are_told_apart_in_the_journal(tmp_path):
    plan = imported_plan(tmp_path)
    image = computed(plan.slice.structures().atoms(0), "CrB")
    import_points(plan, [Image(image, "supplement.xyz@0")], command="symscape reference import x")
    lines = [json.loads(line) for line in plan.journal_path.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["start", "point"]
    assert lines[1]["imported"] == "supplement.xyz@0"
    assert lines[0]["command"] == "symscape reference import x"


# --------------------------------------------------------------------------- stored references


def test_a_stored_reference_can_be_checked_and_extended(tmp_path, toy_file, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    axes = AXES.replace("span = [-0.03, 0.03]", "start = 0.04\nstop = 0.10")
    path = write_plan(tmp_path, points=5, axes=axes)
    plan = load_plan(path)
    outcome = import_stored(plan, toy_file, command="symscape reference import")
    assert (outcome.added, outcome.known, outcome.missing) == (25, 0, 0)
    assert import_stored(plan, toy_file).known == 25
    stored, again = load_reference(toy_file), load_reference(finish(open_ledger(plan), tmp_path))
    np.testing.assert_array_equal(again.energies, stored.energies)
    np.testing.assert_array_equal(again.forces, stored.forces)
    assert again.method == stored.method
    assert again.provenance["licence"] == stored.provenance["licence"] == "CC0-1.0"
    assert again.provenance["command"] == stored.provenance["command"]
    # a finer grid keeps the points and computes the others
    path.write_text(path.read_text().replace("points = 5", "points = 9"))
    finer = load_plan(path)
    assert len(open_ledger(finer).todo) == 81 - 25
    ledger = run_plan(finer, only=open_ledger(finer).todo[:2], command="symscape reference run")
    assert len(ledger.done) == 27
    extended = load_reference(finish(ledger, tmp_path))
    assert extended.provenance["command"] == "made by the tests; symscape reference run"
    assert check_forces(GridData.from_reference(extended.path)).deviations == ()


def test_a_stored_reference_of_another_grid_or_setting_is_refused(tmp_path, toy_file):
    path = write_plan(tmp_path, points=4)
    with pytest.raises(PlanError, match=r"point \(0, 1\) of .* lies on no grid point of the plan"):
        import_stored(load_plan(path), toy_file)
    document = json.loads(toy_file.read_text())
    document["method"]["cutoff_eV"] = 400
    other = tmp_path / "AlCu-Cmcm" / toy_file.name
    other.parent.mkdir()
    other.write_text(json.dumps(document))
    with pytest.raises(PlanError, match=r"cut-off is 520 eV, but .* with 400 eV"):
        import_stored(load_plan(path), other)
