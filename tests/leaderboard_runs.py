"""Runs with every question of the suite answered, for boards of any size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from report_runs import CARD, judged_case, make_run, reference_summary

from symscape.questions.case import CaseResult
from symscape.questions.hull import HullDetail
from symscape.questions.notes import Notes
from symscape.questions.stability import StabilityDetail
from symscape.results.run_results import ReferenceSummary, RunResults
from symscape.science.hull.procedure import ComparisonSettings

SYSTEMS = (
    ("cubic", 221, "Pm-3m", 1),
    ("tetragonal", 99, "P4mm", 2),
    ("trigonal", 166, "R-3m", 2),
    ("orthorhombic", 62, "Pnma", 3),
)
FORMULAS = ("SrTiO3", "PbTiO3", "As", "MgSiO3", "BaFCl", "Mg3Sb2", "GaN", "SiO2")

#: metrics of a model that makes no error at all
PERFECT = {
    "minima": {
        "missing_minima": 0.0,
        "spurious_minima": 0.0,
        "matched_minima": 2.0,
        "max_displacement": 0.0,
        "max_depth_error": 0.0,
    },
    "saddles": {"missing_saddles": 0.0, "matched_saddles": 1.0, "max_barrier_error": 0.0},
    "forces": {"relative_force_error": 0.0, "force_softening": 1.0, "n_forces": 9.0},
    "smoothness": {"rough_points": 0.0, "max_jump": 0.001, "max_kink": 0.1},
    "invariance": {"rotation": 0.0, "translation": 0.001, "space_group": 0.0},
    "conservative_forces": {"symmetric_forces": 0.0, "force_gradient": 0.05, "curl": 0.0},
}


def material(k: int, n: tuple[int, int] = (13, 9)) -> ReferenceSummary:
    """The k-th material: formula, space group and digest go round."""
    system, number, symbol, n_lattice = SYSTEMS[k % len(SYSTEMS)]
    formula = FORMULAS[k % len(FORMULAS)]
    name = f"{formula}-{symbol.replace('/', '')}" + (f"-{k}" if k >= len(FORMULAS) else "")
    return reference_summary(
        name,
        n=n,
        formula=formula,
        spacegroup_number=number,
        spacegroup_symbol=symbol,
        crystal_system=system,
        n_lattice=n_lattice,
        n_wyckoff=k % 4,
        digest=f"{k:064x}",
    )


def case(
    question: str, reference: ReferenceSummary, model: str, status: str = "passed", **metrics: float
) -> CaseResult:
    """A case with the perfect metrics, some of them changed."""
    values = {} if status == "error" else {**PERFECT[question], **metrics}
    return CaseResult(question, model, reference.material, reference.slice, status, (), values)


def run(
    name: str,
    references: tuple[ReferenceSummary, ...],
    *,
    scale: float = 1.0,
    theory: str = "PBE",
    questions: tuple[str, ...] = tuple(PERFECT),
    **metrics: dict[str, float],
) -> RunResults:
    """A model whose energies are ``scale`` times DFT's on every slice.

    Parameters
    ----------
    metrics
        Question to metrics that are not perfect.
    """
    cases = []
    for reference in references:
        cases.append(replace(judged_case(reference, scale, model=name)))
        cases += [case(q, reference, name, **metrics.get(q, {})) for q in questions]
    card = replace(CARD, name=name, level_of_theory=theory)
    return make_run(*cases, references=references, card=card)


def with_crystals(
    made: RunResults,
    systems: tuple[str, ...] = ("Al-Cu", "Mg-Si"),
    digest: str = "c" * 64,
    **hull: float,
) -> RunResults:
    """Add cases about crystals, without error but for the metrics of the hull that are given."""
    metrics = {"formation_mae": 0.0, "above_hull_mae": 0.0, "above_hull_bias": 0.0,
               "wrong_order_share": 0.0, "ground_states_missed": 0}  # fmt: skip
    notes, settings = Notes(digest=digest), ComparisonSettings(level_of_theory_reference="PBE")
    name = made.model.name
    cases = [
        CaseResult("hull", name, system, "hull", "passed", (), {**metrics, **hull},
                   detail=HullDetail(settings=settings), notes=notes)
        for system in systems
    ]  # fmt: skip
    cases.append(
        CaseResult("stability", name, "crystals", "all", "passed", (), {"f1": 1.0},
                   detail=StabilityDetail(settings=settings), notes=notes)
    )  # fmt: skip
    return replace(made, cases=(*made.cases, *cases))


def big_runs(n_models: int, n_materials: int, n: tuple[int, int] = (15, 15)) -> list[RunResults]:
    """Models of all qualities on many materials; noise keeps the grids from compressing."""
    references = tuple(material(k, n) for k in range(n_materials))
    rng = np.random.default_rng(7)
    runs = []
    for m in range(n_models):
        name = f"model-{m:02d}"
        jump = {"max_jump": 0.002 * 2.0**m}
        model = run(name, references[:1], scale=0.5 + 0.06 * m, smoothness=jump)
        # all materials have the same landscape: one is judged, the others are copies with noise
        cases = [
            replace(c, material=r.material, slice=r.slice, energies=_noisy(c.energies, rng))
            for r in references
            for c in model.cases
        ]
        theory = "r2SCAN" if m % 5 == 4 else "PBE"
        card = replace(model.model, level_of_theory=theory)
        runs.append(replace(model, model=card, references=references, cases=tuple(cases)))
    return runs


def _noisy(energies: list | None, rng: np.random.Generator) -> list | None:
    if energies is None:
        return None
    noise = 0.01 * rng.normal(size=(len(energies), len(energies[0])))
    return [
        [None if e is None else round(e + x, 6) for e, x in zip(row, more, strict=True)]
        for row, more in zip(energies, noise.tolist(), strict=True)
    ]
