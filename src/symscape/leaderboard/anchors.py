"""What the ends of the scale mean: models that know everything and nothing, judged like any other.

A constant energy keeps every symmetry, has perfect gradients and no kinks; noise has a minimum
near every one of DFT's. So a case's score begins where that of models which know nothing ends, and
what a constant answers perfectly counts only as much as the landscape that it stands on
(`symscape.leaderboard.scores`).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from symscape.leaderboard.answers import Answers, judge_again
from symscape.leaderboard.curves import CurveAnswers, curve_answers
from symscape.leaderboard.flat import FlatPotential
from symscape.leaderboard.library import Asked, Library, asked_of
from symscape.questions.case import CaseResult
from symscape.references.birch_murnaghan import BirchMurnaghan
from symscape.references.equations import ALL_ELECTRON, COMPLETE_CODES, EquationsOfState
from symscape.references.reference import LandscapeReference
from symscape.science.equation_of_state.fit import fit
from symscape.science.hull.relax import Relaxed
from symscape.verdict.tolerances import load_tolerances

#: of the noise that is shown; those by which scales begin are drawn with others
SEED = 20260101
#: draws of noise whose mean score tells what chance gives
DRAWS = 3


@dataclass(frozen=True, eq=False)
class Anchor:
    """A model whose score says what scores mean.

    Parameters
    ----------
    name
        As on the board.
    what
        What it is, in words.
    cases
        Its verdicts.
    """

    name: str
    what: str
    cases: dict[Asked, CaseResult]


@dataclass(frozen=True, eq=False)
class Anchors:
    """The anchors of a library, each judged at the first use."""

    library: Library

    @cached_property
    def perfect(self) -> Anchor:
        """DFT itself in the place of a model."""
        cases = self._answered("perfect", lambda energies: energies)
        for reference in self.library.references:
            cases |= _by_asked(_form(reference, reference.energies, "perfect"))
            cases |= _by_asked(_forces(reference, "perfect", dft=True))
        return Anchor("perfect", "the references themselves in the place of a model", cases)

    @cached_property
    def constant(self) -> Anchor:
        """The same energy for every structure."""
        cases = self._answered("constant", np.zeros_like)
        for reference in self.library.references:
            flat = np.where(reference.valid, 0.0, np.nan)
            cases |= _by_asked(_form(reference, flat, "constant"))
            cases |= _by_asked(_forces(reference, "constant", dft=False))
        return Anchor("constant", "the same energy for every structure", cases)

    @cached_property
    def noise(self) -> Anchor:
        """Energies drawn at random; it has no forces and keeps no symmetry, and is not asked."""
        what = "energies drawn at random, scattered as widely as DFT's"
        return Anchor("noise", what, self._answered("noise", _drawn(SEED)))

    @cached_property
    def draws(self) -> tuple[dict[Asked, CaseResult], ...]:
        """Verdicts on other draws of noise, crystals apart: what is matched by chance."""
        without_crystals = Anchors(
            Library(self.library.references, equations=self.library.equations)
        )
        return tuple(
            without_crystals._answered("noise", _drawn(SEED + 1 + k)) for k in range(DRAWS)
        )

    @property
    def all(self) -> tuple[Anchor, ...]:
        """Best first."""
        return self.perfect, self.noise, self.constant

    def _answered(
        self, name: str, model: Callable[[np.ndarray], np.ndarray]
    ) -> dict[Asked, CaseResult]:
        """Judge a model whose energies are a function of DFT's, on grids and of crystals."""
        answers = self.answers(model)
        return judge_again(answers, self.library, load_tolerances("default"), name)

    def answers(self, model: Callable[[np.ndarray], np.ndarray]) -> Answers:
        """Return what a model answers whose energies are a function of DFT's."""
        grids = {}
        for key, reference in self.library.by_slice.items():
            grids[key] = np.where(reference.valid, model(reference.relative), np.nan)
        formation, relaxed = self._crystals(model)
        return Answers(
            grids=grids, formation=formation, relaxed=relaxed, curves=self._curves(model)
        )

    def _crystals(
        self, model: Callable[[np.ndarray], np.ndarray]
    ) -> tuple[dict[str, float], dict[str, Relaxed]]:
        """Return a model's formation energies, and crystals that stay where they are."""
        if self.library.crystals is None:
            return {}, {}
        from symscape.science.hull.phases import formation_energies

        described = self.library.described
        energies = model(formation_energies(described).to_numpy())
        formation = dict(zip(described["id"], energies.tolist(), strict=True))
        groups = dict(zip(described["id"], described["space_group"], strict=True))
        relaxed = {name: unmoved(e, int(groups[name])) for name, e in formation.items()}
        return formation, relaxed

    def _curves(self, model: Callable[[np.ndarray], np.ndarray]) -> CurveAnswers:
        """Fit curves to a model's energies at the volumes that the codes were asked at."""
        equations = self.library.equations
        if equations is None:
            return CurveAnswers()
        volumes = equations.sampled_volumes()
        energies = model(_all_electron(equations).energies(volumes))
        return curve_answers(fit(volumes, energies), equations)


