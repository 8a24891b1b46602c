"""What could not be evaluated is an error, whatever is raised and whatever excuses the case."""

from __future__ import annotations

import builtins
import json
import unittest
from dataclasses import replace
from datetime import date, timedelta
from fnmatch import fnmatchcase
from functools import partial
from types import SimpleNamespace

import pytest
from gate_project import declare_known, results, run
from gate_project import suite as suite
from hypothesis import given
from hypothesis import strategies as st

from symscape import errors
from symscape.questions.case import CaseResult
from symscape.questions.notes import Notes
from symscape.questions.registry import QUESTIONS
from symscape.suite.collect import _marks
from symscape.suite.exceptions import FailedVerdict, no_outcome_of_pytest, why_not_judged
from symscape.suite.session import SuiteSession
from symscape.verdict.gate import Baseline
from symscape.verdict.known_failures import KnownFailure
from symscape.verdict.tolerances import Tolerances


class Own(BaseException):
    """Derived from nothing that anybody catches."""


#: without those that want more than a text, and what ends the session with a code that isn't 0
BUILT_IN = [
    kind
    for kind in vars(builtins).values()
    if isinstance(kind, type)
    and issubclass(kind, BaseException)
    and not issubclass(kind, UnicodeError | BaseExceptionGroup | KeyboardInterrupt)
]
OURS = [kind for kind in vars(errors).values() if isinstance(kind, type)
        and issubclass(kind, BaseException)]  # fmt: skip
PYTESTS = [
    pytest.skip.Exception, pytest.fail.Exception, pytest.xfail.Exception, pytest.exit.Exception,
]  # fmt: skip
KINDS = [*BUILT_IN, *OURS, *PYTESTS, unittest.SkipTest, Own]
#: lone surrogates and control characters too
TEXTS = st.text(st.characters(), max_size=9)
exceptions = st.builds(lambda kind, text: kind(text), st.sampled_from(KINDS), TEXTS)


@given(exceptions)
def test_whatever_a_model_raises_leaves_its_case_without_a_verdict(error):
    caught = None
    try:
        with no_outcome_of_pytest():
            raise error
    except BaseException as found:
        caught = found
    said = why_not_judged(caught)
    assert said
    assert said.encode()
    assert "\n" not in said
    # nothing that pytest takes for a word of the test itself
    assert not isinstance(caught, tuple(PYTESTS))
    if not isinstance(error, tuple(PYTESTS)):
        assert caught is error


@given(exceptions)
def test_of_what_a_test_raises_only_a_verdict_and_a_skip_are_no_errors(error):
    skips = isinstance(error, pytest.skip.Exception)
    assert (why_not_judged(error) is None) == skips
    assert why_not_judged(FailedVerdict(str(error), pytrace=False)) is None
    assert why_not_judged(None) is None


KEYS = ("question", "model", "material", "slice")
STATUSES = st.sampled_from(["passed", "failed", "error"])
names = st.tuples(*(st.sampled_from(own) for own in (
    sorted(QUESTIONS)[:3], ("chgnet", "m"), ("A-P1", "B-P1"), ("x-y", "hull"),
)))  # fmt: skip
patterns = st.dictionaries(
    st.sampled_from(KEYS),
    st.sampled_from(["*", "A-*", "?", "x-y", "hull", "chgnet"]),
    min_size=1,
)
declared = st.builds(
    KnownFailure,
    patterns,
    st.just("a reason"),
    st.sampled_from([date.today() + timedelta(days=days) for days in (-400, -1, 0, 1, 400)]),
)


def session_with(known, cases=()):
    """As much of a session as judges: declarations, and a baseline if it has cases."""
    found = SimpleNamespace(
        tolerances=Tolerances("t", (), tuple(known)),
        missing=lambda model: None,
        baselines={"m": Baseline("b", None, dict(cases), {})} if cases else {},
        _references={},
    )
    found.known_failure = partial(SuiteSession.known_failure, found)
    return found


@given(exceptions, names, st.lists(declared, max_size=3))
def test_a_known_failure_expects_a_failed_verdict_and_nothing_else(error, name, known):
    question, model, material, part = name
    marks = _marks(session_with(known), question, model, material, part)
    fitting = [
        one for one in known
        if all(fnmatchcase(dict(zip(KEYS, name, strict=True))[k],
                           pattern) for k, pattern in one.patterns.items())
    ]  # fmt: skip
    # the last one that fits, as long as its day has not passed
    assert bool(marks) == bool(fitting and fitting[-1].expires >= date.today())
    for mark in marks:
        assert mark.kwargs["strict"]
        assert issubclass(FailedVerdict, mark.kwargs["raises"])
        assert not isinstance(error, mark.kwargs["raises"])


