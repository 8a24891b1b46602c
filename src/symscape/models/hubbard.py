"""Where training energies have +U: the Materials Project's rule, and what a card says."""

from __future__ import annotations

from collections.abc import Collection

from symscape.models.card import ModelCard

#: V, Cr, Mn, Fe, Co, Ni, Mo and W: whose oxides and fluorides the Materials Project computes with
#: +U (pymatgen, MPRelaxSet.yaml, LDAUU)
CORRELATED = frozenset({"V", "Cr", "Mn", "Fe", "Co", "Ni", "Mo", "W"})
#: with which they have it: the most electronegative element of a compound must be one of them
_ANIONS = frozenset({"O", "F"})


def has_hubbard_u(symbols: Collection[str]) -> bool:
    """Whether the Materials Project computes a compound of these elements with +U."""
    return not _ANIONS.isdisjoint(symbols) and not CORRELATED.isdisjoint(symbols)


def trained_with_u(card: ModelCard) -> bool | None:
    """Whether a model's training energies have +U where the Materials Project's have it.

    Returns
    -------
    bool or None
        None where nothing is known: a model of one's own whose level of theory is not stated.
    """
    if card.hubbard_u or card.level_of_theory == "PBE+U":
        return True
    return None if card.level_of_theory == "unknown" else False
