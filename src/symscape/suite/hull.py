"""What a benchmark test about crystals is handed: one model on a system or a symmetry class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from symscape.errors import HullError
from symscape.hull.classes import lattice_class, wyckoff_class
from symscape.references.crystal_files import crystals_digest, find_crystal_files
from symscape.suite.kept import Asked, judge_once
from symscape.suite.roll import roll_of
from symscape.verdict.hull import ALL, ALL_CRYSTALS, CONTRACTS, HULL

if TYPE_CHECKING:
    import pandas as pd

    from symscape.contracts.catalogue import CrystalContract
    from symscape.models.base import EnergyModel
    from symscape.questions.case import CaseResult
    from symscape.references.crystal_files import CrystalEntry
    from symscape.references.crystals import CrystalLibrary
    from symscape.suite.session import SuiteSession

#: a symmetry class of fewer crystals says nothing
FEWEST_CRYSTALS = 3


def hull_cases(question: str, entries: list[CrystalEntry]) -> list[tuple[str, str]]:
    """Return (material, slice) of every case of a question, without loading a crystal."""
    if not entries:
        return []
    if question in ("crystal_invariance", "crystal_forces"):
        return [(system, CONTRACTS) for system in dict.fromkeys(e.system for e in entries)]
    if question in ("hull", "relaxation"):
        systems = dict.fromkeys(entry.system for entry in entries if "-" in entry.system)
        return [(system, HULL) for system in systems]
    if question == "stability":
        return [(ALL_CRYSTALS, ALL)]
    found = {
        "n_lattice": Counter(lattice_class(entry.n_lattice) for entry in entries),
        "n_wyckoff": Counter(wyckoff_class(entry.n_wyckoff) for entry in entries),
    }
    return [
        (ALL_CRYSTALS, f"{column}-{name}")
        for column, counts in found.items()
        for name, count in sorted(counts.items())
        if count >= FEWEST_CRYSTALS
    ]


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
        from symscape.hull.conventions import bring_together
        from symscape.suite.progress import progress_line

        library, config = self.library, self.session.config
        name = model.card.name
        with (
            self.session.lock(f"{name}-{ALL_CRYSTALS}"),
            progress_line(config, f"{name} {ALL_CRYSTALS}") as progress,
        ):
            found = self.session.evaluator(model).evaluate(library.structures, progress=progress)
        energies = found.energies / library.structures.n_atoms
        good = np.isfinite(energies)
        if not good.any():
            reason = next(iter(found.failures.values()), "no reason given")
            raise HullError(f"{name} gave no energy for any crystal ({reason}).")
        table, convention = self._described, model.card.energy_convention
        plain = "uncorrected"
        corrections = np.zeros(len(table)) if convention == plain else self._corrections
        dft, own, done = bring_together(
            table["energy"].to_numpy(),
            energies,
            corrections,
            reference_convention=plain,
            model_convention=convention,
        )
        settings = {
            "model": name,
            "fingerprint": model.fingerprint,
            "level_of_theory_model": model.card.level_of_theory,
            "level_of_theory_reference": library.level_of_theory,
            "energy_convention": convention,
            "corrections": done,
            "geometry": "DFT's, single point",
            "digest": library.digest,
            "left_out": [table["id"].iloc[k] for k in np.flatnonzero(~good)],
        }
        return compare(table.assign(energy=dft)[good], own[good], settings)

    def whole(self, model: EnergyModel) -> bool:
        """Whether the model failed at no crystal, as far as it was asked in this process."""
        name = model.card.name
        left_out = name in self._tables and self._tables[name].attrs["settings"]["left_out"]
        return not left_out and not any(
            row["failed"] for row in self._relaxed.get(name, {}).values()
        )

    def missing(self, model: EnergyModel, material: str, name: str) -> list[str]:
        """Return the ids of a case's crystals of which the model gave no energy.

        Parameters
        ----------
        material, name
            As those of `HullCase`.
        """
        from symscape.hull.phases import select_system
        from symscape.hull.statistics import with_classes

        left_out = set(self.table(model).attrs["settings"]["left_out"])
        own = self._described
        if name == HULL:
            own = select_system(own, material)
        elif name == CONTRACTS:
            own = own[own["system"] == material]
        elif material == ALL_CRYSTALS and name != ALL:
            column, _, group = name.partition("-")
            own = own[with_classes(own)[f"{column}_class"] == group]
        return [crystal for crystal in own["id"] if crystal in left_out]

    def system(self, model: EnergyModel, system: str) -> pd.DataFrame:
        """Return the crystals of a chemical system and its subsystems."""
        from symscape.hull.phases import select_system

        return select_system(self.table(model), system)

    def relaxed(self, model: EnergyModel, system: str) -> pd.DataFrame:
        """Return the crystals of a system after the model has relaxed them."""
        import pandas as pd

        from symscape.hull.phases import energies_above_hull
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
            above = energies_above_hull(made, f"energy_{kind}")
            made[f"error_{kind}"] = 1000 * (above - made["above_hull_dft"])
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
        others = [c.material for c in cases if (c.question, c.model) == ("relaxation", model)]
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
    material
        The chemical system, or ``crystals`` for many.
    name
        ``hull``, ``all`` or a symmetry class: ``n_wyckoff-3-4``.
    """

    hulls: HullSession
    model: EnergyModel
    material: str
    name: str

    def judge_hull(self) -> CaseResult:
        """Compare the system's hull and the order of its polymorphs with DFT's."""
        from symscape.verdict.hull import judge_hull

        def judge(**known: Any) -> CaseResult:
            return judge_hull(self.hulls.system(self.model, self.material), self.material, **known)

        return self._once("hull", judge)

    def judge_stability(self) -> CaseResult:
        """Compare whom model and DFT call stable, over all systems."""
        from symscape.verdict.hull import judge_stability

        def judge(**known: Any) -> CaseResult:
            return judge_stability(self.hulls.table(self.model), **known)

        return self._once("stability", judge)

    def judge_underprediction(self) -> CaseResult:
        """Judge the bias of the class; elements that define the zero are left out."""
        from symscape.hull.statistics import with_classes
        from symscape.verdict.hull import judge_underprediction

        def judge(**known: Any) -> CaseResult:
            table = with_classes(self.hulls.table(self.model))
            column, _, name = self.name.partition("-")
            own = table[table[f"{column}_class"] == name]
            zero = (own["chemistry"] == "element") & (own["formation_dft"] == 0)
            return judge_underprediction(own[~zero], self.name, **known)

        return self._once("underprediction", judge)

    def judge_relaxation(self) -> CaseResult:
        """Judge what becomes of the system's crystals when the model relaxes them.

        Skipped where the model has no forces or no stress.
        """
        from symscape.verdict.hull import judge_relaxation

        limits = self.hulls.session.tolerances.case(
            "relaxation", material=self.material, slice=self.name, model=self.model.card.name
        )
        near = limits.settings.get("near", 25.0)

        def judge(**known: Any) -> CaseResult | None:
            if not self._has_forces():
                return None
            made = self.hulls.relaxed(self.model, self.material)
            known["missing"] = [*known["missing"], *made.attrs["not_relaxed"]]
            return judge_relaxation(made, self.material, near_meV=near, **known)

        return self._once("relaxation", judge)

    def judge_invariance(self) -> CaseResult:
        """Check on each crystal that its energy does not depend on how it is written down."""
        from symscape.contracts.catalogue import ENERGY_CONTRACTS

        # steps where neighbours come and go are looked for along the slices, which move atoms
        contracts = {k: v for k, v in ENERGY_CONTRACTS.items() if k != "smoothness"}
        judge = partial(self._contracts, "crystal_invariance", contracts)
        return self._once("crystal_invariance", judge)

    def judge_conservative_forces(self) -> CaseResult:
        """Check on each crystal that forces and stress are derivatives of the energy.

        Skipped where the model has no forces or no stress.
        """
        from symscape.contracts.catalogue import FORCE_CONTRACTS

        def judge(**known: Any) -> CaseResult | None:
            if not self._has_forces():
                return None
            return self._contracts("crystal_forces", FORCE_CONTRACTS, **known)

        return self._once("crystal_forces", judge)

    def _contracts(
        self, question: str, contracts: Mapping[str, CrystalContract], **known: Any
    ) -> CaseResult:
        from symscape.contracts.kept import check_crystal_once
        from symscape.verdict.hull import judge_contracts

        potential = self.hulls.session.evaluator(self.model)
        results = {
            crystal.id: check_crystal_once(potential, crystal.crystal, contracts)
            for crystal in self.hulls.library.crystals
            if crystal.system == self.material
        }
        return judge_contracts(question, self.material, results, **known)

    def _missing(self) -> list[str]:
        """Ids of the crystals of this case that the model has no energy of."""
        return self.hulls.missing(self.model, self.material, self.name)

    def _has_forces(self) -> bool:
        return {"forces", "stress"} <= self.model.implements

    def _once(self, question: str, judge: Callable[..., CaseResult | None]) -> CaseResult:
        """Judge, unless an earlier run has; skip the test where there is nothing to ask."""
        hulls, tolerances = self.hulls, self.hulls.session.tolerances

        def judged(**known: Any) -> CaseResult | None:
            known |= {"tolerances": tolerances, "digest": hulls.digest}
            if "missing" not in known:
                known["missing"] = self._missing()
            return judge(**known)

        asked = Asked(question, self.material, self.name, self.model, tolerances, hulls.digest)
        result = judge_once(asked, hulls.session.cache, judged, lambda: hulls.whole(self.model))
        if result is None:
            pytest.skip("the model has no forces or no stress")
        return result
