"""summary.md of a report: the verdict first, one row a material, nothing from files unescaped."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from report_runs import judged_case, make_run, mixed_run, reference_summary

from symscape.page.summary import summary_markdown
from symscape.questions.case import CaseResult, Check
from symscape.questions.energies import MAE
from symscape.questions.underprediction import UNDERPREDICTION
from symscape.results.run_results import BaselineSummary, RunResults


def test_the_summary_begins_with_the_verdict():
    lines = summary_markdown(mixed_run()).splitlines()
    assert lines[0].startswith("## ✗ soft: 2 of 4 landscapes outside tolerance")
    assert "3 cases failed, 1 not judged, 1 passed" in lines[2]
    rows = [line for line in lines if line.startswith("| ")]
    names = [row.split("|")[1].strip() for row in rows]
    axes = "P4mm z(Ab), z(O)"
    order = ["Bad-P1 x(X), y(X)", f"Softer {axes}", f"Soft {axes}", f"Fine {axes}"]
    assert [n for n in dict.fromkeys(names) if n in order] == order
    marks = next(row for row in rows if row.startswith("| Softer"))
    assert "| ✗ | ✗ | everything 139 meV/atom too low, slope 0.40; missing minima 1 |" in marks
    softer = next(row for row in rows if row.startswith("| Softer") and "(0.85 to" in row)
    assert "softening scale 0.400 (0.85 to 1.15)" in softer
    assert "Ab–O 1.71 Å" in softer
    assert any("the file is broken" in row for row in rows)


def test_the_summary_of_a_clean_run_has_no_failures():
    reference = reference_summary()
    text = summary_markdown(make_run(judged_case(reference, 1.0), references=(reference,)))
    assert text.startswith("## ✓ soft: The landscape is within tolerance\n")
    assert "Failed" not in text
    assert "### Passed" in text


def large_run(baseline: BaselineSummary | None = None) -> RunResults:
    """More slices and classes of crystals than a screen has lines for, two in three failed."""
    references = tuple(reference_summary(f"Ab{k}O3-P4mm") for k in range(40))
    slices = [judged_case(r, 0.7 if k % 3 else 1.0) for k, r in enumerate(references)]
    checks = (Check(MAE.name, 80.0, (None, 50.0), "meV/atom", False),)
    crystals = [
        CaseResult(UNDERPREDICTION.name, "soft", "crystals", f"n_lattice-{k}", "failed", checks)
        for k in range(20)
    ]
    run = make_run(*slices, *crystals, references=references)
    return run if baseline is None else replace(run, baseline=baseline)


@pytest.mark.parametrize(
    "baseline", [None, BaselineSummary("b.json", "old", 0.1, gone=("Gone-P1",))]
)
def test_what_is_not_folded_fits_on_a_screen(baseline):
    run = large_run(baseline)
    text = summary_markdown(run)
    shown, _, folded = text.partition("<details>")
    assert len(shown.splitlines()) <= 40
    assert max(map(len, shown.splitlines())) < 240
    rows = [line.split("|")[1].strip() for line in shown.splitlines() if line.startswith("| ")]
    assert "crystals with 1 free lattice parameter" in rows
    assert "Ab₁₀O₃ P4mm z(Ab), z(O)" in rows
    # all that failed is told below, and what is left out is counted
    failed = [case.subject for case in run.cases if case.status == "failed"]
    # once with its limits, once with the crystals behind it
    assert folded.count("crystals with") == 2 * sum(s.about == "crystals" for s in failed)
    wanted = 40 - sum(name.endswith("z(O)") for name in rows)
    assert re.search(rf"and {wanted} more \(\d+ of them not passed\)", shown)
    assert "[index.html](index.html)" in text


def test_the_summary_escapes_what_comes_from_files():
    nasty = "<img src=x>|*b*`c`[d](e)"
    reference = reference_summary(nasty)
    text = summary_markdown(make_run(judged_case(reference), references=(reference,)))
    assert "<img" not in text
    row = next(line for line in text.splitlines() if "img src" in line and line.startswith("|"))
    # three columns: four bars that are not escaped
    assert row.replace(r"\|", "").count("|") == 4
    assert r"\*b\*\`c\`\[d\](e)" in row


def test_the_summary_tells_of_different_levels_of_theory():
    reference = reference_summary(level_of_theory="r2SCAN")
    run = make_run(judged_case(reference), references=(reference,))
    assert "model trained on PBE, reference computed with r2SCAN" in summary_markdown(run)
