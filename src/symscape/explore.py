"""Any crystal without DFT, from Python: slices, several models on one, pictures of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from symscape.crystal.propose import Proposal
    from symscape.crystal.slice import Slice
    from symscape.landscape.several import ModelComparison
    from symscape.models.base import EnergyModel
    from symscape.models.cache import EnergyCache


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
        crystal = crystal_from_file(structure).crystal
    elif isinstance(structure, Crystal):
        crystal = structure
    else:
        crystal = Crystal.from_structure(structure)
    if subgroup:
        crystal = subgroup_named(crystal, subgroup)
    found = survey_slices(crystal, axes=axes, points=points).proposals
    return found if found or axes else survey_subgroups(crystal, points).proposals


def compare_models(
    the_slice: Slice,
    models: Iterable[EnergyModel | str],
    *,
    cache: EnergyCache | None = None,
) -> ModelComparison:
    """Evaluate several potentials on a slice, where there is no DFT.

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
        `figure_of_models` draws.

    Raises
    ------
    ModelError
        If there is no such potential.
    ValueError
        If there is no point at which all have an energy.
    """
    from symscape.landscape.evaluate import evaluate_slice
    from symscape.landscape.several import compare_energies
    from symscape.models.registry import resolve

    made = [resolve(one) if isinstance(one, str) else one for one in models]
    energies = {one.card.name: evaluate_slice(one, the_slice, cache=cache).energies for one in made}
    return compare_energies(the_slice, energies)


def figure_of_models(comparison: ModelComparison) -> Figure:
    """Draw each model's map with its wells, and where the models disagree."""
    from symscape.page.landscape_page import comparison_figure

    return comparison_figure(comparison)
