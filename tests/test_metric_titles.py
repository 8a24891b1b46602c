"""Where a person reads, a metric goes by its title; its key stands in brackets, if at all."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
from report_runs import make_run, reference_summary

from symscape.page.github import failure_annotations
from symscape.page.html import render_page
from symscape.page.summary import summary_markdown
from symscape.page.view import RunView
from symscape.questions.case import CaseResult, Check
from symscape.questions.metric import Metric
from symscape.questions.notes import BehindRow, Notes
from symscape.questions.question import Question
from symscape.questions.registry import QUESTIONS, metric_named, metric_title, question_title
from symscape.results.run_results import BaselineSummary
from symscape.verdict.baseline import judge_against
from symscape.verdict.explain import explain, failure_line
from symscape.verdict.gate import Baseline, change_table

METRICS = {m.name: m for q in QUESTIONS.values() for m in (*q.metrics, *q.derived)}
#: names that are no words of English
KEYS = {name for name in (*METRICS, *QUESTIONS) if "_" in name}


def raw_keys(text: str) -> list[str]:
    """Keys of metrics and questions that stand outside brackets and code."""
    bare = re.sub(r"\[[a-z0-9_]+\]|`[^`]*`|<code>.*?</code>", "", text)
    return sorted(KEYS.intersection(re.findall(r"\w+", bare)))


def case_of(question: Question, metric: Metric, value: float, passed: bool) -> CaseResult:
    """A case with one check, about the slice that the run below knows."""
    check = Check(metric.name, value, (None, 1.0), metric.unit, passed)
    notes = Notes(behind={metric.name: (BehindRow("As-A7", value, "%"),)})
    status = "passed" if passed else "failed"
    return CaseResult(question.name, "soft", "AbO3-P4mm", "Ab_z-O_z", status, (check,), notes=notes)


ASKED = [(q, m) for q in QUESTIONS.values() for m in q.metrics]


@pytest.fixture(params=ASKED, ids=lambda pair: f"{pair[0].name}-{pair[1].name}")
def worse(request) -> CaseResult:
    """A metric that failed and is worse than in an earlier run."""
    question, metric = request.param
    earlier = case_of(question, metric, 0.5, passed=True)
    return judge_against(case_of(question, metric, 70.0, passed=False), earlier)[0]


def test_the_terminal_names_metrics_by_their_titles(worse, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (check,) = worse.checks
    title = metric_title(check.metric)
    gone = [f"AbO3-P4mm-Ab_z-O_z: {worse.question}"]
    texts = {
        "block": explain(worse),
        "line": failure_line(worse),
        "changes": "\n".join(change_table([worse], Baseline("b", None, {}, {}), gone)),
        "annotation": "\n".join(failure_annotations([worse])),
    }
    for where, text in texts.items():
        assert raw_keys(text) == [], where
        assert title in text or where == "changes", where
    # what has to be written into a tolerance file is in the block alone; no file allows gaps
    named = f"{title} [{check.metric}]" in re.sub(r"\s+", " ", texts["block"])
    assert named == (not metric_named(check.metric).gap)


def test_summary_and_page_name_metrics_by_their_titles(worse):
    reference = reference_summary()
    run = make_run(worse, references=(reference,))
    gone = (f"BeO-P6_3mc-Be_z-volume: {worse.question}",)
    for summary in (None, BaselineSummary("b.json", "old", 0.1, gone=gone)):
        told = replace(run, baseline=summary)
        for text in (summary_markdown(told), shown(render_page(RunView(told), {}))):
            assert raw_keys(text) == []
            assert metric_title(worse.checks[0].metric) in text
            assert "P6_3mc" not in text
            if summary:
                assert question_title(worse.question) in text


def shown(page: str) -> str:
    """What a browser shows of a page, and what it reads aloud."""
    text = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.S)
    spoken = re.findall(r'\b(?:alt|title|aria-label)="([^"]*)"', text)
    return unescape(re.sub(r"<(?!/?code)[^>]*>", "", text) + "\n".join(spoken))


def test_what_a_browser_shows_has_no_escapes():
    """A title may have an apostrophe."""
    assert shown("<p>depth below <b>DFT&#39;s</b> minimum</p>") == "depth below DFT's minimum"
