"""results.json: what is written comes back, and whatever can't be right is refused by name."""

from __future__ import annotations

import dataclasses
import json
import math
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_runs import CARD, judged_case, make_run, mixed_run, reference_summary

from symscape.crystal.labels import axis_label
from symscape.decode import DecodeError, decode, dumps, encode
from symscape.errors import ResultsFileError
from symscape.questions.case import CaseResult, Check, Windows
from symscape.questions.crystal_cases import MadeBy
from symscape.questions.detail import OtherDetail
from symscape.questions.hull import HullDetail
from symscape.questions.notes import Notes
from symscape.questions.registry import QUESTIONS
from symscape.results import files as results
from symscape.results import upgrade
from symscape.results.files import load_results, save_results
from symscape.results.run_results import summarize_reference
from symscape.science.hull.polymorphs import Polymorphs

TEXT = st.text(max_size=12)
NUMBERS = st.floats(allow_nan=True, allow_infinity=False)
LIMITS = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
METRICS = st.dictionaries(
    TEXT.filter(lambda k: k not in ("window", "windows")), NUMBERS, max_size=3
)
CHECKS = st.builds(Check, TEXT, NUMBERS, st.tuples(LIMITS, LIMITS), TEXT, st.booleans())


#: what a question keeps that is not installed here
KEPT = st.dictionaries(
    TEXT.filter(lambda name: name not in {field.name for field in dataclasses.fields(Notes)}),
    st.integers() | TEXT | st.none(),
    min_size=1,
    max_size=2,
).map(OtherDetail)


#: questions that are not installed here, which alone may keep what no dataclass says
ELSEWHERE = TEXT.filter(lambda name: name not in QUESTIONS)


@st.composite
def runs(draw):
    """Runs with arbitrary names, numbers and grids."""
    references, cases = [], []
    for material in draw(st.lists(TEXT, unique=True, max_size=3)):
        n = draw(st.tuples(st.integers(2, 5), st.integers(2, 5)))
        reference = dataclasses.replace(
            reference_summary(n=n, masked=None, missing=None), material=material
        )
        references.append(reference)
        rows = st.lists(st.one_of(st.none(), st.floats(-1e3, 1e3)), min_size=n[1], max_size=n[1])
        for question in draw(st.lists(ELSEWHERE, unique=True, max_size=2)):
            windows = Windows("500", {"500": draw(METRICS), "100": draw(METRICS)})
            others = {k: v for k, v in draw(METRICS).items() if k not in windows.values}
            cases.append(
                CaseResult(
                    question,
                    "soft",
                    material,
                    reference.slice,
                    draw(st.sampled_from(("passed", "failed", "error"))),
                    tuple(draw(st.lists(CHECKS, max_size=2))),
                    {**windows.values, **others},
                    draw(st.one_of(st.none(), st.lists(rows, min_size=n[0], max_size=n[0]))),
                    draw(st.none() | KEPT),
                    draw(TEXT),
                    draw(st.floats(0, 1e6)),
                    windows,
                    Notes(warnings=tuple(draw(st.lists(TEXT, max_size=2)))),
                )
            )
    return make_run(*cases, references=tuple(references))


def same(a, b) -> bool:
    """Equality in which NaN equals itself."""
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if dataclasses.is_dataclass(a) and type(a) is type(b):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and a == b


@settings(deadline=None, max_examples=60)
@given(run=runs())
def test_what_is_saved_is_loaded(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "results.json"
    save_results(path, run)
    loaded = load_results(path)
    rounded = [
        dataclasses.replace(case, energies=results._rounded(case.energies)) for case in run.cases
    ]
    assert same(loaded, dataclasses.replace(run, cases=tuple(rounded)))
    again = save_results(path.with_name("again.json"), loaded)
    assert again.read_bytes() == path.read_bytes()


def test_the_order_of_the_cases_does_not_change_the_file(tmp_path):
    run = mixed_run()
    backwards = dataclasses.replace(run, cases=run.cases[::-1], references=run.references[::-1])
    one = save_results(tmp_path / "one.json", run)
    two = save_results(tmp_path / "two.json", backwards)
    assert one.read_bytes() == two.read_bytes()


def test_the_file_is_strict_json_with_null_for_what_is_not_finite(tmp_path):
    reference = reference_summary()
    case = judged_case(reference)
    case = dataclasses.replace(
        case,
        checks=(Check("mae", float("nan"), (None, 25.0), "meV/atom", False),),
        metrics={**case.metrics, "odd": float("inf"), "array": np.float32(2.5)},
    )
    path = save_results(tmp_path / "results.json", make_run(case, references=(reference,)))

    def refuse(constant: str):
        raise AssertionError(f"{constant} is not JSON")

    document = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    assert document["schema"] == "symscape-results/1"
    assert document["cases"][0]["checks"][0]["value"] is None
    assert document["cases"][0]["metrics"]["odd"] is None
    assert document["references"][0]["energies"][0][0] is None
    loaded = load_results(path).cases[0]
    assert math.isnan(loaded.checks[0].value)
    assert loaded.checks[0].limit == (None, 25.0)
    assert math.isnan(loaded.metrics["odd"])
    assert loaded.metrics["array"] == 2.5


def test_energies_are_stored_to_a_thousandth_of_a_meV(tmp_path):
    reference = reference_summary()
    case = dataclasses.replace(judged_case(reference), energies=[[1 / 3] * 9 for _ in range(13)])
    path = save_results(tmp_path / "results.json", make_run(case, references=(reference,)))
    assert json.loads(path.read_text())["cases"][0]["energies"][0][0] == 0.333333


def test_a_grid_row_is_one_line(tmp_path):
    path = save_results(tmp_path / "results.json", mixed_run())
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.strip().startswith("[") and line.count(",") >= 8]
    # three references with energies and mask, three cases with energies, thirteen rows each
    assert len(rows) >= 3 * 13 * 3


