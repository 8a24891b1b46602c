"""The relaxed crystal that lies beside a plan: ``<plan>.relaxed.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.decode import DecodeError, Finite, OpenRecord, decode, encode
from symscape.dft.results import StoredGeometry
from symscape.errors import PlanError
from symscape.files import write_atomically
from symscape.jsontext import JsonTextError, parse_json
from symscape.references.method import Method
from symscape.references.provenance import RelaxationSummary
from symscape.references.schema import Row, Voigt


def relaxed_path(plan_path: Path) -> Path:
    """Return where the relaxed crystal of a plan lies."""
    return plan_path.with_suffix(".relaxed.json")


@dataclass(frozen=True, kw_only=True)
class RelaxedCell(StoredGeometry):
    """A relaxed primitive cell: angstrom, fractional positions, eV, eV/angstrom and GPa."""

    symbols: tuple[str, ...]
    energy_eV: Finite
    forces_eV_A: tuple[Row, ...]
    stress_GPa: Voigt | None = None


@dataclass(frozen=True, kw_only=True)
class RelaxedCrystal(OpenRecord):
    """What a relaxation leaves behind, as ``.relaxed.json`` holds it.

    Parameters
    ----------
    formula, space_group_number, hall_number, n_lattice, n_wyckoff
        Of the crystal; it keeps its group.
    lattice_A, atoms
        In the plan's own setting: rows in angstrom; symbols with fractional coordinates.
    primitive
        The same crystal's primitive cell, with what the code computed there.
    summary
        In words and numbers, for a reference's provenance.
    method
        As references state it.
    start
        `crystal_digest` of the crystal that the relaxation began with.
    time, symscape, command
        Who computed it, and when.
    """

    formula: str
    space_group_number: int
    hall_number: int
    lattice_A: tuple[Row, Row, Row]
    atoms: tuple[tuple[str, Finite, Finite, Finite], ...]
    n_lattice: int
    n_wyckoff: int
    primitive: RelaxedCell
    summary: RelaxationSummary
    method: Method
    start: str
    time: str = ""
    symscape: str = ""
    command: str = ""

    def of(self, crystal: Crystal) -> Crystal:
        """Return the crystal that was to be relaxed, with the cell and positions that were found.

        Raises
        ------
        PlanError
            If they are not of as many atoms.
        """
        if len(self.atoms) != len(crystal):
            raise PlanError(f"it holds {len(self.atoms)} atoms in place of {len(crystal)}")
        positions = np.array([place for _, *place in self.atoms], dtype=float)
        return Crystal(np.array(self.lattice_A), positions, crystal.numbers, crystal.hall_number)


def relaxed_crystal(plan_path: Path) -> RelaxedCrystal | None:
    """Return what the relaxation of a plan left behind, or None.

    Raises
    ------
    PlanError
        If the file is damaged.
    """
    path = relaxed_path(plan_path)
    try:
        relaxed: RelaxedCrystal = decode(RelaxedCrystal, parse_json(path.read_bytes()), "")
    except FileNotFoundError:
        return None
    except (OSError, JsonTextError, DecodeError) as error:
        raise PlanError(
            f"{path}: the relaxed crystal is damaged ({error}); remove it and relax again."
        ) from None
    return relaxed


def write_relaxed(plan_path: Path, relaxed: RelaxedCrystal) -> None:
    """Write what a relaxation found beside its plan, one line a field."""
    content = encode(relaxed)
    lines = ",\n".join(f' "{key}": {json.dumps(value)}' for key, value in content.items())
    write_atomically(relaxed_path(plan_path), f"{{\n{lines}\n}}\n")
