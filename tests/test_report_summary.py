"""summary.md of a report: the verdict first, one row a material, nothing from files unescaped."""

from __future__ import annotations

from report_runs import judged_case, make_run, mixed_run, reference_summary

from symscape.page.summary import summary_markdown


def test_the_summary_begins_with_the_verdict():
    lines = summary_markdown(mixed_run()).splitlines()
    assert lines[0].startswith("## ✗ soft: 2 of 4 landscapes outside tolerance")
    assert "3 cases failed, 1 not judged, 1 passed" in lines[2]
    rows = [line for line in lines if line.startswith("| ")]
    names = [row.split("|")[1].strip() for row in rows]
    order = ["Bad-P1-X_x-X_y", "Softer-P4mm-Ab_z-O_z", "Soft-P4mm-Ab_z-O_z", "Fine-P4mm-Ab_z-O_z"]
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
