"""Results files to one board: found, loaded, and refused where they can't be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from symscape.errors import ResultsFileError
from symscape.leaderboard.anchors import Anchors
from symscape.leaderboard.judged import Judged, text_digest
from symscape.leaderboard.library import Asked, Library
from symscape.leaderboard.provenance import Provenance
from symscape.leaderboard.timing import Timings
from symscape.questions.case import CaseResult
from symscape.questions.crystal_cases import MadeBy
from symscape.questions.registry import QUESTIONS
from symscape.questions.subjects import AllCrystals, Subject, subject_of
from symscape.results.files import load_results
from symscape.results.run_results import ReferenceSummary, RunResults
from symscape.verdict.tolerances import PROFILES


@dataclass(frozen=True, eq=False)
class Entry:
    """One run and the file that it was read from."""

    run: RunResults
    path: Path

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.run.model.name

    @property
    def suite(self) -> str:
        """Version of symscape that made the run."""
        return self.run.versions.get("symscape", "unknown")


@dataclass(frozen=True, eq=False)
class Aside:
    """A run that can't be compared with the others, and why, as half a sentence."""

    entry: Entry
    reason: str


@dataclass(frozen=True)
class Unit:
    """What questions are asked of: a slice, or crystals.

    Parameters
    ----------
    material, slice
        As in the cases: ``PbTiO3-P4mm`` and ``Ti_z-O_z``, ``Mg-Si`` and ``hull``.
    reference
        The slice; None for crystals.
    """

    material: str
    slice: str
    reference: ReferenceSummary | None = None

    @property
    def id(self) -> str:
        """``PbTiO3-P4mm-Ti_z-O_z``, ``Mg-Si-hull``."""
        return f"{self.material}-{self.slice}"

    @property
    def title(self) -> str:
        """The material in words: ``Mg-Si``, ``group 4``, ``all crystals``."""
        if self.material == AllCrystals.material:
            return "all crystals"
        return self.material.replace("-", " ") if self.subject.about == "curves" else self.material

    @property
    def subject(self) -> Subject:
        """What it is."""
        return subject_of(self.material, self.slice)

    @property
    def label(self) -> str:
        """Short name of the material: ``PbTiO3``, ``Mg-Si``, ``group 4``."""
        return self.reference.formula if self.reference else self.title

    @property
    def elements(self) -> tuple[str, ...]:
        """Chemical symbols of the crystal or the chemical system; none for all crystals."""
        if self.reference:
            return tuple(dict.fromkeys(re.findall("[A-Z][a-z]?", self.reference.formula)))
        return self.subject.elements


@dataclass(frozen=True, eq=False)
class Board:
    """Runs that can be compared: one suite version, one version of each reference.

    Parameters
    ----------
    entries
        Sorted by the name of the model.
    asides
        Runs of other versions, which are shown but not ranked.
    library
        What the runs are held against, and what all of them are asked. None where there are only
        the runs: then all are asked what any of them answered.
    provenance
        By the name of the model, where it is known.
    held_back
        Scores between 0 and 1 on references that only the keeper has, by the name of the model.
    judged
        What was worked out before of the same library; None where all is done anew.
    timings
        What a structure costs each model, taken on one machine; None where nobody took it.
    """

    entries: tuple[Entry, ...]
    asides: tuple[Aside, ...] = ()
    library: Library | None = None
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    held_back: Mapping[str, float] = field(default_factory=dict)
    judged: Judged | None = None
    timings: Timings | None = None

    @property
    def suite(self) -> str:
        """Version of symscape that made the runs."""
        return self.entries[0].suite

    @cached_property
    def references(self) -> tuple[ReferenceSummary, ...]:
        """Every slice that any of the runs was made on, sorted by name.

        A run that lacks one of them did not answer there.
        """
        found = {r.id: r for entry in self.entries for r in entry.run.references}
        return tuple(found[key] for key in sorted(found))

    @cached_property
    def anchors(self) -> Anchors | None:
        """The models that know everything and nothing of the library; None without one."""
        return Anchors(self.library) if self.library is not None else None

    @cached_property
    def not_run(self) -> tuple[str, ...]:
        """Slices of the library that no run knows yet: nobody is asked there."""
        known = {reference.id for reference in self.references}
        return tuple(sorted(set(self.library.summaries) - known)) if self.library else ()

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """Everything that is asked about: the slices first, then crystals, sorted by name."""
        slices = [Unit(r.material, r.slice, r) for r in self.references]
        answered = (case for entry in self.entries for case in entry.run.cases)
        asked: Iterable[CaseResult | Asked] = self.library.asked if self.library else ()
        crystals = {
            (case.material, case.slice) for case in (*asked, *answered) if _about_crystals(case)
        }
        return (*slices, *(Unit(*key) for key in sorted(crystals)))

    @cached_property
    def units_digest(self) -> str:
        """SHA-256 of the names of everything that is asked about."""
        return text_digest(*(unit.id for unit in self.units))

    @cached_property
    def materials(self) -> tuple[str, ...]:
        """Materials of the slices, sorted."""
        return tuple(sorted({r.material for r in self.references}))

    @cached_property
    def levels_of_theory(self) -> tuple[str, ...]:
        """Levels of theory of the references, of slices and crystals, sorted."""
        if self.library is not None:
            return self.library.levels_of_theory
        cases = (case for entry in self.entries for case in entry.run.cases)
        kept = (case.kept(MadeBy) for case in cases)
        levels = (detail.settings.level_of_theory_reference for detail in kept if detail)
        stated = {level for level in levels if level}
        return tuple(sorted({r.level_of_theory for r in self.references} | stated))

    def same_theory(self, entry: Entry) -> bool:
        """Whether a model was trained on the level of theory of every reference."""
        return theory_agrees(entry.run.model.level_of_theory, self.levels_of_theory)


