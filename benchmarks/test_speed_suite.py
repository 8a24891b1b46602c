"""What the suite itself costs: collecting cases, loading references, judging a grid."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from symscape.questions.energies import judge_energies
from symscape.references.landscape_files import load_reference
from symscape.references.library import find_references
from symscape.verdict.tolerances import load_tolerances

REFERENCES = Path(__file__).parents[1] / "references"

PLAIN = """
import pytest

@pytest.mark.parametrize("number", range(1000))
def test_plain(number):
    pass
"""
OURS = """
import pytest

@pytest.mark.landscape("energies")
def test_energies(landscape, verdict):
    pass
"""
CHECK = """
import sys

def pytest_collection_finish():
    heavy = {"torch", "pymatgen", "chgnet", "sevenn"} & set(sys.modules)
    assert not heavy, heavy
"""


def collect_seconds(folder: Path, file: str) -> float:
    """Best of three wall times of collecting one file in a process of its own."""
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", file]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        times.append(time.perf_counter() - begin)
    return min(times)


@pytest.mark.speed
def test_collecting_a_thousand_cases(benchmark, tmp_path):
    """Compare 1,000 of our cases with 1,000 plain parametrized tests; torch is not imported."""
    for k in range(1000):
        material = tmp_path / "references" / f"M{k}-P1"
        material.mkdir(parents=True)
        # collecting reads no file, so that an empty one will do
        (material / "x-y.json").touch()
    (tmp_path / "conftest.py").write_text(CHECK)
    (tmp_path / "test_plain.py").write_text(PLAIN)
    (tmp_path / "test_ours.py").write_text(OURS)
    plain = collect_seconds(tmp_path, "test_plain.py")
    ours = benchmark.pedantic(collect_seconds, (tmp_path, "test_ours.py"), rounds=1)
    benchmark.extra_info["overhead_seconds"] = round(ours - plain, 3)
    benchmark.extra_info["plain_seconds"] = round(plain, 3)


@pytest.mark.speed
def test_loading_the_library(benchmark):
    """Load and check every stored reference."""
    entries = find_references([REFERENCES])
    benchmark(lambda: [load_reference(entry.path) for entry in entries])
    benchmark.extra_info["references"] = len(entries)


@pytest.mark.speed
def test_judging_a_grid(benchmark):
    """Align, measure in three windows and judge one 15 x 15 grid."""
    reference = load_reference(REFERENCES / "PbTiO3-P4mm" / "Ti_z-O_z.json")
    noise = np.random.default_rng(0).normal(0, 0.01, reference.energies.shape)
    tolerances = load_tolerances()
    benchmark(
        lambda: judge_energies(reference, reference.energies + noise, tolerances, model="noisy")
    )
