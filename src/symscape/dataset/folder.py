"""What a data set's folder holds.

``dataset.json`` (counts, settings, checksums), ``crystals-00000.parquet`` and so on,
``rejects.jsonl``, and ``notices.jsonl`` where there is something to say of imported crystals.
docs/datasets.md describes the columns.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from symscape.errors import DatasetError, shown
from symscape.jsontext import parse_json

SCHEMA = "symscape-dataset/2"
MANIFEST = "dataset.json"
REJECTS = "rejects.jsonl"
NOTICES = "notices.jsonl"
#: columns of a table without structures, the order of `load_dataset`
TABLE_COLUMNS = (
    "id", "formula", "system", "n_atoms", "volume", "energy", "correction", "energy_cell",
    "level_of_theory", "source", "correction_origin", "correction_stated", "correction_makers",
)  # fmt: skip
STRUCTURE_COLUMNS = ("numbers", "cell", "scaled_positions")


@dataclass(frozen=True)
class Part:
    """A Parquet file of a data set.

    Parameters
    ----------
    file
        Its name.
    crystals, atoms
        How many it holds.
    sha256
        Of the file.
    """

    file: str
    crystals: int
    atoms: int
    sha256: str


@dataclass(frozen=True)
class DatasetInfo:
    """What a data set says of itself.

    Parameters
    ----------
    path
        Its folder.
    crystals, atoms
        How many it holds.
    parts
        Its files in order.
    settings
        How it was made: sources, options, version of symscape.
    rejected
        How many records were rejected, by kind.
    """

    path: Path
    crystals: int
    atoms: int
    parts: tuple[Part, ...]
    settings: dict[str, Any]
    rejected: dict[str, int]

    def dump(self) -> str:
        """Return the text of ``dataset.json``."""
        document = {
            "schema": SCHEMA,
            "crystals": self.crystals,
            "atoms": self.atoms,
            "rejected": self.rejected,
            "settings": self.settings,
            "parts": [asdict(part) for part in self.parts],
        }
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def dataset_info(path: str | Path) -> DatasetInfo:
    """Return what a data set says of itself.

    Raises
    ------
    DatasetError
        If there is none, or its ``dataset.json`` is damaged or of another schema.
    """
    folder = Path(path)
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise DatasetError(f"{folder}: this is no data set; make one with 'symscape import'.")
    try:
        document = parse_json(manifest.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise DatasetError(
                f"{manifest}: the schema is {shown(document['schema'])}, not {SCHEMA!r}; import "
                "again."
            )
        return DatasetInfo(
            folder,
            int(document["crystals"]),
            int(document["atoms"]),
            tuple(Part(**part) for part in document["parts"]),
            dict(document["settings"]),
            dict(document["rejected"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{manifest}: the file is damaged ({error}); import again.") from error


def parquet() -> Any:
    """Return ``pyarrow.parquet``.

    Raises
    ------
    DatasetError
        If pyarrow is not installed.
    """
    try:
        return import_module("pyarrow.parquet")
    except ImportError as error:
        raise DatasetError(
            "data sets need pyarrow, which is not installed; run 'pip install symscape[scale]'."
        ) from error


def schema() -> Any:
    """Return the columns of the Parquet files as a ``pyarrow.Schema``."""
    parquet()
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("formula", pa.string(), nullable=False),
            pa.field("system", pa.string(), nullable=False),
            pa.field("n_atoms", pa.int32(), nullable=False),
            pa.field("volume", pa.float64(), nullable=False),
            pa.field("energy", pa.float64(), nullable=False),
            pa.field("correction", pa.float64()),
            pa.field("energy_cell", pa.float64(), nullable=False),
            pa.field("level_of_theory", pa.string(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
            pa.field("correction_origin", pa.string(), nullable=False),
            pa.field("correction_stated", pa.float64()),
            pa.field("correction_makers", pa.string(), nullable=False),
            pa.field("numbers", pa.list_(pa.uint8()), nullable=False),
            pa.field("cell", pa.list_(pa.float64()), nullable=False),
            pa.field("scaled_positions", pa.list_(pa.float64()), nullable=False),
        ],
        metadata={"schema": SCHEMA},
    )
