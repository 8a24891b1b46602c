"""The benchmark of the example question."""

import pytest


@pytest.mark.landscape("lowest_point")
def test_lowest_point(landscape, verdict):
    """The model has no point below DFT's minimum."""
    verdict(landscape.judge())
