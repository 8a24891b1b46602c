"""Rounding noise, up to 0.01 meV/atom, decides no share and no sign."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from symscape.rounding import NOISE_EV_ATOM
from symscape.science.hull.statistics import too_low
from symscape.science.landscape.metrics import share_below

ABOVE = st.floats(0.02, 5.0)
LARGEST_NOISE = 0.9 * NOISE_EV_ATOM
NOISE_EV = st.floats(-LARGEST_NOISE, LARGEST_NOISE)
ENERGIES = st.lists(st.tuples(ABOVE, NOISE_EV), min_size=1, max_size=30)


@given(ENERGIES)
def test_the_reference_and_noise_is_underpredicted_nowhere(drawn):
    reference, noise = np.array(drawn).T
    assert share_below(reference, reference + noise) == 0
    assert not np.any(too_low(1000 * noise))


@given(ENERGIES, st.floats(0.02, 100.0))
def test_what_is_too_low_by_more_counts_whatever_the_noise(drawn, meV):
    reference, noise = np.array(drawn).T
    assert share_below(reference, reference + noise - meV / 1000) == 1
    assert np.all(too_low(1000 * noise - meV))
