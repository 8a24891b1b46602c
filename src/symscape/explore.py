"""Any crystal without DFT, from Python: slices, a model on one, several models on one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symscape.arguments import named_arguments
from symscape.errors import ModelError, SymscapeError

if TYPE_CHECKING:
    import numpy as np

    from symscape.crystal.crystal import Crystal
    from symscape.crystal.propose import Proposal
    from symscape.crystal.slice import Slice
    from symscape.models.base import EnergyModel
    from symscape.models.cache import EnergyCache
    from symscape.models.evaluate import Evaluator
    from symscape.page.landscape_page import ComparedSlice
    from symscape.questions.case import Check
    from symscape.science.landscape.overlay import DftPoints
    from symscape.science.landscape.several import ModelComparison
    from symscape.science.landscape.similar import LibraryDistances
    from symscape.science.landscape.slice_energies import SliceEvaluation


@named_arguments
def propose_slices(
    structure: Any, *, axes: tuple[str, ...] = (), points: int = 15, subgroup: str = ""
) -> tuple[Proposal, ...]:
    """Propose slices of any crystal, as ``symscape slices`` does.

    Parameters
    ----------
    structure
        ``ase.Atoms``, pymatgen's ``Structure``, a `Crystal`, or the path of a structure file.
    axes
        Free coordinates or lattice parameters to pair: ``("O_z", "c/a")``; by default a choice.
    points
        Grid values along each axis.
    subgroup
        Symbol of a subgroup in which the atoms may move. Without it, a crystal whose atoms all sit
        on special positions gets slices of several.

    Returns
    -------
    tuple
        Proposals with ``slice`` and ``kind``; empty where nothing fits.

    Warns
    -----
    UserWarning
        What reading the file gave notice of, as the commands print it: which of several structures
        was taken, what was ignored or snapped, with which tolerance.

    Raises
    ------
    StructureFileError
        If the structure can't be read or has no space group.
    SymscapeError
        If an axis or the subgroup is unknown.
    """
    from symscape.crystal.crystal import Crystal
    from symscape.crystal.propose import survey_slices
    from symscape.crystal.read import crystal_from_file
    from symscape.crystal.subgroups import subgroup_named, survey_subgroups

    if isinstance(structure, str | Path):
        read = crystal_from_file(structure)
        crystal = read.crystal
        for notice in read.notices:
            warnings.warn(f"{structure}: {notice}", stacklevel=3)
    elif isinstance(structure, Crystal):
        crystal = structure
    else:
        crystal = Crystal.from_structure(structure)
    if subgroup:
        crystal = subgroup_named(crystal, subgroup)
    found = survey_slices(crystal, axes=axes, points=points).proposals
    return found if found or axes else survey_subgroups(crystal, points).proposals


@named_arguments
def landscape(
    the_slice: Slice,
    model: EnergyModel | Evaluator | str,
    points: np.ndarray | None = None,
    *,
    cache: EnergyCache | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SliceEvaluation:
    """Evaluate a potential on the grid of a slice, in primitive cells, without forces.

    Parameters
    ----------
    the_slice
        That of a reference, ``reference.slice``, or of ``propose_slices(atoms)[0].slice``, or any.
    model
        The potential or a name that `model` takes; its evaluator where it is asked more than once.
    points
        True where an energy is wanted, shape (n_u, n_v); default: every point not masked.
    cache
        Asked first; told of every finished batch, so that an interrupted evaluation goes on. An
        evaluator has its own.
    progress
        Called with (structures done, structures in all). By default a notebook shows a bar, and
        nothing else shows anything.

    Returns
    -------
    SliceEvaluation
        With ``energies`` in eV/atom on the model's own zero, shape (n_u, n_v), NaN where not asked
        for or where the model failed, and ``failures``; what `metrics`, `judge` and `figure` take.

    Raises
    ------
    ModelError
        If there is no such potential.
    """
    from symscape.models.registry import resolve
    from symscape.science.landscape.slice_energies import evaluate_slice

    potential = resolve(model) if isinstance(model, str) else model
    return evaluate_slice(potential, the_slice, points, cache=cache, progress=progress)


@named_arguments
def compare(
    the_slice: Slice,
    models: Iterable[EnergyModel | str],
    *,
    cache: EnergyCache | None = None,
) -> ModelComparison:
    """Compare potentials with each other on a slice; no DFT is asked for.

    With a stored DFT reference a potential is compared by `metrics` (numbers), `judge` (a verdict)
    and `figure` (pictures).

    Parameters
    ----------
    the_slice
        Such as ``propose_slices(atoms)[0].slice``.
    models
        Potentials, or names that `model` takes.
    cache
        Where energies are looked up and kept.

    Returns
    -------
    ModelComparison
        With ``energies``, ``spread``, ``topologies``, ``pairs()`` and ``first_points(n)``; what
        `figure` draws.

    Raises
    ------
    ModelError
        If there is no such potential, or two have one name.
    ValueError
        If there is no point at which all have an energy.
    """
    from symscape.models.registry import resolve
    from symscape.science.landscape.several import compare_energies

    made = [resolve(one) if isinstance(one, str) else one for one in models]
    names = [one.card.name for one in made]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ModelError(
            f"compare: two models are called {twice}; give one of them another name, "
            f'symscape.model(..., mlip_name="...").'
        )
    return compare_energies(
        the_slice, {one.card.name: landscape(the_slice, one, cache=cache).energies for one in made}
    )


def ask_slice(
    the_slice: Slice, models: Mapping[str, Evaluator], points: DftPoints | None = None
) -> tuple[ComparedSlice | None, dict[str, str]]:
    """Ask every model for a slice, and for the user's DFT points on it.

    Parameters
    ----------
    the_slice
        The grid.
    models
        By name.
    points
        DFT points that lie on the slice, if there are any.

    Returns
    -------
    view : ComparedSlice or None
        None if no model has an energy.
    failures : dict
        The models that have none, and why.

    Raises
    ------
    SymscapeError
        If there is no grid point at which all models that answer have an energy.
    """
    from symscape.page.landscape_page import ComparedSlice
    from symscape.science.landscape.overlay import point_errors
    from symscape.science.landscape.several import compare_energies

    grids, failures = _grids(the_slice, models)
    if not grids:
        return None, failures
    try:
        comparison = compare_energies(the_slice, grids)
    except ValueError as error:
        raise SymscapeError(f"{the_slice.name}: {error}") from error
    if points is None:
        return ComparedSlice(comparison), failures
    zero = [axis.values[k] for axis, k in zip(the_slice.axes, comparison.zero, strict=True)]
    at_points: dict[str, np.ndarray] = {}
    above = []
    for name in comparison.names:
        values = [*points.values, zero]
        structures = the_slice.structures_at(values)  # type: ignore[arg-type]
        own = models[name].evaluate(structures).energies / structures.n_atoms
        at_points[name] = own[:-1]
        above.append(float(own[points.lowest] - own[-1]))
    return ComparedSlice(
        comparison, points, point_errors(points, at_points), tuple(above)
    ), failures


def _grids(
    the_slice: Slice, models: Mapping[str, Evaluator]
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the energies of the models that have any, and why the others have none."""
    import numpy as np

    from symscape.science.landscape.slice_energies import evaluate_slice

    grids: dict[str, np.ndarray] = {}
    failures: dict[str, str] = {}
    for name, model in models.items():
        try:
            done = evaluate_slice(model, the_slice)
        except SymscapeError as error:
            failures[name] = str(error)
            continue
        if np.isfinite(done.energies).any():
            grids[name] = done.energies
            continue
        reason = next(iter(done.failures.values()), "no reason given")
        failures[name] = f"no energy at all on a slice ({reason})"
    return grids, failures


