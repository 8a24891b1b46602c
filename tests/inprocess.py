"""Running the suite inside the process of the tests, which spares most of a run's time."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import symscape.page.report
from symscape.models.card import ModelCard
from symscape.page.report import write_report
from symscape.questions.energies import judge_energies
from symscape.references.reference import LandscapeReference
from symscape.results.run_results import RunResults, summarize_reference
from symscape.verdict.tolerances import load_tolerances

#: what a run imports lazily: pytester would import it anew, and drop it, in each run, and some
#: extension modules (gudhi) do not bear that
_LAZY = (
    "filelock",
    "gudhi",
    "hypothesis",
    "symscape.science.contracts.catalogue",
    "symscape.science.contracts.invariance",
    "symscape.science.contracts.potential",
    "symscape.science.contracts.scan",
    "symscape.science.landscape.forces",
    "symscape.science.landscape.persistence",
    "symscape.models.ase",
    "symscape.models.batching",
    "symscape.models.cache",
    "symscape.models.chgnet",
    "symscape.models.evaluate",
    "symscape.models.mace",
    "symscape.models.sevenn",
    "symscape.models.worker",
    "symscape.questions.topology",
    "symscape.suite.slice_case",
    "symscape.suite.collect",
    "symscape.verdict.gate",
    "symscape.page.github",
    "symscape.suite.hull_cases",
    "symscape.suite.progress_lines",
    "symscape.verdict.limit_proposal",
)


def without_figures(monkeypatch: Any) -> None:
    """Write reports without figures, which take longer than everything else together."""
    monkeypatch.setattr(symscape.page.report, "write_figures", lambda folder, view, **_: {})


def import_lazy_modules(folder: Path, reference: Any) -> None:
    """Import what runs import, among it what a report needs."""
    for name in _LAZY:
        import_module(name)
    write_report(folder, run_of_one_case(reference, 0.5, "m"))


def run_of_one_case(reference: LandscapeReference, scale: float, model: str) -> RunResults:
    """Return the results of a model whose energies are ``scale`` times DFT's on one slice."""
    case = judge_energies(reference, scale * reference.energies, load_tolerances(), model=model)
    return RunResults(
        model=ModelCard(model, "ase"),
        fingerprint=model,
        cases=(case,),
        references=(summarize_reference(reference),),
        versions={},
        started="2026-01-01T00:00:00+00:00",
        wall_seconds=0.0,
        tolerances="default",
    )
