"""Which crystals a model can be compared on, given how its training energies were computed.

The reference is PBE without spin and without +U. A model that learnt energies with either must
answer something else wherever they matter, so what is judged follows from its card.
"""

from __future__ import annotations

import numpy as np

from symscape.models.card import ModelCard
from symscape.models.hubbard import CORRELATED
from symscape.references.equations import EquationsOfState

_OXYGEN = 8
#: Cr, Mn, Fe, Co, Ni and oxygen: solids with magnetic ground states besides the f elements
#: (J. M. D. Coey, Magnetism and Magnetic Materials, Cambridge University Press 2010)
MAGNETIC_ELEMENTS = frozenset({_OXYGEN, 24, 25, 26, 27, 28})
#: lanthanides and actinides: the Materials Project keeps f electrons of many of them in the core
#: (pymatgen, MPRelaxSet.yaml, POTCAR: Dy_3, Er_3, ...), the reference has them in the valence
F_ELEMENTS = frozenset({*range(57, 72), *range(89, 104)})
#: what the Materials Project's data sets lack up to plutonium: 89 elements are in them
#: (B. Deng et al., Nat. Mach. Intell. 5, 1031 (2023))
_MATERIALS_PROJECT = frozenset({"MPtrj", "MP-r2SCAN"})
_NOT_IN_MATERIALS_PROJECT = ("Po", "At", "Rn", "Fr", "Ra")


def reasons_not_judged(card: ModelCard, equations: EquationsOfState) -> np.ndarray:
    """Return why a model is not judged on each crystal, empty where it is; shape (n_crystals,)."""
    return np.array(
        [
            why_not_judged(card, int(element), oxide=bool(oxide))
            for element, oxide in zip(equations.elements, equations.oxide, strict=True)
        ]
    )


def why_not_judged(card: ModelCard, element: int, *, oxide: bool) -> str:
    """Return why a model is not judged on a crystal, empty where it is.

    Parameters
    ----------
    card
        The model's.
    element
        Atomic number of the crystal's element, or of what is not oxygen in an oxide.
    oxide
        Whether the crystal is an oxide.
    """
    from ase.data import chemical_symbols

    symbol = chemical_symbols[element]
    sets = set(card.training_sets)
    lacks = _NOT_IN_MATERIALS_PROJECT if sets and sets <= _MATERIALS_PROJECT else ()
    if symbol in (*card.untrained, *lacks):
        return f"the training data have no {symbol}"
    if element in F_ELEMENTS:
        return "f electrons are treated in other ways in the training data"
    if element == _OXYGEN and oxide:
        return "it is no oxide but oxygen itself"
    # the oxides that have +U are those that start from large moments (MPRelaxSet.yaml, MAGMOM)
    correlated = symbol in CORRELATED
    if card.hubbard_u and oxide and correlated:
        return "the training data have +U here"
    if card.spin_polarized and (correlated if oxide else element in MAGNETIC_ELEMENTS):
        return "the training data are spin-polarized and it is magnetic"
    return ""
