"""Runs of the suite with closed-form landscapes in place of DFT and model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from symscape.crystal.labels import axis_label
from symscape.models.card import ModelCard
from symscape.questions.case import CaseResult, Check, Windows
from symscape.questions.energies import EnergiesDetail, metrics_by_window
from symscape.questions.named_points import ClosestPair, WorstPoint
from symscape.questions.notes import Notes
from symscape.questions.records import plain_case, read_case
from symscape.questions.registry import QUESTIONS
from symscape.results.run_results import AxisSummary, ReferenceSummary, RunResults
from symscape.science.landscape.align import align
from symscape.science.landscape.metrics import window_key, worst_point
from symscape.verdict.tolerances import load_tolerances

CARD = ModelCard(
    name="soft",
    family="ase",
    level_of_theory="PBE",
    training_sets=("double wells",),
    reference="nobody et al.",
    licence="MIT",
    description="A model whose landscape is DFT's, times a number.",
)


def double_well(u: np.ndarray, v: np.ndarray, height: float = 0.3) -> np.ndarray:
    """eV/atom: minima of 0 at u = -0.1 and 0.1, v = 0, a saddle of ``height`` between them."""
    return height * ((u / 0.1) ** 2 - 1)[:, None] ** 2 + 20.0 * (v**2)[None, :]


def reference_summary(
    material: str = "AbO3-P4mm",
    names: tuple[str, str] = ("Ab_z", "O_z"),
    *,
    n: tuple[int, int] = (13, 9),
    masked: tuple[int, int] | None = (0, 0),
    missing: tuple[int, int] | None = (12, 8),
    **changes: object,
) -> ReferenceSummary:
    """A double well with one masked corner and one that was not computed."""
    u, v = np.linspace(-0.15, 0.15, n[0]), np.linspace(-0.1, 0.1, n[1])
    energies = double_well(u, v)
    mask = np.zeros(n, dtype=bool)
    if masked:
        mask[masked] = True
        energies[masked] = np.nan
    if missing:
        energies[missing] = np.nan
    zero = np.unravel_index(np.nanargmin(energies), n)
    energies = np.round(energies - energies[zero], 6)
    summary = ReferenceSummary(
        material=material,
        slice="-".join(names),
        formula=material.split("-")[0],
        spacegroup_number=99,
        spacegroup_symbol="P4mm",
        crystal_system="tetragonal",
        n_lattice=2,
        n_wyckoff=3,
        level_of_theory="PBE",
        digest="0123456789abcdef" * 4,
        kind="local",
        axes=tuple(
            AxisSummary(name, axis_label(name), tuple(values.tolist()), {name: 1.0})
            for name, values in zip(names, (u, v), strict=True)
        ),
        energies=tuple(tuple(e if e == e else None for e in row) for row in energies.tolist()),
        mask=tuple(tuple(int(m) for m in row) for row in mask),
        minimum=(int(zero[0]), int(zero[1])),
    )
    return replace(summary, **changes)


def judged_case(
    reference: ReferenceSummary,
    scale: float = 0.6,
    *,
    model: str = "soft",
    shift: float = -5.0,
    tolerances: str = "default",
) -> CaseResult:
    """A model whose energies are ``scale`` times DFT's, with a zero of its own."""
    energies = scale * reference.relative + shift
    grid = align(reference.relative, energies)
    limits = load_tolerances(tolerances).case(
        "energies", material=reference.material, slice=reference.slice, model=model
    )
    window = limits.settings["window"] / 1000
    windows = Windows(window_key(window), metrics_by_window(grid, (0.1, window, 1.0)))
    checks = limits.check(windows.values, QUESTIONS["energies"])
    index = worst_point(grid, window)
    worst = WorstPoint(
        index,
        {axis.name: axis.values[k] for axis, k in zip(reference.axes, index, strict=True)},
        1000 * float(grid.reference[index]),
        1000 * float(grid.model[index]),
        1000 * float(grid.error[index]),
        ClosestPair(("Ab", "O"), 1.7134, 0.83),
    )
    return CaseResult(
        question="energies",
        model=model,
        material=reference.material,
        slice=reference.slice,
        status="passed" if all(c.passed for c in checks) else "failed",
        checks=checks,
        metrics=windows.values,
        windows=windows,
        energies=[[round(e, 6) if e == e else None for e in row] for row in energies.tolist()],
        detail=EnergiesDetail(),
        notes=Notes(warnings=(), worst=worst),
        fingerprint="f00d",
        seconds=1.5,
    )


def stating(case: CaseResult, **detail: object) -> CaseResult:
    """Return a case as it is read from a file that states these things too."""
    record = plain_case(case)
    return read_case({**record, "detail": {**record["detail"], **detail}})


def make_run(
    *cases: CaseResult, references: tuple[ReferenceSummary, ...], card: ModelCard = CARD
) -> RunResults:
    return RunResults(
        model=card,
        fingerprint="f00d",
        cases=cases,
        references=references,
        versions={"python": "3.11.2", "symscape": "0.1.0", "device": "cpu"},
        started="2026-11-21T07:40:12+00:00",
        wall_seconds=83.2,
        tolerances="default",
    )


def mixed_run() -> RunResults:
    """Two failures of different size, one pass, one slice that could not be judged."""
    soft, softer, fine = (
        reference_summary(name) for name in ("Soft-P4mm", "Softer-P4mm", "Fine-P4mm")
    )
    fine = replace(fine, n_wyckoff=1)
    error = CaseResult(
        "energies", "soft", "Bad-P1", "X_x-X_y", "error", notes=Notes(message="the file is broken.")
    )
    more = CaseResult(
        "minima",
        "soft",
        "Softer-P4mm",
        softer.slice,
        "failed",
        (
            Check("missing_minima", 1.0, (0.0, 0.0), "", False),
            Check("displacement", 0.02, (-0.05, 0.05), "angstrom", True),
        ),
        {"missing_minima": 1.0, "displacement": 0.02},
    )
    return make_run(
        judged_case(fine, 1.01),
        error,
        judged_case(soft, 0.7),
        more,
        judged_case(softer, 0.4),
        references=(fine, soft, softer),
    )