def test_strings_survive_the_layout():
    document = {"a": ["[ x ,  y ]", "\n", "{}"], "b": [], "c": {}, "d": [{"e": [[1, None]]}]}
    assert json.loads(dumps(document)) == document


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = save_results(tmp_path / "results.json", mixed_run())
    before = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        save_results(path, make_run(references=()))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


def test_an_unwritable_value_names_its_type():
    with pytest.raises(TypeError, match="complex"):
        encode({"x": 1j})


def spoil(document, path, value):
    *parents, last = path
    for key in parents:
        document = document[key]
    if value is KeyError:
        del document[last]
    else:
        document[last] = value


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("schema",), "symscape-results/2", "schema version 2 is newer than 1"),
        (("schema",), "symscape-results/0", "is not a results file"),
        (("schema",), "symscape-results/x", "is not a results file"),
        (("schema",), "symscape-landscape/1", "is not a results file"),
        (("schema",), KeyError, "schema is None"),
        (("model",), KeyError, "field 'model' is missing"),
        (("model", "name"), 3, "field 'model.name' is not a string"),
        (("model", "name"), "other", "is of model 'soft', not 'other'"),
        (("fingerprint",), None, "field 'fingerprint' is not a string"),
        (("wall_seconds",), "long", "field 'wall_seconds' is not a number"),
        (("started",), "yesterday", "field 'started' is 'yesterday'"),
        (("versions", "python"), 3.11, "field 'versions.python' is not a string"),
        (("cases",), {}, "field 'cases' is not a list"),
        (("cases", 0, "status"), "great", "field 'cases[0].status' is 'great' instead of"),
        (("cases", 1, "checks", 0, "limit"), KeyError, "field 'cases[1].checks[0].limit' is"),
        (("cases", 1, "checks", 0, "limit"), [1], "'cases[1].checks[0].limit' is not a list of 2"),
        (("cases", 1, "checks", 0, "passed"), 1, "'cases[1].checks[0].passed' is not true or"),
        (("cases", 1, "checks", 0, "value"), True, "'cases[1].checks[0].value' is not a number"),
        (("cases", 1, "energies", 3), [0.0], "the energies of case soft-Fine"),
        (("cases", 1, "detail", "worst"), {}, "field 'cases[1].detail.worst.index' is missing"),
        (("cases", 1, "detail", "worst", "index"), [0, 9], "worst.index' is outside the grid"),
        (("cases", 1, "detail", "failed_points"), [1], "'cases[1].detail.failed_points[0]'"),
        (("cases", 1, "metrics", "windows"), [], "'cases[1].metrics.windows' is not an object"),
        (("cases", 1, "metrics", "window"), "300", "the judged window of 'cases[1].metrics'"),
        (("cases", 1, "metrics", "window"), "wide", "a window in 'cases[1].metrics'"),
        (("cases", 1, "slice"), "elsewhere", "its reference is missing"),
        (("references", 0, "mask", 0), [], "the mask of reference Fine-P4mm-Ab_z-O_z"),
        (("references", 0, "minimum"), [99, 0], "the minimum of reference Fine-P4mm-Ab_z-O_z"),
        (("references", 0, "minimum"), [True, 0], "'references[0].minimum[0]' is not an integer"),
        (("references", 0, "n_lattice"), 2.5, "'references[0].n_lattice' is not an integer"),
        (("references", 0, "axes", 0, "values", 1), "x", "'references[0].axes[0].values[1]'"),
    ],
)
def test_a_spoiled_file_is_refused_in_one_sentence(tmp_path, path, value, words):
    file = save_results(tmp_path / "results.json", mixed_run())
    document = json.loads(file.read_text(encoding="utf-8"))
    spoil(document, path, value)
    file.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ResultsFileError) as caught:
        load_results(file)
    message = str(caught.value)
    assert words in message
    assert str(file) in message
    assert "\n" not in message


