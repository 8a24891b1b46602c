"""Whether loaded weights give the numbers that were published of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from ase.units import GPa

from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.models.base import EnergyModel
from symscape.models.card import PublishedValue
from symscape.models.family import FamilyModel

#: what is published of a structure, with the unit
_UNITS = {
    "energy": "eV",
    "lattice_parameter": "Å",
    "lowest_energy": "eV/atom",
    "bulk_modulus": "GPa",
}
_FOLDER = Path(__file__).with_name("published")
#: relative changes of a cubic cell's edge: a first look, and a fine one around the lowest
_COARSE = np.linspace(-0.08, 0.08, 17)
_FINE = np.linspace(-0.015, 0.015, 13)


@dataclass(frozen=True)
class Comparison:
    """A published number beside the model's.

    Parameters
    ----------
    published
        What stands in the source.
    found
        What the model says here, in the same unit.
    """

    published: PublishedValue
    found: float

    @property
    def agrees(self) -> bool:
        """Whether the two differ by no more than the tolerance; NaN never agrees."""
        return abs(self.found - self.published.value) <= self.published.tolerance


def compare_published(model: EnergyModel) -> list[Comparison]:
    """Compute everything that the model's card knows as published.

    Raises
    ------
    ModelError
        If the card names a structure or quantity that is not known, or the model can't be loaded.
    """
    return [
        Comparison(value, _found(_with_options(model, value), value))
        for value in model.card.published
    ]


def weights_are_the_cards(model: EnergyModel) -> bool | None:
    """Whether the file of the weights has the SHA-256 of the model's card.

    None where the card has none, or the model no file.

    Raises
    ------
    ModelError
        If the weights are missing or can't be read.
    """
    if not model.card.digest or not isinstance(model, FamilyModel):
        return None
    return model.digest_of(model.weights) == model.card.digest


def _with_options(model: EnergyModel, value: PublishedValue) -> EnergyModel:
    """Return the model, or the same weights with the options for which a value was published."""
    if not value.options:
        return model
    from symscape.models.registry import make

    return make(replace(model.card, options={**model.card.options, **value.options}))


def published_text(value: PublishedValue) -> str:
    """Say what was published, of which structure, and where it stands."""
    with_options = ", ".join(f"{key} {option}" for key, option in value.options.items())
    return (
        f"{value.quantity.replace('_', ' ')} of {value.structure}"
        f"{f' with {with_options}' if with_options else ''}: {value.value} {_UNITS[value.quantity]}"
        f" ± {value.tolerance:g} ({value.source})"
    )


def published_structure(name: str) -> Structures:
    """Return one of the structures of which numbers were published.

    Raises
    ------
    ModelError
        If there is none of that name.
    """
    from ase.io import read

    path = _FOLDER / f"{name}.vasp"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in _FOLDER.glob("*.vasp")))
        raise ModelError(f"There is no structure {name} for published values: use one of {known}.")
    return Structures.from_atoms([read(path, format="vasp")])


def _found(model: EnergyModel, value: PublishedValue) -> float:
    structure = published_structure(value.structure)
    if value.quantity == "energy":
        return float(model.energies(structure)[0])
    if value.quantity == "lattice_parameter":
        return _cubic(model, structure).edge
    if value.quantity == "lowest_energy":
        return _cubic(model, structure).energy
    if value.quantity == "bulk_modulus":
        return _cubic(model, structure).bulk_modulus
    raise ModelError(
        f"{model.card.name}: published values are of {', '.join(_UNITS)}, not of {value.quantity}; "
        "correct the card."
    )


@dataclass(frozen=True)
class _Cubic:
    """A cubic crystal at its lowest energy: edge in angstrom, eV/atom, bulk modulus in GPa."""

    edge: float
    energy: float
    bulk_modulus: float


def _cubic(model: EnergyModel, structure: Structures) -> _Cubic:
    """Scale a cubic crystal to its lowest energy; NaN where there is none near."""
    volume = float(np.abs(np.linalg.det(structure.cells[0])))
    energy = partial(_energies_at, model, structure)
    near = 1 + _COARSE[np.argmin(energy(1 + _COARSE))]
    scales = near * (1 + _FINE)
    quartic = np.polynomial.Polynomial.fit(scales, energy(scales), 4)
    roots = quartic.deriv().roots()
    inside = roots.real[(np.abs(roots.imag) < 1e-9) & (np.abs(roots.real - near) < 0.015 * near)]
    if not len(inside):
        return _Cubic(float("nan"), float("nan"), float("nan"))
    scale = float(inside[np.argmin(quartic(inside))])
    # V E''(V), where V = volume * scale^3 and E' = 0
    modulus = float(quartic.deriv(2)(scale)) / (9 * volume * scale)
    energy_per_atom = float(quartic(scale)) / len(structure.numbers)
    return _Cubic(volume ** (1 / 3) * scale, energy_per_atom, modulus / GPa)


def _energies_at(model: EnergyModel, structure: Structures, scales: np.ndarray) -> np.ndarray:
    """Return the energies in eV of a cell enlarged by factors, its atoms with it."""
    n, atoms = len(scales), len(structure.numbers)
    factors = np.asarray(scales, dtype=float)
    return model.energies(
        Structures(
            np.tile(structure.numbers, n),
            np.tile(structure.positions, (n, 1)) * np.repeat(factors, atoms)[:, None],
            structure.cells * factors[:, None, None],
            np.arange(n + 1) * atoms,
        )
    )
