"""The pages of the leaderboard: HTML that opens from disk, with scripts and styles beside it."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np

from symscape.leaderboard.collect import Unit, theory_agrees
from symscape.leaderboard.maps import Thumbnail, map_numbers
from symscape.leaderboard.ranking import RAW_METRICS, SPEED, Ranking, RawMetric, Standing
from symscape.leaderboard.scores import scoring_of
from symscape.leaderboard.tables import (
    interval_text,
    percent_text,
    points_text,
    speed_text,
    value_text,
)
from symscape.page import words
from symscape.questions.energies import SCORED_WINDOW
from symscape.questions.question import Question
from symscape.questions.registry import QUESTIONS
from symscape.results.run_results import ReferenceSummary


def slug(name: str) -> str:
    """Return a name as a file name; a hash keeps altered ones apart."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).lstrip(".-")[:100]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, eq=False)
class MaterialView:
    """One material: its slices, and where its scores stand in the table.

    Parameters
    ----------
    index
        Place in the table's materials.
    slices
        Pairs of place in the table's slices and slice.
    """

    name: str
    index: int
    slices: tuple[tuple[int, ReferenceSummary], ...]

    @property
    def first(self) -> ReferenceSummary:
        """A slice, for what all of them share."""
        return self.slices[0][1]

    @property
    def elements(self) -> list[str]:
        """Chemical symbols of the formula, in its order."""
        return list(Unit(self.name, self.first.slice, self.first).elements)

    @property
    def page(self) -> str:
        """Path of its page from the leaderboard's folder."""
        return f"materials/{slug(self.name)}.html"


@dataclass(frozen=True, eq=False)
class Site:
    """Everything that the templates ask for.

    Parameters
    ----------
    ranking
        Models and their scores.
    thumbnails
        Landscapes by the model's name and the slice's id.
    elements
        Periodic tables of each model that was judged on equations of state.
    """

    ranking: Ranking
    thumbnails: Mapping[tuple[str, str], Thumbnail]
    elements: Mapping[str, tuple[Thumbnail, ...]] = field(default_factory=dict)

    @cached_property
    def materials(self) -> tuple[MaterialView, ...]:
        """Materials in the order of the score table."""
        table = self.ranking.table
        return tuple(
            MaterialView(
                name, k, tuple((i, s) for i, s in enumerate(table.slices) if s.material == name)
            )
            for k, name in enumerate(table.materials)
            if any(s.material == name for s in table.slices)
        )

    @cached_property
    def crystals(self) -> tuple[tuple[int, Unit], ...]:
        """Units about crystals, each with its place in the table."""
        units = enumerate(self.ranking.table.units)
        return tuple((k, unit) for k, unit in units if unit.reference is None)

    @cached_property
    def material_scores(self) -> np.ndarray:
        """The score on each material alone, shape (n_models, n_materials)."""
        from symscape.leaderboard.scores import combine

        return combine(self.ranking.table.by_material, self.ranking.table.weights)

    @cached_property
    def slice_scores(self) -> np.ndarray:
        """The score on each unit alone, shape (n_models, n_units)."""
        from symscape.leaderboard.scores import combine

        return combine(self.ranking.table.cells, self.ranking.table.weights)

    @property
    def newest(self) -> str:
        """When the newest run began."""
        return max(entry.run.started for entry in self.ranking.board.entries)

    @property
    def library(self) -> str:
        """Short digest of all references: which version of the library this is."""
        text = "\n".join(f"{s.id} {s.digest}" for s in self.ranking.table.slices)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def tables(self, standing: Standing) -> tuple[Thumbnail, ...]:
        """Periodic tables of a model; none if it was not judged on equations of state."""
        return self.elements.get(standing.name, ())

    def thumbnail(self, model: str, slice_id: str) -> Thumbnail | None:
        """Picture of a model's landscape, or with ``model`` empty of DFT's."""
        return self.thumbnails.get((model, slice_id))

    def theory_notice(self, standing: Standing) -> str:
        """Say that a model's level of theory is not the references'; empty if it is."""
        if standing.same_theory:
            return ""
        level = standing.entry.run.model.level_of_theory
        levels = " and ".join(self.ranking.board.levels_of_theory)
        if level == "unknown":
            return f"level of theory not stated, references computed with {levels}"
        return f"trained on {level}, references computed with {levels}"

    @property
    def timed(self) -> bool:
        """Whether any run says how fast its model is."""
        return any(math.isfinite(s.seconds_per_point) for s in self.ranking.standings)

    def about_slices(self, name: str) -> bool:
        """Whether a question, or the question of a raw metric, is asked of slices."""
        return QUESTIONS[name.partition(".")[0]].about == "slices"

    def raw(self, name: str) -> RawMetric:
        """Return a raw metric by its name."""
        return next(metric for metric in RAW_METRICS if metric.name == name)

    def judged_text(self, standing: Standing, question: int) -> str:
        """Say in how many of the cases of a question a model was judged."""
        table = self.ranking.table
        judged = int(table.answered[standing.index, :, question].sum())
        return f"{judged} of {int(table.asked[:, question].sum())}"

    def asked_on(self, slice_index: int) -> list[tuple[int, Question]]:
        """Questions that are asked of a slice, each with its place in the table."""
        table = self.ranking.table
        return [
            (q, scale) for q, scale in enumerate(table.questions) if table.asked[slice_index, q]
        ]

    def untrained(self, standing: Standing, material: MaterialView) -> list[str]:
        """Elements of a material that a model has never seen."""
        return sorted(set(material.elements) & set(standing.entry.run.model.untrained))

    def unscored(self) -> list[str]:
        """Titles of the questions that runs answer and that have no scale."""
        asked = {case.question for e in self.ranking.board.entries for case in e.run.cases}
        known = {name: QUESTIONS.get(name) for name in sorted(asked)}
        return [q.title if q else name for name, q in known.items() if q is None or not q.scoring]


