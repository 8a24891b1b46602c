"""Lists of crystals, made as the packages that write such files make them."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.entries.computed_entries import (
    CompositionEnergyAdjustment,
    ComputedStructureEntry,
    ConstantEnergyAdjustment,
    TemperatureEnergyAdjustment,
)


@cache
def structures():
    """Crystals of different symmetry; one has oxidation states, one a skewed left-handed cell."""
    skewed = Lattice([[3.1, 0.0, 0.0], [1.4, 3.3, 0.2], [-0.9, 0.8, -4.1]])
    magnesium = [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]
    return [
        Structure.from_spacegroup(
            "Fm-3m", Lattice.cubic(4.21), ["Mg2+", "O2-"], [[0] * 3, [0.5] * 3]
        ),
        Structure.from_spacegroup("Fd-3m", Lattice.cubic(5.43), ["Si"], [[0, 0, 0]]),
        Structure(Lattice.hexagonal(3.21, 5.21), ["Mg", "Mg"], magnesium),
        Structure.from_spacegroup(
            "P4_2/mnm", Lattice.tetragonal(4.6, 2.96), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
        ),
        Structure(skewed, ["Na", "Cl"], [[0.1, 0.2, 0.3], [1.6, -0.3, 0.8]]),
    ]  # fmt: skip


@cache
def entries():
    """One entry a structure: without correction, and with every way of stating one."""
    adjustments = [
        [
            CompositionEnergyAdjustment(-0.687, 4, uncertainty_per_atom=0.002, name="MP2020 oxide"),
            ConstantEnergyAdjustment(0.05),
        ],
        [],
        [TemperatureEnergyAdjustment(-1e-4, 300, 2, uncertainty_per_deg=0.0)],
        [ConstantEnergyAdjustment(-0.4, uncertainty=0.01)],
        [],
    ]
    run_types = ("GGA", "GGA+U", "R2SCAN", None, "PBESOL")
    made = []
    for k, (structure, own) in enumerate(zip(structures(), adjustments, strict=True)):
        parameters = {"run_type": run_types[k], "hubbards": {}} if run_types[k] else {}
        made.append(
            ComputedStructureEntry(
                structure,
                -3.1 * len(structure) - 0.1 * k,
                energy_adjustments=own,
                parameters=parameters,
                data={"material_id": f"mp-{k}", "oxide_type": "oxide"},
                entry_id=f"mp-{k}-{run_types[k]}",
            )
        )
    return made


@cache
def _documents():
    return json.dumps([entry.as_dict() for entry in entries()])


def documents():
    """The same entries as dictionaries, which hold NaN where pymatgen puts it."""
    return json.loads(_documents())


def write_text(path, text):
    """Write a file, packed if its name says so."""
    if path.suffix == ".gz":
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.write(text)
    else:
        path.write_text(text, encoding="utf-8")
    return path


def small_document(k, **changes):
    """A thermo-less entry of one atom, as small as they come."""
    structure = {
        "@module": "pymatgen.core.structure",
        "@class": "Structure",
        "lattice": {"matrix": [[3.0, 0, 0], [0, 3.0, 0], [0, 0, 3.0 + 1e-4 * (k % 100)]]},
        "sites": [{"species": [{"element": "Cu", "occu": 1}], "abc": [0, 0, 0]}],
    }
    return {
        "entry_id": f"e-{k}",
        "energy": -3.7,
        "correction": 0.0,
        "structure": structure,
    } | changes


def write_small(path, count):
    """Write an array of small entries without holding it."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8") as file:
        for k in range(count):
            file.write(("[" if k == 0 else ",\n") + json.dumps(small_document(k)))
        file.write("]")
    return path


def summary_document(k, structure, energy_per_atom, correction_per_atom):
    """What the Materials Project's summary endpoint returns, in part."""
    return {
        "builder_meta": {"emmet_version": "0.84.6", "license": "BY-C"},
        "nsites": len(structure),
        "formula_pretty": structure.composition.reduced_formula,
        "material_id": f"mp-{k}",
        "structure": structure.as_dict(),
        "uncorrected_energy_per_atom": energy_per_atom,
        "energy_per_atom": energy_per_atom + correction_per_atom,
        "energy_above_hull": 0.0,
        "is_stable": True,
    }


def thermo_document(k, entry, kind="GGA"):
    """What the Materials Project's thermo endpoint returns, in part."""
    return {
        "formula_pretty": entry.composition.reduced_formula,
        "material_id": f"mp-{k}",
        "thermo_id": f"mp-{k}_GGA_GGA+U",
        "thermo_type": "GGA_GGA+U",
        "uncorrected_energy_per_atom": entry.uncorrected_energy_per_atom,
        "energy_per_atom": entry.energy_per_atom,
        "energy_type": kind,
        "entry_types": [kind],
        "entries": {kind: entry.as_dict()},
    }


@dataclass
class Interrupting:
    """A progress callback that raises after some calls."""

    error: BaseException
    calls: int = 1

    def __call__(self, done, total, records):
        self.calls -= 1
        if self.calls < 0:
            raise self.error


def cells_agree(structures, rows, table):
    """Compare structures of a chunk with pymatgen's own, site by site."""
    for k, structure in zip(rows, structures, strict=True):
        numbers, positions, cell = table.arrays(k)
        np.testing.assert_array_equal(numbers, structure.atomic_numbers)
        np.testing.assert_allclose(cell, structure.lattice.matrix, rtol=0, atol=1e-12)
        np.testing.assert_allclose(positions, structure.cart_coords, rtol=0, atol=1e-9)
    return True


@pytest.fixture
def entries_file(tmp_path):
    """Path of a file of entries."""
    return write_text(tmp_path / "entries.json", json.dumps(documents()))