def _about_crystals(case: CaseResult | Asked) -> bool:
    """Whether a case asks about crystals, or their equations of state, rather than a slice."""
    question = QUESTIONS.get(case.question)
    return question is not None and question.about != "slices"


def theory_agrees(model: str, references: Iterable[str]) -> bool:
    """Whether a level of theory is that of all references."""
    return all(model.casefold() == level.casefold() for level in references)


def find_results(paths: Iterable[str | Path]) -> list[Path]:
    """List the results files that paths stand for, each once.

    A file stands for itself; a folder for the first of these that it has: its ``results.json``,
    those of its subfolders (``reports/``), the files in its ``results/`` (``reports/leaderboard``),
    its own JSON files.

    Raises
    ------
    ResultsFileError
        If a path does not exist or a folder holds no results.
    """
    found: dict[Path, Path] = {}
    for path in map(Path, paths):
        files = [path]
        if path.is_dir():
            patterns = ("results.json", "*/results.json", "results/*.json", "*.json")
            candidates = (sorted(path.glob(pattern)) for pattern in patterns)
            files = next(filter(None, candidates), [])
        elif not path.exists():
            raise ResultsFileError(f"{path}: there is no such results file or report folder.")
        if not files:
            raise ResultsFileError(f"{path}: this folder holds no results.json; run the suite.")
        found.update((file.resolve(), file) for file in files)
    return list(found.values())


def filed_results(board: Path) -> list[Path]:
    """List the results files of a leaderboard's own folder; none where there is none yet."""
    return sorted((board / "results").glob("*.json"))


def load_board(
    paths: Iterable[str | Path], library: Library | None = None, *, separate: bool = False
) -> Board:
    """Load results files and check that they can be compared.

    Parameters
    ----------
    paths
        Results files or folders, in any order.
    library
        What the runs are held against: each is audited (`symscape.leaderboard.audit`), and its
        numbers are those that follow from its energies. Without one the newest run sets the version
        of the suite and of each reference, and numbers are believed.
    separate
        Set runs that can't be compared aside instead of refusing them.

    Raises
    ------
    ResultsFileError
        If a file can't be read, two are of one model, or, without ``separate``, one can't be
        compared with the others or does not follow from its own energies.
    """
    return make_board(read_entries(paths), library, separate=separate)


def read_entries(paths: Iterable[str | Path]) -> list[Entry]:
    """Load results files, one a model.

    Raises
    ------
    ResultsFileError
        If a file can't be read, there is none, or two are of one model.
    """
    entries = [Entry(load_results(path), path) for path in find_results(paths)]
    if not entries:
        raise ResultsFileError("A leaderboard needs at least one results file.")
    _refuse_twice(entries)
    return entries


