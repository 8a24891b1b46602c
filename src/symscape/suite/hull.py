"""What a benchmark test about crystals is handed: one model on a system or a symmetry class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from symscape.errors import HullError
from symscape.questions.crystal_rows import rows_of_case
from symscape.questions.relaxation import RELAXATION
from symscape.questions.subjects import AllCrystals, Subject
from symscape.references.crystal_files import crystals_digest, find_crystal_files
from symscape.suite.kept import AskedOfModel, judge_once
from symscape.suite.roll import roll_of
from symscape.suite.shapes import with_shapes

if TYPE_CHECKING:
    import pandas as pd

    from symscape.contracts.catalogue import CrystalContract
    from symscape.contracts.result import ContractResult
    from symscape.models.base import EnergyModel
    from symscape.questions.case import CaseResult
    from symscape.questions.question import Question
    from symscape.references.crystals import CrystalLibrary
    from symscape.suite.session import SuiteSession
    from symscape.verdict.tolerances import Tolerances


class HullSession:
    """Crystals and each model's energies of them, each loaded or computed once in a process."""

    def __init__(self, session: SuiteSession):
        self.session = session
        self._tables: dict[str, pd.DataFrame] = {}
        #: model to crystal to what became of it
        self._relaxed: dict[str, dict[str, dict[str, Any]]] = {}

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
    def _described(self) -> pd.DataFrame:
        from symscape.hull.table import crystal_table

        return crystal_table(self.library.crystals)

    @cached_property
    def _corrections(self) -> np.ndarray:
        from symscape.hull.conventions import mp2020_corrections

        return mp2020_corrections(
            (crystal.to_atoms() for crystal in self.library.crystals), self.session.cache
        )

    def table(self, model: EnergyModel) -> pd.DataFrame:
        """Return a model's energies beside DFT's; crystals at which it failed are left out."""
        name = model.card.name
        if name not in self._tables:
            self._tables[name] = self._compare(model)
        return self._tables[name]

    def _compare(self, model: EnergyModel) -> pd.DataFrame:
        from symscape.hull.analysis import compare
        from symscape.hull.conventions import Energies
        from symscape.suite.progress import progress_line

        library, config = self.library, self.session.config
        name = model.card.name
        with (
            self.session.lock(f"{name}-{AllCrystals.material}"),
            progress_line(config, f"{name} {AllCrystals.material}") as progress,
        ):
            found = self.session.evaluator(model).evaluate(library.structures, progress=progress)
        energies = found.energies / library.structures.n_atoms
        good = np.isfinite(energies)
        if not good.any():
            reason = next(iter(found.failures.values()), "no reason given")
            raise HullError(f"{name} gave no energy for any crystal ({reason}).")
        table = self._described
        own = Energies.of(model.card, energies[good], lambda: self._corrections[good])
        settings = {
            "model": name,
            "fingerprint": model.fingerprint,
            "level_of_theory_model": model.card.level_of_theory,
            "level_of_theory_reference": library.level_of_theory,
            "energy_convention": own.convention,
            "geometry": "DFT's, single point",
            "digest": library.digest,
            "left_out": [table["id"].iloc[k] for k in np.flatnonzero(~good)],
        }
        return compare(table[good], own, settings)

    def whole(self, model: EnergyModel) -> bool:
        """Whether the model failed at no crystal, as far as it was asked in this process."""
        name = model.card.name
        left_out = name in self._tables and self._tables[name].attrs["settings"]["left_out"]
        return not left_out and not any(
            row["failed"] for row in self._relaxed.get(name, {}).values()
        )

    def missing(self, model: EnergyModel, subject: Subject) -> list[str]:
        """Return the ids of a case's crystals of which the model gave no energy."""
        left_out = set(self.table(model).attrs["settings"]["left_out"])
        own = rows_of_case(self._described, subject)
        return [crystal for crystal in own["id"] if crystal in left_out]

    def system(self, model: EnergyModel, system: str) -> pd.DataFrame:
        """Return the crystals of a chemical system and its subsystems."""
        from symscape.hull.phases import select_system

        return select_system(self.table(model), system)

    def relaxed(self, model: EnergyModel, system: str) -> pd.DataFrame:
        """Return the crystals of a system after the model has relaxed them."""
        import pandas as pd

        from symscape.hull.analysis import above_hull_elsewhere
        from symscape.hull.relax import RelaxSettings, relax_table
        from symscape.suite.progress import progress_line

        name, own = model.card.name, self.system(model, system)
        known = self._relaxed.setdefault(name, {})
        if any(crystal not in known for crystal in own["id"]):
            asked = [
                crystal
                for s in self._to_relax(name, system)
                for crystal in self.system(model, s)["id"]
            ]
            missing = [crystal for crystal in dict.fromkeys(asked) if crystal not in known]
            atoms = {crystal.id: crystal.to_atoms() for crystal in self.library.crystals}
            with progress_line(self.session.config, f"{name} (relaxing crystals)") as progress:
                new = relax_table(
                    missing,
                    [atoms[crystal] for crystal in missing],
                    model,
                    cache=self.session.cache,
                    progress=progress,
                )
            known.update({row["id"]: row for row in new.to_dict("records")})
        found = pd.DataFrame([known[crystal] for crystal in own["id"]])
        made = own.merge(found.drop(columns="space_group"), on="id")
        failed = made["failed"] != ""
        not_relaxed = list(made["id"][failed])
        if failed.all():
            raise HullError(f"{name} relaxed no crystal of {system} ({made['failed'].iloc[0]}).")
        made = made[~failed].reset_index(drop=True)
        for kind in ("fixed", "free"):
            _, made[f"error_{kind}"] = above_hull_elsewhere(made, made[f"energy_{kind}"])
        made.attrs["not_relaxed"] = not_relaxed
        made.attrs["settings"] = {**own.attrs["settings"], "relaxation": asdict(RelaxSettings())}
        return made

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

    def contracts(
        self, contracts: Mapping[str, CrystalContract]
    ) -> dict[str, dict[str, ContractResult]]:
        """Return what contracts find on each crystal of the system, by its id."""
        from symscape.contracts.kept import check_crystal_once
        from symscape.suite.progress import progress_line

        session, system = self.hulls.session, self.subject.material
        own = [c for c in self.hulls.library.crystals if c.system == system]
        found = {}
        title = f"{self.model.card.name} {system} ({self.question.title.lower()})"
        with progress_line(session.config, title, "crystals") as progress:
            for done, crystal in enumerate(own):
                if progress is not None:
                    progress(done, len(own))
                found[crystal.id] = check_crystal_once(
                    session.evaluator(self.model), crystal.crystal, contracts
                )
        return found

    def judge(self) -> CaseResult:
        """Ask and judge, unless an earlier run has; skip the test where there is nothing to ask."""
        hulls, question = self.hulls, self.question

        def judge(**known: Any) -> CaseResult | None:
            missing = hulls.missing(self.model, self.subject)
            result = question.ask(self, digest=hulls.digest, missing=missing, **known)
            return with_shapes(self, result) if result else None

        asked = AskedOfModel(question.name, self.subject, self.model, self.tolerances, hulls.digest)
        result = judge_once(asked, hulls.session.cache, judge, lambda: hulls.whole(self.model))
        if result is None:
            pytest.skip(question.nothing)
        return result
