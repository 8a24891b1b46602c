"""What the cases of one process share: references, models, energies, tolerances."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import pytest

from symscape.errors import ModelError, ReferenceFileError
from symscape.models.several import resolve_all
from symscape.references.crystal_files import find_crystal_files, list_crystals
from symscape.references.library import ReferenceEntry, find_references, select_materials
from symscape.references.manifest import refuse_changed
from symscape.suite.choices import SuiteSettings, read_settings
from symscape.verdict.tolerances import Tolerances, load_tolerances

if TYPE_CHECKING:
    from symscape.models.base import EnergyModel
    from symscape.models.cache import EnergyCache
    from symscape.models.evaluate import Evaluator, Progress
    from symscape.questions.case import CaseResult
    from symscape.questions.question import Question
    from symscape.questions.subjects import Subject
    from symscape.references.crystal_files import CrystalEntry
    from symscape.references.equations import EquationsOfState
    from symscape.references.reference import LandscapeReference
    from symscape.science.landscape.slice_energies import SliceEvaluation
    from symscape.verdict.gate import Baseline
    from symscape.verdict.known_failures import KnownFailure


class SuiteSession:
    """References, models and energies, each loaded once, when first needed."""

    def __init__(self, config: pytest.Config, settings: SuiteSettings):
        self.config = config
        self.settings = settings
        self.started = time.time()
        self._references: dict[str, LandscapeReference] = {}
        self._verified = False
        self._evaluators: dict[str, Evaluator] = {}
        self._evaluations: dict[tuple[str, str], SliceEvaluation] = {}
        # files and names are checked before the first case runs, not in the middle
        self.tolerances: Tolerances = load_tolerances(settings.tolerances)
        # no package is imported yet
        self.models: dict[str, EnergyModel] = resolve_all(settings.models)
        self.baselines: dict[str, Baseline] = self._load_baselines()

    def _load_baselines(self) -> dict[str, Baseline]:
        """Load the earlier run of each model, if one was named."""
        wanted = self.settings
        if wanted.baseline is None:
            return {}
        from symscape.results.baselines import load_baseline

        return {
            model: load_baseline(
                wanted.baseline, model, self.config.rootpath, wanted.baseline_margin
            )
            for model in self.models
        }

    def known_failure(
        self, question: str, model: str, material: str, slice: str
    ) -> KnownFailure | None:
        """Return the declaration that a case is known to fail, expired or not."""
        return self.tolerances.known_failure(question, material=material, slice=slice, model=model)

    def judged(self, result: CaseResult) -> CaseResult:
        """Return a result as the run judges it: by the baseline, if there is one."""
        known = self.known_failure(result.question, result.model, result.material, result.slice)
        expected = known is not None and not known.expired(date.today())
        if known is not None:
            notes = replace(
                result.notes,
                known_failure=known.reason,
                known_failure_expires=known.expires.isoformat(),
            )
            if not expected:
                over = f"declared a known failure until {known.expires}, which is over"
                notes = replace(notes, warnings=(*result.warnings, f"{over}: {known.reason}"))
            result = replace(result, notes=notes)
        baseline = self.baselines.get(result.model)
        if baseline is None:
            return result
        reference = self._references.get(f"{result.material}-{result.slice}")
        # a case about crystals carries the digest of its files itself
        digest = reference.digest if reference else result.notes.digest or ""
        judged = baseline.judge(result, digest)
        # a known failure that did not change must not look repaired
        return replace(judged, status=result.status) if expected else judged

    @property
    def model_names(self) -> list[str]:
        """Names of the models, in the order in which they were asked for."""
        return list(self.models)

    @cached_property
    def entries(self) -> list[ReferenceEntry]:
        """The stored slices that were chosen; none has been read but for its digest."""
        self._refuse_changed()
        entries = find_references(self.settings.references)
        if not entries:
            folders = ", ".join(map(str, self.settings.references))
            raise ReferenceFileError(
                f"{folders}: no references here; a slice is <folder>/<material>/<slice>.json."
            )
        if self.settings.materials:
            others = {path.stem for path in find_crystal_files(self.settings.references)}
            others |= self.curve_materials
            return select_materials(
                entries, [name for name in self.settings.materials if name not in others]
            )
        return entries

    @cached_property
    def crystals(self) -> list[CrystalEntry]:
        """The stored crystals that were chosen, unchecked; with materials only systems named so."""
        self._refuse_changed()
        entries = list_crystals(self.settings.references)
        wanted = set(self.settings.materials)
        return [entry for entry in entries if not wanted or entry.system in wanted]

    def _refuse_changed(self) -> None:
        """Refuse references that are not what their library's manifest says, once a process."""
        if not self._verified:
            refuse_changed(self.settings.references)
            self._verified = True

    @cached_property
    def equations(self) -> EquationsOfState | None:
        """The stored equations of state, checked; None where there are none."""
        from symscape.references.equations import load_equations

        return load_equations(self.settings.references)

    def curve_subjects(self, question: Question) -> list[Subject]:
        """Return what was chosen of groups and prototypes; all without ``--material``."""
        from symscape.questions.occasions import curve_subjects

        wanted = set(self.settings.materials)
        found = curve_subjects(question.subject, self.equations)
        return [subject for subject in found if not wanted or subject.material in wanted]

    @cached_property
    def curve_materials(self) -> set[str]:
        """Names of all groups and prototypes."""
        from symscape.questions.curve_subjects import all_curve_subjects

        return {subject.material for subject in all_curve_subjects(self.equations)}

    def unused_overrides(self) -> list[str]:
        """Say which materials the tolerances name that are not stored: typing errors, probably."""
        from symscape.questions.subjects import AllCrystals

        stored = {entry.material for entry in find_references(self.settings.references)}
        stored |= {entry.system for entry in list_crystals(self.settings.references)}
        stored |= {AllCrystals.material, *self.curve_materials}
        patterns = [table.patterns for table in self.tolerances.overrides]
        patterns += [known.patterns for known in self.tolerances.known_failures]
        named = dict.fromkeys(p["material"] for p in patterns if "material" in p)
        return [
            f"tolerances {self.tolerances.name}: no stored material fits {pattern!r}; check the "
            "spelling."
            for pattern in named
            if not any(fnmatchcase(material, pattern) for material in stored)
        ]

    def missing(self, model: str) -> str | None:
        """Return why a model can't run, or None.

        Raises
        ------
        ModelError
            If the user named the model: then what is missing is an error, not a skip.
        """
        try:
            self.models[model].check_installed()
        except ModelError as error:
            if self.settings.explicit:
                raise
            return str(error)
        return None

    @cached_property
    def cache(self) -> EnergyCache | None:
        """The energies kept on disk; with ``--no-cache`` None, or what the run's workers share."""
        from symscape.suite.run_cache import shared_folder

        folder = self.settings.cache_dir
        if not self.settings.use_cache:
            folder = shared_folder(self.config)
            if folder is None:
                return None
        from symscape.models.cache import EnergyCache

        return EnergyCache(folder)

    def reference(self, entry: ReferenceEntry) -> LandscapeReference:
        """Load a stored slice, once."""
        if entry.id not in self._references:
            from symscape.references.landscape_files import load_reference

            self._references[entry.id] = load_reference(entry.path)
        return self._references[entry.id]

    def evaluator(self, model: EnergyModel) -> Evaluator:
        """Return what asks a model, one for the whole run: batches teach it what fits."""
        name = model.card.name
        if name not in self._evaluators:
            from symscape.models.evaluate import Evaluator
            from symscape.suite.progress_lines import announce

            timeout = self.settings.point_timeout
            self._evaluators[name] = Evaluator(
                model,
                self.cache,
                point_timeout=timeout,
                loading=partial(announce, self.config, f"{name}: loading the model"),
            )
        return self._evaluators[name]

    def evaluate(self, model: EnergyModel, reference: LandscapeReference) -> SliceEvaluation:
        """Return a model's energies on a slice, evaluated once in a run whoever asks.

        Several processes wait for each other on one slice: the second finds the energies cached.
        """
        key = (model.card.name, reference.id)
        if key not in self._evaluations:
            from symscape.science.landscape.slice_energies import evaluate_slice
            from symscape.suite.progress_lines import progress_line

            with (
                self.lock(f"{model.card.name}-{reference.id}"),
                progress_line(self.config, f"{model.card.name} {reference.id}") as progress,
            ):
                self._ask_for_forces_too(model, reference, progress)
                self._evaluations[key] = evaluate_slice(
                    self.evaluator(model), reference.slice, reference.valid, progress=progress
                )
        return self._evaluations[key]

    def _ask_for_forces_too(
        self, model: EnergyModel, reference: LandscapeReference, progress: Progress | None
    ) -> None:
        """Ask for forces first where the run will compare them: energies come with them.

        Not where times are to be those of energies alone, nor where nothing would be kept.
        """
        import numpy as np

        from symscape.questions.forces import FORCES, compared_window
        from symscape.science.landscape.forces import compared_points, wants_stresses
        from symscape.suite.roll import roll_of
        from symscape.verdict.roll_call import CaseName

        name = CaseName(FORCES.name, model.card.name, reference.material, reference.slice.name)
        kept = self.settings.use_cache and model.cacheable
        if not kept or name not in roll_of(self.config).cases.values():
            return
        asked = self.evaluator(model)
        if "forces" not in asked.implements:
            return
        window = compared_window(name.material, name.slice, name.model, self.tolerances)
        points = np.flatnonzero(compared_points(reference, window))
        if len(points):
            asked.evaluate(
                reference.slice.structures()[points],
                forces=True,
                stresses=wants_stresses(reference, asked),
                progress=progress,
            )

    def failures(self, model: EnergyModel, reference: LandscapeReference) -> dict[Any, str]:
        """Return the grid points of a slice at which a model failed in this run, with reasons."""
        found = self._evaluations.get((model.card.name, reference.id))
        return found.failures if found else {}

    def lock(self, name: str) -> Any:
        """One process at a time, where several share a cache."""
        if self.cache is None or not hasattr(self.config, "workerinput"):
            return nullcontext()
        from filelock import FileLock

        folder = self.cache.folder / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / f"{name}.lock")


#: on the config
_KEY = pytest.StashKey[SuiteSession]()


def session_of(config: pytest.Config) -> SuiteSession:
    """Return the session of this process, made at the first call."""
    if _KEY not in config.stash:
        config.stash[_KEY] = SuiteSession(config, read_settings(config))
    return config.stash[_KEY]
