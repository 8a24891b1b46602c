"""What is said about metrics over checkpoints or commits: cards, charts, a part of a report."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from symscape.page.history_chart import HEIGHT, WIDTH, Chart, draw_counts, draw_metric
from symscape.page.words import count_text, metric_text, unit_text
from symscape.questions.metric import Movement
from symscape.questions.registry import QUESTIONS, metric_title, question_title
from symscape.questions.subjects import subject_of
from symscape.results.history import History, MetricHistory
from symscape.results.run_results import ReferenceSummary

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

#: of the names below a chart, which has room for two
_LONGEST_NAME = 18
#: how a metric can have moved
_MOVED: tuple[Movement, ...] = ("worse", "better")
#: charts in a report beside all else that it holds; the page of its own has all
MOST_CHARTS = 80


@dataclass(frozen=True, eq=False)
class HistoryCard:
    """What a landscape or a group of crystals did over the runs.

    Parameters
    ----------
    id
        ``GeTe-R3m-ca-Ge_z``, also the anchor's name.
    title
        In words, for what is no slice.
    reference
        The slice; None for a group of crystals.
    elements
        Chemical symbols.
    statuses
        The worst status in each run; empty where it was not asked.
    movement
        ``worse`` if any metric got worse since the first run, else ``better`` or ``same``.
    told
        What moved most.
    questions
        Each question with its charts.
    failed
        Questions that the last run failed.
    """

    id: str
    title: str
    reference: ReferenceSummary | None
    elements: tuple[str, ...]
    statuses: tuple[str, ...]
    movement: str
    told: str
    questions: tuple[tuple[str, tuple[Chart, ...]], ...]
    failed: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class HistoryView:
    """What the page says.

    Parameters
    ----------
    history
        The runs.
    only_moved
        Whether to leave out metrics that stayed as they were.
    most
        Charts at most, those that moved most.
    """

    history: History
    only_moved: bool = False
    most: int | None = None

    @cached_property
    def names(self) -> list[str]:
        """Of the runs."""
        return [past.name for past in self.history.runs]

    @cached_property
    def shown(self) -> frozenset[MetricHistory]:
        """The metrics that get a chart."""
        known = [m for m in self.history.metrics if not self.only_moved or m.movement in _MOVED]
        known.sort(key=lambda m: -abs(m.growth))
        return frozenset(known[: self.most])

    @property
    def moved(self) -> dict[Movement, int]:
        """How many metrics got worse and better since the first run."""
        found = [m.movement for m in self.history.metrics]
        return {name: found.count(name) for name in _MOVED}

    @property
    def sentence(self) -> str:
        """What the history amounts to, without a full stop."""
        runs = count_text(len(self.names), "run")
        if len(self.names) < 2:
            return f"{runs}: a history needs two"
        moved = [f"{count_text(n, 'metric')} {name}" for name, n in self.moved.items() if n]
        told = ", ".join(moved) or "no metric moved"
        return f"{runs}, {self.names[0]} to {self.names[-1]}: {told} since the first"

    @cached_property
    def counts(self) -> list[dict[str, int]]:
        """Cases of each status, run by run."""
        return [
            {
                status: list(past.statuses.values()).count(status)
                for status in ("failed", "error", "passed")
            }
            for past in self.history.runs
        ]

    @property
    def overview(self) -> list[Chart]:
        """Failed cases and cases not judged over the runs."""
        return [
            draw_counts(title, [count[status] for count in self.counts], self.names)
            for title, status in (("failed cases", "failed"), ("cases not judged", "error"))
        ]

    @cached_property
    def cards(self) -> list[HistoryCard]:
        """A card for each landscape and group of crystals, what moved for the worse first."""
        of: dict[tuple[str, str], list[MetricHistory]] = {}
        for metric in self.history.metrics:
            of.setdefault(metric.case[1:], []).append(metric)
        cards = [
            (self._card(*key, of.get(key, [])), of.get(key, [])) for key in self.history.subjects
        ]
        if self.only_moved:
            cards = [(card, own) for card, own in cards if card.questions]
        order = {"worse": 0, "better": 1, "same": 2}
        cards.sort(
            key=lambda c: (order[c[0].movement], -max((abs(m.growth) for m in c[1]), default=0))
        )
        return [card for card, _ in cards]

    def _card(self, material: str, part: str, metrics: list[MetricHistory]) -> HistoryCard:
        moved = {m.movement for m in metrics}
        movement = next((m for m in _MOVED if m in moved), "same")
        # what moved most in the direction that the card is filed under
        moving = [m for m in metrics if m.movement == movement != "same"]
        most = max(moving, key=lambda m: abs(m.growth), default=None)
        charts: dict[str, list[Chart]] = {}
        for metric in metrics:
            if metric in self.shown:
                charts.setdefault(metric.case[0], []).append(draw_metric(metric, self.names))
        last = self.history.runs[-1].statuses
        reference = self._reference(material, part)
        subject = subject_of(material, part)
        symbols = re.findall("[A-Z][a-z]?", reference.formula) if reference else subject.elements
        return HistoryCard(
            id=f"{material}-{part}" if part else material,
            title=subject.title,
            reference=reference,
            elements=tuple(sorted(set(symbols))),
            statuses=tuple(self._status(k, material, part) for k in range(len(self.names))),
            movement=movement,
            told=_told(most) if most else "",
            questions=tuple((question_title(name), tuple(own)) for name, own in charts.items()),
            failed=tuple(q for q in QUESTIONS if last.get((q, material, part)) == "failed"),
        )

    def _status(self, place: int, material: str, part: str) -> str:
        """Return the worst status in a run; empty where nothing was asked."""
        known = self.history.runs[place].statuses
        found = {status for key, status in known.items() if key[1:] == (material, part)}
        return next((s for s in ("error", "failed", "passed") if s in found), "")

    def _reference(self, material: str, part: str) -> ReferenceSummary | None:
        """Return what the newest run that has the slice says of it."""
        runs = [past.run for past in reversed(self.history.runs)]
        found = (
            r for run in runs for r in run.references if (r.material, r.slice) == (material, part)
        )
        return next(found, None)


def _told(history: MetricHistory) -> str:
    first, last = (
        metric_text(history.metric, r.value) for r in (history.known[0], history.known[-1])
    )
    return f"{metric_title(history.metric)} {first} → {last} {unit_text(history.unit)}".rstrip()


def short_name(name: str) -> str:
    """Cut a run's name to what fits below a chart; its end tells more than its beginning."""
    return name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}"


def history_choices(cards: Iterable[HistoryCard]) -> dict[str, list[tuple[str, str]]]:
    """Return what the cards can be filtered by: how they moved, failed questions, elements."""
    cards = list(cards)
    questions = {name for card in cards for name in card.failed}
    return {
        "movements": [(m, m) for m in (*_MOVED, "same") if any(c.movement == m for c in cards)],
        "questions": [(name, question_title(name)) for name in QUESTIONS if name in questions],
        "elements": [(e, e) for e in sorted({e for card in cards for e in card.elements})],
    }


def render_history(
    view: HistoryView, environment: Environment, template: str = "history.html.j2"
) -> Markup:
    """Return the part of a report, or of another template that includes it.

    Parameters
    ----------
    environment
        The pages' jinja2 environment, with its filters.
    """
    from markupsafe import Markup

    text = environment.get_template(template).render(
        history=view,
        choices=history_choices(view.cards),
        short_name=short_name,
        size=(WIDTH, HEIGHT),
    )
    return Markup(text)
