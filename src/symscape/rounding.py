"""What counts as rounding: differences that are too small to tell anything, by unit."""

from __future__ import annotations

#: differences up to these are rounding: energies agree to 0.01 meV/atom in single precision
NOISE = {
    "meV/atom": 0.01,
    "meV/angstrom": 0.01,
    "meV/atom/angstrom": 0.01,
    "meV/angstrom^3": 1e-4,
    "angstrom": 1e-4,
    "%": 1e-3,
    "": 1e-6,
}
#: the same of energies in eV/atom
NOISE_EV_ATOM = NOISE["meV/atom"] / 1000
#: decimals of a model's energies on slices, eV/atom, as results have them: single precision knows
#: fewer. Rounded before anything is judged, they are the energies that the verdict follows from.
ENERGY_DECIMALS = 6
