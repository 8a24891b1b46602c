"""Are energies too low, and more so for crystals of high symmetry?

One case a symmetry class: crystals with equally many free lattice parameters, or free Wyckoff
coordinates. Few mean high symmetry.
"""

from __future__ import annotations

import pytest


@pytest.mark.crystals("underprediction")
def test_underprediction(crystals, verdict):
    """The energies above hull of the class are not biased."""
    verdict(crystals.judge())
