"""Cutting a data set into blocks, which decide batches, and chunks, which decide files."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from symscape.crystal.structures import Structures
from symscape.dataset.folder import DatasetInfo, dataset_info
from symscape.dataset.read import DatasetChunk, iterate_chunks, load_dataset
from symscape.errors import HullError
from symscape.science.hull.conventions import Basis, shared_convention
from symscape.science.hull.systems import elements_of_system

#: a model's batches never reach beyond a block, and blocks depend on the data set only: so do
#: energies, whatever the chunks and however many workers
BLOCK_ATOMS = 2_000
#: some minutes of work for a network on a CPU, some 100 kB of results
CHUNK_ATOMS = 20_000


@dataclass(frozen=True, eq=False)
class Block:
    """Crystals that are given to the model together.

    Parameters
    ----------
    rows
        Positions in the data set, shape (n,).
    ids, formulas, levels
        Of the crystals; levels of theory.
    corrections
        What the source adds to the energies, eV/atom, NaN where it does not say, shape (n,).
    structures
        The crystals.
    """

    rows: np.ndarray
    ids: tuple[str, ...]
    formulas: tuple[str, ...]
    levels: tuple[str, ...]
    corrections: np.ndarray
    structures: Structures

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, chosen: slice) -> Block:
        return Block(
            self.rows[chosen],
            self.ids[chosen],
            self.formulas[chosen],
            self.levels[chosen],
            self.corrections[chosen],
            self.structures[chosen],
        )


@dataclass(frozen=True, eq=False)
class Chunk:
    """What one task evaluates and one file holds: whole blocks, in order.

    Parameters
    ----------
    number
        From 0 on.
    blocks
        One at least.
    """

    number: int
    blocks: tuple[Block, ...]

    @property
    def crystals(self) -> int:
        """How many."""
        return sum(map(len, self.blocks))

    @property
    def atoms(self) -> int:
        """How many."""
        return sum(len(block.structures.numbers) for block in self.blocks)

    def halves(self) -> tuple[Chunk, Chunk]:
        """Return two chunks with half of the blocks each, or half of the one block's crystals."""
        blocks = self.blocks
        if len(blocks) == 1:
            middle = len(blocks[0]) // 2
            blocks = (blocks[0][:middle], blocks[0][middle:])
        middle = len(blocks) // 2
        return replace(self, blocks=blocks[:middle]), replace(self, blocks=blocks[middle:])


def iterate_work(
    dataset: str | Path,
    chunk_atoms: int = CHUNK_ATOMS,
    block_atoms: int = BLOCK_ATOMS,
    finished: Container[int] = (),
) -> Iterator[Chunk]:
    """Yield the chunks of a data set that are not finished, holding no more than one of them.

    Parameters
    ----------
    dataset
        Its folder.
    chunk_atoms
        A chunk takes blocks until it would hold more atoms than this, one at least.
    block_atoms
        Ditto for a block's crystals.
    finished
        Numbers of chunks that are left out.

    Raises
    ------
    DatasetError
        If there is none, or a file of it is damaged.
    """
    number, blocks, atoms = 0, list[Block](), 0
    for part in iterate_chunks(dataset, block_atoms):
        block = _block(part)
        size = len(block.structures.numbers)
        if blocks and atoms + size > chunk_atoms:
            if number not in finished:
                yield Chunk(number, tuple(blocks))
            number, blocks, atoms = number + 1, [], 0
        blocks.append(block)
        atoms += size
    if blocks and number not in finished:
        yield Chunk(number, tuple(blocks))


def _block(part: DatasetChunk) -> Block:
    table = part.table
    return Block(
        table.index.to_numpy(),
        tuple(table["id"]),
        tuple(table["formula"]),
        tuple(table["level_of_theory"]),
        table["correction"].to_numpy(dtype=float),
        part.structures,
    )


def dataset_digest(info: DatasetInfo) -> str:
    """Return what tells a data set's content: a hash of its files' checksums."""
    text = "\n".join(part.sha256 for part in info.parts)
    return hashlib.sha256(text.encode()).hexdigest()


def check_elements(symbols: Iterable[str]) -> None:
    """Raise HullError if a symbol is no element's."""
    from ase.data import chemical_symbols

    for symbol in symbols:
        if symbol not in chemical_symbols[1:]:
            raise HullError(f"--leave-out is {symbol!r}, which is no element; give its symbol.")


def check_dataset(
    path: str | Path, left_out: Collection[str] = (), basis: Basis = Basis.SHARED
) -> DatasetInfo:
    """Look at a whole data set before hours are spent on it.

    Parameters
    ----------
    path
        Its folder.
    left_out
        Elements whose crystals the tables are to leave out.
    basis
        What is to bring several levels of theory onto one hull; with the mixing scheme any may be.

    Returns
    -------
    DatasetInfo
        Of the data set.

    Raises
    ------
    DatasetError
        If there is none, or a file of it is missing or damaged.
    HullError
        If it has no crystals, names one twice, lacks the crystal of an element, or is of levels of
        theory that share no hull.
    """
    check_elements(left_out)
    info = dataset_info(path)
    table = (
        load_dataset(path, columns=["id", "system", "energy", "level_of_theory"])
        if info.parts
        else None
    )
    if table is None or table.empty:
        raise HullError(f"{info.path}: the data set has no crystals; import some first.")
    twice = table["id"][table["id"].duplicated()]
    if len(twice):
        raise HullError(
            f"{info.path}: the crystal {twice.iloc[0]!r} is listed twice; import the data set "
            "again, which keeps the first."
        )
    if basis is not Basis.MIXING:
        shared_convention(table["level_of_theory"])
    # an energy that is no number is nobody's reference
    finite = table["system"][np.isfinite(table["energy"].to_numpy(dtype=float))]
    systems = set(finite)
    for system in sorted(systems):
        members = elements_of_system(system)
        if any(element in left_out for element in members):
            continue
        for element in members:
            if element not in systems:
                name = table["id"][table["system"] == system].iloc[0]
                raise HullError(
                    f"{info.path}: the element {element} has no reference energy, which {name!r} "
                    f"needs; import a crystal of {element}, or leave its compounds out with "
                    f"--leave-out {element}."
                )
    return info
