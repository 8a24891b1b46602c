"""One chunk: what a model says of its crystals, and how symmetric they are.

Pure functions of the crystals and the model; `work` is what runs in worker processes.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.bulk.plan import Block, Chunk
from symscape.bulk.run_settings import Identity, RunSettings, identify
from symscape.bulk.symmetry import symmetries
from symscape.errors import HullError, ScaleError
from symscape.models.evaluate import Evaluator, evaluator_of
from symscape.models.registry import resolve
from symscape.models.spec import ModelSpec
from symscape.science.hull.relax import Relaxed
from symscape.science.hull.table import Symmetry

if TYPE_CHECKING:
    import pandas as pd

    from symscape.models.base import EnergyModel

#: levels of theory whose corrections pymatgen can tell without the inputs of the calculation
_PLAIN = ("PBE", "unknown")


def work(chunk: Chunk, spec: ModelSpec, settings: RunSettings, expected: Identity) -> pd.DataFrame:
    """Evaluate a chunk in this process, which keeps the model for the next one.

    Raises
    ------
    ModelError
        If the model can't be loaded here.
    ScaleError
        If this process has another version of the model or the optimizer than the run began with.
    """
    model, here = _model(spec, settings)
    if here != expected:
        what = "model" if here.fingerprint != expected.fingerprint else "optimizer"
        raise ScaleError(
            f"a worker has another version of the {what} than the run began with; install the same "
            "packages and weights for all workers."
        )
    return evaluate_chunk(chunk, model, settings, expected.optimizer)


@lru_cache(maxsize=1)
def _model(spec: ModelSpec, settings: RunSettings) -> tuple[Evaluator, Identity]:
    return Evaluator(resolve(spec)), identify(spec, settings)


def evaluate_chunk(
    chunk: Chunk, model: EnergyModel | Evaluator, settings: RunSettings, optimizer: str = ""
) -> pd.DataFrame:
    """Return one row a crystal, in the order of the data set.

    Parameters
    ----------
    chunk
        The crystals.
    model
        The potential, or its evaluator where more chunks follow.
    settings
        What to do with them.
    optimizer
        As `Identity.optimizer`.

    Returns
    -------
    DataFrame
        ``row`` (position in the data set), ``id``, ``energy_model`` (eV/atom, NaN where there is
        none), ``failed`` (why; empty if there is one), ``correction`` (MP2020's, eV/atom, what the
        data set says and else pymatgen; NaN if neither knows),
        ``correction_failed``, the fields of `Symmetry`, and with relaxations those of `Relaxed`
        with the prefix ``relaxed_``.
    """
    import pandas as pd

    asked = evaluator_of(model)
    parts = [_evaluate_block(block, asked, settings, optimizer) for block in chunk.blocks]
    return pd.concat(parts, ignore_index=True)


def _evaluate_block(
    block: Block, asked: Evaluator, settings: RunSettings, optimizer: str
) -> pd.DataFrame:
    import pandas as pd

    energies, failures = _energies(block, asked)
    corrections, reasons = _corrections(block, asked)
    columns: dict[str, Any] = {
        "row": block.rows,
        "id": list(block.ids),
        "energy_model": energies,
        "failed": failures,
        "correction": corrections,
        "correction_failed": reasons,
    }
    found = list(symmetries(block.structures, settings.symprec_A))
    for field in fields(Symmetry):
        columns[field.name] = [getattr(one, field.name) for one in found]
    if settings.relax != "none":
        relaxed = relax_block(block, asked, settings, optimizer)
        for name in asdict(Relaxed()):
            columns[f"relaxed_{name}"] = [getattr(one, name) for one in relaxed]
    return pd.DataFrame(columns)


def fatal_row(chunk: Chunk, settings: RunSettings) -> pd.DataFrame:
    """Return the row of a crystal that ends every process which evaluates it."""
    import pandas as pd

    from symscape.bulk.scheduler import FATAL

    (block,) = chunk.blocks
    columns: dict[str, Any] = {
        "row": block.rows,
        "id": list(block.ids),
        "energy_model": np.nan,
        "failed": FATAL,
        "correction": block.corrections,
        "correction_failed": "",
        **asdict(Symmetry()),
    }
    if settings.relax != "none":
        columns |= {f"relaxed_{k}": v for k, v in asdict(Relaxed(failed=FATAL)).items()}
    return pd.DataFrame(columns)


def sound(block: Block) -> np.ndarray:
    """Return whether all numbers of each structure are finite, shape (n,)."""
    own = block.structures
    cells = np.isfinite(own.cells).all(axis=(1, 2))
    atoms = np.isfinite(own.positions).all(axis=1)
    return cells & np.array([atoms[a:b].all() for a, b in pairwise(own.offsets)], dtype=bool)


def _energies(block: Block, asked: Evaluator) -> tuple[np.ndarray, list[str]]:
    """Return single-point energies, eV/atom, and why there is none."""
    energies, failures = np.full(len(block), np.nan), [_NOT_FINITE] * len(block)
    usable = np.flatnonzero(sound(block))
    structures = block.structures[usable]
    found = asked.evaluate(structures)
    energies[usable] = found.energies / structures.n_atoms
    for k, i in enumerate(usable):
        failures[i] = found.failures.get(k, "")
    return energies, failures


_NOT_FINITE = "a coordinate or a lattice vector is no finite number"


def _corrections(block: Block, asked: Evaluator) -> tuple[np.ndarray, list[str]]:
    """Return corrections of the reference energies, eV/atom, and why there is none.

    Nulls of the source are filled by pymatgen, as long as plain PBE may be what they are of.
    """
    from symscape.science.hull.conventions import mp2020_corrections

    reasons = [""] * len(block)
    if asked.model.card.energy_convention != "MP2020":
        # wanted all the same where levels of theory are mixed
        return block.corrections, reasons
    corrections = block.corrections.copy()
    usable = sound(block)
    for i in np.flatnonzero(np.isnan(corrections)):
        if not usable[i]:
            reasons[i] = _NOT_FINITE
        elif block.levels[i] not in _PLAIN:
            reasons[i] = f"the source states no correction of its {block.levels[i]} energy"
        else:
            try:
                corrections[i] = mp2020_corrections([block.structures.atoms(int(i))])[0]
            except HullError as error:
                reasons[i] = str(error)
    return corrections, reasons


def relax_block(
    block: Block, asked: Evaluator, settings: RunSettings, optimizer: str
) -> list[Relaxed]:
    """Relax crystals, all together with TorchSim or by ASE's steps.

    A crystal at which the model fails costs the others nothing.
    """
    usable = np.flatnonzero(sound(block))
    made = [Relaxed(failed=_NOT_FINITE) for _ in range(len(block))]
    images = [block.structures.atoms(int(i)) for i in usable]
    if optimizer.startswith("torch-sim"):
        from symscape.bulk.torchsim import relax_together

        results = relax_together(images, asked, settings.relaxation, free=settings.relax == "free")
    else:
        from symscape.science.hull.relax import relax_many

        results = relax_many(images, asked, settings.relaxation, free=settings.relax == "free")
    for i, result in zip(usable, results, strict=True):
        made[i] = result
    return made
