"""Tolerance files: what they say, and one sentence for what they can't."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symscape.errors import ToleranceFileError
from symscape.questions.case import CaseResult, Check, Windows
from symscape.questions.energies import EnergiesDetail
from symscape.questions.limits import CaseTolerances
from symscape.questions.named_points import ClosestPair, FailedPoint, WorstPoint
from symscape.questions.notes import Notes
from symscape.questions.records import plain_case, read_case
from symscape.questions.registry import QUESTIONS
from symscape.verdict.explain import excess, explain, plain_limit
from symscape.verdict.tolerances import PROFILES, load_tolerances

NAMES = {"material": "PbTiO3-P4mm", "slice": "Ti_z-O_z", "model": "chgnet"}


def write(tmp_path, text, name="mine.toml"):
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_loads_and_names_energies(profile):
    case = load_tolerances(profile).case("energies", **NAMES)
    assert {"mae", "max_error", "mean_signed_error", "softening_scale"} <= set(case.limits)
    assert case.settings["window"] > 0


def test_profiles_are_ordered_by_strictness():
    widths = {
        name: {
            metric: high - low
            for metric, (low, high) in load_tolerances(name)
            .case("energies", **NAMES)
            .limits.items()
        }
        for name in PROFILES
    }
    for metric, width in widths["default"].items():
        assert widths["strict"][metric] < width < widths["loose"][metric]


def test_a_file_changes_only_what_it_names(tmp_path):
    path = write(tmp_path, "[energies]\nmae = 7\n")
    case = load_tolerances(path).case("energies", **NAMES)
    default = load_tolerances().case("energies", **NAMES)
    assert case.limits["mae"] == (-7, 7)
    assert {k: v for k, v in case.limits.items() if k != "mae"} == {
        k: v for k, v in default.limits.items() if k != "mae"
    }


def test_overrides_apply_by_pattern_and_the_last_one_wins(tmp_path):
    path = write(
        tmp_path,
        """
        [[override]]
        material = "PbTiO3-*"
        energies.mae = 60
        [[override]]
        model = "7net-*"
        energies = {mae = 80, softening_scale = [0.5, 1.5]}
        """,
    )
    tolerances = load_tolerances(path)
    assert tolerances.case("energies", **NAMES).limits["mae"] == (-60, 60)
    other = tolerances.case("energies", **{**NAMES, "model": "7net-0"})
    assert other.limits["mae"] == (-80, 80)
    assert other.limits["softening_scale"] == (0.5, 1.5)
    elsewhere = tolerances.case("energies", **{**NAMES, "material": "As-R-3m"})
    assert elsewhere.limits == load_tolerances().case("energies", **NAMES).limits


def test_a_file_can_extend_a_profile_or_another_file(tmp_path):
    write(tmp_path, 'extends = "strict"\n[energies]\nmae = 1\n', "base.toml")
    path = write(tmp_path, 'extends = "base.toml"\n[energies]\nmax_error = 2\n')
    case = load_tolerances(path).case("energies", **NAMES)
    strict = load_tolerances("strict").case("energies", **NAMES)
    assert case.limits["mae"] == (-1, 1)
    assert case.limits["max_error"] == (-2, 2)
    assert case.limits["softening_scale"] == strict.limits["softening_scale"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[energies", "not valid TOML"),
        ("[energie]\nmae = 1", "did you mean 'energies'"),
        ("[energies]\nmea = 1", "did you mean 'mae'"),
        ("[energies]\nmae = 'x'", "must be a number"),
        ("[energies]\nmae = -1", "must be a number"),
        ("[energies]\nmae = true", "must be a number"),
        ("[energies]\nmae = nan", "must be a number"),
        ("[energies]\nsoftening_scale = [1.1, 0.9]", r"must be \[lowest, highest\]"),
        ("[energies]\nsoftening_scale = [1.1]", r"must be \[lowest, highest\]"),
        ("energies = 3", "field 'energies' is not an object"),
        ("override = 3", "'override' is not a list"),
        ("[[override]]\nmaterial = 3", r"'override\[0\].material' is not a string"),
        ("extends = 3", "'extends' is not a string"),
        ("known_failure = 3", "'known_failure' is not a list"),
        (
            "[[known_failure]]\nmodel = 'x'\nexpires = 2030-01-01",
            "reason' is missing",
        ),
        (
            "[[known_failure]]\nmodel = 'x'\nreason = 'y'",
            r"\[0\].expires' is missing",
        ),
        ("[[known_failure]]\nreason = 'y'\nexpires = 2030-01-01", "without a pattern"),
        (
            "[[known_failure]]\nmlip = 'x'\nreason = 'y'\nexpires = 2030-01-01",
            r"the key 'known_failure\[0\].mlip' is unknown",
        ),
        ("extends = 'mine.toml'", "extends itself"),
        ("extends = 'absent.toml'", "neither a profile"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_sentence(tmp_path, text, sentence):
    path = write(tmp_path, text)
    with pytest.raises(ToleranceFileError, match=sentence) as caught:
        load_tolerances(path)
    assert "\n" not in str(caught.value)


LIMITED = [
    (question.name, metric.name)
    for question in QUESTIONS.values()
    for metric in question.metrics
    if not metric.gap
]
SET = [(question.name, name) for question in QUESTIONS.values() for name in question.settings]
NO_NUMBER = st.sampled_from(("true", "'x'", "nan", "2027-03-31", "{}", "1e301", "-1", "-inf"))


@settings(deadline=None, max_examples=60)
@given(data=st.data(), within=st.booleans())
def test_any_limit_or_setting_that_is_none_is_named_by_its_path(tmp_path_factory, data, within):
    """Of any question, at the top of a file or in an override."""
    path = tmp_path_factory.mktemp("wrong") / "mine.toml"
    question, name = data.draw(st.sampled_from(LIMITED + SET))
    no_pair = st.sampled_from(("[1]", "[2, 1]", "[0, nan]", "['a', 1]", "[0, 1, 2]", "[]"))
    value = data.draw(NO_NUMBER | (no_pair if (question, name) in LIMITED else st.just("inf")))
    spot = f"{question}.{name}"
    table = f"[{question}]" if not within else f"[[override]]\n[override.{question}]"
    path.write_text(f"{table}\n{name} = {value}\n")
    with pytest.raises(ToleranceFileError) as caught:
        load_tolerances(path)
    said = str(caught.value)
    assert f"field '{'override[0].' if within else ''}{spot}' is " in said
    assert "but must be " in said


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_limit_that_is_written_is_the_one_that_holds(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("mine") / "mine.toml"
    question, name = data.draw(st.sampled_from(LIMITED))
    numbers = st.floats(-1e9, 1e9) | st.integers(-(10**6), 10**6)
    low, high = sorted(data.draw(st.tuples(numbers, numbers)))
    number = data.draw(st.booleans())
    stated = f"{abs(high)!r}" if number else f"[{low!r}, {high!r}]"
    path.write_text(f"[{question}]\n{name} = {stated}\n")
    found = load_tolerances(path).case(question, **NAMES).limits[name]
    assert found == ((-abs(high), abs(high)) if number else (low, high))


def test_an_unknown_profile_names_the_known_ones():
    with pytest.raises(ToleranceFileError, match=r"'tight'.*strict, default, loose"):
        load_tolerances("tight")


limit = st.tuples(st.none() | st.floats(-10, 10), st.none() | st.floats(-10, 10)).filter(
    lambda pair: None in pair or pair[0] <= pair[1]
)


@given(limit, st.floats(allow_nan=True))
def test_a_check_passes_exactly_inside_its_limit(limits, value):
    (check,) = CaseTolerances({"mae": limits}, {}).check({"mae": value}, QUESTIONS["energies"])
    low, high = limits
    inside = (low is None or value >= low) and (high is None or value <= high)
    assert check.passed == (inside and math.isfinite(value))
    if math.isfinite(value):
        assert (excess(check) == 0) == check.passed


def test_a_metric_that_was_not_computed_fails():
    (check,) = CaseTolerances({"mae": (-1, 1)}, {}).check({}, QUESTIONS["energies"])
    assert not check.passed


def test_the_explanation_fits_one_screen_and_says_what_where_and_how_much():
    checks = (
        Check("mae", 41.26, (-25, 25), "meV/atom", False),
        Check("softening_scale", 0.91, (0.85, 1.15), "", True),
    )
    pair = ClosestPair(("Ti", "O"), 1.7012, 0.75)
    worst = WorstPoint((3, 4), {"Ti_z": 0.4543, "O_z": -0.06}, 203.1, 100.2, -102.9, pair)
    failed = tuple(FailedPoint((0, k), {"Ti_z": 0.4, "O_z": 0.1}, "returned NaN") for k in range(9))
    text = explain(
        CaseResult(
            "energies",
            "chgnet",
            "PbTiO3-P4mm",
            "Ti_z-O_z",
            "failed",
            checks,
            detail=EnergiesDetail(failed),
            windows=Windows("500", {"500": {"mae": 41.26}}),
            notes=Notes(worst=worst, warnings=("a partial grid",)),
        )
    )
    assert len(text.splitlines()) < 24
    assert max(map(len, text.splitlines())) <= 100
    for part in (
        "chgnet-PbTiO3-P4mm-Ti_z-O_z",
        "41.26",
        "<= 25",
        "1.7 times the tolerance",
        "0.85 .. 1.15",
        "Ti_z = 0.4543, O_z = -0.0600",
        "-102.9 meV/atom",
        "Ti-O at 1.701 angstrom",
        "9 points",
        "and 4 more",
        "a partial grid",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ((-25, 25), "<= 25"),
        ((None, 3), "<= 3"),
        ((0.9, None), ">= 0.9"),
        ((0.9, 1.1), "0.9 .. 1.1"),
    ],
)
def test_limits_read_as_one_would_write_them(limits, text):
    assert plain_limit(Check("mae", 0.0, limits, "", True)) == text


def test_results_survive_the_way_between_processes():
    result = CaseResult(
        "energies",
        "m",
        "a",
        "b",
        "failed",
        (Check("mae", 1.0, (None, 0.5), "meV/atom", False),),
        {"mae": 1.0},
        [[0.0, None]],
        windows=Windows("500", {"500": {"mae": 1.0}}),
        notes=Notes(warnings=(), known_failure="too soft"),
    )
    assert read_case(plain_case(result)) == result


def test_every_question_has_metrics_with_units():
    assert QUESTIONS["energies"].units["mae"] == "meV/atom"
    for name, question in QUESTIONS.items():
        assert question.name == name
        assert question.metrics
