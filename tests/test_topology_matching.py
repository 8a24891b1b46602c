"""Minima, saddles and paths of a model against those of a reference."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from topology_surfaces import double_well, egg_carton, mesh, mueller_brown

from symscape.questions.measures import measured
from symscape.questions.minima import OF_MINIMA
from symscape.questions.saddles import OF_SADDLES
from symscape.science.landscape.geometry import GridGeometry
from symscape.science.landscape.matching import compare_topology
from symscape.science.landscape.minima import topology
from symscape.science.landscape.paths import Passes, along

X, Y = mesh(np.linspace(-1.6, 1.6, 33), np.linspace(-1.0, 1.0, 21))
STEP = 0.1
#: one unit of X or Y is 0.5 angstrom
GEOMETRY = GridGeometry(np.eye(2) * (0.5 * STEP) ** 2)


def test_a_surface_agrees_with_itself():
    energies = double_well(X, Y, tilt=0.01)
    result = compare_topology(energies, energies, GEOMETRY)
    assert len(result.matched) == 2
    assert result.missing + result.spurious + result.edge_missing + result.edge_spurious == ()
    assert (result.bottleneck_meV, result.wasserstein_meV) == pytest.approx((0, 0), abs=1e-9)
    (saddle,) = result.saddles
    assert saddle.energy_error == saddle.barrier_error == saddle.displacement == 0
    assert all(m.displacement == m.depth_error == 0 for m in result.matched)
    assert result.softenings.min() == 1
    assert result.expected_saddles == len(result.saddles) == 1
    assert result.lost_saddles == 0


def test_errors_of_a_shifted_softer_and_tilted_double_well():
    # minima moved by 0.2 units (0.1 angstrom), barrier lowered to 60 %
    result = compare_topology(double_well(X, Y), double_well(X - 0.2, Y, 0.06), GEOMETRY)
    assert len(result.matched) == 2
    for pair in result.matched:
        assert pair.displacement == pytest.approx(0.1, abs=1e-4)
        assert pair.depth_error == pytest.approx(0, abs=1e-3)
        # 8 barriers along x, 0.6 along y in eV/atom per unit^2
        assert pair.curvatures_reference == pytest.approx((2400, 3200), rel=1e-3)
        assert pair.curvatures_model == pytest.approx((1920, 2400), rel=1e-3)
    (saddle,) = result.saddles
    assert saddle.displacement == pytest.approx(0.1, abs=1e-2)
    assert saddle.energy_error == pytest.approx(-40, abs=0.1)
    assert saddle.barrier_error == pytest.approx(-40, abs=0.1)
    assert result.bottleneck_meV == pytest.approx(40, abs=0.5)
    metrics = measured(OF_SADDLES, result)
    assert metrics["max_barrier_error"] == pytest.approx(40, abs=0.1)
    assert metrics["mean_barrier_error"] == pytest.approx(-40, abs=0.1)


def test_barriers_do_not_depend_on_which_well_is_the_deeper():
    """Tilted one way and the other the merge trees differ, the passes between the wells do not."""
    result = compare_topology(double_well(X, Y, tilt=1e-3), double_well(X, Y, tilt=-1e-3), GEOMETRY)
    assert [m.persistence for m in result.reference.minima] != [
        m.persistence for m in sorted(result.model.minima, key=lambda m: m.position)
    ]
    (saddle,) = result.saddles
    assert saddle.energy_error == pytest.approx(0, abs=0.01)
    # the shallower well in DFT, at x = 1, is 2 meV/atom deeper in the model
    assert result.matched[saddle.minima[0]].reference.position[0] > 16
    assert saddle.barrier_error == pytest.approx(2, abs=0.02)


def test_missing_and_spurious_minima():
    two, one = double_well(X, Y, tilt=0.02), 0.3 * (X**2 + Y**2)
    lost = compare_topology(two, one, GEOMETRY)
    assert len(lost.missing) == 2
    assert len(lost.spurious) == 1
    assert lost.spurious[0].position == pytest.approx((16, 10), abs=1e-6)
    assert np.isnan(measured(OF_SADDLES, lost)["max_barrier_error"])
    close = GridGeometry(np.eye(2) * (0.2 * STEP) ** 2)  # now within the radius
    found = compare_topology(two, one, close)
    assert [len(found.matched), len(found.missing), len(found.spurious)] == [1, 1, 0]
    assert found.lost_saddles == lost.lost_saddles == 1
    back = compare_topology(one, two, close)
    assert [len(back.matched), len(back.missing), len(back.spurious)] == [1, 0, 1]


def test_wells_on_the_edge_are_counted_apart():
    ramp = 0.05 * (X + 1.6)
    bumpy = ramp + 0.1 * np.exp(-20 * (X - 1.2) ** 2) - 0.3 * np.exp(-10 * (X - 1.6) ** 2)
    bumpy += 0.01 * Y**2
    result = compare_topology(ramp + 0.01 * Y**2, bumpy, GEOMETRY)
    assert len(result.edge_spurious) == 1
    assert result.spurious == ()


def test_a_well_at_the_threshold_does_not_come_and_go():
    depths = {}
    for name, tilt in (("just above", 0.044), ("just below", 0.046)):
        energies = double_well(X, Y, barrier=0.04, tilt=tilt)
        (shallow,) = [m for m in topology(energies).minima if m.saddle]
        depths[name] = shallow.persistence
        if name == "just above":
            reference = energies
    assert depths["just below"] < 0.005 < depths["just above"]
    result = compare_topology(reference, energies, GEOMETRY)
    assert len(result.matched) == 2
    assert compare_topology(energies, reference, GEOMETRY).spurious == ()
    # but two wells that both are shallow are nobody's business
    assert len(compare_topology(energies, energies, GEOMETRY).matched) == 1


def test_minima_above_the_window_are_not_asked_for():
    high = double_well(X, Y, barrier=0.3, tilt=0.1)
    single = 0.3 * ((X + 1) ** 2 + Y**2)
    assert len(compare_topology(high, single, GEOMETRY).missing) == 1
    assert compare_topology(high, single, GEOMETRY, window=0.05).missing == ()


def test_assignment_takes_the_least_total_displacement():
    def wells(*places):
        return -sum(0.1 * np.exp(-((X - x) ** 2 + Y**2) / 0.02) for x in places)

    geometry = GridGeometry(np.eye(2) * (0.25 * STEP) ** 2)
    # greedy matching would pair 0.0 with 0.4 and leave 1.0 with -0.9, too far
    result = compare_topology(wells(-0.9, 0.0), wells(0.4, -0.4), geometry, threshold=0.02)
    pairs = [(m.reference.index[0], m.model.index[0]) for m in result.matched]
    assert sorted(pairs) == [(7, 12), (16, 20)]


def test_distances_wrap_around_periodic_grids():
    geometry = GridGeometry(np.diag([0.04, 0.01]), (12, 12))
    carton = egg_carton(12)
    moved = np.roll(carton, (-1, -1), axis=(0, 1))
    (pair,) = compare_topology(carton, moved, geometry).matched
    assert (pair.reference.index, pair.model.index) == ((0, 0), (11, 11))
    assert pair.displacement == pytest.approx(np.hypot(0.2, 0.1), abs=1e-6)
    assert geometry.distance((0.5, 11.5), (11.5, 0.5)) == pytest.approx(np.hypot(0.2, 0.1))


@settings(deadline=None, max_examples=50)
@example(156)  # the nearest image is four periods away
@given(st.integers(0, 10**6))
def test_shortest_image_in_a_skew_metric(seed):
    rng = np.random.default_rng(seed)
    basis = np.eye(2) + rng.uniform(-0.6, 0.6, (2, 2))
    geometry = GridGeometry(basis @ basis.T, (5, 7))
    a, b = rng.uniform(0, [5, 7], (2, 2))
    # far enough: no smaller singular value shrinks a vector further than this
    assume(np.linalg.cond(basis) < 10)
    images = np.indices((61, 61)).reshape(2, -1).T - 30
    lengths = np.linalg.norm((b - a + images * [5, 7]) @ basis, axis=1)
    assert geometry.distance(a, b) == pytest.approx(lengths.min())


def brute_force_pass(surface, start, end):
    """Raise the water until both points are in one lake (scipy's labels, four neighbours)."""
    from scipy.ndimage import label

    def joined(level):
        lakes, _ = label(surface <= level)
        return lakes[start] and lakes[start] == lakes[end]

    levels = np.unique(surface[np.isfinite(surface)])
    k = bisect_left(levels, True, key=joined)
    return levels[k] if k < len(levels) else None


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6))
def test_paths_are_minimax_paths(seed):
    rng = np.random.default_rng(seed)
    x = 2 * np.pi * np.arange(11) / 11
    u, v = mesh(x, x)
    energies = sum(
        rng.normal() * 0.03 * np.cos(p * u + q * v + rng.uniform(0, 6))
        for p in range(3)
        for q in range(-2, 3)
    )
    energies[tuple(rng.integers(0, 11, (2, 12)))] = np.nan
    result = topology(energies)
    passes = Passes(result)
    factor = result.factor
    for a, b in zip(result.minima, result.minima[1:], strict=False):
        nodes = [tuple(factor * k for k in m.index) for m in (a, b)]
        level = brute_force_pass(result.surface, *nodes)
        path = passes.lowest_path(a, b)
        if level is None:
            assert path is None
            assert passes.saddle(a, b) is None
            continue
        heights = result.surface[tuple(np.round(path * factor).astype(int).T)]
        assert heights.max() <= level + 1e-9
        assert tuple(path[0]) == a.index
        assert tuple(path[-1]) == b.index
        assert np.abs(np.diff(path, axis=0)).max() <= 1 / factor + 1e-12
    for m in result.minima:
        if m.saddle is None:
            continue
        # the well's own saddle is the lowest pass to any deeper lake
        lakes = result.lakes
        deeper = lakes.births[lakes.persistence > m.persistence]
        start = tuple(factor * i for i in m.index)
        levels = [brute_force_pass(result.surface, start, tuple(k)) for k in deeper]
        assert min(x for x in levels if x is not None) == pytest.approx(
            result.energies[m.index] + m.persistence
        )


