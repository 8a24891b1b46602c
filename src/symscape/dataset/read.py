"""Reading a data set: as a table, or in chunks of structures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.arguments import named_arguments
from symscape.crystal.structures import Structures
from symscape.dataset.folder import (
    STRUCTURE_COLUMNS,
    TABLE_COLUMNS,
    DatasetInfo,
    dataset_info,
    parquet,
)
from symscape.errors import DatasetError
from symscape.files import checksum

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class DatasetChunk:
    """Some crystals of a data set.

    Parameters
    ----------
    index
        Position of the first one in the data set.
    table
        One row a crystal, the columns of `load_dataset`; the index continues from chunk to chunk.
    structures
        The same crystals.
    """

    index: int
    table: pd.DataFrame
    structures: Structures


@named_arguments
def load_dataset(
    path: str | Path,
    *,
    structures: bool = False,
    columns: Sequence[str] | None = None,
    verify: bool = True,
) -> pd.DataFrame:
    """Load a data set's table, some 200 bytes a crystal without structures.

    Parameters
    ----------
    path
        The data set's folder.
    structures
        Whether to add ``numbers`` (atomic numbers), ``cell`` (nine numbers, lattice vectors one
        after the other, angstrom) and ``scaled_positions`` (fractional, three numbers an atom).
    columns
        Names of columns, in place of all.
    verify
        Whether the files' checksums are compared first.

    Returns
    -------
    DataFrame
        One row a crystal in the order of the import: ``id``, ``formula``, ``system`` (``Mg-Si``),
        ``n_atoms`` of the cell, ``volume`` (angstrom^3/atom), ``energy`` (eV/atom, as computed,
        uncorrected), ``correction`` (eV/atom, MP2020's; NaN where neither stated nor known),
        ``energy_cell`` (eV, of the cell), ``level_of_theory``, ``source``, ``correction_origin``
        (stated or computed), ``correction_stated`` (eV/atom, all that the source adds) and
        ``correction_makers``.
        ``attrs["settings"]["dataset"]`` says how it was made.

    Raises
    ------
    DatasetError
        If there is none, a file of it is missing or damaged, or a column unknown.
    """
    import pyarrow as pa

    info = dataset_info(path)
    known = (*TABLE_COLUMNS, *STRUCTURE_COLUMNS)
    chosen = list(columns if columns is not None else known if structures else TABLE_COLUMNS)
    if unknown := [name for name in chosen if name not in known]:
        raise DatasetError(
            f"{info.path}: there is no column {unknown[0]!r}; there are {', '.join(known)}."
        )
    tables = [_open(info, k, verify).read(columns=chosen) for k in range(len(info.parts))]
    frame: pd.DataFrame = pa.concat_tables(tables).select(chosen).to_pandas()
    frame.attrs["settings"] = {"dataset": {"path": str(info.path), **info.settings}}
    return frame


def iterate_chunks(
    path: str | Path, max_atoms: int = 10_000, *, verify: bool = True
) -> Iterator[DatasetChunk]:
    """Yield a data set's crystals in chunks, in order, holding no more than a chunk and a part.

    Parameters
    ----------
    path
        The data set's folder.
    max_atoms
        A chunk holds no more atoms than this, unless a single crystal has more. Where chunks end
        depends on this and the crystals only.
    verify
        Whether each file's checksum is compared before it is read.

    Raises
    ------
    DatasetError
        If there is none, or a file of it is missing or damaged.
    """
    if max_atoms < 1:
        raise DatasetError(f"chunks of {max_atoms} atoms hold nothing; give a positive number.")
    info = dataset_info(path)
    done, rest = 0, None
    for k in range(len(info.parts)):
        frame = _open(info, k, verify).read().to_pandas()
        rest = frame if rest is None else _joined(rest, frame)
        for start, end in _cuts(rest["n_atoms"].to_numpy(), max_atoms):
            if end == len(rest) and k + 1 < len(info.parts):
                # the next part may have more for this chunk
                rest = rest.iloc[start:]
                break
            yield _chunk(rest.iloc[start:end], done)
            done += end - start


def _cuts(n_atoms: np.ndarray, max_atoms: int) -> Iterator[tuple[int, int]]:
    """Yield where chunks begin and end."""
    start = total = 0
    for k, n in enumerate(n_atoms):
        if k > start and total + n > max_atoms:
            yield start, k
            start, total = k, 0
        total += int(n)
    yield start, len(n_atoms)


def _joined(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([first, second], ignore_index=True)


def _chunk(rows: pd.DataFrame, index: int) -> DatasetChunk:
    table = rows[list(TABLE_COLUMNS)].copy()
    table.index = np.arange(index, index + len(rows))
    cells = np.array(list(rows["cell"]), dtype=float).reshape(-1, 3, 3)
    positions = [
        scaled.reshape(-1, 3) @ cell
        for scaled, cell in zip(rows["scaled_positions"], cells, strict=True)
    ]
    structures = Structures(
        np.concatenate(list(rows["numbers"])).astype(int),
        np.concatenate(positions),
        cells,
        np.concatenate([[0], np.cumsum(rows["n_atoms"].to_numpy(dtype=int))]),
    )
    return DatasetChunk(index, table, structures)


def _open(info: DatasetInfo, k: int, verify: bool) -> Any:
    """Open a part, once it is known to be whole."""
    part = info.parts[k]
    file = info.path / part.file
    if not file.is_file():
        raise DatasetError(f"{file}: the data set lacks this file; import again.")
    if verify and checksum(file) != part.sha256:
        raise DatasetError(
            f"{file}: the file is damaged, its checksum is not that of {info.path.name}'s "
            "dataset.json; import again."
        )
    pq = parquet()
    import pyarrow as pa

    try:
        return pq.ParquetFile(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise DatasetError(f"{file}: the file can't be read ({error}); import again.") from error
