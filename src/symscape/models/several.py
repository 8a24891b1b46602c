"""Several potentials at a time: whose weights are whose, and no two of one name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from symscape.errors import ModelError, did_you_mean
from symscape.models.registry import known_card, resolve
from symscape.models.spec import ModelSpec

if TYPE_CHECKING:
    from symscape.models.base import EnergyModel


def resolve_all(specs: Iterable[ModelSpec]) -> dict[str, EnergyModel]:
    """Make several models, by the names that reports have for them.

    What is asked for twice is there once.

    Raises
    ------
    ModelError
        As of `resolve`, and if two that differ have one name.
    """
    made: dict[str, EnergyModel] = {}
    for spec in specs:
        model = resolve(spec)
        other = made.setdefault(model.card.name, model)
        if other.card != model.card:
            raise ModelError(
                f"Two models are called {model.card.name}, {other.card.checkpoint} and "
                f"{model.card.checkpoint}: give one of the files or functions another name."
            )
    return made


def match_checkpoints(
    names: Sequence[str], given: Iterable[str]
) -> tuple[tuple[str, str | None], ...]:
    """Say whose weights the values of ``--checkpoint`` are.

    Parameters
    ----------
    names
        What ``--mlip`` names, at least one.
    given
        ``PATH`` where one model is named, ``NAME=PATH`` with any number of them. A model that is
        given several checkpoints is there once for each.

    Returns
    -------
    tuple
        Names in their order, each with a checkpoint, or None for the weights of its own.

    Raises
    ------
    ModelError
        If a checkpoint is of none of the models, or it is not said of which.
    """
    by_meaning = {_meaning(name): name for name in names}
    paths: dict[str, list[str]] = {name: [] for name in names}
    for value in given:
        before, equals, path = value.partition("=")
        name = by_meaning.get(_meaning(before)) if equals else None
        if name is None and len(names) == 1:
            # a path may have an equals sign in it
            name, path = names[0], value
        if name is None and equals:
            raise ModelError(
                f"--checkpoint {value}: --mlip {','.join(names)} names no {before!r}"
                f"{did_you_mean(before, names)}"
            )
        if name is None:
            raise ModelError(
                f"--checkpoint {value}: say whose weights these are, --checkpoint "
                f"{names[0]}={value}, as --mlip names {len(names)} potentials."
            )
        if not path:
            raise ModelError(f"--checkpoint {value}: there is no path behind the equals sign.")
        paths[name].append(path)
    alone: tuple[str | None, ...] = (None,)
    return tuple((name, path) for name in names for path in paths[name] or alone)


def _meaning(name: str) -> str:
    """Return what is the same for all names of one registered model."""
    card = known_card(name)
    return (name if card is None else card.name).lower()
