"""Equations of state of a results file: what it states of each crystal, and what follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from symscape.decode import DecodeError
from symscape.questions.case import CaseResult
from symscape.questions.curve_subjects import (
    AnsweredCurves,
    CurveCrystals,
    all_curve_subjects,
)
from symscape.questions.equation_of_state import EQUATION_OF_STATE, Curve, CurvesDetail
from symscape.questions.prototype_differences import PROTOTYPE_DIFFERENCES, DifferencesDetail
from symscape.questions.registry import QUESTIONS
from symscape.references.birch_murnaghan import BirchMurnaghan
from symscape.references.equations import ELEMENTAL
from symscape.science.equation_of_state.comparable import reasons_not_judged
from symscape.science.equation_of_state.prototypes import compare_prototypes

if TYPE_CHECKING:
    from symscape.models.card import ModelCard
    from symscape.questions.limits import LimitsByCase
    from symscape.references.equations import EquationsOfState

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class CurveAnswers:
    """What a model said of equations of state.

    Parameters
    ----------
    curves
        By group of the periodic table and crystal's id, each from its own minimum; NaN where the
        model has none. A crystal that is not there has no energy of the model.
    differences
        By prototype and atomic number, meV/atom above the element's prototype that is lowest in
        DFT; NaN where the model has no minimum.
    """

    curves: Mapping[str, Mapping[str, Curve]] = field(default_factory=dict)
    differences: Mapping[str, Mapping[int, float]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.curves or self.differences)

    @property
    def by_id(self) -> dict[str, Curve]:
        """Every curve by its crystal's id."""
        return {name: curve for own in self.curves.values() for name, curve in own.items()}


def read_curves(cases: list[CaseResult], equations: EquationsOfState) -> CurveAnswers:
    """Read what cases about equations of state state of a model.

    Raises
    ------
    DecodeError
        If a crystal or element is stated twice or is not one of the case's.
    """
    curves: dict[str, dict[str, Curve]] = {}
    differences: dict[str, dict[int, float]] = {}
    everything = np.full(len(equations), "")
    subjects = {subject.material: subject for subject in all_curve_subjects(equations)}
    for case in cases:
        members = CurveCrystals(equations, everything, subjects[case.material]).members
        where = f"{case.question} of {case.material}: detail"
        if kept := case.kept(CurvesDetail):
            known = {equations.ids[k] for k in np.flatnonzero(members)}
            curves[case.material] = _once(
                ((row.id, row.model) for row in kept.curves), known, f"{where}.curves"
            )
        if prototype := case.kept(DifferencesDetail):
            differences[case.material] = _once(
                ((row.element, row.model) for row in prototype.differences),
                set(equations.elements[members].tolist()),
                f"{where}.differences",
            )
    return CurveAnswers(curves, differences)


def _once(rows: Iterator[tuple[K, V]], known: set[K], where: str) -> dict[K, V]:
    """Return rows by their names, each of which must be known and stated once."""
    found: dict[K, V] = {}
    for name, value in rows:
        if name not in known or name in found:
            why = "is stated twice" if name in found else "is not one of the library's"
            raise DecodeError(f"{where}: {name} {why}")
        found[name] = value
    return found


def curve_answers(fitted: BirchMurnaghan, equations: EquationsOfState) -> CurveAnswers:
    """Return what a results file states of a model's curves of all stored crystals."""
    shapes = zip(fitted.volume, fitted.bulk_modulus, fitted.derivative, strict=True)
    known = {
        name: Curve(*map(float, shape)) for name, shape in zip(equations.ids, shapes, strict=True)
    }
    energy = dict(zip(equations.ids, 1000 * fitted.energy, strict=True))
    lowest, everything = lowest_prototypes(equations), np.full(len(equations), "")
    curves, differences = {}, {}
    for subject, question in all_curve_subjects(equations).items():
        material = subject.material
        members = np.flatnonzero(CurveCrystals(equations, everything, subject).members)
        if question == EQUATION_OF_STATE.name:
            curves[material] = {equations.ids[k]: known[equations.ids[k]] for k in members}
        else:
            differences[material] = {
                int(equations.elements[k]): float(
                    energy[equations.ids[k]]
                    - energy[f"{equations.symbols[k]}-{lowest[int(equations.elements[k])]}"]
                )
                for k in members
            }
    return CurveAnswers(curves, differences)


