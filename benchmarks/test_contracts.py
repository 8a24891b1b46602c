"""Does the potential respect symmetry and energy conservation, and have the right forces?

All but the last question need no DFT: they hold for any potential.
"""

from __future__ import annotations

import pytest


@pytest.mark.contracts
@pytest.mark.landscape("invariance")
def test_invariance(landscape, verdict):
    """The energy does not depend on orientation, origin, order of atoms or choice of cell."""
    verdict(landscape.judge_invariance())


@pytest.mark.contracts
@pytest.mark.landscape("conservative_forces")
def test_conservative_forces(landscape, verdict):
    """Forces and stress are the derivatives of the energy."""
    verdict(landscape.judge_conservative_forces())


@pytest.mark.landscape("forces")
def test_forces(landscape, verdict):
    """The slopes along the axes agree with DFT's."""
    verdict(landscape.judge_forces())
