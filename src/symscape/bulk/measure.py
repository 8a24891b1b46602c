"""What a data set's size costs besides the model: ``python -m symscape.bulk.measure DATASET``.

Chunks go to worker processes and come back, once with no work at all, which leaves reading,
packing, scheduling and collecting, and once with the symmetry analysis; see docs/scaling.md.
``--mlip MODEL --first N`` tells where the time of a model goes on the first crystals instead.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pandas as pd

from symscape.bulk.plan import CHUNK_ATOMS, Chunk, iterate_work
from symscape.bulk.scheduler import local_pool
from symscape.bulk.symmetry import symmetries
from symscape.dataset.folder import dataset_info
from symscape.models.evaluate import Evaluator
from symscape.models.registry import resolve
from symscape.models.spec import ModelSpec


def nothing(chunk: Chunk) -> pd.DataFrame:
    """Return a table like that of an evaluated chunk, without evaluating it."""
    parts = [
        pd.DataFrame({"row": block.rows, "id": list(block.ids), "energy_model": 0.0, "failed": ""})
        for block in chunk.blocks
    ]
    return pd.concat(parts, ignore_index=True)


def symmetry_only(chunk: Chunk) -> pd.DataFrame:
    """Return the symmetry of a chunk's crystals."""
    found = [one for block in chunk.blocks for one in symmetries(block.structures)]
    return pd.DataFrame(found)


def seconds_for(
    dataset: str | Path, function: Callable[[Chunk], pd.DataFrame], jobs: int, chunk_atoms: int
) -> float:
    """Return the wall time of all chunks, without the start of the workers."""
    with local_pool(jobs) as pool:
        pool.call(len, ())
        begin = time.perf_counter()
        done = sum(
            len(table)
            for _, table in pool.evaluate(iterate_work(dataset, chunk_atoms), function)
            if table is not None
        )
        seconds = time.perf_counter() - begin
    assert done == dataset_info(dataset).crystals
    return seconds


def stages(dataset: str | Path, spec: ModelSpec, crystals: int) -> tuple[int, dict[str, float]]:
    """Return how many crystals were evaluated in this process, and CPU seconds of each step.

    Parameters
    ----------
    dataset
        Its folder.
    spec
        The model; it is loaded, and asked once, before.
    crystals
        So many at least, in whole blocks, or all.
    """
    asked = Evaluator(resolve(spec))
    done, spent = 0, dict.fromkeys(("reading", "single points", "symmetry"), 0.0)
    blocks = (block for chunk in iterate_work(dataset) for block in chunk.blocks)
    asked.evaluate(next(blocks).structures[:1])
    blocks = (block for chunk in iterate_work(dataset) for block in chunk.blocks)
    while done < crystals:
        begin = time.process_time()
        block = next(blocks, None)
        read = time.process_time()
        if block is None:
            break
        asked.evaluate(block.structures)
        evaluated = time.process_time()
        list(symmetries(block.structures))
        ends = begin, read, evaluated, time.process_time()
        for name, (start, end) in zip(spent, pairwise(ends), strict=True):
            spent[name] += end - start
        done += len(block)
    return done, spent


def peak_memory_GB() -> float:
    """Return the largest memory of this process so far, which holds client and scheduler.

    NaN on Windows, which doesn't tell.
    """
    if sys.platform == "win32":
        return float("nan")
    import resource

    # macOS counts bytes, Linux kilobytes
    unit = 1024**3 if sys.platform == "darwin" else 1024**2
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m symscape.bulk.measure", description="Measure what the size costs."
    )
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--chunk-atoms", type=int, default=CHUNK_ATOMS)
    parser.add_argument("--symmetry", action="store_true", help="the symmetry analysis too")
    parser.add_argument("--mlip", default="", help="a model, of which the steps are timed")
    parser.add_argument("--first", type=int, default=1_000, help="crystals that it is asked about")
    given = parser.parse_args()
    if given.mlip:
        done, spent = stages(given.dataset, ModelSpec(given.mlip), given.first)
        for name, seconds in spent.items():
            print(f"{name:<24} {seconds:8.1f} s CPU, {1000 * seconds / done:.3f} ms a crystal")
        print(f"{'peak memory':<24} {peak_memory_GB():8.2f} GB, {done} crystals")
        return
    crystals = dataset_info(given.dataset).crystals
    steps = {"reading and scheduling": nothing}
    if given.symmetry:
        steps["and symmetry"] = symmetry_only
    for name, function in steps.items():
        seconds = seconds_for(given.dataset, function, given.jobs, given.chunk_atoms)
        print(f"{name:<24} {seconds:8.1f} s, {1000 * seconds / crystals:.3f} ms a crystal")
    print(f"{'peak memory':<24} {peak_memory_GB():8.2f} GB, client and scheduler")


if __name__ == "__main__":
    main()
