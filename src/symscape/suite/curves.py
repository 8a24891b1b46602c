"""What a benchmark test about equations of state is handed: one model on a group or a prototype."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from symscape.equation_of_state.groups import element_groups
from symscape.questions.equation_of_state import NotJudged
from symscape.questions.prototype_differences import PROTOTYPE
from symscape.references.birch_murnaghan import BirchMurnaghan
from symscape.references.equations import ELEMENTAL, EquationsOfState, load_equations
from symscape.suite.kept import AskedOfModel, judge_once
from symscape.suite.roll import roll_of

if TYPE_CHECKING:
    from symscape.models.base import EnergyModel
    from symscape.questions.case import CaseResult
    from symscape.questions.question import Question
    from symscape.suite.session import SuiteSession
    from symscape.verdict.tolerances import Tolerances

#: questions about equations of state
CURVE_QUESTIONS = ("equation_of_state", "prototype_differences")


def curve_cases(question: str, equations: EquationsOfState | None) -> list[tuple[str, str]]:
    """Return (material, slice) of every case of a question: ``group-4`` and ``Ti-Zr-Hf``."""
    if equations is None:
        return []
    if question == "prototype_differences":
        return [(prototype, PROTOTYPE) for prototype in ELEMENTAL]
    symbols = dict(zip(equations.elements.tolist(), equations.symbols, strict=True))
    groups = element_groups(equations.elements)
    return [(name, "-".join(symbols[n] for n in own)) for name, own in groups.items()]


@dataclass(eq=False)
class Fitted:
    """What is known so far of one model's curves of all stored crystals.

    Parameters
    ----------
    curves
        Arrays of shape (n_crystals,), NaN without a minimum and where not asked.
    asked
        Crystals that the model was asked about, shape (n_crystals,).
    failed
        Those of which it gave no energy at some volume, shape (n_crystals,).
    """

    curves: BirchMurnaghan
    asked: np.ndarray
    failed: np.ndarray


class CurveSession:
    """Equations of state and each model's curves, each loaded or computed once in a process."""

    def __init__(self, session: SuiteSession):
        self.session = session
        self._fitted: dict[str, Fitted] = {}
        self._reasons: dict[str, np.ndarray] = {}

    @cached_property
    def equations(self) -> EquationsOfState | None:
        """The stored equations of state, checked; None where there are none."""
        return load_equations(self.session.settings.references)

    def cases(self, question: str) -> list[tuple[str, str]]:
        """Return (material, slice) of the cases that were chosen; all without ``--material``."""
        wanted = set(self.session.settings.materials)
        found = curve_cases(question, self.equations)
        return [case for case in found if not wanted or case[0] in wanted]

    @cached_property
    def materials(self) -> set[str]:
        """Names of all groups and prototypes."""
        return {case[0] for name in CURVE_QUESTIONS for case in curve_cases(name, self.equations)}

    @property
    def stored(self) -> EquationsOfState:
        """The stored equations of state, which must be there."""
        assert self.equations is not None, "cases are made only where there are any"
        return self.equations

    def reasons(self, model: EnergyModel) -> np.ndarray:
        """Return why a model is not judged on each crystal, empty strings where it is."""
        from symscape.equation_of_state.comparable import reasons_not_judged

        name = model.card.name
        if name not in self._reasons:
            self._reasons[name] = np.array(reasons_not_judged(model.card, self.stored))
        return self._reasons[name]

    def members(self, material: str) -> np.ndarray:
        """Return which crystals a case is about, judged or not, shape (n_crystals,)."""
        if material in ELEMENTAL:
            return np.array([name == material for name in self.stored.names])
        own = element_groups(self.stored.elements)[material]
        return np.isin(self.stored.elements, own)

    def needed(self, material: str) -> np.ndarray:
        """Return which crystals a case needs curves of: all prototypes to know the lowest one."""
        return ~self.stored.oxide if material in ELEMENTAL else self.members(material)

    def fitted(self, model: EnergyModel, wanted: np.ndarray) -> Fitted:
        """Return a model's curves, known at least for the wanted crystals.

        Whoever asks first asks for the crystals of all cases of this run, so that they go through
        the model in common batches.
        """
        name = model.card.name
        known = self._fitted.get(name)
        if known is None:
            nothing = np.full(len(self.stored), np.nan)
            no = np.zeros(len(nothing), dtype=bool)
            known = Fitted(BirchMurnaghan(*(nothing.copy() for _ in range(4))), no, no.copy())
            self._fitted[name] = known
            wanted = wanted | self._of_run(model)
        missing = np.flatnonzero(wanted & ~known.asked)
        if len(missing):
            self._ask(model, known, missing)
        return known

    def _of_run(self, model: EnergyModel) -> np.ndarray:
        """Return which crystals the cases of this run ask a model about."""
        found = np.zeros(len(self.stored), dtype=bool)
        for case in roll_of(self.session.config).cases.values():
            if case.model == model.card.name and case.question in CURVE_QUESTIONS:
                found |= self.needed(case.material)
        return found & (self.reasons(model) == "")

    def _ask(self, model: EnergyModel, known: Fitted, missing: np.ndarray) -> None:
        """Evaluate and fit the curves of crystals, given by their indices."""
        from symscape.equation_of_state.evaluate import sample_curves
        from symscape.suite.progress import progress_line

        session, title = self.session, f"{model.card.name} equations of state"
        with (
            session.lock(f"{model.card.name}-equations-of-state"),
            progress_line(session.config, title) as progress,
        ):
            found = sample_curves(session.evaluator(model), self.stored[missing], progress=progress)
        known.asked[missing] = True
        known.failed[missing[list(found.failures)]] = True
        for name in ("energy", "volume", "bulk_modulus", "derivative"):
            getattr(known.curves, name)[missing] = getattr(found.fitted, name)


