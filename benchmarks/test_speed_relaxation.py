"""What the steps of a relaxation cost without the model, against ASE's optimizer and constraint."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from ase.calculators.calculator import Calculator, all_changes

from symscape.references.crystals import load_crystals
from symscape.science.hull.procedure import RelaxSettings
from symscape.science.hull.relax import relax_with

REFERENCES = Path(__file__).parents[1] / "references"
STEPS = 10
#: how many times cheaper a step must be than ASE's
PROMISED = 2.0


class Pull(Calculator):
    """The same pull on every atom and cell, whatever the crystal: no time is spent in it."""

    implemented_properties = ["energy", "forces", "stress"]  # noqa: RUF012

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        """Say the same of every crystal."""
        super().calculate(atoms, properties, system_changes)
        forces = np.random.default_rng(0).normal(scale=0.3, size=(len(self.atoms), 3))
        stress = np.array([0.01, 0.02, 0.03, 0, 0, 0])
        self.results = {"energy": 0.0, "forces": forces, "stress": stress}


def by_ase(atoms):
    """Take as many steps with ASE's optimizer, filter and constraint."""
    from ase.constraints import FixSymmetry
    from ase.filters import FrechetCellFilter
    from ase.optimize import BFGS

    work = atoms.copy()
    work.calc = Pull()
    work.set_constraint(FixSymmetry(work, symprec=1e-3, verbose=False))
    BFGS(FrechetCellFilter(work), logfile=None, maxstep=0.1).run(fmax=0.0, steps=STEPS)


def ours(atoms):
    """Take the steps at fixed symmetry."""
    settings = RelaxSettings(force_eV_A=0.0, max_steps=STEPS)
    assert relax_with(atoms, Pull(), settings, free=False).steps == STEPS


@pytest.mark.speed
def test_steps_at_fixed_symmetry(benchmark, capsys):
    """Ten steps of twelve stored crystals, in turn, in CPU time; the fastest of three rounds."""
    crystals = [crystal.to_atoms() for crystal in load_crystals([REFERENCES]).crystals[::7]]
    spent: dict[str, list[float]] = {"ase": [], "ours": []}
    for _ in range(3):
        for name, relax in (("ase", by_ase), ("ours", ours)):
            begin = time.process_time()
            for atoms in crystals:
                relax(atoms)
            spent[name].append(time.process_time() - begin)
    benchmark.pedantic(ours, (crystals[0],), rounds=1)
    ratio = min(spent["ase"]) / min(spent["ours"])
    per_step = {name: 1000 * min(times) / STEPS / len(crystals) for name, times in spent.items()}
    with capsys.disabled():
        print(f"\nms a step: {per_step['ase']:.2f} ASE, {per_step['ours']:.2f} ours: {ratio:.1f}x")
    assert ratio > PROMISED
