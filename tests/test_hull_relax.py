"""Relaxations by a model, with potentials whose minima and instabilities are known."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT

from symscape.models.ase import ASEModel
from symscape.models.cache import EnergyCache
from symscape.models.card import ModelCard
from symscape.models.evaluate import Evaluator
from symscape.questions.relaxation import lost_symmetry, not_determined
from symscape.science.hull.procedure import RelaxSettings
from symscape.science.hull.relax import (
    FAR,
    Relaxed,
    push,
    relax_many,
    relax_table,
    relax_with,
    space_group_number,
)

EMT_MODEL = ASEModel(ModelCard("emt", "ase", "ase.calculators.emt:EMT"))
#: EMT's copper: equilibrium lattice constant of fcc (angstrom), ASE's documentation
A_CU = 3.590


def test_a_stable_crystal_finds_its_equilibrium_and_keeps_its_symmetry():
    found = relax_with(bulk("Cu", "fcc", 3.7), EMT())
    assert found.converged_fixed
    assert found.converged_free
    assert found.kept_symmetry
    assert found.space_group == 225
    assert found.gained < 1e-3
    assert found.volume_change == pytest.approx((A_CU / 3.7) ** 3 - 1, abs=2e-3)
    assert found.lattice_change == pytest.approx(1 - A_CU / 3.7, abs=1e-3)
    assert found.energy_fixed < found.energy_start


def test_an_unstable_crystal_loses_its_symmetry_and_energy():
    """Copper in the diamond structure: a saddle of EMT, 0.91 eV/atom above fcc."""
    found = relax_with(bulk("Cu", "diamond", 5.5), EMT())
    assert found.space_group == 227
    assert not found.kept_symmetry
    fcc = bulk("Cu", "fcc", A_CU)
    fcc.calc = EMT()
    assert found.energy_free == pytest.approx(fcc.get_potential_energy(), abs=2e-3)
    assert found.gained == pytest.approx(found.energy_fixed - found.energy_free)
    assert found.gained > 0.5


class DoubleWell(Calculator):
    """A chain of two atoms along z whose energy over the offset is k (d^2 - d0^2)^2 / 4.

    The symmetric arrangement, d = 0, is a maximum between two equal minima at d = +-d0.
    """

    implemented_properties = ["energy", "forces", "stress"]  # noqa: RUF012
    k, d0, stiffness, side = 40.0, 0.3, 5.0, 4.0

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        cell = self.atoms.cell.array
        gap = self.atoms.get_scaled_positions(wrap=False)
        gap = gap[1] - gap[0] - 0.5
        gap -= np.rint(gap)
        d = gap @ cell
        forces = np.zeros((2, 3))
        forces[1] = -self.k * (d @ d - self.d0**2) * d
        forces[0] = -forces[1]
        strain = cell / self.side - np.eye(3)
        energy = self.k * (d @ d - self.d0**2) ** 2 / 4
        energy += self.stiffness * float((strain**2).sum())
        stress = 2 * self.stiffness * strain / abs(np.linalg.det(cell))
        stress = (stress + stress.T) / 2
        self.results = {
            "energy": float(energy),
            "forces": forces,
            "stress": stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]],
        }


def test_the_energy_gained_is_the_depth_of_the_well():
    atoms = bulk("CuAu", "cesiumchloride", DoubleWell.side)
    found = relax_with(atoms, DoubleWell(), RelaxSettings(strain=0.0))
    depth = DoubleWell.k * DoubleWell.d0**4 / 4
    assert found.space_group == 221
    assert found.energy_fixed == pytest.approx(depth / 2, abs=1e-4)
    assert found.energy_free == pytest.approx(0, abs=1e-4)
    assert found.gained == pytest.approx(depth / 2, abs=2e-4)
    assert not found.kept_symmetry
    assert abs(found.volume_change) < 1e-3


def test_an_energy_that_depends_on_the_minimum_chosen_is_said_to_be_undetermined():
    """Of a saddle of the model, not of a crystal that stays what it is."""
    rows = pd.DataFrame(
        [{"id": "saddle", "kept_symmetry": False}, {"id": "well", "kept_symmetry": True}]
    )
    (sentence,) = lost_symmetry(rows)
    assert "not determined" in sentence
    assert sentence.endswith(": saddle")
    assert not lost_symmetry(rows[rows["kept_symmetry"]])


class VolumeWells(Calculator):
    """Energy K (x^2 - w^2)^2 / 4 w^2 of x, the volume's logarithm less a little: its top is there.

    A crystal of the unit volume rolls down one side, one that is 0.3 % larger the other.
    """

    implemented_properties = ["energy", "forces", "stress"]  # noqa: RUF012
    stiffness, width, top, volume = 20.0, 0.4, 0.0015, 64.0

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        volume = self.atoms.cell.volume
        x, w = np.log(volume / self.volume) - self.top, self.width
        slope = self.stiffness * x * (x**2 - w**2) / w**2
        self.results = {
            "energy": float(self.stiffness * (x**2 - w**2) ** 2 / (4 * w**2)),
            "forces": np.zeros((len(self.atoms), 3)),
            "stress": np.array([slope / volume] * 3 + [0.0] * 3),
        }


def test_a_crystal_that_ends_elsewhere_from_another_start_is_not_determined():
    crystal = bulk("Cu", "sc", 4.0)
    found = relax_with(crystal, VolumeWells(), free=False)
    ends = [np.exp(VolumeWells.top + side * VolumeWells.width) - 1 for side in (-1, 1)]
    assert [found.volume_change, found.volume_change_again] == pytest.approx(ends, abs=5e-3)
    rows = pd.DataFrame([{"id": "Cu-sc", **asdict(found)}, {"id": "other", **asdict(Relaxed())}])
    (sentence,) = not_determined(rows)
    assert sentence.startswith("Cu-sc: where it relaxes to is not determined")
    assert "-33 %" in sentence
    assert "+49 %" in sentence


@pytest.mark.parametrize("a", [3.7, 4.3])
def test_what_relaxes_far_into_one_minimum_is_determined(a):
    found = relax_with(bulk("Cu", "fcc", a), EMT(), free=False)
    assert np.isfinite(found.volume_change_again) == (abs(found.volume_change) > FAR)
    if a == 4.3:
        assert found.volume_change_again == pytest.approx(found.volume_change, abs=2e-3)
    assert not not_determined(pd.DataFrame([{"id": "Cu", **asdict(found)}]))


def test_tables_say_what_failed_and_how_they_were_made():
    good, bad = bulk("Cu", "diamond", 5.5), bulk("Xe", "fcc", 6.2)  # EMT knows no xenon
    table = relax_table(["good", "bad"], [good, bad], EMT_MODEL, RelaxSettings(max_steps=3))
    assert list(table["id"]) == ["good", "bad"]
    assert table["failed"].iloc[0] == ""
    assert "Xe" in table["failed"].iloc[1]
    assert np.isnan(table["energy_fixed"].iloc[1])
    assert table.attrs["settings"]["relaxation"]["max_steps"] == 3
    assert not table["converged_free"].iloc[0]


class Counting(EMT):
    calls = 0

    def calculate(self, *args, **kwargs):
        type(self).calls += 1
        super().calculate(*args, **kwargs)


def test_the_same_relaxation_again_asks_the_model_nothing(tmp_path):
    """Neither where the outcome is known, nor where the cache knows the steps alone."""
    model = ASEModel(ModelCard("emt", "ase", "ase.calculators.emt:EMT"))
    model._calculator = Counting()
    told = []
    with EnergyCache(tmp_path) as cache:
        first, second, third = (
            relax_table(
                ["a"],
                [bulk("Cu", "diamond", 5.5)],
                model,
                RelaxSettings(max_steps=8),
                cache=cache,
                progress=lambda done, total: told.append((done, total, Counting.calls)),
            )
            for forget in (False, False, True)
            if not forget or forget_outcomes(cache)
        )
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(first, third)
    assert {event[:2] for event in told} == {(1, 1)}
    assert told[0][2] == told[1][2] == told[2][2] > 8


def forget_outcomes(cache):
    with contextlib.closing(sqlite3.connect(cache.path)) as connection, connection:
        return connection.execute("DELETE FROM outcomes").rowcount == 1


def test_other_settings_or_another_crystal_are_relaxed_anew(tmp_path):
    model = ASEModel(ModelCard("emt", "ase", "ase.calculators.emt:EMT"))
    model._calculator = Counting()
    with EnergyCache(tmp_path) as cache:
        before = Counting.calls
        for side, steps in ((3.6, 2), (3.6, 3), (3.7, 2)):
            settings = RelaxSettings(max_steps=steps)
            crystal = bulk("CuAu", "cesiumchloride", side)
            found = relax_table(["a"], [crystal], model, settings, cache=cache)
            alone = relax_table(["a"], [crystal], EMT_MODEL, settings)
            pd.testing.assert_frame_equal(found, alone)
            assert Counting.calls > before
            before = Counting.calls


def by_ase(atoms, calculator, settings):
    """Relax at fixed symmetry and freely with ASE's own optimizer; return energies and cells."""
    from ase.constraints import FixSymmetry
    from ase.filters import FrechetCellFilter
    from ase.optimize import BFGS

    work = atoms.copy()
    work.calc = calculator
    found = []
    for fixed in (True, False):
        if fixed:
            work.set_constraint(FixSymmetry(work, symprec=1e-3, verbose=False))
        else:
            push(work, settings)
        optimizer = BFGS(FrechetCellFilter(work), logfile=None, maxstep=0.1)
        optimizer.run(fmax=settings.force_eV_A, steps=settings.max_steps)
        work.set_constraint()
        found.append((work.get_potential_energy() / len(work), optimizer.nsteps, work.cell.volume))
    return found


