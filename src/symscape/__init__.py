"""A benchmark suite for the energy landscapes of interatomic potentials, guided by symmetry.

The names below are the library's public interface; each is imported when it is first used, so that
``import symscape`` costs nothing. docs/tutorial.md shows them at work.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symscape.api import (
        find_references,
        hull,
        judge,
        load_reference,
        metrics,
        model,
    )
    from symscape.crystal.crystal import Crystal
    from symscape.crystal.grid import Axis
    from symscape.crystal.slice import Slice
    from symscape.crystal.structures import Structures
    from symscape.dataset.read import load_dataset
    from symscape.drawing import figure
    from symscape.errors import SymscapeError
    from symscape.explore import compare, landscape, propose_slices
    from symscape.models.base import EnergyModel, Prediction
    from symscape.models.cache import EnergyCache
    from symscape.models.card import ModelCard
    from symscape.models.evaluate import Evaluator
    from symscape.models.spec import ModelSpec
    from symscape.page.report import write_report
    from symscape.page.run_tables import metrics_table
    from symscape.questions.case import CaseResult, Check
    from symscape.references.reference import LandscapeReference
    from symscape.results.files import load_results
    from symscape.results.run_results import RunResults
    from symscape.science.landscape.slice_energies import SliceEvaluation
    from symscape.verdict.explain import explain
    from symscape.verdict.tolerances import Tolerances, load_tolerances

__all__ = [
    "Axis",
    "CaseResult",
    "Check",
    "Crystal",
    "EnergyCache",
    "EnergyModel",
    "Evaluator",
    "LandscapeReference",
    "ModelCard",
    "ModelSpec",
    "Prediction",
    "RunResults",
    "Slice",
    "SliceEvaluation",
    "Structures",
    "SymscapeError",
    "Tolerances",
    "__version__",
    "compare",
    "explain",
    "figure",
    "find_references",
    "hull",
    "judge",
    "landscape",
    "load_dataset",
    "load_reference",
    "load_results",
    "load_tolerances",
    "metrics",
    "metrics_table",
    "model",
    "propose_slices",
    "write_report",
]

#: public name -> module that defines it
_HOMES: dict[str, str] = {
    "Axis": "symscape.crystal.grid",
    "CaseResult": "symscape.questions.case",
    "Check": "symscape.questions.case",
    "Crystal": "symscape.crystal.crystal",
    "EnergyCache": "symscape.models.cache",
    "EnergyModel": "symscape.models.base",
    "Evaluator": "symscape.models.evaluate",
    "LandscapeReference": "symscape.references.reference",
    "ModelCard": "symscape.models.card",
    "ModelSpec": "symscape.models.spec",
    "Prediction": "symscape.models.base",
    "RunResults": "symscape.results.run_results",
    "Slice": "symscape.crystal.slice",
    "SliceEvaluation": "symscape.science.landscape.slice_energies",
    "Structures": "symscape.crystal.structures",
    "SymscapeError": "symscape.errors",
    "Tolerances": "symscape.verdict.tolerances",
    "compare": "symscape.explore",
    "explain": "symscape.verdict.explain",
    "figure": "symscape.drawing",
    "find_references": "symscape.api",
    "hull": "symscape.api",
    "judge": "symscape.api",
    "landscape": "symscape.explore",
    "load_dataset": "symscape.dataset.read",
    "load_reference": "symscape.api",
    "load_results": "symscape.results.files",
    "load_tolerances": "symscape.verdict.tolerances",
    "metrics": "symscape.api",
    "metrics_table": "symscape.page.run_tables",
    "model": "symscape.api",
    "propose_slices": "symscape.explore",
    "write_report": "symscape.page.report",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("symscape")
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'symscape' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names whether or not they have been used."""
    return sorted({*globals(), *__all__})
