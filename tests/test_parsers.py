"""Whatever a file holds, loading it succeeds or ends in one sentence; and writers are readable."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import assert_sentence, spoiled, toml, torn
from report_runs import mixed_run
from toys import toy_document, toy_slice

from symscape.dft.plan import load_plan
from symscape.dft.plan_proposal import plan_text
from symscape.errors import (
    ModelError,
    PlanError,
    ReferenceFileError,
    ResultsFileError,
    ToleranceFileError,
)
from symscape.models.registry import load_cards, read_cards
from symscape.questions.case import CaseResult
from symscape.questions.registry import QUESTIONS
from symscape.references.crystals import load_crystals
from symscape.references.landscape_files import load_reference
from symscape.references.schema import dump_document
from symscape.results.files import load_results, save_results
from symscape.verdict.limit_proposal import propose_tolerances
from symscape.verdict.tolerances import load_tolerances

EXAMPLES = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

TOLERANCES = """
extends = "loose"
[energies]
window = 400
mae = 25
softening_scale = [0.9, 1.1]
[minima]
threshold = 5
[[override]]
material = "P-*"
slice = "P_y-*"
model = "soft"
[override.energies]
mae = 60
[[known_failure]]
material = "Se-*"
question = "energies"
reason = "chains"
expires = 2999-03-31
"""

PLAN = """
material = "AlCu-Cmcm"
kind = "local"
mask_ratio = 0.5
licence = "CC0-1.0"
citation = ["nobody et al."]
notes = "a toy"
[crystal]
spacegroup = "Cmcm"
setting = ""
cell = [2.9, 8.2, 4.0, 90, 90, 90]
sites = [["Al", 0, 0.36, "1/4"], ["Cu", 0, 0.07, "1/4"]]
[[axes]]
name = "Al_y"
terms = { Al_y = 1.0 }
start = 0.33
stop = 0.39
points = 3
origin = 0.36
[[axes]]
name = "Cu_y"
span = [-0.03, 0.03]
points = 3
[settings]
functional = "EMT"
cutoff_eV = 600
k_density_A = 3.0
k_mesh = [2, 2, 2]
smearing_eV = 0.05
energy_convergence_eV = 1e-5
max_iterations = 100
magnetic_moments = { Al = 0.0 }
timeout_s = 100
[engine]
name = "ase"
factory = "ase.calculators.emt:EMT"
code = "EMT"
options = {}
[relax]
force_eV_A = 0.01
pressure_GPa = 0.1
cutoff_eV = 600
max_steps = 80
cell = true
"""

CARDS = """
[soft]
family = "ase"
checkpoint = "toys:soft"
level_of_theory = "PBE"
energy_convention = "MP2020"
training_sets = ["MPtrj", "Alex"]
reference = "nobody et al."
licence = "MIT"
description = "A toy."
weights_file = ""
untrained = ["Po"]
options = { head = "x" }
["hard-2"]
family = "chgnet"
checkpoint = "0.3.0"
weights_file = "pretrained/0.3.0/x.pth.tar"
"""

REFERENCE = toy_document(points=3)


def loads(load, path, error) -> None:
    """Load a spoiled file: it is fine all the same, or there is one sentence that names it."""
    try:
        load(path)
    except error as refusal:
        assert_sentence(refusal, path.name)


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


# -- tolerances ---------------------------------------------------------------------------------


@EXAMPLES
@given(document=spoiled(tomllib.loads(TOLERANCES)))
def test_spoiled_tolerances_are_refused_in_a_sentence(tmp_path, document):
    path = written(tmp_path, "tolerances.toml", toml(document))
    loads(load_tolerances, path, ToleranceFileError)


@EXAMPLES
@given(text=torn(TOLERANCES))
def test_torn_tolerances_are_refused_in_a_sentence(tmp_path, text):
    loads(load_tolerances, written(tmp_path, "tolerances.toml", text), ToleranceFileError)


# -- model cards --------------------------------------------------------------------------------


@EXAMPLES
@given(document=spoiled(tomllib.loads(CARDS)))
def test_spoiled_cards_are_refused_in_a_sentence(tmp_path, document):
    loads(read_cards, written(tmp_path, "registry.toml", toml(document)), ModelError)


@EXAMPLES
@given(text=torn(CARDS))
def test_torn_cards_are_refused_in_a_sentence(tmp_path, text):
    loads(read_cards, written(tmp_path, "registry.toml", text), ModelError)


# -- plans --------------------------------------------------------------------------------------


@EXAMPLES
@given(document=spoiled(tomllib.loads(PLAN)))
def test_spoiled_plans_are_refused_in_a_sentence(tmp_path, document):
    loads(load_plan, written(tmp_path, "plan.toml", toml(document)), PlanError)


@EXAMPLES
@given(text=torn(PLAN))
def test_torn_plans_are_refused_in_a_sentence(tmp_path, text):
    loads(load_plan, written(tmp_path, "plan.toml", text), PlanError)


# -- references ---------------------------------------------------------------------------------


@EXAMPLES
@given(document=spoiled(REFERENCE))
def test_spoiled_references_are_refused_in_a_sentence(tmp_path, document):
    path = written(tmp_path, "AlCu-Cmcm/Al_y-Cu_y.json", json.dumps(document))
    loads(load_reference, path, ReferenceFileError)


@EXAMPLES
@given(text=torn(dump_document(REFERENCE)))
def test_torn_references_are_refused_in_a_sentence(tmp_path, text):
    path = written(tmp_path, "AlCu-Cmcm/Al_y-Cu_y.json", text)
    loads(load_reference, path, ReferenceFileError)


# -- crystals -----------------------------------------------------------------------------------


def crystals_document() -> dict:
    """Two of the crystals that are stored in the repository."""
    library = Path(__file__).parents[1] / "references" / "crystals"
    document = json.loads((library / "Al.json").read_text(encoding="utf-8"))
    return document | {"crystals": document["crystals"][:2]}


@EXAMPLES
@given(document=spoiled(crystals_document()))
def test_spoiled_crystals_are_refused_in_a_sentence(tmp_path, document):
    path = written(tmp_path, "library/crystals/Al.json", json.dumps(document))
    loads(lambda path: load_crystals([path.parents[1]]), path, ReferenceFileError)


# -- results ------------------------------------------------------------------------------------


@cache
def results_text() -> str:
    """A results file as a run writes it."""
    with TemporaryDirectory() as folder:
        return save_results(Path(folder) / "results.json", mixed_run()).read_text("utf-8")


@EXAMPLES
@given(data=st.data())
def test_spoiled_results_are_refused_in_a_sentence(tmp_path, data):
    document = data.draw(spoiled(json.loads(results_text())))
    loads(load_results, written(tmp_path, "results.json", json.dumps(document)), ResultsFileError)


@EXAMPLES
@given(data=st.data())
def test_torn_results_are_refused_in_a_sentence(tmp_path, data):
    text = data.draw(torn(results_text()))
    loads(load_results, written(tmp_path, "results.json", text), ResultsFileError)


# -- what is nested without end -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("load", "name", "text", "error"),
    [
        (load_tolerances, "tolerances.toml", "x = " + 9999 * "[", ToleranceFileError),
        (read_cards, "registry.toml", "x = " + 9999 * "[", ModelError),
        (load_plan, "plan.toml", "x = " + 9999 * "[", PlanError),
        (load_reference, "AlCu-Cmcm/Al_y-Cu_y.json", 99999 * "[", ReferenceFileError),
        (load_results, "results.json", 99999 * "[", ResultsFileError),
    ],
)
def test_brackets_without_end_are_refused_in_a_sentence(tmp_path, load, name, text, error):
    with pytest.raises(error) as refusal:
        load(written(tmp_path, name, text))
    assert_sentence(refusal.value, name)


# -- what is written can be read ------------------------------------------------------------------

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12)
VALUES = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


@EXAMPLES
@given(material=NAMES, slice=NAMES, model=NAMES, mae=VALUES, softening=VALUES, rank=VALUES)
def test_proposed_tolerances_hold_for_the_case_they_were_proposed_from(
    tmp_path, material, slice, model, mae, softening, rank
):
    names = {"material": material, "slice": slice, "model": model}
    values = {"mae": mae, "softening_scale": softening, "spearman": rank}
    strict = load_tolerances("strict").case("energies", **names)
    checks = strict.check(values, QUESTIONS["energies"])
    case = CaseResult("energies", model, material, slice, "failed", checks=checks)
    path = written(tmp_path, "mine.toml", propose_tolerances([case], "strict"))
    proposed = load_tolerances(path).case("energies", **names).check(values, QUESTIONS["energies"])
    assert {c.metric for c in proposed if c.passed} >= set(values)


def test_a_proposed_plan_describes_the_slice_that_it_was_made_of(tmp_path):
    the_slice = toy_slice(points=3)
    plan = load_plan(written(tmp_path, "plan.toml", plan_text(the_slice)))
    assert plan.slice.name == the_slice.name
    np.testing.assert_allclose(plan.slice.grid_values, the_slice.grid_values, atol=1e-4)
    np.testing.assert_allclose(
        plan.slice.structures().positions, the_slice.structures().positions, atol=2e-3
    )


def test_every_registered_card_can_be_written_and_read_again(tmp_path):
    cards = load_cards()
    tables = {
        name: {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(card).items()
            if key != "name" and value is not None
        }
        for name, card in cards.items()
    }
    assert read_cards(written(tmp_path, "registry.toml", toml(tables))) == cards


def test_results_are_written_the_same_after_they_were_read(tmp_path):
    first = written(tmp_path, "results.json", results_text())
    assert save_results(tmp_path / "again.json", load_results(first)).read_text() == results_text()
