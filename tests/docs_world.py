"""A folder in which the commands of the documentation run, with small files where they look."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.spacegroup import crystal
from imported_grids import write_vasprun
from monty.json import MontyEncoder
from pymatgen.core import Lattice, Structure
from pymatgen.entries.computed_entries import ComputedStructureEntry
from toys import store, toy_document

import symscape

ROOT = Path(__file__).parents[1]

#: registered models, which are large or bring weights, by toys that answer at once to any crystal
MODELS = {"chgnet": "toy.py:chgnet", "7net-0": "toy.py:seven"}
TOY = """
from symscape.bulk.pair import PairPotential


def chgnet():
    return PairPotential()


def seven():
    return PairPotential(steepness=4.0)


make_calculator = chgnet
for made in (chgnet, seven):
    made.fingerprint = made.__name__
"""
#: materials by the word by which commands choose them; each has the toy crystal's landscape
MATERIALS = {
    "PbTiO3": "PbTiO3-P4mm/Ti_z-O_z",
    "Cmce": "P-Cmce/P_y-P_z",
    "GeTe-R3m": "GeTe-R3m/ca-Ge_z",
    "-k SnO2": "SnO2-P4_2mnm/O_x-ca",
}


def write_world(folder: Path, page: str) -> None:
    """Write what a page's commands find in the folder in which they are typed."""
    for name in ("toy.py", "calculators.py", "mypackage/mymodule.py", "mypackage/__init__.py"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(TOY)
    _write_suite(folder, page)
    _write_crystals(folder)
    _write_entries(folder)
    _write_dft(folder)
    (folder / "runs").mkdir()
    (folder / "runs" / "last.model").touch()
    (folder / "mine.toml").write_text("[energies]\nmae = 50\n")


def _write_suite(folder: Path, page: str) -> None:
    """Write references of five by five points and the benchmarks that ask about slices."""
    chosen = [place for word, place in MATERIALS.items() if word in page]
    for place in chosen or [MATERIALS["PbTiO3"]]:
        material, name = place.split("/")
        document = toy_document(material, points=5)
        document["slice"] = name
        for axis, label in zip(document["axes"], name.split("-"), strict=True):
            axis["name"] = label
        path = store(folder / "made", document)
        stored = folder / "references" / f"{place}.json"
        stored.parent.mkdir(parents=True)
        path.rename(stored)
    shutil.rmtree(folder / "made")
    (folder / "benchmarks").mkdir()
    for name in ("test_landscape.py", "test_topology.py", "test_contracts.py"):
        shutil.copy(ROOT / "benchmarks" / name, folder / "benchmarks" / name)
    (folder / "pytest.ini").write_text("[pytest]\nsymscape_mlip = toy.py:chgnet\n")


def _write_crystals(folder: Path) -> None:
    rutile = crystal(
        ["Sn", "O"],
        [(0, 0, 0), (0.306, 0.306, 0)],
        spacegroup=136,
        cellpar=[4.74, 4.74, 3.19, 90, 90, 90],
    )
    rutile.write(folder / "SnO2.cif")
    bulk("ZnO", "wurtzite", 3.25, c=5.2, u=0.382).write(folder / "zno.cif")
    bulk("GaN", "wurtzite", 3.19, c=5.19, u=0.377).write(folder / "GaN.cif")
    sites = [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0)]
    perovskite = crystal(["Sr", "Ti", "O"], sites, spacegroup=221, cellpar=[3.945] * 3 + [90] * 3)
    perovskite.write(folder / "SrTiO3.cif")


def _write_entries(folder: Path) -> None:
    """Write entries of a small system, and the same crystals as CIF files with a table."""
    crystals = {
        "Al": Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.05), ["Al"], [[0, 0, 0]]),
        "Cu": Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.61), ["Cu"], [[0, 0, 0]]),
        "AlCu": Structure.from_spacegroup(
            "Pm-3m", Lattice.cubic(2.97), ["Al", "Cu"], [[0, 0, 0], [0.5, 0.5, 0.5]]
        ),
    }
    energies = {"Al": -3.74, "Cu": -4.09, "AlCu": -4.05}
    entries = [
        ComputedStructureEntry(
            one, energies[name] * len(one), entry_id=name, parameters={"run_type": "GGA"}
        )
        for name, one in crystals.items()
    ]
    with gzip.open(folder / "entries.json.gz", "wt") as file:
        json.dump(entries, file, cls=MontyEncoder)
    (folder / "my_cifs").mkdir()
    rows = ["id,E0"]
    for name, one in crystals.items():
        one.to(filename=str(folder / "my_cifs" / f"{name}.cif"))
        rows.append(f"{name},{energies[name]}")
    (folder / "runs.csv").write_text("\n".join(rows))
    rows[0] = "id,energy_per_atom"
    (folder / "my_cifs" / "energies.csv").write_text("\n".join(rows))


def _write_dft(folder: Path) -> None:
    """Write energies at points of the slices that are proposed for the pages' two crystals."""
    (folder / "dft").mkdir()
    for name in ("SnO2", "GaN"):
        structures = symscape.propose_slices(folder / f"{name}.cif")[0].slice.structures()
        for k in (0, 40, 112, 200):
            image = structures.atoms(k)
            forces = np.zeros((len(image), 3))
            image.calc = SinglePointCalculator(image, energy=-5.0 + 0.001 * k, forces=forces)
            image.write(folder / "dft" / f"{name}-{k}.extxyz")
        run = folder / "dft" / f"{name}-run"
        run.mkdir()
        image = structures.atoms(60)
        image.calc = SinglePointCalculator(image, energy=-4.9, forces=forces)
        write_vasprun(run / "vasprun.xml", image)
