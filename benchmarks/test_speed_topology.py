"""What the analysis of a grid's topology and smoothness costs, figures not counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from symscape.questions.measures import measured
from symscape.questions.minima import MATCHED_MINIMA, OF_MINIMA
from symscape.questions.saddles import OF_SADDLES
from symscape.references.landscape_files import load_reference
from symscape.science.landscape.align import align
from symscape.science.landscape.geometry import GridGeometry, grid_geometry
from symscape.science.landscape.matching import compare_topology
from symscape.science.landscape.smoothness import compare_smoothness

REFERENCES = Path(__file__).parents[1] / "references"
#: seconds, for one 15 x 15 slice
PROMISED = 0.1
#: seconds, for a grid of 201 x 201 points
PROMISED_FINE = 10.0


def analyse(reference, model, geometry):
    """Everything that the questions of topology compute on a grid."""
    comparison = compare_topology(reference, model, geometry)
    paths = [comparison.paths(saddle) for saddle in comparison.saddles]
    metrics = measured(OF_MINIMA, comparison) | measured(OF_SADDLES, comparison)
    return metrics, paths, compare_smoothness(reference, model, geometry)


@pytest.mark.speed
def test_analysing_a_slice(benchmark):
    """One 15 x 15 slice with two wells: minima, saddles, paths, distances, smoothness."""
    reference = load_reference(REFERENCES / "PbTiO3-P4mm" / "Ti_z-O_z.json")
    noise = np.random.default_rng(0).normal(0, 0.001, reference.energies.shape)
    grid = align(reference.energies, reference.energies + noise, reference.valid)
    geometry = grid_geometry(reference.slice)
    analyse(grid.reference, grid.model, geometry)  # imports gudhi
    metrics, paths, _ = benchmark(analyse, grid.reference, grid.model, geometry)
    assert MATCHED_MINIMA.of(metrics) == 2
    assert len(paths) == 1
    assert benchmark.disabled or benchmark.stats.stats.median < PROMISED


@pytest.mark.speed
def test_analysing_a_slice_with_many_wells(benchmark):
    """A periodic 15 x 15 slice with nine wells, which has eight saddles and sixteen paths."""
    x = 2 * np.pi * 3 * np.arange(15) / 15
    reference = -0.05 * (np.cos(x)[:, None] + np.cos(x)[None])
    reference += 0.002 * np.arange(15)[:, None] % 5
    model = 0.8 * reference + 0.003 * np.sin(x)[:, None]
    geometry = GridGeometry(np.eye(2) * 0.1**2, (15, 15))
    analyse(reference, model, geometry)
    metrics, paths, _ = benchmark(analyse, reference, model, geometry)
    assert MATCHED_MINIMA.of(metrics) == 9
    assert len(paths) == 8


@pytest.mark.speed
def test_analysing_a_fine_grid(benchmark):
    """201 x 201 points with twelve wells, eleven saddles and 22 paths."""
    x = np.linspace(0, 2 * np.pi, 201)
    reference = 0.3 * np.cos(2 * x)[:, None] * np.cos(2 * x)[None] + 0.05 * x[:, None]
    model = 0.8 * reference + 0.01 * np.sin(x)[None]
    geometry = GridGeometry(np.eye(2) * 0.02**2)
    metrics, paths, _ = benchmark.pedantic(
        analyse, (reference, model, geometry), rounds=3, warmup_rounds=0
    )
    assert MATCHED_MINIMA.of(metrics) == 12
    assert len(paths) == 11
    assert benchmark.disabled or benchmark.stats.stats.min < PROMISED_FINE
