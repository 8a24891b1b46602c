"""Crystals that are listed twice: one structure under two names."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from symscape.crystal.structures import Structures

#: two cells are compared if their volumes an atom differ by no more than this, relative
SAME_VOLUME = 0.02
#: and DFT's energies by no more than this, eV/atom: other magnetic orders are other crystals
SAME_ENERGY_eV = 0.005
#: pymatgen's StructureMatcher, tighter than its defaults (0.2, 0.3, 5): a small distortion makes a
#: crystal of lower symmetry, which is what is studied
LENGTHS, SITES, ANGLES_DEG = 0.05, 0.05, 1.0


def structural_duplicates(table: pd.DataFrame, structures: Structures) -> Mapping[str, str]:
    """Find crystals that are another of the same table.

    Compared are those of one formula and space group whose volumes and energies agree, by
    pymatgen's ``StructureMatcher`` (Ong et al., Comput. Mater. Sci. 68, 314 (2013)).

    Parameters
    ----------
    table
        ``id``, ``formula``, ``space_group``, ``volume`` (angstrom^3/atom) and ``energy`` (DFT,
        eV/atom), one row a crystal.
    structures
        The crystals, in the table's order.

    Returns
    -------
    dict
        Of each duplicate the id of the crystal that it is, which has the lower energy.
    """
    from pymatgen.analysis.structure_matcher import StructureMatcher
    from pymatgen.io.ase import AseAtomsAdaptor

    matcher = StructureMatcher(ltol=LENGTHS, stol=SITES, angle_tol=ANGLES_DEG)
    found: dict[str, str] = {}
    places = table.reset_index(drop=True)
    for _, group in places.groupby(["formula", "space_group"], sort=False, observed=True):
        kept: list[int] = []
        built = {}
        for place in group.sort_values("energy", kind="stable").index:
            near = [k for k in kept if _near(places, k, place)]
            for k in (*near, place) if near else ():
                if k not in built:
                    built[k] = AseAtomsAdaptor.get_structure(structures.atoms(int(k)))
            same = next((k for k in near if matcher.fit(built[k], built[place])), None)
            if same is None:
                kept.append(place)
            else:
                found[str(places["id"][place])] = str(places["id"][same])
    return found


def _near(table: pd.DataFrame, one: int, other: int) -> bool:
    volumes, energies = table["volume"].to_numpy(), table["energy"].to_numpy()
    ratio = abs(np.log(volumes[one] / volumes[other]))
    return bool(ratio < SAME_VOLUME and abs(energies[one] - energies[other]) < SAME_ENERGY_eV)