@given(names, st.lists(declared, max_size=3), STATUSES, st.none() | STATUSES)
def test_no_declaration_makes_an_error_anything_else(name, known, status, before):
    """Nor does a baseline; a declared failure that did not change stays one."""
    question, _, material, part = name
    case = CaseResult(question, "m", material, part, status, notes=Notes(digest="d"))
    old = {} if before is None else {(question, material, part): replace(case, status=before)}
    judged = SuiteSession.judged(session_with(known, old), case)
    assert (judged.status == "error") == (status == "error")
    excused = [one for one in known if one.applies(dict(zip(KEYS, (question, "m", material, part),
                                                            strict=True)))]  # fmt: skip
    assert (judged.notes.known_failure == "a reason") == bool(excused)
    if excused and excused[-1].expires >= date.today():
        assert judged.status == status


CALCULATORS = """
import unittest

import pytest
from ase.calculators.emt import EMT
from symscape.errors import SymscapeError


class Own(BaseException):
    pass


KINDS = {
    "own": Own, "system_exit": SystemExit, "generator_exit": GeneratorExit, "stop": StopIteration,
    "runtime": RuntimeError, "not_implemented": NotImplementedError, "memory": MemoryError,
    "assertion": AssertionError, "recursion": RecursionError, "skip_test": unittest.SkipTest,
    "skip": pytest.skip.Exception, "fail": pytest.fail.Exception, "xfail": pytest.xfail.Exception,
    "exit": pytest.exit.Exception, "symscape": SymscapeError,
}


def raising(kind):
    def factory():
        raise kind("no answer")

    return factory


def late(kind):
    class Late(EMT):
        def calculate(self, *args, **kwargs):
            raise kind("no answer")

    return lambda: Late()


for name, kind in KINDS.items():
    globals()[name] = raising(kind)
    globals()[f"{name}_late"] = late(kind)
"""
MODELS = [
    "own", "system_exit", "generator_exit", "stop", "runtime", "not_implemented", "memory",
    "assertion", "recursion", "skip_test", "skip", "fail", "xfail", "exit", "symscape",
]  # fmt: skip


@pytest.mark.parametrize("marker", ["known failure", "xfail", "xfail, not run"])
def test_no_exception_of_any_model_is_excused(suite, marker):
    """All kinds in one run, beside a model that answers; raised by the factory or when asked."""
    suite.makepyfile(wild=CALCULATORS)
    names = [*MODELS, *(f"{name}_late" for name in MODELS)]
    options = ["--mlip", ",".join(f"wild:{name}" for name in names)]
    path = suite.path / "test_landscape.py"
    if marker == "known failure":
        options += ["--tolerances", declare_known(suite)]
    else:
        text = "xfail(run=False)" if "not run" in marker else "xfail"
        marked = f"@pytest.mark.{text}\n@pytest.mark.landscape"
        path.write_text(path.read_text().replace("@pytest.mark.landscape", marked))
    found = run(suite, *options)
    assert found.ret == 1
    for name in names:
        (case,) = results(suite, name)["cases"]
        assert case["status"] == "error", name
        summary = (suite.path / "reports" / name / "summary.md").read_text()
        assert summary.startswith(f"## ! {name}"), name


def damages(text):
    """Texts of a reference that is torn, emptied, of another kind, or lacks something."""
    document = json.loads(text)
    yield from (text[: len(text) * k // 8] for k in range(8))
    yield from (text[len(text) * k // 8 :] for k in (1, 4))
    yield from ("null", "[]", "{}", "\x00" * 40, text + text, text.replace(":", ";", 1))
    yield text[: len(text) // 2] + "\x00" * 16 + text[len(text) // 2 + 16 :]
    for key in document:
        if key not in ("kind", "schema"):
            yield json.dumps({k: v for k, v in document.items() if k != key})


def test_no_damage_of_a_reference_is_a_known_failure(suite):
    """Each beside a whole one, in one run, so that nothing but the case itself can be red."""
    (path,) = suite.path.glob("references/*/*.json")
    text, torn = path.read_text(), []
    for k, damaged in enumerate(damages(text)):
        copy = path.parents[1] / f"{path.parent.name}{k}" / path.name
        copy.parent.mkdir()
        copy.write_text(damaged.replace(f'"{path.parent.name}"', f'"{path.parent.name}{k}"'))
        torn.append(copy.parent.name)
    found = run(suite, "--mlip", "cheap:exact", "--tolerances", declare_known(suite))
    assert found.ret == 1
    status = {case["material"]: case["status"] for case in results(suite, "exact")["cases"]}
    assert {status[name] for name in torn} == {"error"}, found.stdout.str()[-3000:]
