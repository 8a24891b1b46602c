"""What a library of references holds, in a few counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: meV/atom above the hull of DFT up to which a crystal counts as near it
NEAR_HULL = 50.0


@dataclass(frozen=True)
class LibrarySummary:
    """Counts of a library.

    Parameters
    ----------
    landscapes, materials
        Slices, and the crystals that they are of.
    space_groups, crystal_systems
        Different ones among the slices.
    crystals, chemical_systems
        Relaxed crystals, and the systems that they belong to.
    free_crystals
        Those with free Wyckoff coordinates.
    near_hull, free_near_hull
        Crystals at most `NEAR_HULL` above the hull, and those with free coordinates among them.
    equations_of_state
        Crystals whose energy against volume is known.
    checked
        `checked_line`.
    """

    landscapes: int
    materials: int
    space_groups: int
    crystal_systems: int
    crystals: int
    chemical_systems: int
    free_crystals: int
    near_hull: int
    free_near_hull: int
    equations_of_state: int
    checked: str = ""

    def text(self) -> str:
        """Return the counts in words, one subject a line."""
        return (
            f"{self.landscapes} landscapes of {self.materials} materials, "
            f"{self.space_groups} space groups, {self.crystal_systems} crystal systems\n"
            f"{self.crystals} crystals of {self.chemical_systems} chemical systems, "
            f"{self.free_crystals} with free coordinates\n"
            f"{self.near_hull} within {NEAR_HULL:g} meV/atom of the hull, "
            f"{self.free_near_hull} of them with free coordinates\n"
            f"{self.equations_of_state} equations of state"
            + (f"\n{self.checked}" if self.checked else "")
        )


def summarize_library(folders: Sequence[Path]) -> LibrarySummary:
    """Load everything that libraries hold, check it, and count.

    Raises
    ------
    ReferenceFileError
        If a file can't be read or contradicts itself.
    """
    from symscape.references.equations import load_equations
    from symscape.references.landscape_files import load_reference
    from symscape.references.library import find_references

    entries = find_references(folders)
    crystals = [load_reference(entry.path).slice.crystal for entry in entries]
    equations = load_equations(folders)
    return LibrarySummary(
        len(entries),
        len({entry.material for entry in entries}),
        len({crystal.space_group_number for crystal in crystals}),
        len({crystal.system for crystal in crystals}),
        *_count_crystals(folders),
        0 if equations is None else len(equations),
        checked_line(folders),
    )


def checked_line(folders: Sequence[Path]) -> str:
    """Return how far formation energies move with tighter settings; empty if none was checked."""
    from symscape.references.crystal_budget import formation_changes
    from symscape.references.crystal_files import find_crystal_files, read_crystals

    files = find_crystal_files(folders)
    changes = formation_changes([c for path in files for c in read_crystals(path).crystals])
    if not changes:
        return ""
    worst = max(changes, key=lambda name: abs(changes[name]))
    return (
        f"{len(changes)} formation energies checked with tighter settings, largest change "
        f"{changes[worst]:+.1f} meV/atom ({worst})"
    )


def _count_crystals(folders: Sequence[Path]) -> tuple[int, int, int, int, int]:
    """Return crystals, systems, crystals with free coordinates, those near the hull, and both."""
    from symscape.references.crystal_files import find_crystal_files

    if not find_crystal_files(folders):
        return 0, 0, 0, 0, 0
    from symscape.references.crystals import load_crystals
    from symscape.science.hull.phases import energies_above_hull
    from symscape.science.hull.table import crystal_table

    table = crystal_table(load_crystals(folders).crystals)
    free = table["n_wyckoff"] > 0
    near = 1000 * energies_above_hull(table) <= NEAR_HULL
    return (
        len(table),
        table["system"].nunique(),
        int(free.sum()),
        int(near.sum()),
        int((near & free).sum()),
    )