def test_a_case_listed_twice_is_refused(tmp_path):
    file = save_results(tmp_path / "results.json", mixed_run())
    document = json.loads(file.read_text(encoding="utf-8"))
    document["cases"].append(document["cases"][1])
    file.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ResultsFileError, match="is listed twice"):
        load_results(file)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such results file"),
        (b"{", "not valid JSON (line 1"),
        (b"[]", "holds no JSON object"),
        (b"\xff\xfe", "can't be read"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_results_file_is_refused(tmp_path, content, words):
    file = tmp_path / "results.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ResultsFileError) as caught:
        load_results(file)
    assert words in str(caught.value)


def test_a_folder_is_no_results_file(tmp_path):
    with pytest.raises(ResultsFileError, match="can't be read"):
        load_results(tmp_path)


def test_an_older_schema_is_upgraded_step_by_step(tmp_path, monkeypatch):
    """As it will be: version 3 renamed a field of version 2, which had renamed one of version 1."""
    file = save_results(tmp_path / "results.json", mixed_run())
    document = json.loads(file.read_text(encoding="utf-8"))
    document["profile"] = document.pop("tolerances")
    file.write_text(json.dumps(document), encoding="utf-8")

    def rename(old, new):
        return lambda d: {**{k: v for k, v in d.items() if k != old}, new: d[old]}

    monkeypatch.setattr(upgrade, "SCHEMA_VERSION", 3)
    monkeypatch.setattr(
        upgrade, "UPGRADES", {1: rename("profile", "limits"), 2: rename("limits", "tolerances")}
    )
    assert load_results(file).tolerances == "default"


def test_every_older_version_has_an_upgrade():
    assert sorted(upgrade.UPGRADES) == list(range(1, upgrade.SCHEMA_VERSION))


def test_additions_are_ignored_and_defaults_filled_in(tmp_path):
    file = save_results(tmp_path / "results.json", mixed_run())
    document = json.loads(file.read_text(encoding="utf-8"))
    document["later"] = document["model"]["later"] = document["cases"][0]["later"] = 1
    del document["baseline_notes"], document["model"]["licence"]
    file.write_text(json.dumps(document), encoding="utf-8")
    loaded = load_results(file)
    assert loaded.baseline_notes == ()
    assert loaded.model.licence == ""
    assert loaded.model.name == CARD.name


def test_decode_reads_optional_values_and_refuses_missing_ones():
    assert decode(tuple[float | None, ...], [1, None], "x") == (1.0, None)
    assert decode(list[int], [1, 2], "x") == [1, 2]
    with pytest.raises(DecodeError, match=r"field 'x\[1\]' is not a string"):
        decode(tuple[str, ...], ["a", None], "x")
    with pytest.raises(DecodeError, match="field 'x' is not an integer"):
        decode(int, False, "x")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Ti_z", "z(Ti)"),
        ("O1_x", "x(O1)"),
        ("c/a", "c/a"),
        ("a", "a (Å)"),
        ("beta", "β (°)"),
        ("volume", "volume (Å³/atom)"),
        ("tilt", "tilt"),
    ],
)
def test_axis_labels(name, label):
    assert axis_label(name) == label


def test_a_reference_is_summarized(toy_reference, tmp_path):
    summary = summarize_reference(toy_reference)
    crystal = toy_reference.slice.crystal
    assert summary.id == toy_reference.id
    assert (summary.spacegroup_number, summary.spacegroup_symbol) == (63, "Cmcm")
    assert (summary.n_lattice, summary.n_wyckoff) == (3, crystal.n_wyckoff)
    assert summary.crystal_system == "orthorhombic"
    assert np.allclose(summary.relative, toy_reference.relative, atol=6e-7)
    assert summary.relative[summary.minimum] == 0
    assert (summary.masked == toy_reference.mask).all()
    assert summary.axes[0].label == "y(Al)"
    assert np.allclose(summary.axes[1].values, toy_reference.slice.axes[1].values)
    path = save_results(tmp_path / "results.json", make_run(references=(summary,)))
    assert load_results(path).references == (summary,)


@given(st.integers(0, 10**6), st.lists(TEXT, max_size=3))
def test_left_out_was_a_number_once_and_ids_are_left_alone(tmp_path_factory, n, ids):
    """Of bulk runs; older files of the same schema are read."""
    path = tmp_path_factory.mktemp("older") / "results.json"
    for old, number, names in ((n, n, None), (ids, None, tuple(ids))):
        case = CaseResult(
            "hull", "soft", "MgO", "hull", "passed",
            detail=OtherDetail({"settings": {"left_out": old}}),
        )  # fmt: skip
        save_results(path, make_run(case, references=()))
        (read,) = load_results(path).cases
        settings = read.kept(MadeBy).settings
        assert (settings.n_left_out, settings.left_out) == (number, names)


@given(st.floats(0, 1e3), st.floats(0, 1e3))
def test_columns_of_polymorphs_had_no_unit_once(tmp_path_factory, mean, largest):
    path = tmp_path_factory.mktemp("older") / "results.json"
    row = encode(Polymorphs("MgO", 2, "a", "b", True, 1, 1, mean, largest))
    older = {**row, "polymorph_mae": mean, "max_polymorph_error": largest}
    del older["mean_error_meV"], older["max_error_meV"]
    detail = OtherDetail({"polymorphs": [older]})
    case = CaseResult("hull", "soft", "MgO", "hull", "passed", detail=detail)
    save_results(path, make_run(case, references=()))
    (read,) = load_results(path).cases
    assert encode(read.kept(HullDetail).polymorphs) == [row]
