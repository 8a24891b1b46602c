"""How lists of crystals are imported, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from symscape.crystal.read import ReadOptions
from symscape.dataset.corrections import Choice
from symscape.dataset.record import UNKNOWN, CrystalRecord, Reject
from symscape.dataset.tables import Columns


@dataclass(frozen=True)
class ImportOptions:
    """How files are imported.

    Parameters
    ----------
    format
        One of `FORMATS` for all of them; empty to tell each one's from its content.
    columns
        What the columns of tables are called.
    energy_key
        The key of an extended XYZ frame that holds its energy.
    level_of_theory
        For crystals whose file states none.
    source
        What to call the source of all crystals, in place of the names of the files.
    replace
        Whether a data set that is there already may be replaced.
    corrections
        Which MP2020 correction counts where one is stated and another computed.
    only
        Levels of theory, to import no others; empty for all.
    max_atoms
        Atoms in a cell at most, to import no larger ones; None for all.
    reading
        How CIF files are read, which data block and how large a file may be; of all formats,
        whether atoms may be nearer to each other than any bond.
    """

    format: str = ""
    columns: Columns = field(default_factory=Columns)
    energy_key: str = ""
    level_of_theory: str = UNKNOWN
    source: str = ""
    replace: bool = False
    corrections: Choice = Choice.STATED
    only: tuple[str, ...] = ()
    max_atoms: int | None = None
    reading: ReadOptions = field(default_factory=ReadOptions)

    def applied(self, item: CrystalRecord | Reject, source: str) -> CrystalRecord | Reject:
        """Return a record with its source and level of theory, or why it is not wanted."""
        if isinstance(item, Reject):
            return item
        stated = item.level_of_theory != UNKNOWN
        level = item.level_of_theory if stated else self.level_of_theory
        if self.only and level not in self.only:
            reason = f"its level of theory is {level}, which --only leaves out."
            return Reject(item.id, source, item.where, "other level", reason)
        if self.max_atoms is not None and item.n_atoms > self.max_atoms:
            reason = f"its cell has {item.n_atoms} atoms, more than --max-atoms {self.max_atoms}."
            return Reject(item.id, source, item.where, "large cell", reason)
        return replace(item, source=self.source or source, level_of_theory=level)


@dataclass(frozen=True)
class ImportSummary:
    """What an import has done.

    Parameters
    ----------
    path
        The data set's folder.
    records, imported
        How many were read and taken.
    rejected
        How many were not, by kind.
    atoms
        In all crystals.
    sizes
        Atoms of the smallest, the median and the largest cell; zeros if there are none.
    elements
        Symbols in alphabetical order.
    lacking
        Those of which there is no crystal of the pure element: no formation energies without it.
    systems
        How many chemical systems have crystals of their own.
    notices
        What the user should know of imported crystals, the record's name before each.
    levels
        How many crystals there are of each level of theory.
    """

    path: Path
    records: int
    imported: int
    rejected: dict[str, int]
    atoms: int
    sizes: tuple[int, int, int]
    elements: tuple[str, ...]
    lacking: tuple[str, ...]
    systems: int
    notices: tuple[str, ...] = ()
    levels: dict[str, int] = field(default_factory=dict)