def browser_numbers(site: Site) -> dict[str, Any]:
    """Return what the index page filters and averages by: scores and metrics of every slice."""
    table = site.ranking.table
    order = [standing.index for standing in site.ranking.standings]
    return {
        "questions": [
            {"name": q.name, "title": scoring_of(q).head, "weight": scoring_of(q).weight}
            for q in table.questions
        ],
        "metrics": [
            {
                "name": metric.name,
                "title": metric.title,
                "unit": metric.unit,
                "decimals": metric.decimals,
                "signed": metric.signed,
                "ideal": metric.ideal,
            }
            for metric in RAW_METRICS
        ],
        "models": [{"name": s.name, "same": s.same_theory} for s in site.ranking.standings],
        "materials": [
            {
                "name": name,
                "elements": sorted({e for _, unit in own for e in unit.elements}),
                "group": own[0][1].reference.spacegroup_number if own[0][1].reference else None,
                "system": own[0][1].reference.crystal_system if own[0][1].reference else None,
                "units": [k for k, _ in own],
            }
            for name in table.materials
            for own in [[(k, u) for k, u in enumerate(table.units) if u.material == name]]
        ],
        "cells": [[[_short(x) for x in row] for row in table.cells[i]] for i in order],
        "raw": {
            name: [[_short(x) for x in values[i]] for i in order]
            for name, values in site.ranking.raw_units.items()
        },
    }


def _short(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None


class Pages:
    """Renders the templates.

    Whatever comes from files (names, cards, reasons) is escaped.

    Parameters
    ----------
    site
        What the pages show.
    """

    def __init__(self, site: Site):
        from jinja2 import Environment, PackageLoader, StrictUndefined

        self.site = site
        self.environment = Environment(
            loader=PackageLoader("symscape.leaderboard"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.filters.update(
            number=words.number_text,
            points=points_text,
            interval=interval_text,
            percent=percent_text,
            speed=speed_text,
            duration=words.duration_text,
            formula=formula_markup,
            moment=moment_text,
            slug=slug,
            sortable=sortable_text,
            crystals=crystals_text,
        )
        self.environment.globals.update(
            site=site,
            ranking=site.ranking,
            board=site.ranking.board,
            table=site.ranking.table,
            speed_scale=SPEED,
            raw_metrics=RAW_METRICS,
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
        numbers = json.dumps(browser_numbers(self.site), separators=(",", ":"))
        return self._render("index.html.j2", root="", numbers=script_json(numbers))

    def model(self, standing: Standing) -> str:
        """Return the page of one model on all materials."""
        from symscape.page.run_tables import underprediction_by, underprediction_table

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
            "model.html.j2", root="../", standing=standing, run=run, card=run.model, groups=groups
        )

    def material(self, material: MaterialView) -> str:
        """Return the page of one material: every model on every slice, and the maps."""
        ordered = [standing.entry for standing in self.site.ranking.standings]
        numbers = [
            script_json(json.dumps(map_numbers(s, ordered), separators=(",", ":")))
            for _, s in material.slices
        ]
        return self._render("material.html.j2", root="../", material=material, numbers=numbers)

    def _render(self, name: str, **known: Any) -> str:
        return self.environment.get_template(name).render(**known)


def script_json(text: str) -> Any:
    """Keep JSON inside a script element from ending it."""
    from markupsafe import Markup

    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def formula_markup(formula: str) -> Any:
    """Write a formula with its numbers below the line, escaped."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"(\d+)", r"<sub>\1</sub>", str(escape(formula))))


def moment_text(text: str) -> str:
    """Write a day for people: ``21 November 2026``."""
    moment = datetime.fromisoformat(text)
    return f"{moment.day} {moment:%B %Y}"


def sortable_text(value: float) -> str:
    """Write a number for sorting; empty where there is none."""
    return f"{value:.6g}" if math.isfinite(value) else ""


def crystals_text(name: str) -> str:
    """Write which crystals a unit is about: ``3-4 free Wyckoff coordinates``."""
    column, _, group = name.partition("-")
    words_for = {"n_lattice": "free lattice parameters", "n_wyckoff": "free Wyckoff coordinates"}
    return f"{group} {words_for[column]}" if column in words_for else name.replace("_", " ")


def raw_text(metric: RawMetric, value: float) -> str:
    """Write a metric's value as tables show it."""
    return words.number_text(value, metric.decimals, sign=metric.signed)
