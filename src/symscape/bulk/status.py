"""How far a run is, told from its folder."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from symscape.bulk.chunk_store import finished_chunks, is_running, read_chunk
from symscape.bulk.manifest import RunManifest, read_manifest
from symscape.dataset.folder import parquet
from symscape.progress import duration


@dataclass(frozen=True)
class RunStatus:
    """What a run's folder shows.

    Parameters
    ----------
    manifest
        Of the run.
    chunks, crystals
        Finished.
    failed
        Crystals among them for which the model gave no energy.
    damaged
        Numbers of damaged chunks, which the next run computes again.
    running
        Whether some process works in the folder now.
    since
        Seconds since the last chunk was finished; None if there is none.
    """

    manifest: RunManifest
    chunks: int
    crystals: int
    failed: int
    damaged: tuple[int, ...]
    running: bool
    since: float | None

    def rows(self) -> dict[str, str]:
        """Return lines for people by label."""
        total = self.manifest.dataset.crystals
        state = "finished" if self.crystals == total else "running" if self.running else "stopped"
        rows = {
            "state": state,
            "model": self.manifest.model.name,
            "relaxation": self.manifest.settings.relax,
            "crystals": f"{self.crystals} of {total}, {self.crystals / total:.0%}",
            "chunks": str(self.chunks),
            "failed": str(self.failed),
        }
        if self.damaged:
            numbers = ", ".join(map(str, self.damaged))
            rows["damaged"] = f"chunk {numbers}; the same command computes it again"
        if self.since is not None:
            rows["last chunk"] = f"{duration(self.since)} ago"
        return rows


def run_status(path: str | Path) -> RunStatus:
    """Look at a run's folder.

    Raises
    ------
    ScaleError
        If it is none, or its manifest is damaged.
    """
    manifest = read_manifest(path)
    finished = finished_chunks(path)
    files = finished.files.values()
    crystals = sum(parquet().read_metadata(file).num_rows for file in files)
    failed = sum(int((read_chunk(file, ["failed"])["failed"] != "").sum()) for file in files)
    last = max((file.stat().st_mtime for file in files), default=None)
    return RunStatus(
        manifest,
        len(finished.files),
        crystals,
        failed,
        tuple(finished.damaged),
        is_running(path),
        None if last is None else max(0.0, time.time() - last),
    )
