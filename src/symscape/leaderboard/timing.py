"""What a structure costs each model: measured on one machine, one model after the other.

A results file knows the time of its own run, on a machine that it can't describe well enough for
another run's time to be held against it. So a leaderboard keeps times that its keeper took, all of
the same structures, with the machine and the conditions; times of other conditions are not mixed.
"""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from symscape.crystal.structures import Structures
from symscape.decode import encode
from symscape.errors import SymscapeError
from symscape.leaderboard.kept_files import read_kept, write_kept
from symscape.models.base import EnergyModel
from symscape.models.devices import resolve_device
from symscape.models.evaluate import Evaluator
from symscape.models.threads import cores, lanes, most_threads
from symscape.models.weights import distribution_version
from symscape.references.reference import LandscapeReference

FILE = "timings.json"
SCHEMA = "symscape-timings/1"
#: structures that are asked in batches, and one at a time
BATCHED, ALONE = 64, 16
#: how often all of them are; the fastest round counts
ROUNDS = 3


@dataclass(frozen=True)
class Conditions:
    """What must be the same for times to be compared.

    Parameters
    ----------
    machine
        System, processor and number of cores.
    device
        ``cpu``, ``cuda``, ...
    threads
        Threads that compute at the same time.
    slice
        Of which the structures are.
    n_atoms
        In each of them.
    """

    machine: str
    device: str
    threads: int
    slice: str
    n_atoms: int


@dataclass(frozen=True)
class Timing:
    """What energies of a model cost, loading left out.

    Parameters
    ----------
    seconds
        Wall time for a structure among 64 that are asked at once.
    seconds_alone
        Wall time for a structure that is asked alone.
    date
        Day on which it was measured, ISO 8601.
    versions
        Of what computed.
    """

    seconds: float
    seconds_alone: float
    date: str
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def gain(self) -> float:
        """How many times faster a structure is among others than alone."""
        return self.seconds_alone / self.seconds


@dataclass(frozen=True)
class Timings:
    """Times of several models under the same conditions, by the model's name."""

    conditions: Conditions
    models: dict[str, Timing]


@dataclass(frozen=True)
class _Document:
    schema: str
    conditions: Conditions
    models: dict[str, Timing]


def time_model(model: EnergyModel, reference: LandscapeReference) -> Timings:
    """Measure what a structure of a slice costs a model, without the cache of energies.

    The points are spread evenly over the grid. Everything is computed once before it is timed, so
    that loading and compiling don't count.

    Raises
    ------
    SymscapeError
        If the model fails on any of them: the time of a failure says nothing.
    """
    model.load()
    valid = np.flatnonzero(reference.valid.ravel())
    chosen = valid[np.linspace(0, len(valid) - 1, min(BATCHED, len(valid))).astype(int)]
    structures = reference.structures()[chosen]
    evaluator = Evaluator(model)
    together = _fastest(evaluator, [structures])
    alone = _fastest(evaluator, [structures[[k]] for k in range(min(ALONE, len(structures)))])
    conditions = Conditions(
        machine=_machine(),
        device=resolve_device(model.device),
        threads=max(lanes(), most_threads()),
        slice=reference.id,
        n_atoms=int(structures.n_atoms[0]),
    )
    timing = Timing(
        seconds=float(f"{together / len(structures):.3g}"),
        seconds_alone=float(f"{alone:.3g}"),
        date=datetime.now(UTC).date().isoformat(),
        versions=_versions(model),
    )
    return Timings(conditions, {model.card.name: timing})


def _fastest(evaluator: Evaluator, groups: list[Structures]) -> float:
    """Return the median over groups of the fastest of some rounds in seconds, one round untimed."""
    rounds = []
    for _ in range(ROUNDS + 1):
        seconds = []
        for group in groups:
            begin = time.perf_counter()
            found = evaluator.evaluate(group)
            seconds.append(time.perf_counter() - begin)
            if found.failures:
                raise SymscapeError(
                    f"{evaluator.model.card.name}: fails on a structure "
                    f"({next(iter(found.failures.values()))}); there is no time to be kept."
                )
        rounds.append(float(np.median(seconds)))
    return min(rounds[1:])


def _machine() -> str:
    """Describe the machine: system, processor, cores."""
    processor = platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        processor = f"{processor} {names[0]}" if names else processor
    except OSError:  # not on Linux
        pass
    return f"{platform.system()} {processor}, {cores()} cores"


def _versions(model: EnergyModel) -> dict[str, str]:
    names = ("torch", "jax", getattr(model, "distribution", ""))
    found = {name: distribution_version(name) for name in names if name}
    known = {name: version for name, version in found.items() if version != "unknown"}
    return {"python": platform.python_version(), **known}


def load_timings(folder: Path) -> Timings | None:
    """Return the times that a leaderboard's folder keeps; None where it has none.

    Raises
    ------
    ResultsFileError
        If the file can't be read.
    """
    found = read_kept(_Document, folder / FILE, "restore the file", SCHEMA)
    if found is None:
        return None
    return Timings(found.conditions, found.models)


def save_timings(folder: Path, new: Timings) -> Timings:
    """Put times beside those that a leaderboard's folder has of the same conditions; return all.

    Raises
    ------
    SymscapeError
        If the kept ones are of other conditions.
    """
    kept = load_timings(folder)
    if kept is not None and kept.conditions != new.conditions:
        raise SymscapeError(
            f"{folder / FILE}: holds times of other conditions ({_words(kept.conditions)}; now "
            f"{_words(new.conditions)}), which can't be compared; remove it to begin anew."
        )
    models = {**(kept.models if kept else {}), **new.models}
    together = replace(new, models=dict(sorted(models.items())))
    document = _Document(SCHEMA, together.conditions, together.models)
    write_kept(folder / FILE, document)
    return together


def _words(conditions: Conditions) -> str:
    return ", ".join(f"{name} {value}" for name, value in encode(conditions).items())