def check_contracts(model: Evaluator, crystal: Crystal) -> tuple[Check, ...]:
    """Check what any potential owes to physics on one crystal, by the default profile's limits.

    Invariance, smoothness under strain and displacement, and, of a model with forces, forces and
    stress against the energy.

    Raises
    ------
    ModelError
        If the model fails at one of the structures.
    """
    from symscape.questions.conservative_forces import CONSERVATIVE_FORCES, force_contracts
    from symscape.questions.contracts import check_once
    from symscape.questions.invariance import INVARIANCE, energy_contracts
    from symscape.questions.smoothness import MAX_JUMP, MAX_KINK, SMOOTHNESS
    from symscape.science.contracts.checked_once import check_crystal_once
    from symscape.science.contracts.details import Roughness
    from symscape.science.contracts.scan import smoothness
    from symscape.verdict.tolerances import load_tolerances

    chosen = energy_contracts()
    if "forces" in model.implements:
        chosen = (*chosen, *force_contracts())
    found = check_once(model, crystal, chosen)
    values = {one.metric.name: one.result.value for one in found if one.result.applies}
    (smooth,) = check_crystal_once(model, crystal, [smoothness])
    if isinstance(smooth.result.detail, Roughness):
        values |= {MAX_JUMP.name: smooth.result.value, MAX_KINK.name: smooth.result.detail.kink}
    names = {"material": crystal.formula, "slice": "", "model": model.model.card.name}
    tolerances = load_tolerances()
    return tuple(
        check
        for question in (INVARIANCE, SMOOTHNESS, CONSERVATIVE_FORCES)
        for check in tolerances.case(question.name, **names).check(values, question)
        if check.metric in values
    )


def distances_in_library(
    models: Mapping[str, Evaluator], crystal: Crystal, most: int
) -> LibraryDistances | None:
    """Ask models for a sample of the library's slices of materials that share elements.

    Parameters
    ----------
    models
        By name; one that can't be asked for a slice leaves it out.
    crystal
        Its elements choose the materials.
    most
        How many slices at most.

    Returns
    -------
    LibraryDistances or None
        None if no material shares an element, or there is no library.
    """
    from symscape.places import references_folder
    from symscape.references.landscape_files import load_reference
    from symscape.references.library import find_references
    from symscape.science.landscape.similar import (
        library_distances,
        sampled_points,
        similar_references,
    )
    from symscape.science.landscape.slice_energies import evaluate_slice

    folder = references_folder(None)
    entries = find_references([folder]) if folder.is_dir() else []
    references = [load_reference(e.path) for e in similar_references(entries, crystal, most)]
    energies = []
    for reference in references:
        asked = sampled_points(reference)
        energies.append(
            {
                name: evaluate_slice(model, reference.slice, asked).energies
                for name, model in models.items()
            }
        )
    return library_distances(references, energies)
