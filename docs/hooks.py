"""What MkDocs does beyond its settings: formulas become MathML, and metrics come from the code."""

from __future__ import annotations

import html
import re
from typing import Any

from latex2mathml.converter import convert

from symscape.page.words import NOTHING, limit_text, unit_text
from symscape.questions.case import Check
from symscape.questions.question import Question
from symscape.questions.registry import QUESTIONS
from symscape.verdict.tolerances import PROFILES, Tolerances, load_tolerances

#: what pymdownx.arithmatex leaves of a formula, in a line and on its own
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


#: where a page wants the tables of all metrics
EVERY_METRIC = "<!-- every metric -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put in the tables of all metrics where a page asks for them."""
    if EVERY_METRIC not in markdown:
        return markdown
    profiles = [load_tolerances(name) for name in PROFILES]
    asked = sorted(QUESTIONS.values(), key=lambda question: question.place)
    return markdown.replace(EVERY_METRIC, "\n\n".join(_table(q, profiles) for q in asked))


def _table(question: Question, profiles: list[Tolerances]) -> str:
    """Return all that is said of a question's metrics, and the limits of the profiles."""
    limits = [
        profile.case(question.name, material="", slice="", model="").limits for profile in profiles
    ]
    rows = [["name", "what it is", "unit", "ideal", *PROFILES, "perfect", "useless"]]
    rows.append(["---"] * len(rows[0]))
    for metric in (*question.metrics, *question.derived):
        known = (own.get(metric.name, (None, None)) for own in limits)
        checks = (Check(metric.name, 0.0, limit, metric.unit, True) for limit in known)
        score = metric.score
        rows.append(
            [
                f"`{metric.name}`",
                metric.title,
                unit_text(metric.unit),
                NOTHING if metric.ideal is None else f"{metric.ideal:g}",
                *map(limit_text, checks),
                *((f"{score.perfect:g}", f"{score.useless:g}") if score else (NOTHING, NOTHING)),
            ]
        )
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return f"### {question.title} (`{question.name}`)\n\n{table}"


def on_page_content(content: str, **_: Any) -> str:
    """Replace the formulas of a page, so that it needs no script from elsewhere."""

    def mathml(found: re.Match[str]) -> str:
        display = "block" if found[2] == "[" else "inline"
        return convert(html.unescape(found[3]), display=display)

    return _FORMULA.sub(mathml, content)
