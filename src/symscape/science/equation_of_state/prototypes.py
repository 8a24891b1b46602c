"""Energy differences between the prototypes of an element, each at its own minimum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symscape.references.equations import ALL_ELECTRON, COMPLETE_CODES, EquationsOfState


@dataclass(frozen=True, eq=False)
class PrototypeDifferences:
    """How far the other prototypes of each element lie above the one that is lowest in DFT.

    Arrays have shape (n_elements, n_prototypes) and are in meV/atom; NaN at the lowest prototype
    and where an energy is missing.

    Parameters
    ----------
    dft
        The difference in DFT, never negative.
    spread
        Standard deviation of the difference over the codes: its error bar.
    model
        The model's difference to the same prototype; negative where it gets the order wrong.
    """

    dft: np.ndarray
    spread: np.ndarray
    model: np.ndarray

    @property
    def lowest(self) -> np.ndarray:
        """Column of the prototype that is lowest in DFT, shape (n_elements,)."""
        return np.isnan(self.dft).argmax(axis=1)

    @property
    def resolved(self) -> np.ndarray:
        """Where DFT's difference is larger than its error bar: what is judged."""
        return self.dft > self.spread

    @property
    def errors(self) -> np.ndarray:
        """Model minus DFT, NaN where not resolved."""
        return np.where(self.resolved, self.model - self.dft, np.nan)


def differences(
    codes: np.ndarray, model: np.ndarray, reference: int = ALL_ELECTRON
) -> PrototypeDifferences:
    """Compare a model's differences with those of several codes.

    Parameters
    ----------
    codes
        Energies at the minima in eV/atom, shape (n_codes, n_elements, n_prototypes); each code on
        its own zero.
    model
        The model's, shape (n_elements, n_prototypes), NaN where it has no minimum.
    reference
        How many of the codes, counted from the first, make the reference value: their mean does.
    """
    lowest = codes[:reference].mean(axis=0).argmin(axis=1)
    rows = np.arange(len(lowest))
    of_codes = 1000 * (codes - codes[:, rows, lowest][:, :, None])
    of_model = 1000 * (model - model[rows, lowest][:, None])
    dft = of_codes[:reference].mean(axis=0)
    spread = of_codes.std(axis=0, ddof=1)
    for values in (dft, spread, of_model):
        values[rows, lowest] = np.nan
    return PrototypeDifferences(dft, spread, of_model)


def compare_prototypes(
    equations: EquationsOfState, energies: np.ndarray
) -> tuple[np.ndarray, PrototypeDifferences]:
    """Compare a model's energies at its minima with those of all complete codes.

    Parameters
    ----------
    energies
        eV/atom, shape (n_crystals,), NaN where the model has no minimum; oxides are left out.

    Returns
    -------
    elements
        Atomic numbers, ascending: the rows of the differences, whose columns are the prototypes of
        `symscape.references.equations.ELEMENTAL`.
    found
        The differences.
    """
    codes = [equations.by_prototype(equations.codes[code].energy)[1] for code in COMPLETE_CODES]
    elements, model = equations.by_prototype(energies)
    return elements, differences(np.array(codes), model)


def asked_differences(found: PrototypeDifferences, prototype: int, window: float) -> np.ndarray:
    """Return where a prototype's difference is judged, shape (n_elements,).

    Parameters
    ----------
    prototype
        Column of the arrays.
    window
        meV/atom: differences that are larger in DFT are not asked for.
    """
    asked: np.ndarray = found.resolved[:, prototype] & (found.dft[:, prototype] <= window)
    return asked


def slope_through_zero(dft: np.ndarray, model: np.ndarray) -> float:
    """Return the least-squares slope through zero of the model's differences on DFT's.

    Below 1 the landscape between the prototypes is too soft; pairs with NaN are left out, and it
    is NaN where none is left.
    """
    both = np.isfinite(dft) & np.isfinite(model)
    square = float((dft[both] ** 2).sum())
    return float((dft[both] * model[both]).sum()) / square if square else float("nan")
