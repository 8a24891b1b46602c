"""Relaxing crystals with a model: at fixed symmetry, and freely after a small push.

The fixed relaxation (`symscape.science.hull.descent`) starts at the DFT geometry; the free one
starts where that ended, with atoms and cell pushed a little, for the forces of a symmetric crystal
never break its symmetry by themselves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from symscape.crystal.search import find_dataset
from symscape.crystal.structures import Structures
from symscape.decode import decode
from symscape.errors import ModelError
from symscape.models.base import EnergyModel
from symscape.models.cache import structure_keys
from symscape.science.hull.descent import (
    Ask,
    Relaxation,
    Response,
    advance,
    ask_calculator,
    descend,
)
from symscape.science.hull.procedure import RelaxSettings

if TYPE_CHECKING:
    from ase import Atoms

    from symscape.models.cache import EnergyCache
    from symscape.models.evaluate import Evaluator

#: to be counted up when relaxations are done in another way, so that no old outcome is taken
_PROCEDURE = 3
#: energy per atom that a broken symmetry must gain to count as broken, eV/atom
SIGNIFICANT_GAIN_EV = 1e-3
#: relative change of volume beyond which a crystal is relaxed a second time
FAR = 0.2
#: relative change of volume between two starts of one relaxation
_NUDGE = 3e-3
#: relative change of volume by which two relaxations may differ that end in one minimum
SAME_VOLUME = 0.01


@dataclass(frozen=True)
class Relaxed:
    """What became of a crystal.

    Parameters
    ----------
    energy_start, energy_fixed, energy_free
        eV/atom at the start, relaxed at fixed symmetry and freely; NaN where there is none.
    space_group, space_group_free
        Numbers of the start and of what was relaxed freely; 0 if spglib finds none.
    volume_change
        Relative, of the relaxation at fixed symmetry.
    lattice_change
        Largest relative change of a length in the crystal, ditto.
    volume_change_again
        As ``volume_change``, from a start 0.3 % larger; only where the first is beyond 20 %, else
        NaN.
    converged_fixed, converged_free
        Whether the forces got small enough.
    steps
        Of both relaxations.
    failed
        Why there is no result; empty if there is one.
    """

    energy_start: float = np.nan
    energy_fixed: float = np.nan
    energy_free: float = np.nan
    space_group: int = 0
    space_group_free: int = 0
    volume_change: float = np.nan
    lattice_change: float = np.nan
    volume_change_again: float = np.nan
    converged_fixed: bool = False
    converged_free: bool = False
    steps: int = 0
    failed: str = ""

    @property
    def gained(self) -> float:
        """Energy gained by breaking the symmetry, eV/atom; not negative."""
        return max(self.energy_fixed - self.energy_free, 0.0)

    @property
    def kept_symmetry(self) -> bool:
        """Whether the free relaxation ended in the same space group, or gained nothing.

        On a flat landscape it ends anywhere, which says nothing about the symmetry.
        """
        return self.space_group_free == self.space_group or self.gained < SIGNIFICANT_GAIN_EV


def relax_with(
    atoms: Atoms, calculator: Any, settings: RelaxSettings | None = None, *, free: bool = True
) -> Relaxed:
    """Relax a crystal at fixed symmetry and freely.

    Parameters
    ----------
    atoms
        A periodic crystal; not changed.
    calculator
        An ASE calculator with forces and stress; what it raises is passed on.
    settings
        How.
    free
        Whether to relax it freely too.
    """
    found: list[Relaxed | Exception] = []
    steps = _relaxation(atoms, settings or RelaxSettings(), free)
    advance([steps], ask_calculator(calculator), lambda _, result: found.append(result))
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def relax_many(
    images: Sequence[Atoms],
    asked: Evaluator,
    settings: RelaxSettings | None = None,
    *,
    free: bool = True,
    ended: Callable[[int, Relaxed], None] | None = None,
) -> list[Relaxed]:
    """Relax crystals side by side: every step asks the model for all that still move.

    Parameters
    ----------
    images
        Periodic crystals of any sizes; not changed.
    asked
        The model.
    settings
        How.
    free
        Whether to relax them freely too.
    ended
        Called with the number of a crystal and what became of it, as soon as that is known.

    Returns
    -------
    list of Relaxed
        One a crystal. One at which the model fails has ``failed`` with the reason, and costs the
        others nothing.
    """
    from symscape.models.answers import reason

    made = [Relaxed() for _ in images]

    def end(i: int, result: Relaxed | Exception) -> None:
        if isinstance(result, Exception):
            result = Relaxed(failed=reason(result))
        made[i] = result
        if ended is not None:
            ended(i, made[i])

    how = settings or RelaxSettings()
    advance([_relaxation(atoms, how, free) for atoms in images], _ask_model(asked), end)
    return made


def relaxed_geometries(
    images: Sequence[Atoms], asked: Evaluator, settings: RelaxSettings | None = None
) -> list[Atoms | None]:
    """Return where relaxations at fixed symmetry end; None where the model fails.

    What an earlier relaxation asked comes from the cache, so that only the geometries are new.

    Parameters
    ----------
    images
        Periodic crystals; not changed.
    asked
        The model.
    settings
        How, as for `relax_many`.
    """
    how = settings or RelaxSettings()
    works = [atoms.copy() for atoms in images]
    failed: set[int] = set()

    def end(i: int, result: object) -> None:
        if isinstance(result, Exception):
            failed.add(i)

    steps = [descend(w, how.force_eV_A, how.max_steps, fixed_symmetry=True) for w in works]
    advance(steps, _ask_model(asked), end)
    return [None if i in failed else work for i, work in enumerate(works)]


def _ask_model(asked: Evaluator) -> Ask:
    """Return what asks a model for all geometries at once."""

    def ask(images: list[Atoms]) -> list[Response | Exception]:
        structures = Structures.from_atoms(images)
        said = asked.evaluate(structures, forces=True, stresses=True)
        assert said.forces is not None
        assert said.stresses is not None
        forces = np.split(said.forces, structures.offsets[1:-1])
        return [
            ModelError(said.failures[i])
            if i in said.failures
            else Response(float(said.energies[i]), forces[i], said.stresses[i])
            for i in range(len(images))
        ]

    return ask


def _relaxation(atoms: Atoms, settings: RelaxSettings, free: bool) -> Relaxation[Relaxed]:
    """Relax a crystal at fixed symmetry and, if wanted, push it and relax it freely."""
    work, n = atoms.copy(), len(atoms)
    cell = work.cell.array.copy()
    group = space_group_number(work, 0.01)
    limits = settings.force_eV_A, settings.max_steps
    fixed = yield from descend(work, *limits, fixed_symmetry=True)
    volume, lattice = cell_changes(cell, work.cell.array)
    again = np.nan
    if abs(volume) > FAR:
        # past the basin of DFT's crystal there may be several minima, and rounding chooses
        second = atoms.copy()
        second.set_cell(cell * np.cbrt(1 + _NUDGE), scale_atoms=True)
        yield from descend(second, *limits, fixed_symmetry=True)
        again, _ = cell_changes(cell, second.cell.array)
    relaxed = Relaxed(
        energy_start=fixed.energy_start / n,
        energy_fixed=fixed.energy / n,
        space_group=group,
        volume_change=volume,
        lattice_change=lattice,
        volume_change_again=again,
        converged_fixed=fixed.converged,
        steps=fixed.steps,
    )
    if not free:
        return relaxed
    push(work, settings)
    ended = yield from descend(work, *limits, fixed_symmetry=False)
    return replace(
        relaxed,
        energy_free=ended.energy / n,
        space_group_free=space_group_number(work, settings.symprec_A),
        converged_free=ended.converged,
        steps=fixed.steps + ended.steps,
    )


def cell_changes(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """Return the relative change of a cell's volume and the largest one of a length in it."""
    volume = abs(np.linalg.det(after) / np.linalg.det(before)) - 1
    stretches = np.linalg.svd(np.linalg.solve(before, after), compute_uv=False)
    return float(volume), float(np.abs(stretches - 1).max())


