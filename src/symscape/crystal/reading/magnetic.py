"""Magnetic CIF: operations with time reversal, and the moments of all atoms of the magnetic cell.

Tags as in the magnetic CIF dictionary of the IUCr (magCIF 0.9.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from symscape.crystal.reading.cif_block import CifBlock, as_number
from symscape.crystal.reading.cif_symmetry import Setting, setting_of
from symscape.crystal.reading.expansion import Expansion, ListedAtom
from symscape.errors import StructureFileError, shown

_OPERATIONS = ("_space_group_symop_magn_operation_xyz", "_space_group_symop_magn_xyz")
_CENTRINGS = ("_space_group_symop_magn_centering_xyz",)


@dataclass(frozen=True, eq=False)
class MagneticGroup:
    """A magnetic space group's operations in the magnetic cell.

    Parameters
    ----------
    setting
        Without time reversal, each place once.
    reversal
        1, or -1 where moments are reversed in time, shape (n,).
    """

    setting: Setting
    reversal: np.ndarray


def magnetic_operations(block: CifBlock) -> MagneticGroup | None:
    """Return the magnetic group that a block lists, or None if it lists none.

    Raises
    ------
    StructureFileError
        If an operation can't be understood, or they make no group.
    """
    texts = block.column(*_OPERATIONS)
    if not texts:
        return None
    centrings = block.column(*_CENTRINGS) or ("x,y,z,+1",)
    flags: dict[str, int] = {}
    products = []
    for second in map(_parsed, centrings):
        for first in map(_parsed, texts):
            product = (second[0] * first[0]).wrap()
            flags.setdefault(product.triplet(), second[1] * first[1])
            products.append(product)
    setting = setting_of("the magnetic operations", products)
    triplets = [
        _triplet(rotation, translation)
        for rotation, translation in zip(setting.rotations, setting.translations, strict=True)
    ]
    return MagneticGroup(setting, np.array([flags[triplet] for triplet in triplets]))


def _parsed(text: str) -> tuple[Any, int]:
    import gemmi

    *parts, flag = text.replace(" ", "").lower().split(",")
    try:
        if len(parts) != 3:
            raise ValueError("four parts are wanted")
        return gemmi.Op(",".join(parts)), 1 if int(flag) > 0 else -1
    except (ValueError, RuntimeError) as error:
        raise StructureFileError(
            f"the magnetic operation {shown(text)} can't be understood ({error}); correct it."
        ) from None


def _triplet(rotation: np.ndarray, translation: np.ndarray) -> str:
    import gemmi

    operation = gemmi.Op()
    operation.rot = (rotation * gemmi.Op.DEN).tolist()
    operation.tran = np.round(translation * gemmi.Op.DEN).astype(int).tolist()
    return str(operation.wrap().triplet())


def moments_of(
    block: CifBlock, atoms: list[ListedAtom], expansion: Expansion, group: MagneticGroup | None
) -> np.ndarray | None:
    """Return the moments of all atoms in Bohr magnetons, Cartesian, shape (n, 3).

    A moment is an axial vector: it turns with the proper part of an operation and changes sign with
    time reversal. None if the file states no moment other than zero.
    """
    labels = block.column("_atom_site_moment_label")
    columns = [block.column(f"_atom_site_moment_crystalaxis_{x}") for x in "xyz"]
    if not labels or not all(columns):
        return None
    stated = dict(
        zip(labels, np.array([[as_number(t) for t in c] for c in columns]).T, strict=True)
    )
    own = np.nan_to_num(np.array([stated.get(atom.label, np.zeros(3)) for atom in atoms]))
    if not own.any():
        return None
    # components are along unit vectors of the crystal's axes
    lengths = np.linalg.norm(expansion.lattice, axis=1)
    fractional = own[expansion.origins] / lengths
    if group is not None:
        turns = group.setting.rotations[expansion.operations]
        signs = group.reversal[expansion.operations] * np.round(np.linalg.det(turns))
        fractional = signs[:, None] * np.einsum("nij,nj->ni", turns, fractional)
    return np.asarray(fractional @ expansion.lattice)