def contradictions(answers: CurveAnswers, equations: EquationsOfState) -> list[str]:
    """Say where a difference between prototypes is not that of two curves with a minimum.

    Curves of groups that a run of a part did not ask for say nothing.
    """
    curves, lowest, asked = answers.by_id, lowest_prototypes(equations), _asked(answers, equations)
    symbols = dict(zip(equations.elements.tolist(), equations.symbols, strict=True))
    return [
        f"prototype_differences of {prototype} and the curve of {names[0]} or {names[1]} "
        "contradict each other"
        for prototype, own in answers.differences.items()
        for element, value in own.items()
        for names in [[f"{symbols[element]}-{p}" for p in (prototype, lowest[element])]]
        if asked.issuperset(names)
        and np.isfinite(value) != all(_has_minimum(curves.get(name)) for name in names)
    ]


def _asked(answers: CurveAnswers, equations: EquationsOfState) -> set[str]:
    """Return the ids of all crystals of the groups that a run has answers for."""
    everything = np.full(len(equations), "")
    return {
        equations.ids[k]
        for subject in all_curve_subjects(equations)
        if subject.material in answers.curves
        for k in np.flatnonzero(CurveCrystals(equations, everything, subject).members)
    }


def _has_minimum(curve: Curve | None) -> bool:
    return curve is not None and bool(np.isfinite(curve.volume))


def judge_curves(
    answers: CurveAnswers,
    card: ModelCard,
    equations: EquationsOfState,
    tolerances: LimitsByCase,
    model: str,
) -> Iterator[CaseResult]:
    """Judge a model on the groups and prototypes of which it said anything.

    Parameters
    ----------
    card
        Decides on which crystals it is judged.
    """
    reasons = reasons_not_judged(card, equations)
    shapes = stated_curves(answers, equations)
    # an equation of state counts from its own minimum; the zero matters between prototypes alone
    fitted = {
        EQUATION_OF_STATE.name: shapes,
        PROTOTYPE_DIFFERENCES.name: replace(shapes, energy=_energies(answers, equations)),
    }
    failed = np.isin(equations.ids, list(answers.by_id), invert=True)
    subjects = {s.material: (s, asked) for s, asked in all_curve_subjects(equations).items()}
    for material in (*answers.curves, *answers.differences):
        subject, question = subjects[material]
        crystals = CurveCrystals(equations, reasons, subject)
        if not crystals.asked:
            continue
        case = AnsweredCurves(crystals, tolerances, fitted[question], failed)
        judged = QUESTIONS[question].ask(
            case, model=model, fingerprint="", digest=equations.about.digest,
            missing=case.missing, not_judged=crystals.not_judged(),
        )  # fmt: skip
        if judged is not None:
            yield judged


def stated_curves(answers: CurveAnswers, equations: EquationsOfState) -> BirchMurnaghan:
    """Return a model's curves of all stored crystals from their own minima, NaN where none."""
    known, nothing = answers.by_id, Curve(np.nan, np.nan, np.nan)
    curves = [known.get(name, nothing) for name in equations.ids]
    return BirchMurnaghan(
        np.zeros(len(curves)),
        np.array([curve.volume for curve in curves]),
        np.array([curve.bulk_modulus for curve in curves]),
        np.array([curve.derivative for curve in curves]),
    )


def _energies(answers: CurveAnswers, equations: EquationsOfState) -> np.ndarray:
    """Return energies in eV/atom, each element's from its prototype that is lowest in DFT.

    NaN where none is stated.
    """
    lowest, energies = lowest_prototypes(equations), np.full(len(equations), np.nan)
    for k, (element, name) in enumerate(zip(equations.elements, equations.names, strict=True)):
        if name == lowest[int(element)]:
            energies[k] = 0.0
        elif name in answers.differences:
            energies[k] = answers.differences[name].get(int(element), np.nan) / 1000
    return energies


def lowest_prototypes(equations: EquationsOfState) -> dict[int, str]:
    """Return the prototype that is lowest in DFT, by atomic number."""
    elements, found = compare_prototypes(equations, np.zeros(len(equations)))
    return {int(e): ELEMENTAL[k] for e, k in zip(elements, found.lowest, strict=True)}