def test_profile_of_the_mueller_brown_path():
    x, y = mesh(np.linspace(-1.5, 1.2, 41), np.linspace(-0.2, 2.0, 41))
    energies = mueller_brown(x, y) / 1000
    geometry = GridGeometry(np.diag([(2.7 / 40) ** 2, (2.2 / 40) ** 2]))
    result = compare_topology(energies, 0.5 * energies, geometry, radius=0.1)
    deep = next(
        s for s in result.saddles if s.reference.energy == pytest.approx(-0.04067, abs=1e-4)
    )
    reference, model = result.paths(deep)
    assert reference.reference.max() == pytest.approx(-0.04067, abs=3e-4)
    assert np.allclose(reference.model, 0.5 * reference.reference, atol=1e-6)
    assert np.allclose(model.model.max(), -0.02033, atol=2e-4)
    assert (np.diff(reference.distance) > 0).all()
    # not shorter than the straight line, and not a detour
    ends = reference.points[[0, -1]]
    straight = geometry.distance(*ends)
    assert straight <= reference.distance[-1] < 1.6 * straight


def test_the_lowest_path_stays_on_the_valley_floor():
    x, y = mesh(np.linspace(-1.6, 1.6, 17), np.linspace(-1.6, 1.6, 17))
    ring = 0.5 * (np.hypot(x, y) - 1) ** 2 + 0.05 * y**2 - 0.01 * x
    result = topology(ring, GridGeometry(np.eye(2) * 0.04))
    a, b = result.deep
    path = Passes(result).lowest_path(a, b)
    place = -1.6 + 0.2 * path
    assert np.abs(np.hypot(*place.T) - 1).max() < 0.12
    read = along(path, result, result)
    assert np.array_equal(read.reference, read.model)


