"""The folder of a run: what it is of, and one Parquet file for each finished chunk.

``run.json`` says what made the chunks; ``chunks/chunk-00012.<checksum>.parquet`` holds one. The
checksum is in the name, so that a single rename makes a finished chunk of a file with its checksum,
and nothing else counts as one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from symscape.bulk.manifest import MANIFEST, RunManifest, read_manifest, refuse_another
from symscape.dataset.folder import parquet
from symscape.errors import DatasetError, ScaleError, writing
from symscape.files import checksum, write_atomically

if TYPE_CHECKING:
    import pandas as pd

CHUNKS = "chunks"
TABLES = "tables"
#: characters of the SHA-256 in a chunk's name
_LENGTH = 16
_NAME = re.compile(rf"chunk-(\d{{5,}})\.([0-9a-f]{{{_LENGTH}}})\.parquet")
#: what killed writers leave, those of earlier versions too
_UNFINISHED = (".*.tmp", "*.partial")
_LOCK = ".lock"


@dataclass(frozen=True)
class Finished:
    """The chunks of a run's folder.

    Parameters
    ----------
    files
        Whole ones, by number, in order.
    damaged
        Those whose content is not what their name says.
    """

    files: dict[int, Path]
    damaged: dict[int, Path]


class ChunkStore:
    """A run's folder, open for writing by one process at a time.

    Parameters
    ----------
    path
        The folder.
    manifest
        What the run is of.
    """

    def __init__(self, path: Path, manifest: RunManifest) -> None:
        self.path = path
        self.manifest = manifest
        self._digest = manifest.digest

    @classmethod
    @contextmanager
    def opened(cls, path: str | Path, manifest: RunManifest) -> Iterator[ChunkStore]:
        """Make a run's folder, or go on in one, while nobody else does.

        Raises
        ------
        ScaleError
            If the folder holds something else, another run works in it, or it can't be written.
        """
        from filelock import FileLock, Timeout

        folder = Path(path).absolute()
        store = cls(folder, manifest)
        with store._writing():
            _check_target(folder)
            (folder / CHUNKS).mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / _LOCK)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise ScaleError(
                    f"{folder}: another run works in this folder; wait for it, or name another "
                    "with --output."
                ) from None
        try:
            store._write_manifest()
            yield store
        finally:
            lock.release()

    def _write_manifest(self) -> None:
        known = self.path / MANIFEST
        if known.exists():
            refuse_another(self.path, read_manifest(self.path), self.manifest)
        with self._writing():
            # the folder is locked: nobody is writing them any more
            for pattern in _UNFINISHED:
                for left in (self.path / CHUNKS).glob(pattern):
                    left.unlink()
            if not known.exists():
                text = json.dumps(self.manifest.document(), indent=1, ensure_ascii=False) + "\n"
                write_atomically(known, text)

    def finished(self) -> Finished:
        """Look at the chunks that are there; reads every file."""
        return finished_chunks(self.path, self._digest)

    def remove(self, files: Iterator[Path] | list[Path]) -> None:
        """Remove damaged chunks, which are to be computed again."""
        with self._writing():
            for file in files:
                file.unlink(missing_ok=True)

    def write(self, number: int, table: pd.DataFrame) -> Path:
        """Keep a finished chunk: all of it or nothing.

        Raises
        ------
        ScaleError
            If the disk is full or can't be written.
        """
        import pyarrow as pa

        made = pa.Table.from_pandas(table, preserve_index=False)
        made = made.replace_schema_metadata({"run": self._digest, "chunk": str(number)})
        sink = pa.BufferOutputStream()
        parquet().write_table(made, sink, compression="zstd")
        data = sink.getvalue().to_pybytes()
        name = f"chunk-{number:05d}.{hashlib.sha256(data).hexdigest()[:_LENGTH]}.parquet"
        file = self.path / CHUNKS / name
        with self._writing():
            write_atomically(file, data)
        return file

    def _writing(self) -> AbstractContextManager[None]:
        """Return a context in which nothing but the disk can refuse what is written."""
        advice = "make room, then the same command goes on where it stopped"
        return writing(self.path, "the results", advice, ScaleError)


def _check_target(folder: Path) -> None:
    if not folder.exists() or (folder / MANIFEST).is_file():
        return
    # a run that was killed before it could say what it is of has left nothing else
    if not folder.is_dir() or {p.name for p in folder.iterdir()} - {CHUNKS, _LOCK}:
        raise ScaleError(
            f"{folder}: there is something that is no run's folder; name another with --output."
        )


def is_running(path: str | Path) -> bool:
    """Return whether some process works in a run's folder."""
    from filelock import FileLock, Timeout

    file = Path(path) / _LOCK
    if not file.exists():
        return False
    try:
        with FileLock(file, timeout=0):
            return False
    except (Timeout, OSError):
        return True


def finished_chunks(path: str | Path, digest: str | None = None) -> Finished:
    """Look at a run's chunks; reads every file and changes nothing.

    Parameters
    ----------
    path
        The run's folder.
    digest
        Of its manifest; read from there if None.
    """
    folder = Path(path) / CHUNKS
    digest = digest or read_manifest(path).digest
    files: dict[int, Path] = {}
    damaged: dict[int, Path] = {}
    for file in sorted(folder.glob("*.parquet")):
        match = _NAME.fullmatch(file.name)
        if match is None:
            continue
        number = int(match[1])
        if checksum(file)[:_LENGTH] == match[2] and _belongs(file, digest, number):
            files[number] = file
        else:
            damaged[number] = file
    return Finished(files, {k: v for k, v in damaged.items() if k not in files})


def _belongs(file: Path, digest: str, number: int) -> bool:
    """Return whether a file was written as this chunk of this run."""
    metadata = parquet().read_schema(file).metadata or {}
    return metadata.get(b"run") == digest.encode() and metadata.get(b"chunk") == b"%d" % number


def read_chunk(file: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a finished chunk, the columns asked for.

    Raises
    ------
    ScaleError
        If it can't be read.
    """
    import pyarrow as pa

    try:
        frame: pd.DataFrame = parquet().read_table(file, columns=columns).to_pandas()
    except (pa.ArrowInvalid, OSError, DatasetError) as error:
        raise ScaleError(
            f"{file}: the chunk can't be read ({error}); run the same command again."
        ) from error
    return frame
