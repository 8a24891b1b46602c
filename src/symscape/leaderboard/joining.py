"""Two runs of one model put together: what the library has gained needs no whole run again."""

from __future__ import annotations

from dataclasses import replace

from symscape.leaderboard.library import Library, asked_of
from symscape.leaderboard.submission import AGREEING
from symscape.models.registry import copied_card
from symscape.results.run_results import RunResults


def can_join(stored: RunResults, newer: RunResults) -> bool:
    """Whether two runs are of the same weights, package, number format, tolerances and suite.

    Where the weights lie is no matter: the fingerprint tells which they are.
    """
    old, new = (copied_card(run.model, checkpoint="") for run in (stored, newer))
    return (
        stored.fingerprint == newer.fingerprint != ""
        and all(getattr(old, field) == getattr(new, field) for field in ("name", *AGREEING))
        and stored.tolerances == newer.tolerances
        and stored.versions.get("symscape") == newer.versions.get("symscape")
    )


def joined(stored: RunResults, newer: RunResults, library: Library) -> RunResults:
    """Add what a run answers to what a leaderboard has of the same model.

    A case that both have is the newer's. What the library does not hold any more, or holds in
    another version, is left out.

    Parameters
    ----------
    stored, newer
        Runs that `can_join`.
    """
    again = {asked_of(case) for case in newer.cases}
    now = {r.id: r.digest for r in library.summaries.values()}
    old = {r.id: r for r in stored.references if now.get(r.id) == r.digest}
    gone = {(r.material, r.slice) for r in stored.references} - {
        (r.material, r.slice) for r in old.values()
    }
    kept = [
        case
        for case in stored.cases
        if asked_of(case) in library.known - again and (case.material, case.slice) not in gone
    ]
    references = old | {r.id: r for r in newer.references}
    return replace(
        newer,
        cases=(*kept, *newer.cases),
        references=tuple(references.values()),
        wall_seconds=stored.wall_seconds + newer.wall_seconds,
    )
