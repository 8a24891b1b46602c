"""How a user names a potential: one description for pytest, command line, bulk runs and Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from symscape.errors import ModelError
from symscape.models.card import CONVENTIONS

#: what ``--dtype`` takes
DTYPES = ("float32", "float64")
#: what an option of a family's loader may be
OptionValue = str | int | float | bool


@dataclass(frozen=True)
class ModelSpec:
    """What is asked for; `symscape.models.registry.resolve` makes a model of it.

    Hashable, and plain values only, so that it travels to other processes.

    Parameters
    ----------
    name
        A registered name, a family (with ``checkpoint``), or ``package.module:factory`` of an ASE
        calculator.
    family
        The family, where ``name`` is not one; then ``name`` is the model's name in reports.
    checkpoint
        A checkpoint file of one's own.
    mlip_name
        What reports call the model; by default its registered name, the checkpoint's file name or
        the factory's.
    device
        ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
    batch_size
        Structures in one call of the model, or ``auto`` for a measured size; None: the family's.
    dtype
        ``float32`` or ``float64``, where the family has both; None: the family's.
    options
        Extra arguments for the family's loader (``modality``, ``head``), over those of the card. A
        mapping becomes sorted pairs.
    level_of_theory, energy_convention
        What a checkpoint or calculator of one's own was trained on, for its card.

    Raises
    ------
    ModelError
        If a value is none that its option takes.
    """

    name: str
    family: str | None = None
    checkpoint: str | None = None
    mlip_name: str | None = None
    device: str = "auto"
    batch_size: int | Literal["auto"] | None = None
    dtype: str | None = None
    options: tuple[tuple[str, OptionValue], ...] = ()
    level_of_theory: str = "unknown"
    energy_convention: str = "uncorrected"

    def __post_init__(self) -> None:
        if isinstance(self.options, Mapping):
            object.__setattr__(self, "options", tuple(sorted(self.options.items())))
        if self.checkpoint is not None:
            object.__setattr__(self, "checkpoint", str(self.checkpoint))
        size = self.batch_size
        if not (size in (None, "auto") or (isinstance(size, int) and size > 0)):
            raise ModelError(
                f"--batch-size is {size!r}, but must be a positive whole number or auto."
            )
        for option, value, known in (
            ("--dtype", self.dtype, (None, *DTYPES)),
            ("--convention", self.energy_convention, CONVENTIONS),
        ):
            if value not in known:
                words = " or ".join(filter(None, known))
                raise ModelError(f"{option} is {value!r}, but must be {words}.")

    def absolute(self) -> ModelSpec:
        """Return a spec that means the same in another working directory."""
        where, colon, factory = self.name.rpartition(":")
        if where.endswith(".py"):
            return replace(self, name=f"{Path(where).expanduser().resolve()}{colon}{factory}")
        path = Path(self.checkpoint or "").expanduser()
        if self.checkpoint is None or not path.exists():  # or a name that the package knows
            return self
        return replace(self, checkpoint=str(path.resolve()))


def read_batch_size(text: str | None) -> int | Literal["auto"] | None:
    """Read what ``--batch-size`` was given.

    Raises
    ------
    ModelError
        If it is neither a positive whole number nor ``auto``.
    """
    if text is None or text == "auto":
        return None if text is None else "auto"
    if not text.isdecimal() or not int(text):
        raise ModelError(f"--batch-size is {text!r}, but must be a positive whole number or auto.")
    return int(text)


def read_options(values: Iterable[str]) -> tuple[tuple[str, OptionValue], ...]:
    """Read KEY=VALUE pairs; whole numbers, true and false are taken as such.

    Raises
    ------
    ModelError
        If one is no such pair.
    """
    words = {"true": True, "false": False}
    options: dict[str, OptionValue] = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not (key and equals):
            raise ModelError(f"--model-option is {value!r}, but must be KEY=VALUE.")
        options[key] = int(text) if text.isdecimal() else words.get(text.lower(), text)
    return tuple(sorted(options.items()))
