"""Equations of state that our own engine computed, stored beside those that others verified.

``<folder>/equations-of-state/own.json`` holds energies at the volumes that the study sampled, a
crystal a line, computed as grids and hull crystals are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symscape.decode import Finite, OpenRecord
from symscape.errors import ReferenceFileError, shown
from symscape.references.equation_files import FOLDER
from symscape.references.equations import EquationsOfState, read_equations
from symscape.references.method import Method
from symscape.references.provenance import CurvesProvenance
from symscape.references.schema import read_json, read_record, write_document

FILE = "own.json"
SCHEMA = "symscape-own-curves/1"
#: volumes that differ by more than this (angstrom^3/atom) are not the study's
_SAME_VOLUME = 2e-6


@dataclass(frozen=True, kw_only=True)
class CurveRecord(OpenRecord):
    """A crystal's line: energies in eV/atom at volumes in angstrom^3/atom."""

    id: str
    cutoff_eV: Finite
    k_mesh: tuple[int, int, int]
    volumes_A3_atom: list[Finite]
    energies_eV_atom: list[Finite]


@dataclass(frozen=True, kw_only=True)
class CurvesRecord(OpenRecord):
    """What the file says."""

    schema: str
    method: Method
    provenance: CurvesProvenance
    crystals: tuple[CurveRecord, ...]


@dataclass(frozen=True, eq=False)
class OwnCurves:
    """Energies of our engine at the volumes of ``n`` verified crystals.

    Parameters
    ----------
    equations
        The verified curves of the same crystals.
    energies
        eV/atom at `EquationsOfState.sampled_volumes`, shape (n, 7).
    cutoffs
        Plane-wave cut-off in eV, shape (n,); a crystal may be there with several.
    k_meshes
        k-points along each reciprocal vector, shape (n, 3).
    method, provenance
        As stored.
    """

    equations: EquationsOfState
    energies: np.ndarray
    cutoffs: np.ndarray
    k_meshes: np.ndarray
    method: Method
    provenance: CurvesProvenance


def write_own_curves(
    library: str | Path,
    records: Iterable[CurveRecord],
    method: Method,
    provenance: CurvesProvenance,
) -> Path:
    """Write the curves of our engine with `write_document` and return the file's path.

    Parameters
    ----------
    library
        The reference library, which holds the verified curves, too.
    records
        The crystals, in this order.
    method, provenance
        Of all.

    Raises
    ------
    ReferenceFileError
        As `write_document` and `load_own_curves`.
    """
    record = CurvesRecord(
        schema=SCHEMA, method=method, provenance=provenance, crystals=tuple(records)
    )
    equations = read_equations(Path(library) / FOLDER)
    return write_document(
        Path(library) / FOLDER / FILE,
        record,
        "crystals",
        lambda trial: load_own_curves(trial.parent.parent, equations),
    )


def load_own_curves(library: str | Path, equations: EquationsOfState) -> OwnCurves:
    """Read the curves of our engine and check them against the reference that they repeat.

    Raises
    ------
    ReferenceFileError
        If a field is missing, a crystal is unknown or listed twice at one cut-off, or its volumes
        are not the study's.
    """
    path = Path(library) / FOLDER / FILE
    stored = read_record(path, CurvesRecord, read_json(path, SCHEMA))
    rows: dict[tuple[str, float], int] = {}
    energies, meshes = [], []
    for record in stored.crystals:
        name, key = record.id, (record.id, record.cutoff_eV)
        if name not in equations.ids or key in rows:
            raise ReferenceFileError(
                f"{path}: {shown(name)} is unknown or listed twice; restore the file."
            )
        rows[key] = equations.ids.index(name)
        wanted = equations[np.array([rows[key]])].sampled_volumes()[0]
        volumes = np.array(record.volumes_A3_atom)
        for what, found in (("volumes", volumes), ("energies", record.energies_eV_atom)):
            if len(found) != len(wanted):
                raise ReferenceFileError(
                    f"{path}: {name}: it has {len(found)} {what}, but the study has "
                    f"{len(wanted)}; restore the file."
                )
        energies.append(record.energies_eV_atom)
        meshes.append(record.k_mesh)
        if np.abs(volumes - wanted).max() > _SAME_VOLUME:
            raise ReferenceFileError(
                f"{path}: {name}: its volumes are not 94 to 106 % of the all-electron one; compute "
                "it again."
            )
    if not rows:
        raise ReferenceFileError(f"{path}: there are no crystals in it; restore the file.")
    return OwnCurves(
        equations[np.array(list(rows.values()))],
        np.array(energies),
        np.array([cutoff for _, cutoff in rows]),
        np.array(meshes),
        stored.method,
        stored.provenance,
    )
