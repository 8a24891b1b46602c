"""What a report says about the hulls of a run: crystals, biases by class, worst ones, cases."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from symscape.page.words import NOTHING, crystal_text, metric_text, unit_text
from symscape.questions.behind import BehindCrystal, behind_crystals
from symscape.questions.case import CaseResult
from symscape.questions.crystal_cases import CrystalRow, MadeBy
from symscape.questions.detail import plain
from symscape.questions.energies import MAE, MEAN_SIGNED_ERROR, SHARE_UNDERPREDICTED
from symscape.questions.hull import HULL, HullDetail
from symscape.questions.registry import QUESTIONS, metric_title
from symscape.questions.relaxation import RelaxationDetail
from symscape.questions.underprediction import SUMMED, BiasDetail
from symscape.science.hull.procedure import ComparisonSettings
from symscape.science.hull.stability import Verdicts, classify
from symscape.science.hull.systems import elements_of_system

if TYPE_CHECKING:
    import pandas as pd

    from symscape.questions.metric import Metric
    from symscape.results.run_results import RunResults

#: column of the classes, what the report calls them
GROUPS = (
    ("n_wyckoff", "free Wyckoff coordinates"),
    ("n_lattice", "free lattice parameters"),
    ("crystal_system", "crystal system"),
    ("chemistry", "chemistry"),
)
#: columns of the table of crystals
_SHOWN = [
    "id", "system", "formula", "material", "prototype", "symbol", "crystal_system", "chemistry",
    "n_lattice", "n_wyckoff", "formation_dft", "formation_model", "above_hull_dft",
    "above_hull_model", "error_total", "error_formation", "error_above_hull",
]  # fmt: skip


def is_about_crystals(case: CaseResult) -> bool:
    """Whether a case is about the hulls' crystals rather than about a slice."""
    question = QUESTIONS.get(case.question)
    return question is not None and question.about == "crystals"


