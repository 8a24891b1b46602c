"""Contracts of ASE's own calculators, and of a pair potential on crystals of all space groups."""

from __future__ import annotations

import numpy as np
import pytest
from contracts_models import PairModel
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from symscape.crystal.contacts import closest_ratios
from symscape.crystal.crystal import Crystal
from symscape.crystal.spacegroup import space_group, standard_hall_number
from symscape.crystal.structures import Structures
from symscape.models.ase import ASEModel
from symscape.models.card import ModelCard
from symscape.science.contracts.catalogue import ENERGY_CONTRACTS, FORCE_CONTRACTS, check_crystal
from symscape.science.contracts.result import ContractSettings, join, rattled
from symscape.science.contracts.scan import smoothness

LIMITS = {"meV/atom": 0.02, "meV/angstrom": 0.1, "meV/angstrom^3": 0.02}
QUICK = ContractSettings(samples=2)


def lennard_jones():
    from ase.calculators.lj import LennardJones

    return LennardJones(sigma=2.2, epsilon=0.1, rc=5.0, ro=3.5, smooth=True)


def morse():
    from ase.calculators.morse import MorsePotential

    return MorsePotential(epsilon=0.3, r0=2.6, rho0=4.0, rcut1=1.3, rcut2=1.8)


@pytest.mark.parametrize("name", ["lennard_jones", "morse"])
def test_calculators_of_ase_keep_every_contract(name):
    sites = [("Cu", (0, 0, 0)), ("Au", (0.31, 0.31, 0))]
    crystal = Crystal.from_sites([5.3, 5.3, 3.4, 90, 90, 90], standard_hall_number(136), sites)
    model = ASEModel(ModelCard(name, "ase", f"{__name__}:{name}"))
    model._calculator = globals()[name]()
    for checked in check_crystal(model, crystal, QUICK):
        assert checked.result.applies
        assert checked.result.value < LIMITS[checked.result.unit], checked.name


@st.composite
def crystals(draw):
    """Small crystals of random space groups with one general or special position or two."""
    hall = standard_hall_number(draw(st.integers(1, 230)))
    group = space_group(hall)
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    lengths = {
        "cubic": [7.0] * 3,
        "tetragonal": [6.0, 6.0, 7.0],
        "trigonal": [6.0, 6.0, 8.0],
        "hexagonal": [6.0, 6.0, 8.0],
    }.get(group.system, [5.5, 6.3, 7.1])
    angles = {
        "trigonal": [90, 90, 120],
        "hexagonal": [90, 90, 120],
        "triclinic": [82, 97, 104],
    }.get(group.system, [90, 90, 90])
    if group.system == "monoclinic":
        angles[group.unique_axis] = 98
    if group.rhombohedral_axes:
        lengths, angles = [6.0] * 3, [75] * 3
    # a corner, a face and a general point: few atoms where the group has many operations
    places = [(0, 0, 0), (0, 0, float(rng.uniform(0.2, 0.4))), tuple(rng.uniform(0.1, 0.4, 3))]
    chosen = places[: 1 + draw(st.integers(0, 2))]
    sites = list(zip(("Si", "P", "Ge"), chosen, strict=False))
    crystal = Crystal.from_sites([*lengths, *angles], hall, sites)
    assume(len(crystal.primitive_atoms) <= 12)
    assume(closest_ratios(Structures.from_atoms([crystal.to_atoms(primitive=True)]))[0] > 0.9)
    return crystal


@settings(
    deadline=None,
    max_examples=12,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(crystals())
def test_a_good_potential_keeps_every_contract_in_every_space_group(crystal):
    model = PairModel()
    # one scan takes as long as all the rest and does not depend on the group
    chosen = (c for c in (*ENERGY_CONTRACTS, *FORCE_CONTRACTS) if c is not smoothness)
    for contract in chosen:
        result = contract(model, crystal, QUICK)
        assert not result.applies or result.value < LIMITS[result.unit], contract.__name__


def test_rattling_and_joining():
    atoms = Crystal.from_sites(
        [4, 4, 4, 90, 90, 90], standard_hall_number(225), [("Na", (0, 0, 0)), ("Cl", (0.5, 0, 0))]
    )
    once, again = rattled(atoms, QUICK), rattled(atoms, QUICK)
    assert np.array_equal(once.positions, again.positions)
    assert len(once.numbers) == 2
    spread = rattled(
        Structures.stack([1], np.zeros((500, 1, 3)), np.tile(np.eye(3), (500, 1, 1))), QUICK
    )
    assert spread.positions.std() == pytest.approx(0.05, rel=0.1)
    both = join([once, spread[:2]])
    assert both.n_atoms.tolist() == [2, 1, 1]
    assert np.array_equal(both[[0]].positions, once.positions)
