"""Whether the weights in a package's folder are the file that a registered name stands for.

A card's SHA-256 says which file that is. Of one whose SHA-256 nobody published, the first that
is used here is remembered, and another one in its place is refused.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from symscape.decode import DecodeError, decode, dumps, encode
from symscape.errors import ModelError
from symscape.files import write_atomically
from symscape.jsontext import JsonTextError, parse_json
from symscape.models.cache import default_folder
from symscape.models.card import ModelCard

#: in the folder of the cache
FILE = "first-used.json"


@dataclass(frozen=True)
class _FirstUsed:
    """SHA-256 of the weights that were used first, by the card's ``weights_file``."""

    weights: dict[str, str] = field(default_factory=dict)


def check_fetched(card: ModelCard, weights: Path, digest: str) -> None:
    """Raise ModelError if weights are not the file that a card stands for.

    Parameters
    ----------
    card
        With a ``weights_file``.
    weights
        Where it is on this machine.
    digest
        Its SHA-256.
    """
    if card.digest:
        check_published(card, weights, digest, "Remove it, so that it is fetched again,")
    # what a package installed was checked by its installer
    elif card.weights_file.startswith(("~", "https://")):
        _as_at_first(card, weights, digest)


def check_published(card: ModelCard, weights: Path, digest: str, remedy: str) -> None:
    """Raise ModelError, which begins its advice with ``remedy``, if a digest isn't the card's."""
    if digest != card.digest:
        raise ModelError(
            f"{weights} is not the file published as {card.name}: its SHA-256 begins with "
            f"{digest[:12]}, the card's with {card.digest[:12]}. {remedy} or run it under a name "
            f"of its own as --mlip {card.family} --checkpoint {weights}."
        )


def _as_at_first(card: ModelCard, weights: Path, digest: str) -> None:
    record = default_folder() / FILE
    known = _read(record).weights
    first = known.get(card.weights_file)
    if first is None:
        document = _FirstUsed({**known, card.weights_file: digest})
        # in a folder that can't be written to, every use is the first
        with contextlib.suppress(OSError):
            write_atomically(record, dumps(encode(document)) + "\n")
    elif first != digest:
        raise ModelError(
            f"{weights} is not the file that was used as {card.name} before: its SHA-256 begins "
            f"with {digest[:12]}, that one's with {first[:12]}, and which is right was not "
            f"published. If its authors replaced it, remove its line from {record}; otherwise "
            "remove the file, so that it is fetched again."
        )


def _read(record: Path) -> _FirstUsed:
    try:
        text = record.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return _FirstUsed()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{record} can't be read ({error}); remove it.") from None
    try:
        found: _FirstUsed = decode(_FirstUsed, parse_json(text), "")
    except (JsonTextError, DecodeError) as error:
        raise ModelError(f"{record} is damaged ({error}); remove it.") from None
    return found
