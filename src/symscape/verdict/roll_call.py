"""Whether a run answered what it was asked: every case once, and none that nobody judged.

What a session of pytest told of its tests goes in; one result a case, what is missing and the exit
code come out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from symscape.questions.case import CaseResult
from symscape.questions.notes import Notes
from symscape.questions.subjects import Subject, subject_of

#: exit codes of pytest: all tests passed; one failed; there was none to judge
GREEN, FAILED, NOTHING = 0, 1, 5
#: of several results of one case the first of these counts
_WORST = ("error", "failed", "passed")


class CaseName(NamedTuple):
    """What a case is called by."""

    question: str
    model: str
    material: str
    slice: str

    @property
    def subject(self) -> Subject:
        """What it is about."""
        return subject_of(self.material, self.slice)

    @property
    def words(self) -> str:
        """``Mg-Si-hull: stability``."""
        return f"{self.material}-{self.slice}: {self.question}"


def name_of(case: CaseResult) -> CaseName:
    """Return what a result's case is called by."""
    return CaseName(case.question, case.model, case.material, case.slice)


class Answer(NamedTuple):
    """A result, and the test that gave it."""

    test: str
    result: CaseResult


@dataclass(frozen=True)
class RollCall:
    """What a run's tests told of the cases that it was asked, when all of them had their turn.

    Parameters
    ----------
    asked
        The case of each test.
    empty
        Tests of a question that found nothing to be asked about.
    answers
        In the order in which they came.
    ended
        Tests that ran, whatever became of them.
    lost
        Tests that failed without a result, and why.
    skipped
        Tests that were skipped, and why.
    """

    asked: Mapping[str, CaseName]
    empty: Collection[str] = ()
    answers: Sequence[Answer] = ()
    ended: Collection[str] = ()
    lost: Mapping[str, str] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)

    def cases(self) -> list[CaseResult]:
        """Return one result a case: what went wrong in its test counts more than what went well.

        A case is an error if its test failed without a result (its process crashed) or after one,
        and if several tests gave a result: none of them is the case's own.
        """
        found: dict[CaseName, list[Answer]] = {}
        for answer in self.answers:
            found.setdefault(name_of(answer.result), []).append(answer)
        cases = {name: _joined(name, own) for name, own in found.items()}
        for test, reason in self.lost.items():
            name = self.asked.get(test)
            if name is not None and (name not in cases or cases[name].passed):
                cases[name] = could_not_be_judged(name, reason)
        return list(cases.values())

    def not_run(self) -> list[CaseName]:
        """Return the cases whose turn did not come: something ended the run before."""
        judged = {name_of(case) for case in self.cases()}
        waiting = (name for test, name in self.asked.items() if test not in self.ended)
        return [name for name in dict.fromkeys(waiting) if name not in judged]

    def not_judged(self, model: str = "") -> str:
        """Say why nothing was judged, of one model or of any; empty where something was.

        Nothing is said either where nothing was asked.
        """
        own = {test for test, name in self.asked.items() if model in ("", name.model)}
        if any(model in ("", case.model) for case in self.cases()):
            return ""
        if not own:
            found_none = f"{len(self.empty)} questions found nothing to be asked about"
            return f"nothing was judged: {found_none}" if self.empty and not model else ""
        reasons = [self.skipped[test] for test in self.asked if test in own & self.skipped.keys()]
        why = f", for example: {reasons[0]}" if reasons else "; see above."
        what = f"nothing of {model}" if model else "nothing"
        return f"{what} was judged: {len(reasons)} of {len(own)} cases were skipped{why}"

    def faults(self) -> list[str]:
        """Say what makes a run red that pytest may take for green, a sentence each."""
        cases = self.cases()
        said = []
        if errors := [case for case in cases if case.status == "error"]:
            said.append(
                f"{len(errors)} cases could not be evaluated, {errors[0].id} among them; no marker "
                "of a test excuses that."
            )
        if waiting := self.not_run():
            said.append(
                f"{len(waiting)} of {len(set(self.asked.values()))} cases were not run, "
                f"{waiting[0].words} among them: something ended the run before."
            )
        models = dict.fromkeys(name.model for name in self.asked.values())
        return said + [text for model in models if cases and (text := self.not_judged(model))]


def could_not_be_judged(name: CaseName, message: str) -> CaseResult:
    """Return the result of a case that could not be evaluated, with the reason."""
    return CaseResult(*name, "error", notes=Notes(message=message))


def _joined(name: CaseName, answers: Sequence[Answer]) -> CaseResult:
    """Return what several answers to one case come to; the worst if one test gave them all."""
    tests = list(dict.fromkeys(answer.test for answer in answers))
    worst = min((a.result for a in answers), key=lambda result: _WORST.index(result.status))
    if len(tests) == 1:
        return worst
    said = f"{worst.notes.message} " if worst.status == "error" and worst.notes.message else ""
    return could_not_be_judged(
        name,
        f"{said}{len(tests)} tests ask this, {tests[0]} and {tests[1]}; leave one of them out.",
    )


def exit_code(told: int, call: RollCall, faults: Collection[str]) -> int:
    """Return with what a run ends: never 0 where something is missing or went wrong.

    Parameters
    ----------
    told
        What pytest would end with.
    faults
        Sentences on what makes the run red, those of `RollCall.faults` and others.
    """
    if told != GREEN:
        return told
    if call.not_judged():
        return NOTHING
    return FAILED if faults else GREEN
