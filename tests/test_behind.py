"""A failed check about crystals says which crystals are behind it, wherever it is shown."""

from __future__ import annotations

import html
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_runs import stating

from symscape.decode import DecodeError
from symscape.models.card import ModelCard
from symscape.page.hull_view import HullView
from symscape.page.report import write_report
from symscape.page.summary import escape_markdown, summary_markdown
from symscape.page.words import crystal_text
from symscape.questions.behind import BehindRow, behind_crystals, behind_texts, largest
from symscape.questions.case import CaseResult, Check
from symscape.questions.hull import HullDetail, judge_hull
from symscape.questions.notes import Notes
from symscape.questions.relaxation import judge_relaxation
from symscape.questions.stability import judge_stability
from symscape.questions.subjects import AllCrystals, HullSystem
from symscape.questions.underprediction import BiasDetail, judge_underprediction
from symscape.results.run_results import RunResults
from symscape.verdict.explain import explain, failure_line
from symscape.verdict.tolerances import load_tolerances

pd = pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def run() -> RunResults:
    """A model on five crystals of Al and As that blows up arsenic, and is 200 meV/atom off."""
    from symscape.science.hull.analysis import compare
    from symscape.science.hull.conventions import Energies

    rows = [
        ("Al-Cu", "Al", 1, 0, "element", -4.0, -4.0),
        ("As-A7", "As", 2, 1, "element", -5.0, -5.0),
        ("As-Po", "As", 1, 0, "element", -4.98, -5.3),
        ("AlAs-ZnS", "AlAs", 1, 0, "pnictide", -5.0, -4.8),
        ("AlAs-NaCl", "AlAs", 1, 0, "pnictide", -4.7, -5.1),
    ]
    names = ["id", "formula", "n_lattice", "n_wyckoff", "chemistry", "energy", "model"]
    table = pd.DataFrame(rows, columns=names)
    table["system"] = ["Al", "As", "As", "Al-As", "Al-As"]
    table["material"], table["symbol"], table["crystal_system"] = table["formula"], "Fm-3m", "cubic"
    table["prototype"] = [name.partition("-")[2] for name in table["id"]]
    table["site_symmetry_order"], table["n_atoms"] = 1, 2
    own = table.pop("model").to_numpy()
    table = compare(table, Energies(own, "uncorrected"), {"model": "m"})
    relaxed = table.assign(
        energy_fixed=own, energy_free=own, gained=0.0, space_group=225, space_group_free=225,
        kept_symmetry=[True, True, True, False, True], volume_change=[0.0, 0.82, 0.1, 0.02, 0.0],
        lattice_change=0.0, converged_fixed=True, converged_free=True, steps=3,
        error_fixed=[0.0, 0.0, 0.0, 240.0, 1.0], error_free=[0.0, 0.0, 0.0, -150.0, 1.0],
    )  # fmt: skip
    known = {"model": "m", "digest": "d", "fingerprint": "f"}
    tolerances = load_tolerances()
    cases = (
        judge_hull(table, HullSystem("Al-As"), tolerances, missing=["Al-W"], **known),
        judge_stability(table, tolerances, **known),
        judge_underprediction(table, AllCrystals(), tolerances, **known),
        judge_relaxation(relaxed, HullSystem("Al-As"), tolerances, **known),
    )
    return RunResults(
        ModelCard("m", "ase"), "f", cases, (), {}, "2026-01-01T00:00:00+00:00", 1.0, "default"
    )


def test_every_failed_check_names_crystals_everywhere(run, tmp_path):
    rows = HullView(run).failures
    failed = [check for case in run.cases for check in case.checks if not check.passed]
    assert len(rows) == len(failed) > 4
    summary = summary_markdown(run)
    write_report(tmp_path, run)
    page = html.unescape((tmp_path / "index.html").read_text(encoding="utf-8"))
    for case in run.cases:
        texts = behind_texts(case)
        assert set(texts) == {check.metric for check in case.checks if not check.passed}
        for text in texts.values():
            assert text in explain(case)
        for crystal in (c for named in behind_crystals(case).values() for c in named):
            # on the page each crystal is a link; numbers have a true minus there, not on terminals
            assert f">{crystal_text(crystal)}</a>" in page
            assert escape_markdown(crystal_text(crystal)) in summary


def test_the_largest_volume_change_is_arsenics(run):
    (case,) = (case for case in run.cases if case.question == "relaxation")
    assert "(<= 0.05; As-A7 (+82 %))" in failure_line(case)
    text = behind_texts(case)["max_volume_change_near_hull"]
    assert text.startswith("As-A7 (+82 %)")
    assert behind_texts(case)["broken_near_hull"] == "AlAs-ZnS"
    (hull,) = (case for case in run.cases if case.question == "hull")
    assert behind_texts(hull)["failed_crystals"] == "Al-W"


@given(st.lists(st.floats(-1e3, 1e3) | st.just(np.nan), max_size=8))
def test_the_largest_come_first_and_none_is_larger(values):
    table = pd.DataFrame({"id": [f"c{k}" for k in range(len(values))], "x": values})
    found = [abs(row.value) for row in largest(table, "x")]
    wanted = sorted((abs(v) for v in values if v == v and v != 0), reverse=True)
    wanted = [v for v in wanted if v >= 0.1 * wanted[0]]
    assert found == wanted[:3]


@pytest.mark.parametrize("bad", [3, [], {"m": 3}, {"m": [3]}, {"m": [{"value": 1.0}]}])
def test_strange_details_are_named(bad):
    case = CaseResult("hull", "m", "Al-As", "hull", "failed")
    with pytest.raises(DecodeError, match=r"'case\.detail\.behind"):
        stating(case, behind=bad)


def test_space_groups_have_their_screws_below_the_line(run, tmp_path):
    write_report(tmp_path, replace_symbol(run, "P6_3mc"))
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "P6<sub>3</sub>mc" in page
    assert "P6_3mc" not in page


def replace_symbol(run: RunResults, symbol: str) -> RunResults:
    """The run with its crystals in another space group."""
    cases = []
    for case in run.cases:
        kept = case.kept(HullDetail) or case.kept(BiasDetail)
        if kept:
            rows = tuple(replace(row, symbol=symbol) for row in kept.crystals)
            case = replace(case, detail=replace(kept, crystals=rows))
        cases.append(case)
    return replace(run, cases=tuple(cases))


@pytest.mark.parametrize(
    ("value", "words"), [(-0.004, "-0.4 %"), (0.53, "+53 %"), (-0.0, "+0 %"), (-0.82, "-82 %")]
)
def test_a_change_is_never_minus_nothing(value, words):
    row = BehindRow("As-A7", 100 * value, "%")
    case = CaseResult(
        "relaxation", "m", "Al-As", "hull", "failed", (Check("x", 1.0, (None, 0.5), "", False),),
        notes=Notes(behind={"x": (row,)}),
    )  # fmt: skip
    assert behind_crystals(case)["x"][0].value == words
