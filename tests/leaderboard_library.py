"""A small library, and runs that follow from it: what the suite would have written."""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np
from curve_models import all_electron, write_part
from hull_library import write_library
from report_runs import CARD

from symscape.leaderboard.anchors import unmoved
from symscape.leaderboard.answers import Answers, judge_again
from symscape.leaderboard.curves import CurveAnswers, curve_answers
from symscape.leaderboard.library import Library, asked_of, load_library
from symscape.questions.case import CaseResult
from symscape.results.files import save_results
from symscape.results.run_results import RunResults
from symscape.verdict.tolerances import load_tolerances

ROOT = Path(__file__).parents[1]
#: two wells with a saddle between them, and one well
SLICES = ("PbTiO3-P4mm/Ti_z-O_z.json", "AlN-P6_3mc/ca-N_z.json")
#: with equations of state: each prototype has one that is not the lowest in it
ELEMENTS = frozenset({"Al", "Ti", "W"})
#: metrics of the questions that only the model can answer
BELIEVED = {
    "forces": {"relative_force_error": 0.2, "force_softening": 0.9, "n_forces": 30.0},
    "smoothness": {"max_jump": 0.02, "max_kink": 5.0, "max_ripple": 0.01},
    "invariance": {"rotation": 0.001, "space_group": 0.002},
    "conservative_forces": {"symmetric_forces": 0.5, "force_gradient": 1.5, "stress_strain": 0.1,
                            "curl": 0.2},
}  # fmt: skip


def small_library(folder: Path) -> Library:
    """Two committed slices, the toy crystals of two metals, and curves of three elements."""
    write_library(folder)
    write_part(folder, ELEMENTS)
    for name in SLICES:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "references" / name, folder / name)
    return load_library([folder])


def answers_of(library: Library, scale: float, noise: float = 0.0, seed: int = 0) -> Answers:
    """DFT's energies times a number, with normally distributed noise in eV/atom."""
    rng = np.random.default_rng(seed)

    def model(energies: np.ndarray) -> np.ndarray:
        return np.round(scale * energies + noise * rng.normal(size=energies.shape), 6)

    grids = {key: model(r.relative) for key, r in library.by_slice.items()}
    described, formation, relaxed = library.described, {}, {}
    if library.crystals is not None:
        from symscape.science.hull.phases import formation_energies

        own = model(formation_energies(described).to_numpy())
        formation = dict(zip(described["id"], own.tolist(), strict=True))
        for name, energy, group in zip(described["id"], own, described["space_group"], strict=True):
            # EMT's minima stay where they are when all energies are scaled
            relaxed[name] = unmoved(float(energy), int(group))
    curves = CurveAnswers()
    if library.equations is not None:
        # crystals as large as DFT's, but as soft as everything else
        dft = all_electron(library.equations)
        soft = replace(dft, energy=scale * dft.energy, bulk_modulus=scale * dft.bulk_modulus)
        curves = curve_answers(soft, library.equations)
    return Answers(CARD, grids, formation, relaxed, curves)


def whole_run(
    library: Library, name: str = "soft", scale: float = 0.8, **more: float
) -> RunResults:
    """Every case of the leaderboard, answered by `answers_of`."""
    answers = answers_of(library, scale, **more)
    again = judge_again(answers, library, load_tolerances("default"), name)
    fingerprint = f"{name}-{scale}"
    cases = list(again.values())
    cases += [
        CaseResult(asked.question, name, asked.material, asked.slice, "passed", (),
                   dict(BELIEVED[asked.question]))
        for asked in library.asked
        if asked not in again and asked.question in BELIEVED
    ]  # fmt: skip
    cases = [
        replace(c, metrics={**grid_smoothness_of(library, c, answers), **c.metrics})
        if c.question == "smoothness"
        else c
        for c in cases
    ]
    return RunResults(
        model=replace(CARD, name=name),
        fingerprint=fingerprint,
        cases=tuple(replace(case, fingerprint=fingerprint) for case in cases),
        references=tuple(library.summaries.values()),
        versions={"symscape": metadata.version("symscape")},
        started="2026-11-21T07:40:12+00:00",
        wall_seconds=1.0,
        tolerances="default",
    )


def grid_smoothness_of(library: Library, case: CaseResult, answers: Answers) -> dict[str, float]:
    from symscape.questions.smoothness import grid_metrics, grid_smoothness

    key = (case.material, case.slice)
    tolerances = load_tolerances("default")
    rough = grid_smoothness(library.by_slice[key], answers.grids[key], tolerances, model=case.model)
    return grid_metrics(rough)


def cases_by(run: RunResults) -> dict:
    return {asked_of(case): case for case in run.cases}


def save(folder: Path, run: RunResults) -> Path:
    return save_results(folder / f"{run.model.name}.json", run)