def test_flat_model_and_masked_points():
    energies = double_well(X, Y, tilt=0.02)
    result = compare_topology(energies, np.zeros_like(energies), GEOMETRY)
    assert len(result.missing) == 2 - len(result.matched)
    energies[16] = np.nan
    parted = compare_topology(energies, double_well(X, Y), GEOMETRY)
    assert len(parted.matched) == 2
    assert parted.saddles == ()
    with pytest.raises(ValueError, match="differ in shape"):
        compare_topology(energies, energies[1:], GEOMETRY)


def test_results_do_not_depend_on_the_order_of_the_axes():
    rng = np.random.default_rng(5)
    reference = double_well(X, Y, tilt=0.01)
    model = reference + 0.01 * np.sin(3 * X + rng.normal()) * np.cos(2 * Y)
    geometry = GridGeometry(np.array([[0.003, 0.001], [0.001, 0.002]]))
    swapped = GridGeometry(geometry.metric[::-1, ::-1])
    one = compare_topology(reference, model, geometry)
    other = compare_topology(reference.T, model.T, swapped)
    for measures in (OF_MINIMA, OF_SADDLES):
        assert measured(measures, one) == pytest.approx(measured(measures, other), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), scatter=st.floats(0.001, 0.1))
def test_rounding_decides_nothing(seed, scatter):
    """Wells that symmetry makes equal are put in order by more than their last bits."""
    energies = double_well(X, Y)
    rng = np.random.default_rng(seed)
    model = energies + scatter * rng.normal(size=(2, 2))[0, 0] * X + scatter * np.cos(3 * X + Y)
    found = [
        compare_topology(energies + noise, model + noise, GEOMETRY)
        for noise in (0.0, *1e-15 * rng.normal(size=(4, *X.shape)))
    ]
    first, *others = [(len(c.matched), [s.barrier_error for s in c.saddles]) for c in found]
    for other in others:
        assert other[0] == first[0]
        assert other[1] == pytest.approx(first[1], abs=1e-6)
