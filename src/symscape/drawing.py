"""Pictures in a notebook: a model beside DFT, a model alone, several models on one slice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args, overload

from symscape.arguments import named_arguments
from symscape.errors import ArgumentError, ModelError, did_you_mean
from symscape.figures.layouts import Layout

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from symscape.crystal.slice import Slice
    from symscape.models.base import EnergyModel
    from symscape.models.cache import EnergyCache
    from symscape.references.reference import LandscapeReference
    from symscape.science.landscape.several import ModelComparison
    from symscape.science.landscape.slice_energies import SliceEvaluation

#: what `figure` draws of a model beside DFT
FigureKind = Literal["landscape", "topology", "forces", "relief"]


@overload
def figure(
    what: LandscapeReference,
    evaluation: SliceEvaluation,
    *,
    model: EnergyModel | str = "model",
    kind: FigureKind = "landscape",
    window: float = 0.5,
    layout: Layout = "wide",
    cache: EnergyCache | None = None,
) -> Figure: ...


@overload
def figure(
    what: Slice,
    evaluation: SliceEvaluation,
    *,
    model: EnergyModel | str = "model",
    layout: Layout = "wide",
) -> Figure: ...


@overload
def figure(what: ModelComparison) -> Figure: ...


@named_arguments
def figure(
    what: LandscapeReference | Slice | ModelComparison,
    evaluation: SliceEvaluation | None = None,
    *,
    model: EnergyModel | str = "model",
    kind: FigureKind = "landscape",
    window: float = 0.5,
    layout: Layout = "wide",
    cache: EnergyCache | None = None,
) -> Figure:
    """Draw a model beside DFT, as the reports have it, a model alone, or several models.

    ``figure(reference, evaluation)`` has DFT, the model and their difference;
    ``figure(slice, evaluation)`` the model's map and cuts through its minimum;
    ``figure(comparison)`` each model's map with its wells, and where the models disagree.

    Parameters
    ----------
    what
        A reference, a slice, or what `compare` gives.
    evaluation
        The model's energies, from `landscape`; none with what `compare` gives.
    model
        The potential or its name, printed above its map. For forces the potential itself.
    kind
        Of a model beside DFT, ``landscape``: DFT, model, their difference, cuts, correlation;
        ``topology``: minima, saddles, lowest paths and persistence; ``forces``: the same with
        arrows of the forces; ``relief``: DFT and model as surfaces.
    window
        Width in eV/atom of the energy window that counts; the worst point in it is marked.
    layout
        ``wide``: the maps in a row; ``tall``: one column for small screens.
    cache
        Where the model's forces are looked up and kept.

    Returns
    -------
    matplotlib.figure.Figure
        Notebooks show it after ``%matplotlib inline``; ``figure.savefig("landscape.png")`` keeps
        it.

    Raises
    ------
    ArgumentError
        If an evaluation is missing or is given where none is drawn.
    ValueError
        If the model has no energy at the DFT minimum, so that there is no common zero; if
        ``kind`` is none of these.
    ModelError
        If the model has no energy at all on a slice; if forces are wanted and the model has none,
        or only its name is given.
    """
    from symscape.crystal.slice import Slice
    from symscape.science.landscape.several import ModelComparison

    if kind not in get_args(FigureKind):
        raise ValueError(
            f"{kind!r} is no figure, but landscape, topology, forces and relief are"
            f"{did_you_mean(kind, get_args(FigureKind))}"
        )
    if isinstance(what, ModelComparison):
        from symscape.page.landscape_page import comparison_figure

        if evaluation is not None:
            raise ArgumentError(
                "figure: evaluation is given, but a comparison has its own energies."
            )
        _refuse(kind, "a comparison of models")
        return comparison_figure(what, layout=layout)
    if evaluation is None:
        raise ArgumentError(
            f"figure: evaluation is missing; a {type(what).__name__} is drawn with a model's "
            "energies, symscape.landscape(slice, model)."
        )
    if isinstance(what, Slice):
        _refuse(kind, "a slice without DFT")
        return _alone(what, evaluation, _name(model), layout)
    return _beside_dft(what, evaluation, model, kind, window, layout, cache)


def _refuse(kind: FigureKind, subject: str) -> None:
    if kind != "landscape":
        raise ArgumentError(
            f"figure: kind is {kind!r}, but {subject} has its landscape alone; leave it out."
        )


def _alone(the_slice: Slice, evaluation: SliceEvaluation, name: str, layout: Layout) -> Figure:
    """Draw a model's landscape above its own minimum."""
    import numpy as np

    from symscape.crystal.labels import axis_label, crystal_label
    from symscape.figures.landscape_data import LandscapeData
    from symscape.figures.landscape_figure import draw_alone

    energies = evaluation.energies
    if not np.isfinite(energies).any():
        raise ModelError(f"{name} gave no energy on the slice {the_slice.name}.")
    i, j = np.unravel_index(int(np.nanargmin(energies)), energies.shape)
    first, second = the_slice.axes
    data = LandscapeData(
        u=first.values,
        v=second.values,
        labels=(axis_label(first.name), axis_label(second.name)),
        reference=energies - energies[i, j],
        model=None,
        masked=the_slice.mask,
        minimum=(int(i), int(j)),
        reference_name=name,
        title=crystal_label(the_slice.crystal.formula, the_slice.crystal.symbol),
    )
    return draw_alone(data, layout)