def dft_answers(library: Library) -> Answers:
    """Return what DFT itself would answer in the place of a model."""
    return Anchors(library).answers(lambda energies: energies)


def unmoved(energy: float, space_group: int) -> Relaxed:
    """Return what becomes of a crystal that is where its energy is lowest.

    Parameters
    ----------
    energy
        eV/atom.
    """
    return Relaxed(
        energy_start=energy,
        energy_fixed=energy,
        energy_free=energy,
        space_group=space_group,
        space_group_free=space_group,
        volume_change=0.0,
        lattice_change=0.0,
        converged_fixed=True,
        converged_free=True,
    )


def _all_electron(equations: EquationsOfState) -> BirchMurnaghan:
    """Return DFT's curves, each element's prototypes on one zero, oxides each on its own."""
    codes = [equations.codes[code].energy for code in COMPLETE_CODES[:ALL_ELECTRON]]
    energies = np.mean(codes, axis=0)
    for element in np.unique(equations.elements):
        own = (equations.elements == element) & ~equations.oxide
        energies[own] -= energies[own].min(initial=np.inf)
    energies[equations.oxide] = 0.0
    return replace(equations.average, energy=energies)


def _drawn(seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return a model that draws energies which scatter as DFT's do.

    What is drawn depends on those energies alone: a new slice changes no other slice's noise.
    """

    def drawn(energies: np.ndarray) -> np.ndarray:
        own = zlib.crc32(np.ascontiguousarray(np.nan_to_num(energies)).tobytes())
        noise = np.random.default_rng([seed, own]).normal(size=energies.shape)
        return float(np.nanstd(energies)) * noise

    return drawn


def _by_asked(cases: Iterator[CaseResult]) -> dict[Asked, CaseResult]:
    return {asked_of(case): case for case in cases}


def _form(reference: LandscapeReference, grid: np.ndarray, name: str) -> Iterator[CaseResult]:
    """Judge what asks nothing of the landscape, of an energy without any noise: a flat one."""
    from symscape.questions.conservative_forces import judge_conservative_forces
    from symscape.questions.invariance import judge_invariance
    from symscape.questions.smoothness import judge_smoothness
    from symscape.science.contracts.scan import scan_slice, smoothness

    tolerances, flat = load_tolerances("default"), FlatPotential()
    crystal, slice = reference.minimum_crystal, reference.slice
    scans = scan_slice(lambda values: np.zeros(len(values)), slice, reference.minimum_values)
    yield judge_smoothness(
        reference, grid, tolerances, scans=scans, strained=smoothness(flat, crystal), model=name
    )
    yield judge_invariance(reference, flat, tolerances, model=name)
    yield judge_conservative_forces(reference, flat, tolerances, model=name)


def _forces(reference: LandscapeReference, name: str, *, dft: bool) -> Iterator[CaseResult]:
    """Judge DFT's own forces, or none, against DFT's; nothing where DFT has none."""
    from symscape.questions.forces import judge_forces
    from symscape.science.landscape.forces import compare_forces

    found = compare_forces(reference, FlatPotential())
    if found.compared:
        own = replace(found, model=found.reference) if dft else found
        yield judge_forces(reference, own, load_tolerances("default"), model=name)
