"""CIF files of one crystal in many dialects, written without any of the readers under test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import spglib
from ase.data import chemical_symbols
from ase.geometry import cellpar_to_cell

#: what a symbol's line, and the operators, may be written under
OLD = {
    "symbol": "_symmetry_space_group_name_H-M",
    "hall": "_symmetry_space_group_name_Hall",
    "number": "_symmetry_Int_Tables_number",
    "operators": "_symmetry_equiv_pos_as_xyz",
}
NEW = {
    "symbol": "_space_group_name_H-M_alt",
    "hall": "_space_group_name_Hall",
    "number": "_space_group_IT_number",
    "operators": "_space_group_symop_operation_xyz",
}
DOTTED = {
    "symbol": "_space_group.name_H-M_alt",
    "hall": "_space_group.name_Hall",
    "number": "_space_group.IT_number",
    "operators": "_space_group_symop.operation_xyz",
}


@dataclass(frozen=True, eq=False)
class Drawn:
    """A crystal in a setting: one atom of each orbit, and all atoms by spglib's operations."""

    hall_number: int
    cell: tuple[float, ...]
    sites: tuple[tuple[int, tuple[float, float, float]], ...]

    @property
    def kind(self):
        return spglib.get_spacegroup_type(self.hall_number)

    @property
    def operations(self):
        found = spglib.get_symmetry_from_database(self.hall_number)
        return found["rotations"], found["translations"]

    @property
    def lattice(self):
        return np.array(cellpar_to_cell(self.cell))

    def all_atoms(self):
        """Positions and numbers of the whole cell."""
        rotations, translations = self.operations
        places, numbers = [], []
        for number, site in self.sites:
            images = np.mod(rotations @ np.array(site) + translations, 1.0)
            distinct = []
            for image in images:
                gaps = np.array(distinct).reshape(-1, 3) - image
                if not len(gaps) or np.abs(gaps - np.round(gaps)).max(axis=1).min() > 1e-6:
                    distinct.append(image)
            places += distinct
            numbers += [number] * len(distinct)
        return np.array(places), np.array(numbers)


def cell_of(hall_number, a=5.1, b=6.3, c=7.7):
    """Return a cell with the metric of a setting and nothing more."""
    kind = spglib.get_spacegroup_type(hall_number)
    number, choice = kind.number, kind.choice
    if number <= 2:
        return (a, b, c, 81.0, 77.0, 97.0)
    if number <= 15:
        angles = [90.0, 90.0, 90.0]
        axis = next(x for x in choice if x in "abc")
        angles["abc".index(axis)] = 103.0
        return (a, b, c, *angles)
    if number <= 74:
        return (a, b, c, 90.0, 90.0, 90.0)
    if number <= 142:
        return (a, a, c, 90.0, 90.0, 90.0)
    if number <= 194:
        return (a, a, a, 78.0, 78.0, 78.0) if choice == "R" else (a, a, c, 90.0, 90.0, 120.0)
    return (c, c, c, 90.0, 90.0, 90.0)


def triplets(rotations, translations):
    """Write operators as ``-x+1/2,y,z``."""
    names = []
    for rotation, translation in zip(rotations, translations, strict=True):
        parts = []
        for row, shift in zip(rotation, translation, strict=True):
            text = "".join(
                f"{'+' if k > 0 else '-'}{x}" for k, x in zip(row, "xyz", strict=True) if k
            )
            twelfths = round(float(shift) * 24) % 24
            parts.append(text.lstrip("+") + (f"+{twelfths}/24" if twelfths else ""))
        names.append(",".join(parts))
    return names


def write_cif(
    crystal,
    *,
    by="operators",
    tags=OLD,
    symbol="",
    occupancy=None,
    types=True,
    formula=None,
    units=None,
    extra="",
    digits=6,
    name="x",
):
    """Return a CIF of a drawn crystal.

    ``by`` says how the symmetry is written: operators, hall, symbol, number, or nothing (all atoms
    are listed).
    """
    lines = [f"data_{name}"]
    keys = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines += [f"_cell_{key} {value:.8g}" for key, value in zip(keys, crystal.cell, strict=True)]
    if formula:
        lines.append(f"_chemical_formula_sum '{formula}'")
    if units:
        lines.append(f"_cell_formula_units_Z {units}")
    if by == "operators":
        lines += ["loop_", tags["operators"], *(f"'{t}'" for t in triplets(*crystal.operations))]
    elif by == "hall":
        lines.append(f'{tags["hall"]} "{crystal.kind.hall_symbol}"')
    elif by == "symbol":
        lines.append(f"{tags['symbol']} '{symbol}'")
    elif by == "number":
        lines.append(f"{tags['number']} {crystal.kind.number}")
    lines += [extra] if extra else []
    lines += ["loop_", "_atom_site_label"]
    lines += ["_atom_site_type_symbol"] if types else []
    lines += [f"_atom_site_fract_{x}" for x in "xyz"]
    lines += ["_atom_site_occupancy"] if occupancy else []
    sites = crystal.sites
    if by == "nothing":
        places, numbers = crystal.all_atoms()
        sites = list(zip(numbers, places, strict=True))
    for k, (number, place) in enumerate(sites):
        element = chemical_symbols[number]
        words = [f"{element}{k + 1}", *([element] if types else [])]
        words += [f"{x:.{digits}f}" for x in place]
        words += [occupancy] if occupancy else []
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"
