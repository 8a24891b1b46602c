"""Does the landscape have the right minima and saddles, and is it smooth?

A potential can have a small mean error and still a minimum too many, a saddle too low, or a step.
"""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.topology


@pytest.mark.landscape("minima")
def test_minima(landscape, verdict):
    """Every minimum of DFT is there, at its place and depth, and no other."""
    verdict(landscape.judge())


@pytest.mark.landscape("saddles")
def test_saddles(landscape, verdict):
    """The barriers between the minima are as high as DFT's."""
    verdict(landscape.judge())


@pytest.mark.landscape("smoothness")
def test_smoothness(landscape, verdict):
    """The energy has no steps, kinks or ripples that DFT does not have."""
    verdict(landscape.judge())
