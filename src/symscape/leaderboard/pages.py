"""The pages of the leaderboard: HTML that opens from disk, with scripts and styles beside it."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any

from symscape.crystal.labels import symbol_label
from symscape.decode import encode
from symscape.leaderboard.badge import badge_words
from symscape.leaderboard.board_files import (
    interval_text,
    percent_text,
    points_text,
    speed_text,
    value_text,
)
from symscape.leaderboard.browser import browser_numbers, script_json
from symscape.leaderboard.collect import theory_agrees
from symscape.leaderboard.counts import counts_text
from symscape.leaderboard.elements import element_figures, row_anchor
from symscape.leaderboard.maps import map_numbers
from symscape.leaderboard.ranking import HEADLINE, RAW_METRICS, RawMetric, Standing
from symscape.leaderboard.site import BoardSite, MaterialView, slug
from symscape.leaderboard.speed import SPEED
from symscape.models.card import ModelCard
from symscape.models.published import published_text
from symscape.models.training_sets import training_text
from symscape.page import words
from symscape.questions.energies import (
    MAE,
    MEAN_SIGNED_ERROR,
    SCORED_WINDOW,
    SOFTENING_SCALE,
    SPEARMAN,
)

#: heads of the ranking's columns, where there is no room for a metric's title
#: smaller values are those of rounding, in whatever unit
_NOISE = 1e-6
HEADLINE_TITLES = {
    MAE.name: "MAE",
    MEAN_SIGNED_ERROR.name: "signed error",
    SOFTENING_SCALE.name: "softening",
    SPEARMAN.name: "rank corr.",
}


class Pages:
    """Renders the templates.

    Whatever comes from files (names, cards, reasons) is escaped.

    Parameters
    ----------
    site
        What the pages show.
    """

    def __init__(self, site: BoardSite):
        from jinja2 import Environment, PackageLoader, StrictUndefined

        self.site = site
        self.environment = Environment(
            loader=PackageLoader("symscape.leaderboard"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            # names, cards and versions come from whoever submits a file
            finalize=words.without_controls,
        )
        self.environment.filters.update(
            number=words.number_text,
            points=points_text,
            interval=interval_text,
            percent=percent_text,
            speed=speed_text,
            duration=words.duration_text,
            formula=words.formula_markup,
            breakable=words.breakable_markup,
            spacegroup=words.symbol_markup,
            symbol=symbol_label,
            moment=moment_text,
            slug=slug,
            sortable=sortable_text,
        )
        self.environment.globals.update(
            site=site,
            ranking=site.ranking,
            board=site.ranking.board,
            table=site.ranking.table,
            speed_scale=SPEED,
            raw_metrics=RAW_METRICS,
            headline=HEADLINE,
            headline_titles=HEADLINE_TITLES,
            counted=lambda standing, metric: words.formulas_markup(
                counts_text(site.ranking, standing, metric)
            ),
            fact=fact_text,
            badge_words=badge_words,
            web_links=web_links,
            element_figures=element_figures,
            row_anchor=row_anchor,
            published_text=published_text,
            training_text=training_text,
            window=f"{SCORED_WINDOW:g}",
            count=words.count_text,
            isnan=lambda value: not math.isfinite(value),
            shown=raw_text,
            value_text=value_text,
            unit_text=words.unit_text,
            agrees=theory_agrees,
        )

    def index(self) -> str:
        """Return the page of the ranking, the materials and how the score is made."""
        content = browser_numbers(self.site.ranking, self.site.presets)
        numbers = json.dumps(encode(content), separators=(",", ":"))
        return self._render("index.html.j2", root="", numbers=script_json(numbers))

    def model(self, standing: Standing) -> str:
        """Return the page of one model on all materials."""
        from symscape.page.run_tables import AVERAGED, underprediction_by, underprediction_table

        run = standing.entry.run
        under = underprediction_table(run)
        groups = [
            (title, name, underprediction_by(under, name).to_dict("records"))
            for title, name in (
                ("By free lattice parameters", "n_lattice"),
                ("By free Wyckoff coordinates", "n_wyckoff"),
            )
        ]
        return self._render(
            "model.html.j2", root="../", standing=standing, run=run, groups=groups,
            card=self._card(standing), errors=[metric.column for metric in AVERAGED],
        )  # fmt: skip

    def _card(self, standing: Standing) -> ModelCard:
        """Return the card as registered today, if the run was made with it; else the run's."""
        from symscape.leaderboard.submission import AGREEING

        used, known = standing.entry.run.model, self.site.registered(standing)
        if known is None or any(getattr(known, f) != getattr(used, f) for f in AGREEING):
            return used
        return known

    def material(self, material: MaterialView) -> str:
        """Return the page of one material: every model on every slice, and the maps."""
        ordered = [standing.entry for standing in self.site.ranking.standings]
        numbers = [
            script_json(json.dumps(encode(map_numbers(s, ordered)), separators=(",", ":")))
            for _, s in material.slices
        ]
        return self._render("material.html.j2", root="../", material=material, numbers=numbers)

    def _render(self, name: str, **known: Any) -> str:
        return self.environment.get_template(name).render(**known)


def moment_text(text: str) -> str:
    """Write a day for people: ``21 November 2026``."""
    moment = datetime.fromisoformat(text)
    return f"{moment.day} {moment:%B %Y}"


def sortable_text(value: float) -> str:
    """Write a number for sorting; empty where there is none."""
    return f"{value:.6g}" if math.isfinite(value) else ""


def raw_text(metric: RawMetric, value: float) -> str:
    """Write a metric's value as tables show it; a whole count has no digits after the point."""
    whole = metric.counts and math.isfinite(value) and value == round(value)
    return words.number_text(value, 0 if whole else metric.decimals, sign=metric.signed)


def fact_text(metric: RawMetric, value: float) -> str:
    """Write a metric's value that stands alone: a small one keeps two digits, and isn't 0.0."""
    if not _NOISE <= abs(value) < 0.5 * 10.0**-metric.decimals:
        return raw_text(metric, value)
    return words.number_text(value, 1 - math.floor(math.log10(abs(value))), sign=metric.signed)


def web_links(card: ModelCard) -> list[str]:
    """Return a card's addresses that lead to the web and nowhere else."""
    return [link for link in card.links if link.startswith(("https://", "http://"))]
