"""What the pages of the leaderboard show: models, materials and what belongs to them."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from symscape.leaderboard.collect import Unit
from symscape.leaderboard.cost import Cost, cost_of
from symscape.leaderboard.maps import Thumbnail
from symscape.leaderboard.presets import PRESETS, Preset
from symscape.leaderboard.ranking import RAW_METRICS, Ranking, RawMetric, Standing
from symscape.leaderboard.scores import combine
from symscape.models.card import ModelCard
from symscape.models.registry import load_cards
from symscape.questions.hull import ABOVE_HULL_MAE, HULL
from symscape.questions.question import Question
from symscape.questions.registry import QUESTIONS
from symscape.results.run_results import ReferenceSummary

#: what is noted beside the score of a chemical system
_ABOVE_HULL = RawMetric(HULL.name, ABOVE_HULL_MAE)


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
class CrystalQuestion:
    """One question about crystals.

    Parameters
    ----------
    index
        Its place in the score table.
    units
        Those that are asked it, each with its place in the score table.
    metrics
        Those of which any model has a number.
    """

    index: int
    question: Question
    units: tuple[tuple[int, Unit], ...]
    metrics: tuple[RawMetric, ...]


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Key by which numbers within names are in the order of their values."""
    parts = re.findall(r"\d+|\D+", name)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


@dataclass(frozen=True, eq=False)
class BoardSite:
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
        """Units about crystals of which anything is asked, each with its place in the table.

        Numbers within names count as numbers: group 2 stands before group 10.
        """
        table = self.ranking.table
        found = (
            (k, unit)
            for k, unit in enumerate(table.units)
            if unit.reference is None and table.asked[k].any()
        )
        return tuple(
            sorted(found, key=lambda own: (_natural(own[1].material), _natural(own[1].slice)))
        )

    @cached_property
    def crystal_questions(self) -> tuple[CrystalQuestion, ...]:
        """Questions about crystals, each with the units and metrics of its table."""
        ranking, found = self.ranking, []
        for q, question in enumerate(ranking.table.questions):
            units = tuple((k, u) for k, u in self.crystals if ranking.table.asked[k, q])
            places = [k for k, _ in units]
            metrics = tuple(
                metric
                for metric in RAW_METRICS
                if metric.question == question.name
                and np.isfinite(ranking.raw_units[metric.name][:, places]).any()
            )
            if units:
                found.append(CrystalQuestion(q, question, units, metrics))
        return tuple(found)

    def material_index(self, unit: Unit) -> int:
        """Place of a unit's material in the score table."""
        return self.ranking.table.materials.index(unit.material)

    @cached_property
    def presets(self) -> tuple[Preset, ...]:
        """Choices of weights that ask at least one of the board's questions."""
        return tuple(p for p in PRESETS if p.of(self.ranking.table.questions).any())

    @cached_property
    def cost(self) -> Cost:
        """What the plot of cost against accuracy has on its axis."""
        return cost_of(self.ranking.standings, self.ranking.board.timings)

    @cached_property
    def periodic_table(self) -> tuple[tuple[str, int, int, bool], ...]:
        """Symbol, row and column from 1, and whether anything here holds it, of each element."""
        from ase.data import chemical_symbols

        from symscape.figures.periodic_table import element_cell

        present = {element for unit in self.ranking.table.units for element in unit.elements}
        cells = ((chemical_symbols[number], *element_cell(number)) for number in range(1, 104))
        return tuple(
            (symbol, row + 1, column + 1, symbol in present) for symbol, row, column in cells
        )

    @cached_property
    def material_scores(self) -> np.ndarray:
        """The score on each material alone, shape (n_models, n_materials)."""
        return combine(self.ranking.table.by_material, self.ranking.table.weights)

    @cached_property
    def slice_scores(self) -> np.ndarray:
        """The score on each unit alone, shape (n_models, n_units)."""
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

    def registered(self, standing: Standing) -> ModelCard | None:
        """Return a model's card as it is registered today, which knows the published values."""
        return load_cards().get(standing.name)

    @property
    def timed(self) -> bool:
        """Whether any run says how fast its model is."""
        return any(math.isfinite(s.seconds_per_point) for s in self.ranking.standings)

    def about_slices(self, name: str) -> bool:
        """Whether a question, or the question of a raw metric, is asked of slices."""
        return QUESTIONS[name.partition(".")[0]].about == "slices"

    def note(self, standing: Standing, unit: int) -> float:
        """Error above hull of a model on a chemical system in meV/atom; NaN elsewhere."""
        return float(self.ranking.raw_units[_ABOVE_HULL.name][standing.index, unit])

    def facts(self, standing: Standing, question: Question) -> list[RawMetric]:
        """Raw metrics of a question for which a model has a number."""
        return [
            metric
            for metric in RAW_METRICS
            if metric.question == question.name and math.isfinite(standing.raw[metric.name])
        ]

    def shown_on(self, slice_index: int) -> list[RawMetric]:
        """Raw metrics of relative energies for which any model has a number on a slice."""
        return [
            metric
            for metric in RAW_METRICS
            if metric.question == "energies"
            and np.isfinite(self.ranking.raw_units[metric.name][:, slice_index]).any()
        ]

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
