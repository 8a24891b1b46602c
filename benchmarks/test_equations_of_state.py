"""Are rigid crystals as large and as stiff as in DFT, and does an element prefer the right one?

Crystals of which nothing but the volume is free, of nearly all elements. One case a group of the
periodic table, elements and oxides together, and one a prototype of the elements. Which crystals
are judged follows from the model's card.
"""

from __future__ import annotations

import pytest


@pytest.mark.curves("equation_of_state")
def test_equation_of_state(curves, verdict):
    """Volumes, bulk moduli and whole curves agree with all-electron DFT."""
    verdict(curves.judge())


@pytest.mark.curves("prototype_differences")
def test_prototype_differences(curves, verdict):
    """The prototype lies as far above each element's lowest one as in DFT."""
    verdict(curves.judge())
