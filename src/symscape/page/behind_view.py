"""What a card says of the crystals behind a failed case: drawings, energies, relaxation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symscape.page.crystal_drawing import draw_change
from symscape.page.hull_drawing import HullDrawing, draw_hull
from symscape.page.words import crystal_text, number_text
from symscape.questions.behind import behind_crystals
from symscape.questions.registry import metric_title
from symscape.questions.shapes import CrystalShape

if TYPE_CHECKING:
    from markupsafe import Markup

    from symscape.page.case_views import SliceView
    from symscape.page.hull_view import HullView
    from symscape.questions.case import CaseResult


@dataclass(frozen=True)
class CrystalFact:
    """A line of the table beside a crystal: DFT's and the model's value, printed."""

    title: str
    dft: str
    model: str


@dataclass(frozen=True, eq=False)
class FailedCrystal:
    """A crystal behind failed checks.

    Parameters
    ----------
    id
        ``As-A7``.
    reasons
        Metric and value of each check that it is behind.
    facts
        Its energies and what relaxation did to it.
    before, after
        Drawings; None where the results have no geometry.
    """

    id: str
    reasons: tuple[str, ...]
    facts: tuple[CrystalFact, ...]
    before: Markup | None
    after: Markup | None


@dataclass(frozen=True, eq=False)
class Behind:
    """The crystals behind the failures of one card, and their hull."""

    crystals: tuple[FailedCrystal, ...]
    hull: HullDrawing | None


def crystals_behind(item: SliceView, hulls: HullView) -> Behind | None:
    """Return what a card shows of crystals; None where no failed check names any."""
    cases = [view.case for view in item.cases]
    reasons: dict[str, list[str]] = {}
    for case in cases:
        for metric, named in behind_crystals(case).items():
            for crystal in named:
                _, _, value = crystal_text(crystal).partition(" ")
                reasons.setdefault(crystal.id, []).append(f"{metric_title(metric)} {value}".strip())
    if not reasons or item.about != "crystals":
        return None
    shapes = _shapes(cases)
    crystals = tuple(_crystal(name, why, shapes.get(name), hulls) for name, why in reasons.items())
    return Behind(crystals, draw_hull(item.material, hulls.system(item.material), reasons))


def crystal_anchor(card: str, name: str) -> str:
    """Return the id of a crystal within a card, as links name it."""
    return f"{card}--{re.sub(r'[^A-Za-z0-9_.-]+', '_', name)}"


def _crystal(
    name: str, reasons: list[str], shape: CrystalShape | None, hulls: HullView
) -> FailedCrystal:
    before, after = None, None
    if shape is not None:
        try:
            before, after = draw_change(shape, name)
        except (ValueError, TypeError):
            # anybody's file may hold a crystal that can't be drawn; all else is still told
            before, after = None, None
    return FailedCrystal(name, tuple(reasons), _facts(name, hulls), before, after)


def _facts(name: str, hulls: HullView) -> tuple[CrystalFact, ...]:
    facts = []
    for row in hulls.crystal_rows.get(name, ()):
        for title, column in (("formation energy", "formation"), ("above hull", "above_hull")):
            pair = (number_text(row[f"{column}_{who}"], 1) for who in ("dft", "model"))
            facts.append(CrystalFact(f"{title} (meV/atom)", *pair))
    for row in hulls.relaxed_rows.get(name, ()):
        facts += _relaxation(row)
    return tuple(facts)


def _relaxation(row: Mapping[Any, Any]) -> list[CrystalFact]:
    """Say what the model's relaxation changed; what a file lacks is left out."""
    found = []
    if isinstance(row.get("volume_change"), float):
        change = number_text(100 * row["volume_change"], 1, sign=True)
        found.append(CrystalFact("volume", "", f"{change} %"))
    groups = [row.get(key) for key in ("space_group", "space_group_free")]
    if all(isinstance(group, int) and group for group in groups):
        found.append(CrystalFact("space group", *(f"no. {group}" for group in groups)))
    if isinstance(row.get("gained"), float) and row["gained"] > 0:
        gained = number_text(row["gained"], 1)
        found.append(CrystalFact("gained by breaking it (meV/atom)", "", gained))
    return found


def _shapes(cases: list[CaseResult]) -> dict[str, CrystalShape]:
    """Gather the geometries, relaxed ones first."""
    shapes: dict[str, CrystalShape] = {}
    for case in cases:
        for name, shape in (case.notes.shapes or {}).items():
            known = shapes.get(name)
            if known is None or known.relaxed_cell is None:
                shapes[name] = shape
    return shapes