@dataclass(frozen=True, eq=False)
class EquationCase:
    """One model on the crystals of a group of the periodic table, or on a prototype.

    Parameters
    ----------
    curves
        Shares curves between cases.
    model
        The potential.
    material, name
        ``group-4`` and ``Ti-Zr-Hf``, ``BCC`` and ``prototype``.
    question
        What is asked.
    """

    curves: CurveSession
    model: EnergyModel
    material: str
    name: str
    question: Question

    @property
    def tolerances(self) -> Tolerances:
        """The tolerances of the run."""
        return self.curves.session.tolerances

    def judged_on(self) -> tuple[EquationsOfState, BirchMurnaghan]:
        """Return DFT's and the model's curves of the crystals that the model is judged on."""
        return self.curves.stored[self._judged], self._fitted.curves[self._judged]

    def with_energies(self) -> tuple[EquationsOfState, BirchMurnaghan]:
        """Return the same of those crystals of which the model gave energies."""
        fitted = self._fitted
        good = self._judged & ~fitted.failed
        return self.curves.stored[good], fitted.curves[good]

    @cached_property
    def _judged(self) -> np.ndarray:
        """Crystals that the case needs and the model is judged on, shape (n_crystals,)."""
        judged: np.ndarray = self.curves.reasons(self.model) == ""
        return judged & self.curves.needed(self.material)

    @property
    def _fitted(self) -> Fitted:
        return self.curves.fitted(self.model, self._judged)

    def _not_judged(self) -> tuple[NotJudged, ...]:
        """Return the crystals of the case that the model is not judged on, by reason."""
        found: dict[str, list[str]] = {}
        reasons = self.curves.reasons(self.model)
        for k in np.flatnonzero(self.curves.members(self.material) & (reasons != "")):
            found.setdefault(str(reasons[k]), []).append(self.curves.stored.ids[k])
        return tuple(NotJudged(reason, tuple(ids)) for reason, ids in found.items())

    def _missing(self) -> list[str]:
        """Ids of the crystals of this case that the model has no energy of."""
        failed = self._judged & self.curves.members(self.material) & self._fitted.failed
        return [self.curves.stored.ids[k] for k in np.flatnonzero(failed)]

    def judge(self) -> CaseResult:
        """Ask and judge, unless an earlier run has; skip the test where no crystal is judged."""
        not_judged = self._not_judged()
        if not self._judged.any():
            pytest.skip("; ".join(dict.fromkeys(entry.reason for entry in not_judged)))
        session, question = self.curves.session, self.question
        digest = self.curves.stored.about.digest

        def judge(**known: Any) -> CaseResult | None:
            missing = self._missing()
            return question.ask(
                self, digest=digest, missing=missing, not_judged=not_judged, **known
            )

        asked = AskedOfModel(
            question.name, self.material, self.name, self.model, self.tolerances, digest
        )
        result = judge_once(asked, session.cache, judge, lambda: not self._missing())
        assert result is not None, "there are crystals to judge"
        return result
