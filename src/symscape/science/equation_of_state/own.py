"""How far our own DFT is from the all-electron average, at its settings and with its datasets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symscape.references.birch_murnaghan import BirchMurnaghan
from symscape.references.equations import COMPLETE_CODES, ELEMENTAL
from symscape.references.own_curves import OwnCurves
from symscape.science.equation_of_state.compare import GOOD, CurveErrors
from symscape.science.equation_of_state.fit import fit


@dataclass(frozen=True, eq=False)
class OwnErrors:
    """Our curves of ``n`` crystals against the all-electron average.

    Parameters
    ----------
    own
        What they were computed from.
    errors
        Of our curves.
    fitted
        Our curves.
    study
        Epsilon of the same code in the study, with other settings; NaN where it has none.
    """

    own: OwnCurves
    errors: CurveErrors
    fitted: BirchMurnaghan
    study: np.ndarray

    @classmethod
    def of(cls, own: OwnCurves) -> OwnErrors:
        """Fit our energies and compare the curves."""
        equations = own.equations
        fitted = fit(equations.sampled_volumes(), own.energies)
        errors = CurveErrors.of(fitted, equations.average)
        code = equations.codes.get(own.method.code)
        study = np.full(len(equations), np.nan)
        if code is not None:
            study = CurveErrors.of(code, equations.average).epsilon
        return cls(own, errors, fitted, study)

    @property
    def not_good(self) -> tuple[str, ...]:
        """Crystals whose epsilon is above what the study calls good, or has no minimum."""
        good = self.errors.epsilon <= GOOD
        return tuple(
            f"{name} at {cutoff:g} eV"
            for name, cutoff, fine in zip(
                self.own.equations.ids, self.own.cutoffs, good, strict=True
            )
            if not fine
        )


@dataclass(frozen=True)
class OwnDifference:
    """An element's energy difference between two prototypes, each at its own minimum.

    Parameters
    ----------
    element, higher, lower
        Symbol and prototypes.
    own, codes, spread
        Ours, the mean over the study's complete codes, and their standard deviation, meV/atom.
    """

    element: str
    higher: str
    lower: str
    own: float
    codes: float
    spread: float


def own_differences(result: OwnErrors) -> list[OwnDifference]:
    """Return the differences to the lowest computed prototype of each element and cut-off."""
    equations, cutoffs = result.own.equations, result.own.cutoffs
    codes = np.array([equations.codes[code].energy for code in COMPLETE_CODES])
    groups: dict[tuple[str, float], list[int]] = {}
    for k, name in enumerate(equations.names):
        if name in ELEMENTAL:
            groups.setdefault((equations.symbols[k], cutoffs[k]), []).append(k)
    found = []
    for (symbol, _), rows in groups.items():
        lowest = min(rows, key=lambda k: codes[:, k].mean())
        for row in (k for k in rows if k != lowest):
            theirs = 1000 * (codes[:, row] - codes[:, lowest])
            ours = 1000 * (result.fitted.energy[row] - result.fitted.energy[lowest])
            found.append(
                OwnDifference(
                    symbol,
                    equations.names[row],
                    equations.names[lowest],
                    float(ours),
                    float(theirs.mean()),
                    float(theirs.std(ddof=1)),
                )
            )
    return found


def as_markdown(result: OwnErrors, differences: list[OwnDifference]) -> str:
    """Return the tables of docs/references.md."""
    errors = result.errors
    lines = [
        (
            "| crystal | cut-off, eV | k-points | epsilon | the same code in the study | V0, % "
            "| B0, % | Delta, meV/atom |"
        ),
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for k, name in enumerate(result.own.equations.ids):
        cells = [
            name,
            f"{result.own.cutoffs[k]:g}",
            " x ".join(map(str, result.own.k_meshes[k])),
            f"{errors.epsilon[k]:.3f}",
            "" if np.isnan(result.study[k]) else f"{result.study[k]:.3f}",
            f"{errors.volume[k]:+.2f}",
            f"{errors.bulk_modulus[k]:+.1f}",
            f"{errors.delta[k]:.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if differences:
        lines += [
            "",
            "| element | difference | here, meV/atom | mean of the codes | their spread |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [
            f"| {d.element} | {d.higher} - {d.lower} | {d.own:.1f} | {d.codes:.1f} "
            f"| {d.spread:.1f} |"
            for d in differences
        ]
    return "\n".join(lines)
