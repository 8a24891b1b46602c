"""Every case of a run is in its report, and a run that judged nothing is not green: any run."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import example, given
from hypothesis import strategies as st

from symscape.questions.case import CaseResult
from symscape.questions.registry import QUESTIONS
from symscape.verdict.roll_call import Answer, CaseName, RollCall, exit_code

#: what may become of a test; the first three give a verdict
ENDS = (
    "passed", "failed", "error", "crashed", "passed, then crashed", "skipped", "never begun",
    "nothing said",
)  # fmt: skip
NAMES = [
    CaseName(question, model, material, "x-y")
    for question in sorted(QUESTIONS)[:3]
    for model in ("one", "other")
    for material in ("A-P1", "B-P1")
]
#: each test: its case and what became of it, in the order in which they ran
histories = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(ENDS)), max_size=8)


def roll_call(history, empty=()):
    """What a session of pytest tells of such a history."""
    told = defaultdict(dict)
    answers = []
    for k, (name, end) in enumerate(history):
        test = f"test_x.py::test_{k}[{name.model}]"
        told["asked"][test] = name
        if end != "never begun":
            told["ended"][test] = True
        status = end.partition(",")[0]
        if status in ("passed", "failed", "error"):
            answers.append(Answer(test, CaseResult(*name, status)))
        if "crashed" in end:
            told["lost"][test] = "worker 'gw0' crashed"
        if end == "skipped":
            told["skipped"][test] = "no machine today"
    return RollCall(
        told["asked"], empty, answers, set(told["ended"]), told["lost"], told["skipped"]
    )


def expected_status(ends):
    """Status of a case in the report by what became of its tests; None if it has none."""
    verdicts = [end.partition(",")[0] for end in ends]
    verdicts = [v for v in verdicts if v in ("passed", "failed", "error")]
    if len(verdicts) > 1:
        return "error"  # two tests ask the same: neither counts
    crashed = any("crashed" in end for end in ends)
    if not verdicts or (verdicts == ["passed"] and crashed):
        return "error" if crashed else None
    return verdicts[0]


def by_case(history):
    found = defaultdict(list)
    for name, end in history:
        found[name].append(end)
    return found


@given(histories)
@example([(NAMES[0], "crashed"), (NAMES[0], "never begun")])
def test_every_case_is_in_the_report_once_or_was_skipped_or_had_no_turn(history):
    call = roll_call(history)
    cases = {CaseName(c.question, c.model, c.material, c.slice): c for c in call.cases()}
    assert len(cases) == len(call.cases())
    for name, ends in by_case(history).items():
        status = expected_status(ends)
        assert (cases[name].status if name in cases else None) == status
        if status is None:
            assert set(ends) <= {"skipped", "never begun", "nothing said"}
            assert (name in call.not_run()) == ("never begun" in ends)
    assert not set(call.not_run()) & cases.keys()


@given(histories, st.sampled_from([0, 1, 2, 3, 4, 5]), st.booleans(), st.booleans())
@example([(NAMES[0], "skipped")], 0, False, False)
@example([], 0, True, False)
@example([(NAMES[0], "passed"), (NAMES[2], "skipped")], 0, False, False)
@example([(NAMES[0], "passed"), (NAMES[1], "never begun")], 0, False, False)
def test_green_is_a_run_whose_every_case_was_judged_or_skipped(history, told, empty, gone):
    """And each model of which anything was asked has at least one verdict."""
    call = roll_call(history, {"test_hull.py::test_hull[NOTSET]"} if empty else ())
    statuses = {name: expected_status(ends) for name, ends in by_case(history).items()}
    answered = {name.model for name, status in statuses.items() if status is not None}
    faults = [*call.faults(), *(["a case of the baseline is gone"] if gone else [])]
    code = exit_code(told, call, faults)
    if told != 0:
        assert code == told
    elif (history or empty) and not answered:
        assert code == 5
        assert call.not_judged().startswith("nothing was judged: ")
    else:
        bad = gone or "error" in statuses.values() or answered != {n.model for n in statuses}
        bad |= any(
            status is None and "never begun" in by_case(history)[name]
            for name, status in statuses.items()
        )
        assert code == int(bad)
    for sentence in (*faults, call.not_judged()):
        assert "\n" not in sentence


@given(histories)
def test_a_case_that_two_tests_ask_names_both(history):
    call = roll_call(history)
    for case in call.cases():
        own = [a.test for a in call.answers if a.result.id == case.id
               and a.result.question == case.question]  # fmt: skip
        if len(own) > 1:
            assert f"{own[0]} and {own[1]}; leave one of them out" in case.notes.message


@given(st.sampled_from(NAMES), st.lists(st.sampled_from(ENDS[:3]), min_size=1, max_size=4))
def test_of_several_answers_of_one_test_the_worst_counts(name, statuses):
    answers = [Answer("test_x.py::test_x", CaseResult(*name, status)) for status in statuses]
    (case,) = RollCall({"test_x.py::test_x": name}, answers=answers).cases()
    assert case.status == next(s for s in ("error", "failed", "passed") if s in statuses)