def push(work: Atoms, settings: RelaxSettings) -> None:
    """Break the symmetry a little, in place."""
    random = np.random.default_rng(settings.seed)
    strain = random.normal(scale=settings.strain, size=(3, 3))
    work.set_cell(work.cell.array @ (np.eye(3) + (strain + strain.T) / 2), scale_atoms=True)
    work.positions += random.normal(scale=settings.push_A, size=work.positions.shape)


def space_group_number(atoms: Atoms, symprec: float) -> int:
    """Return the number of the space group that spglib finds; 0 if it finds none."""
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    dataset = find_dataset(cell, symprec)
    return 0 if dataset is None else int(dataset.number)


def relax_table(
    names: Iterable[str],
    structures: Iterable[Atoms],
    model: EnergyModel,
    settings: RelaxSettings | None = None,
    *,
    cache: EnergyCache | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Relax crystals with a model, all together.

    Parameters
    ----------
    names, structures
        Of the crystals.
    model
        The potential.
    settings
        How.
    cache
        Where every step's energies are kept, so that an interrupted relaxation goes on, and what
        came of it: the same relaxation again is looked up.
    progress
        Called with (crystals done, crystals in all).

    Returns
    -------
    DataFrame
        One row a crystal: ``id``, the fields of `Relaxed`, ``gained`` (meV/atom) and
        ``kept_symmetry``. A crystal at which the model fails has ``failed`` with the reason.
    """
    from symscape.models.evaluate import evaluator_of

    settings = settings or RelaxSettings()
    pairs = list(zip(names, structures, strict=True))
    questions = [_question(atoms, settings) for _, atoms in pairs]
    results: dict[int, Relaxed] = {}
    for i, question in enumerate(questions):
        known = cache.get_outcome(model.fingerprint, question) if cache is not None else None
        if known is not None:
            # what is not known was written as NaN, which is null elsewhere
            plain = json.loads(known, parse_constant=lambda _: None)
            results[i] = decode(Relaxed, plain, pairs[i][0])
    if results and progress is not None:
        progress(len(results), len(pairs))
    pending = [i for i in range(len(pairs)) if i not in results]

    def ended(k: int, relaxed: Relaxed) -> None:
        i = pending[k]
        results[i] = relaxed
        if cache is not None and not relaxed.failed:
            outcome = json.dumps(asdict(relaxed))
            cache.put_outcome(model.fingerprint, model.card.name, questions[i], outcome)
        if progress is not None:
            progress(len(results), len(pairs))

    if pending:
        asked = evaluator_of(model, cache)
        relax_many([pairs[i][1] for i in pending], asked, settings, ended=ended)
    rows: list[dict[str, Any]] = []
    for i, (name, _) in enumerate(pairs):
        relaxed = results[i]
        rows.append(
            {
                "id": name,
                **asdict(relaxed),
                "gained": 1000 * relaxed.gained,
                "kept_symmetry": relaxed.kept_symmetry,
            }
        )
    made = pd.DataFrame(rows)
    made.attrs["settings"] = {"relaxation": asdict(settings)}
    return made


def _question(atoms: Atoms, settings: RelaxSettings) -> bytes:
    """Return a hash of all that decides what becomes of a crystal, the model apart."""
    import ase

    (start,) = structure_keys(Structures.from_atoms([atoms]))
    how = [_PROCEDURE, ase.__version__, asdict(settings)]
    return hashlib.blake2b(start + json.dumps(how).encode(), digest_size=16).digest()
