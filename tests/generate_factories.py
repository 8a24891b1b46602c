"""Calculator factories for the workers of the tests: quick ones, and ones that misbehave."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.calculators.morse import MorsePotential


def slow_emt(seconds: float = 0.1):
    """EMT that takes a while over each geometry and leaves its process id behind."""

    class Slow(EMT):
        def calculate(self, *args, **kwargs):
            time.sleep(seconds)
            super().calculate(*args, **kwargs)

    return Slow()


def morse():
    """A smooth potential with a closed form, with stress."""
    return MorsePotential(epsilon=0.3, r0=2.6, rho0=4.0, rcut1=1.3, rcut2=1.9)


def set_morse(settings: dict):
    """The same, saying that it obeys the settings."""
    return morse()


def scaled_morse(settings: dict):
    """The same with an error in proportion that falls off with the cut-off."""
    stronger = 0.3 * (1 + 10.0 / settings["cutoff_eV"])
    return MorsePotential(epsilon=stronger, r0=2.6, rho0=4.0, rcut1=1.3, rcut2=1.9)


def chatty_emt(folder: Path, settings: dict, care: int):
    """EMT that prints, and notes what it was asked for."""
    print("this must not get between the results")
    (folder / "asked.txt").write_text(f"{settings['cutoff_eV']} {settings['k_mesh']} {care}")
    return EMT()


def killed_once(marker: str, at: int = 3):
    """EMT whose process is killed at its third geometry, the first time."""

    class Fragile(EMT):
        count = 0

        def calculate(self, *args, **kwargs):
            type(self).count += 1
            if type(self).count == at and not Path(marker).exists():
                Path(marker).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            super().calculate(*args, **kwargs)

    return Fragile()


def needs_care(care: int, below: float, patience: int = 1):
    """EMT that does not converge where the first atom's y is below a value, unless careful."""

    class Unsteady(EMT):
        def calculate(self, atoms=None, *args, **kwargs):
            if atoms.get_scaled_positions(wrap=False)[0, 1] < below and care < patience:
                raise RuntimeError("the SCF did not converge")
            super().calculate(atoms, *args, **kwargs)

    return Unsteady()


def hopeless():
    """A calculator that fails everywhere."""

    class Broken(EMT):
        def calculate(self, *args, **kwargs):
            raise RuntimeError("no licence for this code")

    return Broken()


def hangs(marker: str):
    """EMT that never answers the first time."""

    class Hanging(EMT):
        def calculate(self, *args, **kwargs):
            if not Path(marker).exists():
                Path(marker).touch()
                time.sleep(600)
            super().calculate(*args, **kwargs)

    return Hanging()


def choosy():
    """EMT that refuses to be moved, as GPAW does when a move breaks its symmetry."""

    class Choosy(EMT):
        used = False

        def calculate(self, *args, **kwargs):
            if self.used:
                raise RuntimeError("symmetry broken")
            super().calculate(*args, **kwargs)
            self.used = True

    return Choosy()


class CutoffDependent(Calculator):
    """A harmonic landscape with an error that falls off with the cut-off and the k-mesh."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012

    def __init__(self, cutoff: float, mesh: list[int]):
        super().__init__()
        self.stiffness = 2.0 * (1 + 10.0 / cutoff + 1.0 / np.prod(mesh))

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        y = self.atoms.positions[:, 1]
        self.results = {
            "energy": 0.5 * self.stiffness * float(((y - y.mean()) ** 2).sum()),
            "forces": np.zeros((len(self.atoms), 3)),
        }
        self.results["forces"][:, 1] = -self.stiffness * (y - y.mean())


def cutoff_dependent(settings: dict):
    """See ``CutoffDependent``."""
    return CutoffDependent(settings["cutoff_eV"], settings["k_mesh"])


def lopsided():
    """A Morse potential that sees where the atoms are in space, as no energy may."""

    class Lopsided(MorsePotential):
        def calculate(self, *args, **kwargs):
            super().calculate(*args, **kwargs)
            self.results["energy"] += 0.1 * float(self.atoms.get_scaled_positions()[0, 0])
            self.results["energy"] += 0.1 * float(np.abs(self.atoms.positions[1, 2]))

    return Lopsided(epsilon=0.3, r0=2.6, rho0=4.0, rcut1=1.3, rcut2=1.9)
