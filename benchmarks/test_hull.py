"""Are the right crystals stable, and do polymorphs come in the right order?

One case a chemical system: the model's energies at the DFT geometries, against its own elements and
its own hull, and compared with DFT's; then the same after the model has relaxed the crystals.
"""

from __future__ import annotations

import pytest


@pytest.mark.crystals("hull")
def test_hull(crystals, verdict):
    """Formation energies, energies above hull and the order of the polymorphs agree with DFT."""
    verdict(crystals.judge())


@pytest.mark.crystals("stability")
def test_stability(crystals, verdict):
    """Few crystals are called stable that are not, over all systems."""
    verdict(crystals.judge())


@pytest.mark.relaxation
@pytest.mark.crystals("relaxation")
def test_relaxation(crystals, verdict):
    """Crystals near the hull keep their symmetry and volume when the model relaxes them."""
    verdict(crystals.judge())