def test_many_together_are_relaxed_as_each_by_ases_optimizer():
    skewed = bulk("CuAu", "cesiumchloride", 3.0)
    skewed.positions[1] += 0.1
    skewed.set_cell(skewed.cell.array @ np.array([[1, 0.02, 0], [0, 1.03, 0], [0.01, 0, 1]]))
    crystals = [bulk("Cu", "fcc", 3.7), bulk("Cu", "diamond", 5.5), skewed, bulk("Al", "hcp", 2.9)]
    settings = RelaxSettings(max_steps=60)
    told = []
    found = relax_many(crystals, Evaluator(EMT_MODEL), settings, ended=lambda i, _: told.append(i))
    assert sorted(told) == [0, 1, 2, 3]
    for atoms, relaxed in zip(crystals, found, strict=True):
        (fixed, fixed_steps, volume), (free, free_steps, _) = by_ase(atoms, EMT(), settings)
        assert relaxed.energy_fixed == pytest.approx(fixed, abs=1e-9)
        assert relaxed.energy_free == pytest.approx(free, abs=1e-7)
        assert relaxed.volume_change == pytest.approx(volume / atoms.cell.volume - 1, abs=1e-8)
        assert relaxed.steps == fixed_steps + free_steps


def test_a_round_asks_once_for_all_that_still_move():
    asked = []

    class Batches(Evaluator):
        def evaluate(self, structures, **options):
            asked.append(len(structures))
            return super().evaluate(structures, **options)

    crystals = [bulk("Cu", "fcc", 3.595), bulk("Cu", "fcc", 3.8), bulk("Xe", "fcc", 6.2)]
    found = relax_many(crystals, Batches(EMT_MODEL), RelaxSettings(), free=False)
    assert asked[:2] == [3, 2]
    assert len(asked) == max(r.steps for r in found) + 1
    assert sum(asked) == sum(r.steps + 1 for r in found)
    assert "Xe" in found[2].failed
    assert found[0].converged_fixed
    assert found[1].converged_fixed


def test_space_groups_of_what_has_none():
    assert space_group_number(bulk("Cu", "fcc", 3.6), 0.01) == 225
    overlapping = bulk("Cu", "fcc", 3.6, cubic=True)
    overlapping.positions[:] = 0
    assert space_group_number(overlapping, 0.01) == 0