def make_board(
    entries: list[Entry],
    library: Library | None = None,
    *,
    separate: bool = False,
    provenance: Mapping[str, Provenance] | None = None,
    judged: Judged | None = None,
    jobs: int = 1,
) -> Board:
    """Check that runs can be compared; as `load_board`, with audits in several processes.

    Parameters
    ----------
    judged
        What was worked out before: files that it knows are not recomputed.
    """
    if library is None or (judged is not None and judged.library != library.digest):
        judged = None
    # oldest first with a library, where the first to show a model's numbers keeps them
    entries = sorted(entries, key=lambda entry: entry.name)
    entries.sort(key=lambda entry: entry.run.started, reverse=library is None)
    compared = _compared(entries) if library is None else _audited(entries, library, judged, jobs)
    kept: list[Entry] = []
    asides: list[Aside] = []
    for entry, reason in compared:
        if reason and not separate:
            cause, advice = _advised(reason)
            raise ResultsFileError(
                f"{entry.path}: {cause}, so it can't be ranked with the others; {advice}, or set "
                "such runs apart with --separate."
            )
        if reason:
            asides.append(Aside(entry, reason))
        else:
            kept.append(entry)
    if not kept:
        cause, advice = _advised(asides[0].reason)
        raise ResultsFileError(f"{asides[0].entry.path}: {cause}, and no run is left; {advice}.")
    kept.sort(key=lambda entry: entry.name)
    asides.sort(key=lambda aside: aside.entry.name)
    return Board(tuple(kept), tuple(asides), library, provenance or {}, judged=judged)


def _advised(reason: str) -> tuple[str, str]:
    """Return what is wrong with a run, and what to do."""
    cause, _, advice = reason.partition("; ")
    return cause, advice or "run the suite again"


def _audited(
    entries: list[Entry], library: Library, judged: Judged | None, jobs: int
) -> Iterator[tuple[Entry, str]]:
    """Yield each entry with its numbers worked out again, and the first reason to refuse it."""
    from symscape.leaderboard.audit import audit_all, with_own_references
    from symscape.leaderboard.copies import copied_from

    known = {e.name for e in entries if judged is not None and judged.has(e.name, e.path)}
    others = iter(audit_all([e.run for e in entries if e.name not in known], library, jobs))
    kept: list[RunResults] = []
    for entry in entries:
        if entry.name in known:
            run = with_own_references(entry.run, library)
            kept.append(run)
            yield Entry(run, entry.path), ""
            continue
        found = next(others)
        reason = found.problems[0] if found.problems else copied_from(entry.run, kept)
        if not reason:
            kept.append(entry.run)
        yield Entry(found.run, entry.path), reason


def _compared(entries: list[Entry]) -> Iterator[tuple[Entry, str]]:
    """Yield each entry with the reason why it can't be compared with the newer ones."""
    kept: list[Entry] = []
    digests: dict[str, tuple[str, Entry]] = {}
    for entry in entries:
        reason = _difference(entry, kept, digests)
        yield entry, reason
        if not reason:
            kept.append(entry)
            for name, digest in _digests(entry.run):
                digests.setdefault(name, (digest, entry))


def _refuse_twice(entries: list[Entry]) -> None:
    known: dict[str, Entry] = {}
    for entry in entries:
        if entry.name in known:
            raise ResultsFileError(
                f"{entry.path}: {entry.name} has another results file, {known[entry.name].path}; "
                "give one of the two, or name one model differently with --mlip-name."
            )
        known[entry.name] = entry


def _difference(entry: Entry, kept: list[Entry], digests: dict[str, tuple[str, Entry]]) -> str:
    """Say why a run can't be compared with the newer ones; empty if it can."""
    if entry.run.tolerances not in PROFILES:
        return (
            f"run with tolerances of its own ({entry.run.tolerances}), whose windows and "
            f"thresholds may differ from those of {', '.join(PROFILES)}"
        )
    if kept and entry.suite != kept[0].suite:
        return f"made by symscape {entry.suite}, {kept[0].name} by {kept[0].suite}"
    for name, digest in _digests(entry.run):
        known, other = digests.get(name, (digest, entry))
        if known != digest:
            return (
                f"judged by another version of the reference {name} ({digest[:8]}) than "
                f"{other.name} ({known[:8]})"
            )
    return ""


def _digests(run: RunResults) -> Iterator[tuple[str, str]]:
    """Yield every reference of a run with its digest; crystals are one, their curves another."""
    for reference in run.references:
        yield reference.id, reference.digest
    for case in run.cases:
        if _about_crystals(case) and case.notes.digest:
            yield QUESTIONS[case.question].about, case.notes.digest
