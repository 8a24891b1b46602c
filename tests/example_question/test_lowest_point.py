"""The benchmark of the example question."""

import pytest
from lowest_point import judge_lowest_point


@pytest.mark.landscape("lowest_point")
def test_lowest_point(landscape, verdict):
    """The model has no point below DFT's minimum."""
    verdict(judge_lowest_point(landscape))
