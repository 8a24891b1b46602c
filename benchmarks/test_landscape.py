"""Is the energy landscape right, point by point?

Each case is one model on one slice: the model's energies on the grid against DFT, relative to the
same grid point, held against the tolerances.
"""

from __future__ import annotations

import pytest


@pytest.mark.landscape("energies")
def test_energies(landscape, verdict):
    """The relative energies over the slice agree with DFT within the tolerances."""
    verdict(landscape.judge())
