"""Tables and the words of a report, for runs whose numbers are known in closed form."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_runs import CARD, judged_case, make_run, mixed_run, reference_summary

from symscape.page.checks import check_words, severity
from symscape.page.run_tables import (
    checks_table,
    metrics_table,
    underprediction_by,
    underprediction_table,
    write_tables,
)
from symscape.page.view import RunView
from symscape.page.words import (
    duration_text,
    limit_text,
    metric_text,
    number_text,
    pair_text,
    place_text,
    remark_text,
    sentence_text,
    unit_text,
)
from symscape.questions.case import CaseResult, Check
from symscape.questions.energies import EnergiesDetail
from symscape.questions.named_points import ClosestPair
from symscape.questions.records import plain_case, read_case
from symscape.questions.registry import metric_title
from symscape.verdict import explain


def test_metrics_have_a_row_for_each_window_and_units_in_their_names():
    table = metrics_table(mixed_run())
    soft = table[(table.material == "Soft-P4mm") & (table.question == "energies")]
    assert sorted(soft.window_meV_per_atom) == [100, 500, 1000]
    assert list(soft.window_meV_per_atom[soft.judged]) == [500]
    assert soft.softening_scale.to_numpy() == pytest.approx(0.7)
    reference = reference_summary("Soft-P4mm").relative
    inside = reference[reference <= 0.5]
    judged = soft[soft.judged].iloc[0]
    assert judged.mae_meV_per_atom == pytest.approx(300 * inside.mean())
    assert judged.mean_signed_error_meV_per_atom == pytest.approx(-300 * inside.mean())
    assert judged.n_points == inside.size
    minima = table[table.question == "minima"].iloc[0]
    assert minima.missing_minima == 1
    assert minima.displacement == 0.02
    assert math.isnan(minima.window_meV_per_atom)


def test_checks_say_by_how_much():
    table = checks_table(mixed_run())
    row = table[(table.material == "Soft-P4mm") & (table.metric == "softening_scale")].iloc[0]
    assert (row.low, row.high) == (0.85, 1.15)
    assert row.times_tolerance == pytest.approx(0.3 / 0.15)
    assert not row.passed
    assert len(table) == sum(len(case.checks) for case in mixed_run().cases)


def test_underprediction_by_slice_and_by_degrees_of_freedom():
    table = underprediction_table(mixed_run())
    assert list(table.material) == ["Fine-P4mm", "Soft-P4mm", "Softer-P4mm"]
    assert table.softening_scale.to_numpy() == pytest.approx([1.01, 0.7, 0.4])
    # the minima have no error, all else lies below
    assert (table.share_underpredicted[1:] == 1).all()
    by_wyckoff = underprediction_by(table, "n_wyckoff").set_index("n_wyckoff")
    assert list(by_wyckoff.index) == [1, 3]
    assert by_wyckoff.n_slices[3] == by_wyckoff.n_materials[3] == 2
    assert by_wyckoff.n_points[3] == table.n_points[1:].sum()
    assert by_wyckoff.softening_scale[3] == pytest.approx(0.55)
    signed = table.mean_signed_error_meV_per_atom
    assert by_wyckoff.mean_signed_error_meV_per_atom[3] == pytest.approx(signed[1:].mean())
    by_lattice = underprediction_by(table, "n_lattice")
    assert by_lattice.n_slices.sum() == 3


def test_a_slice_counts_once_however_fine_its_grid():
    coarse, fine = reference_summary("Coarse-P4mm"), reference_summary("Fine-P4mm", n=(41, 41))
    run = make_run(judged_case(coarse, 0.5), judged_case(fine, 0.9), references=(coarse, fine))
    groups = underprediction_by(underprediction_table(run), "n_wyckoff")
    assert groups.softening_scale.item() == pytest.approx(0.7)


def test_tables_are_written_and_read_back(tmp_path):
    paths = write_tables(tmp_path / "tables", mixed_run())
    assert {path.name for path in paths} == {
        "metrics.csv",
        "checks.csv",
        "underprediction.csv",
        "underprediction_by_n_lattice.csv",
        "underprediction_by_n_wyckoff.csv",
    }
    back = pd.read_csv(tmp_path / "tables" / "underprediction.csv")
    assert back.softening_scale.to_numpy() == pytest.approx([1.01, 0.7, 0.4], abs=1e-5)


def test_tables_of_a_run_in_which_nothing_was_judged(tmp_path):
    error = CaseResult("energies", "soft", "Bad-P1", "X_x-X_y", "error")
    for cases in ((), (error,)):
        for path in write_tables(tmp_path, make_run(*cases, references=())):
            assert path.exists()


def test_what_was_not_judged_comes_first_and_then_slices_worst_first():
    view = RunView(mixed_run())
    assert [item.material for item in view.slices] == [
        "Bad-P1",
        "Softer-P4mm",
        "Soft-P4mm",
        "Fine-P4mm",
    ]
    assert view.status == "failed"
    assert {status: n for status, n in view.counts.items() if n} == {
        "passed": 1,
        "failed": 3,
        "error": 1,
    }
    questions = [case.case.question for case in view.slices[1].cases]
    assert questions == ["energies", "minima"]


def test_the_sentence_says_what_is_wrong():
    assert RunView(mixed_run()).sentence == (
        "2 of 4 landscapes outside tolerance, 1 could not be judged; "
        "energies are underpredicted on 2 of 3 slices (mean softening scale 0.70)"
    )


@pytest.mark.parametrize(
    ("scales", "sentence"),
    [
        ((0.6,), "1 of 1 landscape outside tolerance; energies are underpredicted (softening"),
        ((1.0,), "The landscape is within tolerance"),
        ((1.0, 1.0), "All 2 landscapes within tolerance"),
        (
            (1.5, 1.6, 1.0),
            "2 of 3 landscapes outside tolerance; energies are overpredicted on 2 of",
        ),
        ((), "No landscape was evaluated"),
    ],
)
def test_sentences(scales, sentence):
    references = tuple(reference_summary(f"M{k}-P1") for k in range(len(scales)))
    cases = [judged_case(r, s) for r, s in zip(references, scales, strict=True)]
    found = RunView(make_run(*cases, references=references)).sentence
    assert found.startswith(sentence)
    if set(scales) == {1.0}:
        assert found == sentence


@pytest.mark.parametrize(
    ("statuses", "sentence"),
    [
        (("error", "error"), "None of 2 landscapes could be judged"),
        (("error", "passed"), "1 of 2 landscapes within tolerance, 1 could not be judged"),
    ],
)
def test_sentences_with_errors(statuses, sentence):
    cases = [
        CaseResult("energies", "soft", f"M{k}-P1", "X_x-X_y", status)
        for k, status in enumerate(statuses)
    ]
    view = RunView(make_run(*cases, references=()))
    assert view.sentence == sentence
    assert view.status == "error"


@pytest.mark.parametrize(
    ("metric", "value", "limit", "times"),
    [
        ("mae", 60.0, (-25.0, 25.0), 2.4),
        ("mean_signed_error", -60.0, (-25.0, 25.0), 2.4),
        ("softening_scale", 0.7, (0.85, 1.15), 2.0),
        ("softening_scale", 1.6, (0.85, 1.15), 4.0),
        ("softening_scale", 1.6, (None, None), 0.0),
        ("spearman", 0.9, (0.95, 1.0), 2.0),
        ("spearman", 1.0, (0.95, 1.0), 0.0),
        ("f1", 0.4, (0.7, 1.0), 2.0),
        ("failed_points", 3.0, (None, 0.0), 4.0),
        ("failed_points", 0.0, (None, 0.0), 0.0),
        ("max_jump", 0.03, (None, 0.0), 4.0),
        ("mae", math.nan, (0.0, 1.0), math.inf),
    ],
)
def test_severity(metric, value, limit, times):
    assert severity(Check(metric, value, limit, "", False)) == pytest.approx(times)


@settings(deadline=None)
@given(
    st.floats(-1e6, 1e6),
    st.one_of(st.none(), st.floats(-1e6, 1e6)),
    st.one_of(st.none(), st.floats(-1e6, 1e6)),
)
def test_severity_agrees_with_the_verdict(value, low, high):
    """Above 1 exactly where the value is outside, but for the last digit at the rim."""
    if low is not None and high is not None and low > high:
        low, high = high, low
    passed = (low is None or value >= low) and (high is None or value <= high)
    times = severity(Check("x", value, (low, high), "", passed))
    assert times >= 0
    if passed:
        assert times <= 1 + 1e-9
    else:
        assert times >= 1 - 1e-9


@pytest.mark.parametrize(
    ("check", "value", "limit", "times"),
    [
        (Check("mae", 84.591, (-25, 25), "meV/atom", False), "84.6", "≤ 25", "3.4 ×"),
        (
            Check("mean_signed_error", -3.21, (-25, 25), "meV/atom", True),
            "−3.2",
            "±25",
            "0.1 ×",
        ),
        (
            Check("softening_scale", 0.7018, (0.85, 1.15), "", False),
            "0.702",
            "0.85 to 1.15",
            "2.0 ×",
        ),
        (Check("spearman", 0.9, (0.95, 1.0), "", False), "0.900", "≥ 0.95", "2.0 ×"),
        (Check("failed_points", 2, (None, 0.0), "", False), "2", "0", "none allowed"),
        (Check("missing_minima", 1, (0.0, 0.0), "", False), "1", "0", "none allowed"),
        (
            Check("max_displacement", 0.08123, (-0.05, 0.05), "angstrom", False),
            "0.081",
            "≤ 0.05",
            "1.6 ×",
        ),
        (
            Check("softening_scale", math.nan, (0.85, 1.15), "", False),
            "–",
            "0.85 to 1.15",
            "undefined",
        ),
        (Check("mae", 2600.0, (-25, 25), "meV/atom", False), "2600.0", "≤ 25", "104 ×"),
    ],
)
def test_checks_in_words(check, value, limit, times):
    words = check_words(check)
    assert (words.value, words.limit, words.times) == (value, limit, times)
    assert words.unit == ("Å" if check.unit == "angstrom" else check.unit)


def test_remarks_are_printed_as_the_rest_of_the_page():
    raw = "missing minimum at c/a = 2.5732, Ge_z = -0.4689: Te-Ge 2.826 angstrom, 1.10 of the radii"
    assert remark_text(raw, ["c/a", "Ge_z"]) == (
        "missing minimum at c/a = 2.5732, z(Ge) = −0.4689: Te–Ge 2.826 Å, 1.10 of the radii"
    )
    # names that only look like an axis, and hyphens that are no minus, stay
    assert remark_text("MyGe_z = 3 in AlAs-PtS, 2-3 times", ["Ge_z"]) == (
        "MyGe_z = 3 in AlAs-PtS, 2-3 times"
    )


def test_open_limits_in_words():
    assert limit_text(Check("x", 1, (None, None), "", True)) == "–"
    assert limit_text(Check("x", 1, (0.5, None), "", True)) == "≥ 0.5"
    assert limit_text(Check("x", 0, (-0.0, 0.0), "", True)) == "0"
    # what a failing case prints says so too
    assert explain.plain_limit(Check("x", 1, (None, None), "", True)) == "none"


def test_words():
    assert number_text(-0.04, 1, sign=True) == "0.0"
    assert number_text(-1.25, 2) == "−1.25"
    assert number_text(1.0, 1, sign=True) == "+1.0"
    assert number_text(None, 1) == number_text(math.inf, 1) == "–"
    assert metric_text("n_points", 74.0) == "74"
    assert metric_text("rotation", 0.000477) == "0.0005"
    assert metric_text("rotation", 0.2007) == "0.20"
    assert metric_text("rotation", 0.0) == "0.0"
    assert metric_text("max_displacement", 0.0093) == "0.0093"
    assert metric_title("max_kink") == "largest kink"
    assert metric_title("anything_else") == "anything else"
    assert unit_text("meV/angstrom^3") == "meV/Å³"
    assert place_text({"Ti_z": 0.48, "O_z": -0.06}) == "z(Ti) = 0.4800, z(O) = −0.0600"
    assert pair_text(ClosestPair(("Ti", "O"), 1.714, 0.829)).startswith("Ti–O 1.71 Å (0.83 of")
    assert sentence_text("no training data with Po") == "No training data with Po."
    assert sentence_text("references/x.json: broken.") == "references/x.json: broken."


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1.234, "1.2 s"), (59.4, "59 s"), (200, "3 min 20 s"), (7500, "2 h 05 min"), (math.nan, "–")],
)
def test_durations(seconds, text):
    assert duration_text(seconds) == text


def test_the_level_of_theory_is_compared():
    reference = reference_summary()
    for level, notice in (
        ("PBE", ""),
        ("pbe", ""),
        ("r2SCAN", "model trained on r2SCAN, reference computed with PBE"),
        ("unknown", "level of theory of the model is not stated, reference computed with PBE"),
    ):
        run = make_run(references=(reference,), card=replace(CARD, level_of_theory=level))
        assert RunView(run).theory_notice(reference) == notice


def test_untrained_elements_are_named():
    reference = reference_summary("PoO2-Fm-3m", formula="PoO2")
    card = replace(CARD, untrained=("Po", "At"))
    view = RunView(make_run(judged_case(reference), references=(reference,), card=card))
    assert view.notices(view.slices[0]) == ["no training data with Po"]


def test_details_of_a_case_are_read():
    case = read_case(plain_case(judged_case(reference_summary())))
    worst = case.notes.worst
    assert worst.closest_pair == ClosestPair(("Ab", "O"), 1.7134, 0.83)
    assert worst.error_meV == pytest.approx(-0.4 * worst.reference_meV, rel=1e-6)
    assert case.kept(EnergiesDetail).failed_points == ()


def test_slugs_are_safe_and_distinct():
    names = ["A/B-P1", "A_B-P1", "..", "<script>", "x" * 300, "Öl-P1", "PbTiO3-P4mm"]
    view = RunView(
        make_run(
            *(CaseResult("energies", "soft", name, "s", "passed") for name in names), references=()
        )
    )
    slugs = [item.slug for item in view.slices]
    assert len(set(slugs)) == len(names)
    for slug in slugs:
        assert slug.replace("-", "").replace("_", "").replace(".", "").isascii()
        assert "/" not in slug
        assert not slug.startswith(".")
        assert len(slug) < 150
    assert "PbTiO3-P4mm-s" in slugs


def test_points_are_counted():
    reference = reference_summary()
    case = judged_case(reference)
    energies = [list(row) for row in case.energies]
    energies[5][5] = None
    view = RunView(make_run(replace(case, energies=energies), references=(reference,)))
    assert view.slices[0].points == {
        "all": 117,
        "compared": 114,
        "masked": 1,
        "without DFT energy": 1,
        "without model energy": 1,
    }


def test_a_model_without_the_zero_is_shown_above_its_own_minimum():
    reference = reference_summary()
    case = judged_case(reference, 1.0, shift=-3.0)
    energies = [list(row) for row in case.energies]
    i, j = reference.minimum
    energies[i][j] = None
    view = RunView(make_run(replace(case, energies=energies), references=(reference,)))
    model = view.slices[0].model
    assert np.nanmin(model) == 0
    assert math.isnan(model[i, j])
