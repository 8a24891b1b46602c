"""What a notebook shows of the library's main nouns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from report_runs import judged_case, make_run, reference_summary
from test_raw_names import raw_names

from symscape.crystal.slice import Slice
from symscape.models.registry import resolve
from symscape.models.spec import ModelSpec
from symscape.notebook import map_html, table_html
from symscape.questions.case import CaseResult
from symscape.questions.registry import metric_named
from symscape.references.landscape_files import load_reference
from symscape.references.reference import LandscapeReference
from symscape.science.landscape.slice_energies import SliceEvaluation

STORED = Path(__file__).parents[1] / "references" / "GeTe-R3m" / "ca-Ge_z.json"


def nouns() -> list[object]:
    reference = load_reference(STORED)
    summary = reference_summary()
    case = judged_case(summary)
    grid = np.array([[0.0, np.nan], [1.0, 2.0]])
    return [
        reference,
        reference.slice,
        SliceEvaluation(grid, {(0, 1): "no"}, 3, 1, 0.5),
        case,
        make_run(case, references=(summary,)),
        resolve(ModelSpec("chgnet")),
    ]


@pytest.mark.parametrize("noun", nouns(), ids=lambda n: type(n).__name__)
def test_nouns_are_short_and_well_formed(noun):
    assert repr(noun).startswith(type(noun).__name__)
    assert len(repr(noun)) < 150
    shown = ElementTree.fromstring(f"<div>{noun._repr_html_()}</div>")
    assert shown.find("table/tr/td") is not None
    # energies are shown as a map, and how near atoms come
    mapped = isinstance(noun, LandscapeReference | SliceEvaluation | Slice | CaseResult)
    assert (shown.find("svg/rect") is not None) == mapped


@pytest.mark.parametrize("noun", nouns(), ids=lambda n: type(n).__name__)
def test_nouns_are_told_in_words(noun):
    assert raw_names(noun._repr_html_()) == []


def test_symbols_names_and_metrics_are_printed_as_on_pages():
    stored = load_reference(STORED.parents[1] / "Mg3Sb2-P-3m1" / "Mg2_z-Sb_z.json")
    for noun in (stored, stored.slice):
        assert "Mg₃Sb₂ P3̅m1" in noun._repr_html_()
        assert "z(Mg2)" in noun._repr_html_()
    summary = reference_summary("BeO-P6_3mc", ("Be_z", "O_z"), spacegroup_symbol="P6_3mc")
    case = judged_case(summary)
    shown = ElementTree.fromstring(f"<div>{case._repr_html_()}</div>")
    titles = [row[1].text for row in shown.findall("table/tr")[1:]]
    assert titles == [metric_named(check.metric).title for check in case.checks]
    assert "mean absolute error" in titles
    assert "Relative energies: failed" in case._repr_html_()
    assert "BeO-P6₃mc z(Be), z(O)" in make_run(case, references=(summary,))._repr_html_()


def test_the_map_of_a_slice_has_its_mask_in_grey():
    the_slice = load_reference(STORED).slice
    the_slice = Slice(the_slice.crystal, the_slice.axes, float(np.median(the_slice.contact_ratios)))
    cells = ElementTree.fromstring(f"<div>{the_slice._repr_html_()}</div>").findall("svg/rect")
    grey = sum(cell.get("fill") == "#bbbbbb" for cell in cells)
    assert 0 < grey == the_slice.mask.sum()


def test_a_case_shows_its_own_energies_and_only_a_table_where_they_are_not_kept():
    case = judged_case(reference_summary())
    gap = [[None, *row[1:]] if i == 0 else row for i, row in enumerate(case.energies)]
    case = replace(case, energies=gap)
    cells = ElementTree.fromstring(f"<div>{case._repr_html_()}</div>").findall("svg/rect")
    energies = np.array(gap, dtype=float)
    assert len(cells) == energies.size
    assert [c.get("fill") == "#bbbbbb" for c in cells] == np.isnan(energies).ravel().tolist()
    # the lowest is darkest, the highest brightest
    fills = np.array([c.get("fill") for c in cells]).reshape(energies.shape)
    assert fills[np.unravel_index(np.nanargmin(energies), energies.shape)] == "#440154"
    assert fills[np.unravel_index(np.nanargmax(energies), energies.shape)] == "#fde725"
    assert "<svg" not in replace(case, energies=None)._repr_html_()


def test_a_map_has_a_cell_for_each_point_and_grey_where_nothing_is_known():
    grid = np.array([[0.0, np.nan, 1.0], [np.inf, 0.5, 0.2]])
    cells = ElementTree.fromstring(map_html(grid, "<x>")).findall("rect")
    assert len(cells) == grid.size
    assert sum(cell.get("fill") == "#bbbbbb" for cell in cells) == 2
    assert {cell.get("fill") for cell in cells} >= {"#440154", "#fde725"}
    ElementTree.fromstring(map_html(np.full((2, 2), np.nan), "nothing"))


def test_what_stands_in_a_table_is_escaped():
    text = table_html([("<script>", 1.23456)], ("a&b",))
    assert "<script>" not in text
    assert "1.235" in text
    ElementTree.fromstring(text)
