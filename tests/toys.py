"""A small crystal and a reference on it, made by a closed-form potential in place of DFT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ase.calculators.emt import EMT

from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.slice import Slice
from symscape.decode import decode, encode
from symscape.references.landscape_files import landscape_record, write_reference
from symscape.references.method import Method
from symscape.references.point_records import PointRecord
from symscape.references.provenance import GridProvenance
from symscape.references.schema import LandscapeRecord


def toy_slice(points: int = 5) -> Slice:
    """CrB-type AlCu, space group Cmcm: y of Al against y of Cu."""
    crystal = Crystal.from_sites(
        [2.9, 8.2, 4.0, 90, 90, 90], 298, [("Al", (0, 0.36, 0.25)), ("Cu", (0, 0.07, 0.25))]
    )
    return Slice(
        crystal,
        (
            Axis("Al_y", {"Al_y": 1.0}, 0.33, 0.39, points, 0.36),
            Axis("Cu_y", {"Cu_y": 1.0}, 0.04, 0.10, points, 0.07),
        ),
        0.5,
    )


def toy_document(material: str = "AlCu-Cmcm", points: int = 5) -> dict:
    """The document of a reference whose energies are those of ASE's EMT potential."""
    the_slice = toy_slice(points)
    structures = the_slice.structures()
    records = []
    for k, atoms in enumerate(structures):
        atoms.calc = EMT()
        i, j = divmod(k, points)
        records.append(
            PointRecord(
                i=i,
                j=j,
                energy_eV=atoms.get_potential_energy(),
                forces_eV_A=atoms.get_forces().tolist(),
                cell_A=np.round(atoms.cell.array, 8).tolist(),
                positions=np.round(
                    np.linalg.solve(atoms.cell.array.T, atoms.positions.T).T, 8
                ).tolist(),
            )
        )
    return encode(
        landscape_record(
            material=material,
            the_slice=the_slice,
            points=records,
            method=Method(code="ASE's EMT", functional="EMT"),
            provenance=GridProvenance(licence="CC0-1.0", command="made by the tests"),
        )
    )


def store(folder: str | Path, document: dict) -> Path:
    """Write a reference's document, in which a test may have changed something."""
    return write_reference(folder, decode(LandscapeRecord, document, ""))
