"""Whether a results file may stand on the leaderboard, as far as no model is needed to tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import metadata

from symscape.leaderboard.copies import dft_copied, first_names
from symscape.leaderboard.library import Library, asked_of
from symscape.leaderboard.recompute import recompute
from symscape.questions.registry import QUESTIONS
from symscape.results.run_results import ReferenceSummary, RunResults
from symscape.verdict.tolerances import PROFILES

#: what to do with a run of other slices or crystals
_OTHER_LIBRARY = (
    "run the suite on the library's, or rank runs on data of your own by their own numbers with "
    "symscape leaderboard --believe"
)
#: clocks and time zones may be off by so much
_CLOCKS = timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Audited:
    """A run with its numbers worked out again.

    Parameters
    ----------
    run
        The run, every number that its energies and the library decide recomputed.
    problems
        What keeps it from the leaderboard, half sentences.
    """

    run: RunResults
    problems: tuple[str, ...]


def audit(run: RunResults, library: Library, now: datetime | None = None) -> Audited:
    """Hold a run against the library and against itself."""
    again = recompute(run, library)
    problems = (
        *_origin(run, now or datetime.now(UTC)),
        *_subjects(run, library),
        *again.problems,
        *dft_copied(again.run, library),
    )
    return Audited(with_own_references(again.run, library), problems)


def with_own_references(run: RunResults, library: Library) -> RunResults:
    """Return a run with the library's slices: what is drawn of one is not what a file says."""
    references = tuple(library.summaries.get(r.id, r) for r in run.references)
    return replace(run, references=references)


def audit_all(runs: Sequence[RunResults], library: Library, jobs: int = 1) -> list[Audited]:
    """Audit runs in several processes; one after the other where there are few."""
    from functools import partial

    from symscape.page.processes import do_all

    return do_all(partial(audit, library=library), runs, jobs=jobs)


def _origin(run: RunResults, now: datetime) -> Iterator[str]:
    """Say what is wrong with when, how and by what a run was made."""
    started = datetime.fromisoformat(run.started)
    started = started if started.tzinfo else started.replace(tzinfo=UTC)
    if started > now + _CLOCKS:
        yield f"begun on {started.date()}, a day to come; run the suite again"
    if run.tolerances not in PROFILES:
        yield (
            f"run with tolerances of its own ({run.tolerances}), whose windows and thresholds may "
            f"differ from those of {', '.join(PROFILES)}; run the suite with one of these"
        )
    here, there = metadata.version("symscape"), run.versions.get("symscape", "unknown")
    if here != there:
        yield f"made by symscape {there}, but this is {here}; run the suite again"
    others = {case.fingerprint for case in run.cases} - {run.fingerprint, ""}
    if others or not run.fingerprint:
        yield (
            f"cases of other weights than the run's ({run.fingerprint[:12] or 'none stated'}): "
            f"{first_names([other[:12] for other in sorted(others)])}; run the suite at once"
        )


def _subjects(run: RunResults, library: Library) -> Iterator[str]:
    """Say which subjects are not those of the library."""
    gone = [r.id for r in run.references if r.id not in library.summaries]
    if gone:
        yield f"judged by {first_names(gone)}, which the library does not hold; {_OTHER_LIBRARY}"
    both = [r for r in run.references if r.id in library.summaries]
    changed = [r.id for r in both if r.digest != library.summaries[r.id].digest]
    if changed:
        names = first_names(changed)
        yield f"judged by another version of the reference {names}; run the suite again"
    edited = [
        r.id for r in both if r.id not in changed and _facts(r) != _facts(library.summaries[r.id])
    ]
    if edited:
        yield f"says other things of {first_names(edited)} than the library; run the suite again"
    cases = [(asked_of(case), case) for case in run.cases]
    unknown = [str(asked) for asked, _ in cases if asked not in library.known]
    if unknown:
        yield f"answers what the library does not ask: {first_names(unknown)}; {_OTHER_LIBRARY}"
    digests = {"crystals": library.crystals_digest, "curves": library.curves_digest}
    for about, digest in digests.items():
        stated = {
            case.notes.digest or ""
            for asked, case in cases
            if asked in library.known and QUESTIONS[asked.question].about == about
        }
        if stated - {digest}:
            yield f"judged by another version of the {about}; run the suite again"


def _facts(summary: ReferenceSummary) -> ReferenceSummary:
    """Leave out the crystal that is drawn, which files of earlier versions lack."""
    return replace(summary, structure=None)
