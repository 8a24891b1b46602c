"""Calculators that misbehave, for runs over data sets; named as ``scale_models.py:name``."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np

from symscape.bulk.pair import PairPotential

FOLDER = "SYMSCAPE_TEST_FOLDER"


class Picky(PairPotential):
    """Raises at rutile structures with oxygen, and returns NaN for AlCu."""

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        if len(atoms) == 6 and 8 in atoms.numbers:
            raise ValueError("six atoms are too many for me")
        super().calculate(atoms, properties, system_changes)
        if set(atoms.numbers) == {13, 29} and len(atoms) == 2:
            self.results["energy"] = np.nan


class DiesOnce(PairPotential):
    """Kills its process at the first magnesium oxide that it sees, once for each folder."""

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        marker = Path(os.environ[FOLDER]) / "died"
        if set(atoms.numbers) == {8, 12} and not marker.exists():
            marker.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        super().calculate(atoms, properties, system_changes)


class AlwaysDies(PairPotential):
    """Kills its process at magnesium oxide in the structure of caesium chloride."""

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        if (
            set(atoms.numbers) == {8, 12}
            and len(atoms) == 2
            and np.allclose(atoms.cell.angles(), 90)
        ):
            os.kill(os.getpid(), signal.SIGKILL)
        super().calculate(atoms, properties, system_changes)


class Slow(PairPotential):
    """Takes its time."""

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        time.sleep(0.1)
        super().calculate(atoms, properties, system_changes)


for _one in (Picky, DiesOnce, AlwaysDies, Slow):
    _one.fingerprint = _one.__name__
