"""One model on a library of crystals: its tables, for which each crystal is asked about once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from symscape.errors import HullError
from symscape.science.hull.analysis import compare, errors_elsewhere
from symscape.science.hull.conventions import Energies, mp2020_corrections
from symscape.science.hull.phases import select_system
from symscape.science.hull.procedure import RelaxSettings
from symscape.science.hull.relax import relax_table
from symscape.science.hull.table import crystal_table

if TYPE_CHECKING:
    from symscape.models.cache import EnergyCache
    from symscape.models.evaluate import Evaluator, Progress
    from symscape.references.crystals import CrystalLibrary


class DescribedCrystals:
    """A library's crystals, described once for all models.

    Parameters
    ----------
    library
        The crystals.
    cache
        Where MP2020's corrections are kept.
    """

    def __init__(self, library: CrystalLibrary, cache: EnergyCache | None = None):
        self.library = library
        self._cache = cache

    @cached_property
    def table(self) -> pd.DataFrame:
        """Formulas, symmetries and DFT energies (eV/atom), one row a crystal."""
        return crystal_table(self.library.crystals)

    @cached_property
    def corrections(self) -> np.ndarray:
        """MP2020's corrections, eV/atom, shape (n_crystals,); made when a model needs them."""
        crystals = (crystal.to_atoms() for crystal in self.library.crystals)
        return mp2020_corrections(crystals, self._cache)


class ModelTables:
    """What one model says about a library's crystals.

    Parameters
    ----------
    crystals
        The crystals.
    evaluator
        Asks the model.
    """

    def __init__(self, crystals: DescribedCrystals, evaluator: Evaluator):
        self.crystals = crystals
        self._evaluator = evaluator
        self._compared: pd.DataFrame | None = None
        #: crystal to what became of it, a row of `relax_table`
        self._relaxed: dict[str, dict[str, Any]] = {}

    @property
    def compared(self) -> bool:
        """Whether the model has been asked about all crystals as DFT has them."""
        return self._compared is not None

    def table(self, progress: Progress | None = None) -> pd.DataFrame:
        """Return the model's energies beside DFT's; crystals at which it failed are left out.

        Raises
        ------
        HullError
            If it gave no energy at all, or none of an element.
        """
        if self._compared is None:
            self._compared = self._compare(progress)
        return self._compared

    def _compare(self, progress: Progress | None) -> pd.DataFrame:
        library, model = self.crystals.library, self._evaluator.model
        found = self._evaluator.evaluate(library.structures, progress=progress)
        energies = found.energies / library.structures.n_atoms
        good = np.isfinite(energies)
        if not good.any():
            reason = next(iter(found.failures.values()), "no reason given")
            raise HullError(f"{model.card.name} gave no energy for any crystal ({reason}).")
        table = self.crystals.table
        own = Energies.of(model.card, energies[good], lambda: self.crystals.corrections[good])
        settings = {
            "model": model.card.name,
            "fingerprint": model.fingerprint,
            "level_of_theory_model": model.card.level_of_theory,
            "level_of_theory_reference": library.level_of_theory,
            "energy_convention": own.convention,
            "geometry": "DFT's, single point",
            "digest": library.digest,
            "left_out": [table["id"].iloc[k] for k in np.flatnonzero(~good)],
        }
        return compare(table[good], own, settings)

    @property
    def left_out(self) -> list[str]:
        """Ids of the crystals at which the model failed as DFT has them, as far as it was asked."""
        return [] if self._compared is None else self._compared.attrs["settings"]["left_out"]

    @property
    def whole(self) -> bool:
        """Whether the model failed at no crystal, as far as it was asked."""
        return not self.left_out and not any(row["failed"] for row in self._relaxed.values())

    def system(self, system: str) -> pd.DataFrame:
        """Return the crystals of a chemical system and its subsystems, as `table` has them."""
        return select_system(self.table(), system)

    def not_relaxed_yet(self, systems: Iterable[str]) -> list[str]:
        """Return the ids of the crystals of chemical systems that are still to be relaxed."""
        ids = (name for system in systems for name in self.system(system)["id"])
        return [name for name in dict.fromkeys(ids) if name not in self._relaxed]

    def relax(self, ids: list[str], progress: Callable[[int, int], None] | None = None) -> None:
        """Let the model relax crystals; the more advance together, the fewer calls a step takes."""
        atoms = {crystal.id: crystal.to_atoms() for crystal in self.crystals.library.crystals}
        new = relax_table(
            ids,
            [atoms[name] for name in ids],
            self._evaluator.model,
            cache=self._evaluator.cache,
            progress=progress,
        )
        self._relaxed.update({row["id"]: row for row in new.to_dict("records")})

    def relaxed(self, system: str) -> pd.DataFrame:
        """Return the crystals of a system, which have been relaxed, with what became of them.

        ``attrs["not_relaxed"]`` are the ids of those at which the model failed.

        Raises
        ------
        HullError
            If it relaxed none of them.
        """
        own = self.system(system)
        found = pd.DataFrame([self._relaxed[name] for name in own["id"]])
        made = own.merge(found.drop(columns="space_group"), on="id")
        failed = made["failed"] != ""
        if failed.all():
            name = self._evaluator.model.card.name
            raise HullError(f"{name} relaxed no crystal of {system} ({made['failed'].iloc[0]}).")
        not_relaxed = list(made["id"][failed])
        made = errors_elsewhere(made[~failed].reset_index(drop=True))
        made.attrs["not_relaxed"] = not_relaxed
        made.attrs["settings"] = {**own.attrs["settings"], "relaxation": asdict(RelaxSettings())}
        return made