def _beside_dft(
    reference: LandscapeReference,
    evaluation: SliceEvaluation,
    model: EnergyModel | str,
    kind: FigureKind,
    window: float,
    layout: Layout,
    cache: EnergyCache | None,
) -> Figure:
    """Draw DFT and a model on a common zero."""
    from symscape.crystal.labels import axis_label, crystal_label
    from symscape.figures.landscape_data import LandscapeData
    from symscape.science.landscape.align import align
    from symscape.science.landscape.metrics import worst_point

    grid = align(reference.energies, evaluation.energies, reference.valid)
    first, second = reference.slice.axes
    data = LandscapeData(
        u=first.values,
        v=second.values,
        labels=(axis_label(first.name), axis_label(second.name)),
        # DFT is drawn where the model failed as well
        reference=reference.relative,
        model=grid.model,
        masked=reference.mask,
        minimum=reference.minimum,
        window=window,
        worst=worst_point(grid, window),
        model_name=_name(model),
        reference_name=f"DFT ({reference.level_of_theory})",
        title=crystal_label(reference.slice.crystal.formula, reference.slice.crystal.symbol),
    )
    if kind == "landscape":
        from symscape.figures.landscape_figure import draw_landscape

        return draw_landscape(data, layout)
    if kind == "relief":
        from symscape.figures.relief_figure import draw_relief

        return draw_relief(data, layout)
    from symscape.figures.topology_figure import draw_topology
    from symscape.science.landscape.geometry import grid_geometry
    from symscape.science.landscape.matching import compare_topology

    comparison = compare_topology(data.reference, grid.model, grid_geometry(reference.slice))
    arrows = _arrows(reference, model, window, cache) if kind == "forces" else None
    return draw_topology(data, comparison, layout, arrows)


def _name(model: EnergyModel | str) -> str:
    return model if isinstance(model, str) else model.card.name


def _arrows(
    reference: LandscapeReference,
    model: EnergyModel | str,
    window: float,
    cache: EnergyCache | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the forces per grid step of DFT and model, each of shape (n_u, n_v, 2)."""
    from symscape.models.evaluate import Evaluator
    from symscape.science.landscape.forces import compare_forces, spread_by_symmetry

    if isinstance(model, str):
        raise ModelError(f"{model}: a figure of forces needs the potential, not its name alone.")
    if "forces" not in model.implements:
        raise ModelError(f"{model.card.name} has no forces to draw.")
    forces = compare_forces(reference, Evaluator(model, cache), window=window)
    dft, own = (
        spread_by_symmetry(reference.slice, side.per_step)
        for side in (forces.reference, forces.model)
    )
    return dft, own
