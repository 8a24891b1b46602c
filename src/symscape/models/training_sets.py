"""The data sets that potentials are trained on, and at which level of theory each was computed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from symscape.decode import decode
from symscape.errors import ModelError
from symscape.tomltext import read_toml

_FILE = Path(__file__).with_name("training_sets.toml")


@dataclass(frozen=True)
class TrainingSet:
    """One data set.

    Parameters
    ----------
    name
        As cards have it.
    level_of_theory
        Functional, and where it has +U.
    source
        Citation.
    """

    name: str
    level_of_theory: str
    source: str


@cache
def training_sets() -> dict[str, TrainingSet]:
    """Return the known data sets by name."""
    document = read_toml(_FILE, "list of training sets", ModelError)
    named = {name: {"name": name, **entry} for name, entry in document.items()}
    found: dict[str, TrainingSet] = decode(dict[str, TrainingSet], named, "", closed=True)
    return found


def training_text(names: tuple[str, ...]) -> str:
    """Write data sets with their levels of theory: ``MatPES-PBE (PBE)``; unknown ones alone."""
    known = training_sets()
    return "; ".join(
        f"{name} ({known[name].level_of_theory})" if name in known else name for name in names
    )
