"""Does the potential respect symmetry and energy conservation, and have the right forces?

All but the last question need no DFT: they hold for any potential.
"""

from __future__ import annotations

import pytest


@pytest.mark.contracts
@pytest.mark.landscape("invariance")
def test_invariance(landscape, verdict):
    """The energy does not depend on orientation, origin, order of atoms or choice of cell."""
    verdict(landscape.judge())


@pytest.mark.contracts
@pytest.mark.landscape("conservative_forces")
def test_conservative_forces(landscape, verdict):
    """Forces and stress are the derivatives of the energy."""
    verdict(landscape.judge())


@pytest.mark.contracts
@pytest.mark.crystals("crystal_invariance")
def test_crystal_invariance(crystals, verdict):
    """The same as for slices, on every crystal of a chemical system: the worst of them counts."""
    verdict(crystals.judge())


@pytest.mark.contracts
@pytest.mark.crystals("crystal_forces")
def test_crystal_forces(crystals, verdict):
    """Forces and stress are derivatives of the energy, on every crystal of a system."""
    verdict(crystals.judge())


@pytest.mark.landscape("forces")
def test_forces(landscape, verdict):
    """The slopes along the axes agree with DFT's."""
    verdict(landscape.judge())
