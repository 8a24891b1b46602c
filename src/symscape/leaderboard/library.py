"""What a leaderboard holds models against: references, crystals, and every case that they give.

The set of cases comes from here, never from results files: a submission can neither leave out what
it fails nor add what nobody else was asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from symscape.leaderboard.flat import FlatPotential
from symscape.leaderboard.judged import text_digest
from symscape.questions.case import CaseResult
from symscape.questions.occasions import crystal_subjects, curve_subjects
from symscape.questions.registry import QUESTIONS
from symscape.questions.subjects import Subject, subject_of
from symscape.references.crystal_files import find_crystal_files
from symscape.references.reference import LandscapeReference
from symscape.results.run_results import ReferenceSummary, summarize_reference
from symscape.verdict.tolerances import load_tolerances

if TYPE_CHECKING:
    import pandas as pd

    from symscape.references.crystals import CrystalLibrary
    from symscape.references.equations import EquationsOfState


class Asked(NamedTuple):
    """One question about one slice, chemical system or class of crystals."""

    question: str
    material: str
    slice: str

    def __str__(self) -> str:
        return f"{self.question} of {self.subject.id}"

    @property
    def subject(self) -> Subject:
        """What it is about."""
        return subject_of(self.material, self.slice)


def asked_of(case: CaseResult) -> Asked:
    """Return what a case was asked."""
    return Asked(case.question, case.material, case.slice)


@dataclass(frozen=True, eq=False)
class Library:
    """The references of a leaderboard.

    Parameters
    ----------
    references
        Every slice, sorted by name.
    crystals
        The relaxed crystals; None where there are none.
    equations
        Equations of state; None where there are none.
    """

    references: tuple[LandscapeReference, ...]
    crystals: CrystalLibrary | None = None
    equations: EquationsOfState | None = None

    @cached_property
    def by_slice(self) -> dict[tuple[str, str], LandscapeReference]:
        """References by material and slice."""
        return {(r.material, r.slice.name): r for r in self.references}

    @cached_property
    def summaries(self) -> dict[str, ReferenceSummary]:
        """What a results file must say of each slice, by its id."""
        return {reference.id: summarize_reference(reference) for reference in self.references}

    @property
    def levels_of_theory(self) -> tuple[str, ...]:
        """Levels of theory of slices and crystals, sorted."""
        crystals = {self.crystals.level_of_theory} if self.crystals else set()
        return tuple(sorted({r.level_of_theory for r in self.references} | crystals))

    @property
    def crystals_digest(self) -> str:
        """SHA-256 of the files of crystals; empty where there are none."""
        return self.crystals.digest if self.crystals else ""

    @property
    def curves_digest(self) -> str:
        """SHA-256 of the equations of state; empty where there are none."""
        return self.equations.about.digest if self.equations else ""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that the library holds."""
        slices = (f"{r.id} {r.digest}" for r in self.summaries.values())
        return text_digest(*slices, self.crystals_digest, self.curves_digest)

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """Every case of the leaderboard that the library gives occasion for."""
        slices = [
            Asked(question, reference.material, reference.slice.name)
            for reference in self.references
            for question in asked_questions(reference)
        ]
        return (*slices, *self._asked_of_crystals(scored=True), *self._about_curves)

    @cached_property
    def known(self) -> frozenset[Asked]:
        """Every case that a run can have: those of the leaderboard and those that do not count."""
        slices = {
            Asked(question.name, reference.material, reference.slice.name)
            for reference in self.references
            for question in QUESTIONS.values()
            if question.about == "slices" and not question.scoring
        }
        return frozenset({*self.asked, *slices, *self._asked_of_crystals(scored=False)})

    @cached_property
    def _about_curves(self) -> tuple[Asked, ...]:
        """Cases about equations of state."""
        return tuple(
            Asked(question.name, subject.material, subject.slice)
            for question in QUESTIONS.values()
            for subject in curve_subjects(question.subject, self.equations)
        )

    def _asked_of_crystals(self, *, scored: bool) -> list[Asked]:
        entries = list(self.crystals.crystals) if self.crystals else []
        return [
            Asked(question.name, subject.material, subject.slice)
            for question in QUESTIONS.values()
            if question.about == "crystals" and bool(question.scoring) == scored
            for subject in crystal_subjects(question.subject, entries)
        ]

    @cached_property
    def described(self) -> pd.DataFrame:
        """The crystals' formulas, symmetries and DFT energies, one row each."""
        from symscape.science.hull.table import crystal_table

        return crystal_table(self.crystals.crystals if self.crystals else ())

    @cached_property
    def corrections(self) -> np.ndarray:
        """MP2020's corrections of the crystals, eV/atom, shape (n_crystals,)."""
        from symscape.science.hull.conventions import mp2020_corrections

        crystals = self.crystals.crystals if self.crystals else ()
        return mp2020_corrections(crystal.to_atoms() for crystal in crystals)


def load_library(folders: Iterable[str | Path]) -> Library:
    """Load and check all references and crystals of some folders.

    Raises
    ------
    ReferenceFileError
        If a folder is not there or a file is refused.
    """
    from symscape.references.crystals import load_crystals
    from symscape.references.equations import load_equations
    from symscape.references.landscape_files import load_reference
    from symscape.references.library import find_references

    folders = [Path(folder) for folder in folders]
    references = tuple(load_reference(entry.path) for entry in find_references(folders))
    crystals = load_crystals(folders) if find_crystal_files(folders) else None
    return Library(references, crystals, load_equations(folders))


def asked_questions(reference: LandscapeReference) -> list[str]:
    """Return the questions of the leaderboard that a slice gives occasion for.

    Saddles are asked only where DFT has one between two minima, forces where DFT's are stored.
    """
    return [
        question
        for question, known in QUESTIONS.items()
        if known.scoring
        and known.about == "slices"
        and (question != "saddles" or _has_saddles(reference))
        and (question != "forces" or _has_forces(reference))
    ]


def _has_saddles(reference: LandscapeReference) -> bool:
    """Judge DFT by itself: without a saddle there is nothing to judge."""
    from symscape.questions.saddles import judge_saddles

    tolerances = load_tolerances("default")
    return judge_saddles(reference, reference.energies, tolerances, model="DFT") is not None


def _has_forces(reference: LandscapeReference) -> bool:
    """Hold a model without any forces against DFT: how many can be compared?"""
    from symscape.science.landscape.forces import compare_forces

    return compare_forces(reference, FlatPotential(), window=0.5).compared > 0
