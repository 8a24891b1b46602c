"""The convenience layer of ``import symscape``: models held against stored DFT references.

Each function takes and returns the nouns of the library and leaves out what a notebook rarely
needs; whoever needs more finds it in the modules named in each docstring.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from symscape.arguments import named_arguments
from symscape.errors import ReferenceFileError, did_you_mean
from symscape.places import references_folder

if TYPE_CHECKING:
    import pandas as pd

    from symscape.models.base import EnergyModel
    from symscape.models.spec import ModelSpec
    from symscape.questions.case import CaseResult
    from symscape.references.library import ReferenceEntry
    from symscape.references.reference import LandscapeReference
    from symscape.science.landscape.slice_energies import SliceEvaluation
    from symscape.verdict.tolerances import Tolerances


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
    from symscape.references import landscape_files, library

    path = Path(name)
    if path.suffix == ".json":
        return landscape_files.load_reference(path)
    wanted = str(name)
    entries = find_references(folder)
    exact = [e for e in entries if wanted in (e.id, f"{e.material}/{e.slice}")]
    fitting = exact or [
        e for e in entries if wanted in (e.material, library.formula_of(e.material))
    ]
    if len(fitting) == 1:
        return landscape_files.load_reference(fitting[0].path)
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
        The model's, from `landscape`.

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
    from symscape.science.landscape.align import align

    grid = align(reference.energies, evaluation.energies, reference.valid)
    by_window = metrics_by_window(grid)
    table = pd.DataFrame.from_dict(by_window, orient="index")
    table.index = pd.Index([float(window) for window in table.index], name="window_meV_per_atom")
    names = {name: metric_named(name).column for name in table.columns}
    return table.astype({N_POINTS.name: int}).rename(columns=names)


@named_arguments
def hull(
    model: EnergyModel | str, system: str = "", folder: str | Path | None = None
) -> pd.DataFrame:
    """Put a model's formation energies and energies above hull beside DFT's.

    Parameters
    ----------
    model
        The potential, or a name that `model` takes, asked at the geometries of the references.
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

    from symscape.models.registry import resolve
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
    potential = resolve(model) if isinstance(model, str) else model
    title = f"{potential.card.name}, {system or 'crystals'}"
    with shown_in_notebook(title, "crystals", len(chosen)) as bar:
        energies = model_energies(potential, library.structures[chosen], progress=bar)
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
        The model's, from `landscape`.
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
