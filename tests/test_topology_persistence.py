"""Upsampling and persistence: closed forms, an independent union-find, stability."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from topology_surfaces import egg_carton, mesh

from symscape.science.landscape.interpolate import local_polynomials, upsample
from symscape.science.landscape.persistence import (
    bottleneck_distance,
    diagram,
    flood,
    wasserstein_distance,
)

heights = st.integers(0, 30).map(float)
grids = st.tuples(st.integers(2, 6), st.integers(2, 6)).flatmap(
    lambda shape: arrays(float, shape, elements=st.one_of(heights, st.just(np.nan)))
)
periodicities = st.tuples(st.booleans(), st.booleans())


def union_find_pairs(energies, periodic):
    """Persistence by merging lakes point by point: (birth, death) sorted, zero ones left out."""
    order = [k for k in np.argsort(energies, axis=None) if np.isfinite(energies.flat[k])]
    root, pairs = {}, []

    def find(k):
        while root[k] != k:
            k = root[k]
        return k

    for k in order:
        root[k] = k
        i, j = np.unravel_index(k, energies.shape)
        for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
            other = [i, j]
            other[axis] += step
            if periodic[axis]:
                other[axis] %= energies.shape[axis]
            elif not 0 <= other[axis] < energies.shape[axis]:
                continue
            neighbour = int(np.ravel_multi_index(other, energies.shape))
            if neighbour not in root:
                continue
            a, b = find(k), find(neighbour)
            if a == b:
                continue
            young, old = (a, b) if energies.flat[a] > energies.flat[b] else (b, a)
            if energies.flat[young] < energies.flat[k]:
                pairs.append((energies.flat[young], energies.flat[k]))
            root[young] = old
    pairs += [(energies.flat[k], np.inf) for k in root if find(k) == k]
    return sorted(pairs)


@settings(deadline=None, max_examples=200)
@given(grids, periodicities)
def test_pairs_equal_those_of_union_find(energies, periodic):
    if not np.isfinite(energies).any():
        with pytest.raises(ValueError, match="no point"):
            flood(energies, periodic)
        return
    lakes = flood(energies, periodic)
    pairs = sorted(zip(lakes.birth_energies, lakes.death_energies, strict=True))
    assert pairs == union_find_pairs(energies, periodic)
    assert np.array_equal(energies[tuple(lakes.births.T)], lakes.birth_energies)
    merged = np.isfinite(lakes.death_energies)
    assert np.array_equal(energies[tuple(lakes.deaths[merged].T)], lakes.death_energies[merged])
    assert (lakes.deaths[~merged] == -1).all()


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_upsampling_is_exact_for_cubics_inside_and_for_quadratics_at_the_border(factor):
    def surface(u, v, order):
        terms = [(p, q) for p in range(4) for q in range(4) if p + q <= order]
        return sum((1 + p - 2 * q) * u**p * v**q for p, q in terms)

    coarse = mesh(np.arange(9) - 9.3, np.arange(8) + 1.3)
    fine = mesh(np.arange(8 * factor + 1) / factor - 9.3, np.arange(7 * factor + 1) / factor + 1.3)
    for order, border in ((3, factor), (2, 0)):
        result = upsample(surface(*coarse, order), factor=factor)
        expected = surface(*fine, order)
        inside = (slice(border, -border or None),) * 2
        # the surface is monotone here, so that nothing is clipped
        assert np.allclose(result[inside], expected[inside], rtol=1e-9)
        assert np.array_equal(result[::factor, ::factor], surface(*coarse, order))


@pytest.mark.parametrize("shape", [(2, 2), (2, 7), (3, 4)])
def test_upsampling_of_small_grids_is_linear_for_linear_surfaces(shape):
    u, v = mesh(*(np.arange(n) for n in shape))
    x, y = mesh(*(np.arange(4 * (n - 1) + 1) / 4 for n in shape))
    assert np.allclose(upsample(u - 3.0 * v), x - 3.0 * y, atol=1e-8)
    assert upsample(u - 3.0 * v, (True, True)).shape == (4 * shape[0], 4 * shape[1])


@settings(deadline=None, max_examples=100)
@given(grids, periodicities, st.sampled_from([2, 3, 4]))
def test_upsampled_points_stay_within_their_surroundings(energies, periodic, factor):
    fine = upsample(energies, periodic, factor)
    padded = np.pad(energies, [(0, int(p)) for p in periodic], mode="wrap")
    modes = ["wrap" if p else "edge" for p in periodic]
    wide = np.pad(energies, [(1, 2), (0, 0)], mode=modes[0])
    wide = np.pad(wide, [(0, 0), (1, 2)], mode=modes[1])
    for i in range(padded.shape[0] - 1):
        for j in range(padded.shape[1] - 1):
            corners = padded[i : i + 2, j : j + 2]
            around = wide[i : i + 4, j : j + 4]
            inside = fine[i * factor + 1 : (i + 1) * factor, j * factor + 1 : (j + 1) * factor]
            if np.isnan(corners).any():
                assert np.isnan(inside).all()
            else:
                assert inside.min() >= corners.min()
                assert inside.max() <= np.nanmax(around) + 2e-9
    assert np.array_equal(fine[::factor, ::factor], energies, equal_nan=True)


def test_upsampling_commutes_with_the_symmetries_of_the_grid():
    rng = np.random.default_rng(3)
    energies = rng.normal(size=(7, 9))
    energies[2, 3] = energies[6, 0] = np.nan
    fine = upsample(energies, (False, True), 3)
    assert np.allclose(upsample(energies.T, (True, False), 3), fine.T, equal_nan=True)
    assert np.allclose(upsample(energies[::-1], (False, True), 3), fine[::-1], equal_nan=True)
    shifted = upsample(np.roll(energies, 2, axis=1), (False, True), 3)
    assert np.allclose(shifted, np.roll(fine, 6, axis=1), equal_nan=True)


def test_a_slanting_valley_is_one_well_after_upsampling_and_a_chain_before():
    u, v = np.meshgrid(np.arange(12.0), np.arange(12.0), indexing="ij")
    for slope in (1.0, 0.5, -0.7):
        valley = 0.05 * (v - 4 - slope * (u - 5)) ** 2 + 1e-4 * (u - 5) ** 2
        assert (flood(valley).persistence > 0.005).sum() > 1
        assert (flood(upsample(valley)).persistence > 0.005).sum() == 1


def test_walls_and_holes_make_no_wells_beside_them():
    energies = np.tile([0.0, 0.01, 0.02, 5.0, 60.0, np.nan], (5, 1))
    assert len(flood(upsample(energies)).births) == 1
    energies = np.tile([0.0, -0.01, -0.02, -0.03, -5.0, -60.0], (5, 1))
    assert len(flood(upsample(energies)).births) == 1


def test_diagrams_of_the_egg_carton():
    lakes = flood(egg_carton(12, periods=2), (True, True))
    assert np.allclose(diagram(lakes), [[-0.1, np.inf]] + [[-0.1, 0.0]] * 3)
    # levelled at -0.05 the lakes merge there; at -0.2 nothing is left but one lake
    assert np.allclose(diagram(lakes, -0.05), [[-0.1, np.inf]] + [[-0.1, -0.05]] * 3)
    assert np.allclose(diagram(lakes, -0.2), [[-0.2, np.inf]])


def test_islands_never_merge_except_in_a_capped_diagram():
    energies = np.array([[0.0, 1.0, np.nan, 0.5, 2.0]])
    lakes = flood(energies)
    assert lakes.death_energies.tolist() == [np.inf, np.inf]
    assert diagram(lakes).tolist() == [[0.0, np.inf], [0.5, np.inf]]
    assert diagram(lakes, 3.0).tolist() == [[0.0, np.inf], [0.5, 3.0]]


def test_distances_of_diagrams():
    one = np.array([[0.0, np.inf], [0.010, 0.050]])
    assert bottleneck_distance(one, one) == pytest.approx(0)
    moved = np.array([[0.004, np.inf], [0.013, 0.047]])
    assert bottleneck_distance(one, moved) == pytest.approx(4.0)
    assert wasserstein_distance(one, moved) == pytest.approx(7.0, rel=1e-3)
    # a well without partner costs half its persistence
    assert bottleneck_distance(one, one[:1]) == pytest.approx(20.0)
    assert wasserstein_distance(one, one[:1]) == pytest.approx(20.0, rel=1e-3)


wells = st.lists(st.tuples(st.floats(0, 1), st.floats(1e-9, 1)), max_size=3).map(
    lambda points: np.array([(0.0, np.inf), *((b, b + p) for b, p in points)])
)


@settings(deadline=None, max_examples=60)
@given(wells, wells)
def test_wasserstein_distance_is_the_least_of_all_pairings(a, b):
    def cost(one, other):
        if one is None or other is None:
            left = one if other is None else other
            return 0.0 if left is None else (left[1] - left[0]) / 2
        return max(abs(one - other))

    padded = [*a[1:], *[None] * (len(b) - 1)]
    others = [*b[1:], *[None] * (len(a) - 1)]
    least = min(
        sum(cost(one, other) for one, other in zip(padded, order, strict=True))
        for order in permutations(others)
    )
    assert wasserstein_distance(a, b) == pytest.approx(1000 * least, abs=1e-9)
    assert wasserstein_distance(a, b) >= bottleneck_distance(a, b) - 1e-6
    assert wasserstein_distance(a, a) == 0


@settings(deadline=None, max_examples=50)
@given(
    arrays(float, (6, 7), elements=st.floats(0, 1)),
    arrays(float, (6, 7), elements=st.floats(-1, 1)),
    st.floats(0, 0.05),
    st.floats(0.1, 2.0),
)
def test_diagrams_move_no_further_than_the_surface(energies, noise, size, cap):
    other = energies + size * noise
    a, b = (diagram(flood(surface), cap) for surface in (energies, other))
    bound = 1000 * np.abs(other - energies).max()
    assert bottleneck_distance(a, b) <= bound + 1e-4


def test_local_polynomials_reproduce_what_they_can():
    u, v = np.meshgrid(np.arange(9.0), np.arange(9.0), indexing="ij")
    quartic = (u - 4.2) ** 4 + 2 * (u - 4.2) ** 2 + (v - 3.7) ** 2 + 0.5 * (u - 4.2) * (v - 3.7)
    fits = local_polynomials(quartic, (4, 4), (False, False))
    assert [fit.reach for fit in fits] == [2, 1]
    x = fits[0].stationary_point(np.zeros(2), 0)
    assert np.allclose(x, [0.2, -0.3], atol=1e-7)
    assert np.allclose(fits[0].hessian(x), [[4, 0.5], [0.5, 2]], atol=1e-6)
    assert [fit.reach for fit in local_polynomials(quartic, (1, 4), (False, False))] == [1]
    assert local_polynomials(quartic, (0, 4), (False, False)) == []
    assert [fit.reach for fit in local_polynomials(quartic, (0, 4), (True, False))] == [2, 1]
    quartic[4, 5] = np.nan
    assert local_polynomials(quartic, (4, 4), (False, False)) == []
    with pytest.raises(ValueError, match="no such stationary point"):
        fits[0].stationary_point(np.zeros(2), 1)
