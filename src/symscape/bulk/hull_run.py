"""A model on a whole data set: what is missing is computed, what is there is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from symscape.bulk.chunk import fatal_row, work
from symscape.bulk.chunk_store import ChunkStore, Finished
from symscape.bulk.manifest import MANIFEST, describe_run, read_manifest
from symscape.bulk.plan import (
    BLOCK_ATOMS,
    CHUNK_ATOMS,
    Chunk,
    check_dataset,
    iterate_work,
)
from symscape.bulk.run_settings import Identity, RunSettings, identify
from symscape.bulk.scheduler import Pool, ThisProcess, assembled, cluster_pool, local_pool
from symscape.dataset.folder import DatasetInfo, parquet
from symscape.errors import ScaleError
from symscape.models.registry import resolve
from symscape.models.spec import ModelSpec
from symscape.science.hull.conventions import Basis

if TYPE_CHECKING:
    import pandas as pd


#: called with crystals done, in all, and done before
RunProgress = Callable[[int, int, int], None]


@dataclass(frozen=True)
class RunSummary:
    """What a run did.

    Parameters
    ----------
    path
        Its folder.
    crystals
        Of the data set.
    known
        Crystals that an earlier run had done.
    chunks
        Finished by this one.
    again
        Numbers of damaged chunks, which were computed again.
    """

    path: Path
    crystals: int
    known: int
    chunks: int
    again: tuple[int, ...]


def run_dataset(
    dataset: str | Path,
    spec: ModelSpec,
    output: str | Path,
    settings: RunSettings | None = None,
    *,
    jobs: int = 1,
    address: str = "",
    chunk_atoms: int | None = None,
    block_atoms: int = BLOCK_ATOMS,
    left_out: tuple[str, ...] = (),
    basis: Basis = Basis.SHARED,
    say: Callable[[str], None] = lambda text: None,
    progress: RunProgress | None = None,
) -> RunSummary:
    """Evaluate a model on a data set, chunk by chunk, or go on with that.

    Energies do not depend on ``jobs`` and ``chunk_atoms``: a model's batches end where blocks do,
    which depend on the data set alone.

    Parameters
    ----------
    dataset
        Its folder.
    spec
        The model.
    output
        The run's folder. If there is one, it must be of the same data set, model and settings.
    settings
        What to do with each crystal.
    jobs
        Worker processes on this machine; 0: this process, without dask.
    address
        Of a dask scheduler, in place of ``jobs``.
    chunk_atoms
        A chunk's size; by default that of the run's folder, or `plan.CHUNK_ATOMS`.
    block_atoms
        A block's size. In single precision, energies differ by rounding with it.
    left_out
        Elements that need no reference energy, see `plan.check_dataset`.
    basis
        What is to bring several levels of theory onto one hull, see `check_dataset`.
    say
        Called with a sentence for people, such as that a chunk was damaged.
    progress
        Called with crystals done, in all, and done before.

    Raises
    ------
    DatasetError, HullError
        As `check_dataset`.
    ModelError
        If the model can't be loaded.
    ScaleError
        If the folder holds something else, can't be written, or the cluster is gone.
    """
    settings = settings or RunSettings()
    if jobs < 0:
        raise ScaleError(f"--jobs is {jobs}, but must not be negative.")
    if chunk_atoms is not None and chunk_atoms < 1:
        raise ScaleError(f"chunks of {chunk_atoms} atoms hold nothing; give a positive number.")
    info = check_dataset(dataset, left_out, basis)
    spec = spec.absolute()
    size = chunk_atoms or _known_size(Path(output)) or CHUNK_ATOMS
    with cluster_pool(address) if address else nullcontext() as cluster:
        # the packages and weights that count are those of the workers
        identity = (cluster or ThisProcess()).call(identify, spec, settings)
        settings = replace(settings, optimizer=_kind(identity, settings))
        manifest = describe_run(info, resolve(spec).card, settings, identity, size, block_atoms)
        with ChunkStore.opened(output, manifest) as store:
            run = _Run(info, spec, settings, identity, store, say, progress)
            return run.go(lambda: nullcontext(cluster) if cluster else local_pool(jobs))


class _Run:
    """One run, from what is there to what is missing."""

    def __init__(
        self,
        info: DatasetInfo,
        spec: ModelSpec,
        settings: RunSettings,
        identity: Identity,
        store: ChunkStore,
        say: Callable[[str], None],
        progress: RunProgress | None,
    ) -> None:
        self.info, self.spec, self.settings, self.identity = info, spec, settings, identity
        self.store, self.say, self.progress = store, say, progress
        self.totals: dict[int, int] = {}

    def go(self, pool: Callable[[], AbstractContextManager[Pool]]) -> RunSummary:
        """Compute what is missing; a pool is made only if something is."""
        finished = self.store.finished()
        for number, file in finished.damaged.items():
            self.say(f"chunk {number}: {file.name} is damaged; it is computed again.")
        self.store.remove(list(finished.damaged.values()))
        known = done = crystals_in(finished)
        if self.progress is not None:
            self.progress(done, self.info.crystals, known)
        chunks = 0
        if done < self.info.crystals:
            with pool() as workers:
                for number, table in assembled(self._pieces(workers, finished), self.totals):
                    self.store.write(number, table)
                    chunks += 1
                    done += len(table)
                    if self.progress is not None:
                        self.progress(done, self.info.crystals, known)
        again = tuple(finished.damaged)
        return RunSummary(self.store.path, self.info.crystals, known, chunks, again)

    def _pieces(self, pool: Pool, finished: Finished) -> Iterator[tuple[Chunk, pd.DataFrame]]:
        arguments = (self.spec, self.settings, self.identity)
        for chunk, table in pool.evaluate(self._missing(finished), work, *arguments):
            if table is None:
                (name,) = chunk.blocks[0].ids
                self.say(f"chunk {chunk.number}: {name!r} ended its worker processes; left out.")
                table = fatal_row(chunk, self.settings)
            yield chunk, table

    def _missing(self, finished: Finished) -> Iterator[Chunk]:
        sizes = self.store.manifest.chunk_atoms, self.store.manifest.block_atoms
        for chunk in iterate_work(self.info.path, *sizes, finished.files):
            self.totals[chunk.number] = chunk.crystals
            yield chunk


def crystals_in(finished: Finished) -> int:
    """Return how many crystals finished chunks hold."""
    return sum(parquet().read_metadata(file).num_rows for file in finished.files.values())


def _known_size(output: Path) -> int | None:
    """Return the size of chunks of a run that is there."""
    return read_manifest(output).chunk_atoms if (output / MANIFEST).is_file() else None


def _kind(identity: Identity, settings: RunSettings) -> str:
    """Return which optimizer ``auto`` stands for."""
    return identity.optimizer.partition(" ")[0] or settings.optimizer
