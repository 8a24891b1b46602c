"""A 41 x 41 slice in one array operation against a loop over the libraries' own builders."""

from __future__ import annotations

import time

import pytest

from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.slice import Slice

CELL = [4.42, 4.42, 7.24, 90, 90, 90]
#: loop iterations that are timed; the loop's time is linear in their number
LOOP = 41


def pbfcl_slice() -> Slice:
    """PbFCl type, P4/nmm: z of Ba against z of Cl, 41 x 41 points."""
    crystal = Crystal.from_sites(
        CELL, 409, [("F", (0.75, 0.25, 0)), ("Ba", (0.25, 0.25, 0.2)), ("Cl", (0.25, 0.25, 0.65))]
    )
    return Slice(
        crystal,
        (
            Axis("Ba_z", {"Ba_z": 1.0}, 0.15, 0.25, 41, 0.2),
            Axis("Cl_z", {"Cl_z": 1.0}, 0.60, 0.70, 41, 0.65),
        ),
    )


def build_with_ase(ba: float, cl: float) -> object:
    """One grid point as ASE builds it from its sites."""
    # imported here, or every run of the suite would wait for it while collecting
    from ase.spacegroup import crystal as ase_crystal

    sites = [(0.75, 0.25, 0), (0.25, 0.25, ba), (0.25, 0.25, cl)]
    return ase_crystal(
        ["F", "Ba", "Cl"], sites, spacegroup=129, setting=2, cellpar=CELL, primitive_cell=True
    )


def build_with_pymatgen(ba: float, cl: float) -> object:
    """One grid point as pymatgen builds it from its sites."""
    from pymatgen.core import Lattice, Structure

    sites = [(0.75, 0.25, 0), (0.25, 0.25, ba), (0.25, 0.25, cl)]
    return Structure.from_spacegroup(
        "P4/nmm:2", Lattice.from_parameters(*CELL), ["F", "Ba", "Cl"], sites
    )


@pytest.mark.speed
@pytest.mark.parametrize("loop", [build_with_ase, build_with_pymatgen])
def test_constructing_a_grid(benchmark, loop):
    """Ratio of the loop's time to the array operation's, in ``extra_info``."""
    the_slice = pbfcl_slice()
    structures = benchmark(the_slice.structures)
    assert len(structures) == 41 * 41
    loop(*the_slice.grid_values[0])  # imports the library
    begin = time.perf_counter()
    for ba, cl in the_slice.grid_values[:LOOP]:
        loop(ba, cl)
    seconds = (time.perf_counter() - begin) * len(structures) / LOOP
    benchmark.extra_info["loop_seconds"] = round(seconds, 3)
    benchmark.extra_info["ratio"] = round(seconds / benchmark.stats.stats.median, 1)