@dataclass(frozen=True)
class Interval:
    """A mean and the ends of its bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ClassBias:
    """Errors above hull of a class of crystals.

    Parameters
    ----------
    of
        What the crystals have in common: a number of free parameters, a name, or a largest energy
        above hull.
    count
        How many they are.
    signed, size
        The error and its absolute value, meV/atom.
    too_low
        The share of them that are too low.
    """

    of: Any
    count: int
    signed: Interval
    size: Interval
    too_low: Interval


@dataclass(frozen=True, eq=False)
class HullFailure:
    """A failed check about crystals: metric and value in words, and the crystals behind it."""

    case: CaseResult
    title: str
    value: str
    crystals: tuple[BehindCrystal, ...]

    @property
    def name(self) -> str:
        """``Al-As hull``, ``crystals with 1 free lattice parameter``."""
        return self.case.subject.title

    @property
    def text(self) -> str:
        """The crystals in words; a dash without any."""
        return ", ".join(map(crystal_text, self.crystals)) or NOTHING


@dataclass(frozen=True, eq=False)
class HullView:
    """The part of a run that is about crystals.

    Parameters
    ----------
    run
        The results of one model.
    """

    run: RunResults

    @cached_property
    def cases(self) -> tuple[CaseResult, ...]:
        """Every case about crystals, failed ones first."""
        order = {"failed": 0, "error": 1, "passed": 2}
        found = [case for case in self.run.cases if is_about_crystals(case)]
        names = list(QUESTIONS)
        return tuple(sorted(found, key=lambda c: (order[c.status], names.index(c.question), c.id)))

    @cached_property
    def crystals(self) -> pd.DataFrame:
        """Every crystal that a case names, once: the columns of a row, energies in meV/atom."""
        import pandas as pd

        rows: dict[str, CrystalRow] = {}
        for case in self.cases:
            kept = case.kept(HullDetail) or case.kept(BiasDetail)
            for row in kept.crystals if kept else ():
                rows.setdefault(row.id, row)
        table = pd.DataFrame([asdict(rows[name]) for name in sorted(rows)] or None, columns=_SHOWN)
        table.attrs["settings"] = plain(self.settings)
        return table

    @cached_property
    def settings(self) -> ComparisonSettings:
        """What made the energies: level of theory, corrections, digest of the crystals."""
        kept = (case.kept(MadeBy) for case in self.cases)
        said = (detail.settings for detail in kept if detail)
        return next((found for found in said if plain(found)), ComparisonSettings())

    @cached_property
    def systems(self) -> tuple[str, ...]:
        """Chemical systems of two elements or more that were judged."""
        judged = (c.material for c in self.cases if c.question == HULL.name and c.status != "error")
        return tuple(sorted(judged))

    def system(self, name: str) -> pd.DataFrame:
        """Return the crystals of a chemical system and its subsystems."""
        wanted = set(elements_of_system(name))
        table = self.crystals
        return table[[set(elements_of_system(own)) <= wanted for own in table["system"]]]

    @cached_property
    def relaxed(self) -> pd.DataFrame:
        """What became of the crystals that the model relaxed; empty if none were."""
        import pandas as pd

        kept = (case.kept(RelaxationDetail) for case in self.cases)
        rows = {row.id: row for detail in kept if detail for row in detail.relaxed}
        return pd.DataFrame([asdict(rows[name]) for name in sorted(rows)])

    @cached_property
    def crystal_rows(self) -> dict[str, list[dict[Any, Any]]]:
        """The rows of `crystals` by id."""
        return _by_id(self.crystals)

    @cached_property
    def relaxed_rows(self) -> dict[str, list[dict[Any, Any]]]:
        """The rows of `relaxed` by id."""
        return _by_id(self.relaxed)

    @cached_property
    def judged(self) -> pd.DataFrame:
        """The crystals without the elements' ground states, which are zero by definition."""
        table = self.crystals
        zero = (table["chemistry"] == "element") & (table["formation_dft"] == 0)
        return table[~zero]

    def bias_by(self, column: str) -> pd.DataFrame:
        """Return means and bootstrap intervals of the errors above hull, class by class."""
        from symscape.science.hull.statistics import summary_by

        table = self.judged
        return table if table.empty else summary_by(table, column, summed=SUMMED)

    def bias_near_hull(self) -> pd.DataFrame:
        """Return the same for crystals that DFT puts near the hull, window by window."""
        from symscape.science.hull.statistics import summary_near_hull

        table = self.judged
        if table.empty:
            return table
        near = table.assign(above_hull_dft=table["above_hull_dft"] / 1000)
        return summary_near_hull(near, summed=SUMMED)

    def biases(self, column: str) -> list[ClassBias]:
        """Return the rows of `bias_by`."""
        return _biases(self.bias_by(column), column)

    def biases_near_hull(self) -> list[ClassBias]:
        """Return the rows of `bias_near_hull`."""
        return _biases(self.bias_near_hull(), "window")

    def stability(self) -> list[tuple[float, Verdicts]]:
        """Return who is called stable, at 0 and at 25 meV/atom: threshold and counts."""
        table = self.crystals
        above = (table[f"above_hull_{who}"].to_numpy() / 1000 for who in ("dft", "model"))
        dft, model = above
        return [(threshold, classify(dft, model, threshold)) for threshold in (0.0, 25.0)]

    def worst(self) -> pd.DataFrame:
        """Return the crystals by their errors above hull, largest first."""
        table = self.judged
        order = table["error_above_hull"].abs().sort_values(ascending=False).index
        return table.loc[order]

    def slices_of(self, material: str) -> list[tuple[str, str]]:
        """Return ids of the run's slices of a material, and their axes in words."""
        own = [r for r in self.run.references if r.material == material]
        return sorted((r.id, ", ".join(axis.label for axis in r.axes)) for r in own)

    @property
    def failures(self) -> list[HullFailure]:
        """Every failed check, in the order of the cases."""
        return [
            HullFailure(
                case,
                metric_title(check.metric),
                f"{metric_text(check.metric, check.value)} {unit_text(check.unit)}".rstrip(),
                behind_crystals(case).get(check.metric, ()),
            )
            for case in self.cases
            for check in case.checks
            if not check.passed
        ]

    @property
    def sentence(self) -> str:
        """One clause for the head of a report; empty if nothing was judged."""
        judged = [case for case in self.cases if case.status != "error"]
        if not judged:
            return ""
        failed = sum(case.status == "failed" for case in judged)
        text = f"{failed} of {len(judged)} cases about hulls outside tolerance"
        if not failed:
            text = f"all {len(judged)} cases about hulls within tolerance"
        table = self.judged
        if table.empty:
            return text
        from symscape.science.hull.statistics import too_low

        share = float(too_low(table["error_above_hull"].to_numpy()).mean())
        return f"{text}; {100 * share:.0f} % of {len(table)} crystals too low above their hull"


def _by_id(table: pd.DataFrame) -> dict[str, list[dict[Any, Any]]]:
    found: dict[str, list[dict[Any, Any]]] = {}
    for row in table.to_dict("records"):
        found.setdefault(row["id"], []).append(row)
    return found


def _biases(table: pd.DataFrame, column: str) -> list[ClassBias]:
    def interval(row: dict[Any, Any], metric: Metric) -> Interval:
        return Interval(*(row[metric.name + end] for end in ("", "_low", "_high")))

    return [
        ClassBias(
            row[column],
            row["n"],
            interval(row, MEAN_SIGNED_ERROR),
            interval(row, MAE),
            interval(row, SHARE_UNDERPREDICTED),
        )
        for row in table.to_dict("records")
    ]
