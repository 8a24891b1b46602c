"""Models of a small library of hull crystals, and what the suite makes of them."""

from __future__ import annotations

from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from ase.calculators.emt import EMT
from hull_library import write_library

from symscape.models.ase import ASEModel
from symscape.models.card import ModelCard
from symscape.models.evaluate import Evaluator
from symscape.questions.occasions import crystal_subjects
from symscape.questions.registry import QUESTIONS
from symscape.questions.subjects import (
    subject_of,
)
from symscape.suite.hull_cases import HullCase, HullSession
from symscape.verdict.tolerances import load_tolerances

ROOT = Path(__file__).parents[1]
CALCULATORS = """
from ase.calculators.emt import EMT


def exact():
    return EMT()


class Low(EMT):
    # the more an atom is bound, the less it is bound: high energies come out too low
    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        for name in ("energy", "free_energy", "forces", "stress"):
            self.results[name] = 0.5 * self.results[name]


def low():
    return Low()


class Selective(EMT):
    def calculate(self, atoms, *args, **kwargs):
        if len(atoms) == 2 and set(atoms.numbers) == {29}:
            raise RuntimeError("no copper in pairs")
        super().calculate(atoms, *args, **kwargs)


def selective():
    return Selective()
"""


@pytest.fixture(scope="module", autouse=True)
def _imported():
    """Import what pytester would otherwise import anew, and drop, in each run in this process."""
    for name in (
        "filelock",
        "jinja2",
        "matplotlib.backends.backend_agg",
        "pymatgen.analysis.phase_diagram",
        "scipy.stats",
        "sqlite3",
        "symscape.crystal.wyckoff",
        "symscape.science.hull.analysis",
        "symscape.science.hull.conventions",
        "symscape.science.hull.statistics",
        "symscape.models.cache",
        "symscape.models.evaluate",
        "symscape.figures.hull_figure",
        "symscape.figures.image",
        "symscape.page.report",
        "symscape.suite.collect",
        "symscape.verdict.gate",
        "symscape.page.github",
        "symscape.suite.outcome",
        "symscape.suite.progress_lines",
        "symscape.suite.record",
        "symscape.verdict.explain",
    ):
        import_module(name)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return write_library(tmp_path_factory.mktemp("hulls"))


class Shifted(EMT):
    """EMT with energies scaled, which keeps every minimum where it is."""

    def __init__(self, scale=1.0, without=None):
        super().__init__()
        self.scale, self.without = scale, without

    def calculate(self, atoms=None, *args, **kwargs):
        if self.without is not None and self.without(atoms):
            raise RuntimeError("not this one")
        super().calculate(atoms, *args, **kwargs)
        for name in ("energy", "free_energy", "forces", "stress"):
            self.results[name] = self.scale * self.results[name]


def model(name="exact", convention="uncorrected", **options):
    card = ModelCard(name, "ase", "ase.calculators.emt:EMT", energy_convention=convention)
    found = ASEModel(card)
    found._calculator = Shifted(**options)
    return found


@pytest.fixture(scope="module")
def hulls(library):
    """What the cases of one run share; energies are kept by the model's name."""
    config = SimpleNamespace(
        pluginmanager=SimpleNamespace(get_plugin=lambda name: None),
        getoption=lambda name: 0,
        stash=pytest.Stash(),
    )
    session = SimpleNamespace(
        settings=SimpleNamespace(references=(library,)),
        config=config,
        cache=None,
        tolerances=load_tolerances(),
        lock=lambda name: nullcontext(),
        evaluator=Evaluator,
    )
    return HullSession(session)


def case(hulls, own, question="hull", material="Al-Cu", name="hull"):
    return HullCase(hulls, own, subject_of(material, name), QUESTIONS[question])


def subjects(question, entries):
    return crystal_subjects(QUESTIONS[question].subject, entries)
