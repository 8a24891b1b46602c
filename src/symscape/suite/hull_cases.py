"""What a benchmark test about crystals is handed: one model on a system or a symmetry class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Unpack

import pytest

from symscape.questions.behind_shapes import with_shapes
from symscape.questions.crystal_rows import rows_of_case
from symscape.questions.relaxation import RELAXATION
from symscape.questions.subjects import AllCrystals, Subject
from symscape.references.crystal_files import crystals_digest, find_crystal_files
from symscape.suite.exceptions import no_outcome_of_pytest
from symscape.suite.roll import roll_of
from symscape.suite.session import SuiteSession
from symscape.verdict.kept_verdicts import AskedOfModel, judge_once

if TYPE_CHECKING:
    import pandas as pd

    from symscape.models.base import EnergyModel
    from symscape.questions.case import CaseResult
    from symscape.questions.contracts import CheckedCrystal, MetricContract
    from symscape.questions.known import AskedOf
    from symscape.questions.question import Question
    from symscape.references.crystals import CrystalLibrary
    from symscape.science.hull.model_tables import DescribedCrystals, ModelTables
    from symscape.verdict.tolerances import Tolerances


class HullSession:
    """Crystals and each model's tables of them, each loaded or computed once in a process."""

    def __init__(self, session: SuiteSession):
        self.session = session
        self._of_model: dict[str, ModelTables] = {}

    @cached_property
    def library(self) -> CrystalLibrary:
        """The stored crystals, checked."""
        from symscape.references.crystals import load_crystals

        return load_crystals(self.session.settings.references)

    @cached_property
    def digest(self) -> str:
        """Identifies the stored crystals; they are not loaded for it."""
        return crystals_digest(find_crystal_files(self.session.settings.references))

    @cached_property
    def crystals(self) -> DescribedCrystals:
        """The stored crystals, described."""
        from symscape.science.hull.model_tables import DescribedCrystals

        return DescribedCrystals(self.library, self.session.cache)

    def of(self, model: EnergyModel) -> ModelTables:
        """Return a model's tables; it has been asked about all crystals as DFT has them."""
        from symscape.science.hull.model_tables import ModelTables
        from symscape.suite.progress_lines import progress_line

        name = model.card.name
        tables = self._of_model.get(name)
        if tables is None:
            tables = self._of_model[name] = ModelTables(
                self.crystals, self.session.evaluator(model)
            )
        if not tables.compared:
            with (
                self.session.lock(f"{name}-{AllCrystals.material}"),
                progress_line(self.session.config, f"{name} {AllCrystals.material}") as progress,
            ):
                tables.table(progress)
        return tables

    def table(self, model: EnergyModel) -> pd.DataFrame:
        """Return a model's energies beside DFT's; crystals at which it failed are left out."""
        return self.of(model).table()

    def whole(self, model: EnergyModel) -> bool:
        """Whether the model failed at no crystal, as far as it was asked in this process."""
        known = self._of_model.get(model.card.name)
        return known is None or known.whole

    def missing(self, model: EnergyModel, subject: Subject) -> list[str]:
        """Return the ids of a case's crystals of which the model gave no energy."""
        left_out = set(self.of(model).left_out)
        own = rows_of_case(self.crystals.table, subject)
        return [crystal for crystal in own["id"] if crystal in left_out]

    def relaxed(self, model: EnergyModel, system: str) -> pd.DataFrame:
        """Return the crystals of a system after the model has relaxed them."""
        from symscape.suite.progress_lines import progress_line

        name, tables = model.card.name, self.of(model)
        if tables.not_relaxed_yet([system]):
            missing = tables.not_relaxed_yet(self._to_relax(name, system))
            with progress_line(self.session.config, f"{name} (relaxing crystals)") as progress:
                tables.relax(missing, progress)
        return tables.relaxed(system)

    def _to_relax(self, model: str, system: str) -> list[str]:
        """Return the chemical systems to be relaxed with one: all that this process will ask for.

        The more crystals advance together, the fewer calls a step takes. Several processes share
        the systems among them, so that each keeps to the one it was given.
        """
        if hasattr(self.session.config, "workerinput"):
            return [system]
        cases = roll_of(self.session.config).cases.values()
        others = [c.material for c in cases if (c.question, c.model) == (RELAXATION.name, model)]
        return list(dict.fromkeys([system, *others]))


@dataclass(frozen=True, eq=False)
class HullCase:
    """One model on a chemical system, a symmetry class, or all crystals.

    Parameters
    ----------
    hulls
        Shares energies between cases.
    model
        The potential.
    subject
        The crystals.
    question
        What is asked.
    """

    hulls: HullSession
    model: EnergyModel
    subject: Subject
    question: Question

    @property
    def tolerances(self) -> Tolerances:
        """The tolerances of the run."""
        return self.hulls.session.tolerances

    def table(self) -> pd.DataFrame:
        """Return the model's energies of the case's crystals beside DFT's."""
        return rows_of_case(self.hulls.table(self.model), self.subject)

    def relaxed(self) -> pd.DataFrame:
        """Return the crystals of the system after the model has relaxed them."""
        return self.hulls.relaxed(self.model, self.subject.material)

    def contracts(self, asked: Sequence[MetricContract]) -> tuple[CheckedCrystal, ...]:
        """Return what contracts find on each crystal of the system."""
        from symscape.questions.contracts import CheckedCrystal, check_once
        from symscape.suite.progress_lines import progress_line

        session, system = self.hulls.session, self.subject.material
        own = [c for c in self.hulls.library.crystals if c.system == system]
        found = []
        title = f"{self.model.card.name} {system} ({self.question.title.lower()})"
        with progress_line(session.config, title, "crystals") as progress:
            for done, crystal in enumerate(own):
                if progress is not None:
                    progress(done, len(own))
                results = check_once(session.evaluator(self.model), crystal.crystal, asked)
                found.append(CheckedCrystal(crystal.id, results))
        return tuple(found)

    def judge(self) -> CaseResult:
        """Ask and judge, unless an earlier run has; skip the test where there is nothing to ask."""
        hulls, question = self.hulls, self.question

        def judge(**known: Unpack[AskedOf]) -> CaseResult | None:
            missing = hulls.missing(self.model, self.subject)
            result = question.ask(self, digest=hulls.digest, missing=missing, **known)
            if result is None:
                return None
            potential = hulls.session.evaluator(self.model)
            return with_shapes(result, hulls.library.crystals, potential)

        asked = AskedOfModel(question.name, self.subject, self.model, self.tolerances, hulls.digest)
        with no_outcome_of_pytest():
            result = judge_once(asked, hulls.session.cache, judge, lambda: hulls.whole(self.model))
        if result is None:
            pytest.skip(question.nothing)
        return result
