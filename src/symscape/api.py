"""The convenience layer of ``import symscape``: a landscape in ten lines.

Each function takes and returns the nouns of the library and leaves out what a notebook rarely
needs; whoever needs more finds it in the modules named in each docstring.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from symscape.arguments import named_arguments
from symscape.errors import ModelError, ReferenceFileError, did_you_mean
from symscape.places import references_folder

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure

    from symscape.models.base import EnergyModel
    from symscape.models.cache import EnergyCache
    from symscape.models.spec import ModelSpec
    from symscape.questions.case import CaseResult
    from symscape.references.library import ReferenceEntry
    from symscape.references.reference import LandscapeReference
    from symscape.science.landscape.align import AlignedGrid
    from symscape.science.landscape.evaluate import SliceEvaluation
    from symscape.verdict.tolerances import Tolerances


#: what `figure` draws
FigureKind = Literal["landscape", "topology", "forces", "relief"]


@named_arguments
def find_references(folder: str | Path | None = None) -> list[ReferenceEntry]:
    """List the stored references of a folder, sorted by name; no file is read.

    Parameters
    ----------
    folder
        Holds ``<material>/<slice>.json``. By default ``references`` here or, where that is empty,
        the references that come with the package.

    Returns
    -------
    list
        Entries with ``material``, ``slice``, ``id`` and ``path``.

    Raises
    ------
    ReferenceFileError
        If there is no such folder.
    """
    from symscape.references import library

    return library.find_references([references_folder(folder)])


@named_arguments
def load_reference(name: str | Path, folder: str | Path | None = None) -> LandscapeReference:
    """Load a stored reference by its path or by its name, and check it against its own slice.

    Parameters
    ----------
    name
        The path of a file; or ``PbTiO3-P4mm/Ti_z-O_z``, ``PbTiO3-P4mm-Ti_z-O_z``, or just
        ``PbTiO3-P4mm`` or ``PbTiO3`` where that leaves no choice.
    folder
        Where names are looked up; as in `find_references`.

    Raises
    ------
    ReferenceFileError
        If there is no such reference, the name fits several, or the file is not in order.
    """
    from symscape.references import library, store

    path = Path(name)
    if path.suffix == ".json":
        return store.load_reference(path)
    wanted = str(name)
    entries = find_references(folder)
    exact = [e for e in entries if wanted in (e.id, f"{e.material}/{e.slice}")]
    fitting = exact or [
        e for e in entries if wanted in (e.material, library.formula_of(e.material))
    ]
    if len(fitting) == 1:
        return store.load_reference(fitting[0].path)
    names = [f"{e.material}/{e.slice}" for e in fitting or entries]
    if fitting:
        raise ReferenceFileError(f"{wanted!r} fits several references: {', '.join(names)}.")
    end = did_you_mean(wanted, names, loose=True)
    where = references_folder(folder)
    raise ReferenceFileError(f"{where}: there is no reference {wanted!r}{end}")


@named_arguments
def model(name: str | ModelSpec, **options: Any) -> EnergyModel:
    """Make a potential by the name that ``--mlip`` takes; its weights are loaded when needed.

    Parameters
    ----------
    name
        A registered name (``symscape models`` lists them), a family together with
        ``checkpoint=PATH``, or ``package.module:factory`` of an ASE calculator; or all of it as a
        `ModelSpec`.
    options
        ``checkpoint``, ``mlip_name``, ``device``, ``batch_size``, ``dtype``, ...: see
        `symscape.models.spec.ModelSpec`.

    Raises
    ------
    ModelError
        If nothing has that name or the options contradict each other.
    """
    from symscape.models.registry import resolve

    return resolve(name, **options)


@named_arguments
def metrics(reference: LandscapeReference, evaluation: SliceEvaluation) -> pd.DataFrame:
    """Return every pointwise metric of a model on a slice.

    Parameters
    ----------
    reference
        The DFT energies.
    evaluation
        The model's, from `evaluate_slice`.

    Returns
    -------
    pandas.DataFrame
        One row for each energy window (its index, in meV/atom above the DFT minimum), one column
        for each metric; the unit is in the column's name, where there is one. docs/metrics.md
        defines them.

    Raises
    ------
    ValueError
        If the model has no energy at the DFT minimum, so that there is no common zero.
    """
    import pandas as pd

    from symscape.questions.energies import N_POINTS, metrics_by_window
    from symscape.questions.registry import metric_named

    by_window = metrics_by_window(_aligned(reference, evaluation))
    table = pd.DataFrame.from_dict(by_window, orient="index")
    table.index = pd.Index([float(window) for window in table.index], name="window_meV_per_atom")
    names = {name: metric_named(name).column for name in table.columns}
    return table.astype({N_POINTS.name: int}).rename(columns=names)


@named_arguments
def compare_hulls(
    model: EnergyModel, system: str = "", folder: str | Path | None = None
) -> pd.DataFrame:
    """Put a model's formation energies and energies above hull beside DFT's.

    Parameters
    ----------
    model
        The potential, asked at the geometries of the references.
    system
        A chemical system with its elements and subsystems, ``Mg-Si``; by default all crystals.
    folder
        References with ``crystals/``; as in `find_references`.

    Returns
    -------
    pandas.DataFrame
        One row a crystal; `symscape.science.hull.analysis.compare` names the columns.

    Raises
    ------
    HullError
        If the references have no such system.
    ModelError
        If the model has no energy of one of the crystals.
    """
    import numpy as np

    from symscape.progress import shown_in_notebook
    from symscape.references.crystals import load_crystals
    from symscape.science.hull.analysis import compare
    from symscape.science.hull.conventions import model_energies
    from symscape.science.hull.phases import select_system
    from symscape.science.hull.table import crystal_table

    library = load_crystals([references_folder(folder)])
    table = crystal_table(library.crystals)
    if system:
        wanted = select_system(table, system)["id"]
        chosen = np.flatnonzero(table["id"].isin(wanted))
    else:
        chosen = np.arange(len(table))
    title = f"{model.card.name}, {system or 'crystals'}"
    with shown_in_notebook(title, "crystals", len(chosen)) as bar:
        energies = model_energies(model, library.structures[chosen], progress=bar)
    return compare(table.iloc[chosen].reset_index(drop=True), energies)


@named_arguments
def judge(
    reference: LandscapeReference,
    evaluation: SliceEvaluation,
    tolerances: Tolerances | str | Path = "default",
    *,
    model: EnergyModel | str = "model",
) -> CaseResult:
    """Hold a model's energies on a slice against tolerances, as ``test_energies`` does.

    Parameters
    ----------
    reference
        The DFT energies.
    evaluation
        The model's, from `evaluate_slice`.
    tolerances
        ``strict``, ``default``, ``loose``, the path of a tolerance file, or loaded tolerances.
    model
        The potential or its name, for the result and for tolerances that depend on it.

    Returns
    -------
    CaseResult
        With ``status``, ``checks`` and ``metrics``; ``print(symscape.explain(result))`` says what
        pytest prints of a failed case.

    Raises
    ------
    ToleranceFileError
        If the tolerance file is missing or malformed.
    """
    from symscape.questions.energies import judge_energies
    from symscape.verdict.tolerances import load_tolerances

    if isinstance(tolerances, str | Path):
        tolerances = load_tolerances(tolerances)
    name, fingerprint = (
        (model, "") if isinstance(model, str) else (model.card.name, model.fingerprint)
    )
    return judge_energies(
        reference,
        evaluation.energies,
        tolerances,
        model=name,
        failures=evaluation.failures,
        fingerprint=fingerprint,
        seconds=evaluation.seconds,
    )


@named_arguments
def figure(
    reference: LandscapeReference,
    evaluation: SliceEvaluation,
    *,
    model: EnergyModel | str = "model",
    kind: FigureKind = "landscape",
    window: float = 0.5,
    layout: Literal["wide", "tall"] = "wide",
    cache: EnergyCache | None = None,
) -> Figure:
    """Draw a figure of a model on a slice, as the reports have them.

    Parameters
    ----------
    reference
        The DFT energies.
    evaluation
        The model's, from `evaluate_slice`.
    model
        The potential or its name, printed above its map. For forces the potential itself.
    kind
        ``landscape``: DFT, model, their difference, cuts, correlation; ``topology``: minima,
        saddles, lowest paths and persistence; ``forces``: the same with arrows of the forces;
        ``relief``: DFT and model as surfaces.
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
    ValueError
        If the model has no energy at the DFT minimum, so that there is no common zero; if
        ``kind`` is none of these.
    ModelError
        If forces are wanted and the model has none, or only its name is given.
    """
    from symscape.crystal.labels import axis_label, crystal_label
    from symscape.figures.panels import LandscapeData
    from symscape.science.landscape.metrics import worst_point

    grid = _aligned(reference, evaluation)
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
        model_name=model if isinstance(model, str) else model.card.name,
        reference_name=f"DFT ({reference.level_of_theory})",
        title=crystal_label(reference.slice.crystal.formula, reference.slice.crystal.symbol),
    )
    if kind == "landscape":
        from symscape.figures.landscape_figure import draw_landscape

        return draw_landscape(data, layout)
    if kind == "relief":
        from symscape.figures.relief_figure import draw_relief

        return draw_relief(data, layout)
    if kind not in ("topology", "forces"):
        raise ValueError(
            f"{kind!r} is no figure, but landscape, topology, forces and relief are"
            f"{did_you_mean(kind, get_args(FigureKind))}"
        )
    from symscape.figures.topology_figure import draw_topology
    from symscape.science.landscape.geometry import grid_geometry
    from symscape.science.landscape.matching import compare_topology

    comparison = compare_topology(data.reference, grid.model, grid_geometry(reference.slice))
    arrows = _arrows(reference, model, window, cache) if kind == "forces" else None
    return draw_topology(data, comparison, layout, arrows)


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


def _aligned(reference: LandscapeReference, evaluation: SliceEvaluation) -> AlignedGrid:
    """Put both on the common zero, over the points that both have."""
    from symscape.science.landscape.align import align

    return align(reference.energies, evaluation.energies, reference.valid)
