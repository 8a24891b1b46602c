"""What made the energies of a comparison, and how crystals are relaxed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symscape.decode import decode, encode

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RelaxSettings:
    """How crystals are relaxed.

    Parameters
    ----------
    force_eV_A
        Largest force on an atom, and on the cell per atom, at which a relaxation ends.
    max_steps
        Optimizer steps after which it has not converged.
    push_A
        Standard deviation of the atoms' random displacements before the free relaxation.
    strain
        Standard deviation of the components of the cell's random strain, ditto.
    symprec_A
        spglib's tolerance for the space group of what was relaxed freely.
    seed
        Of the random displacements and strains.
    """

    force_eV_A: float = 0.01
    max_steps: int = 200
    push_A: float = 0.03
    strain: float = 0.01
    symprec_A: float = 0.05
    seed: int = 0


@dataclass(frozen=True)
class ComparisonSettings:
    """What made the energies of a comparison; None where nobody says.

    Parameters
    ----------
    model, fingerprint
        The model's name, and what identifies its weights.
    level_of_theory_model, level_of_theory_reference
        ``PBE``, ...
    energy_convention
        Of the model's energies (`symscape.science.hull.conventions`).
    geometry
        At which geometries they are.
    digest
        Of the crystals' files.
    left_out
        Ids of crystals that the model gave no energy of.
    n_left_out
        How many crystals of a data set can't be compared, those without energy not among them.
    corrections
        What was done to bring both sides to one convention, in words.
    resolution_meV
        Differences of polymorphs up to this count as none, meV/atom.
    relaxation
        How crystals were relaxed.
    """

    model: str | None = None
    fingerprint: str | None = None
    level_of_theory_model: str | None = None
    level_of_theory_reference: str | None = None
    energy_convention: str | None = None
    geometry: str | None = None
    digest: str | None = None
    left_out: tuple[str, ...] | None = None
    n_left_out: int | None = None
    corrections: str | None = None
    resolution_meV: float | None = None
    relaxation: RelaxSettings | None = None

    @classmethod
    def of(cls, table: pd.DataFrame) -> ComparisonSettings:
        """Read what a table carries in ``attrs["settings"]``; nothing where it carries nothing.

        Raises
        ------
        DecodeError
            If something there is of the wrong type.
        """
        found: ComparisonSettings = decode(cls, encode(table.attrs.get("settings", {})), "settings")
        return found
