"""JSON texts to values, refusing what readers disagree about or what no file of ours holds."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from symscape.errors import shown

#: results, references and documents of crystals are nested some 20 deep
MOST_NESTED = 100
#: Python itself refuses integers beyond 4,300 digits
MOST_DIGITS = 1_000


class JsonTextError(ValueError):
    """A text is not the JSON of anything; the message says why, without a full stop."""


def parse_json(text: str | bytes) -> Any:
    """Return what a JSON text says; NaN and infinities are numbers, as Python writes them.

    Parameters
    ----------
    text
        The whole text; bytes are UTF-8.

    Raises
    ------
    JsonTextError
        If it is damaged, nested more than `MOST_NESTED` deep, or has a key twice, an integer of
        more than `MOST_DIGITS` digits, or half a character (a lone surrogate).
    """
    try:
        whole = text.decode("utf-8") if isinstance(text, bytes) else text
        value = json.loads(whole, object_pairs_hook=_once, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise JsonTextError(f"line {error.lineno}: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise JsonTextError(f"byte {error.start} is not UTF-8") from None
    except RecursionError:
        raise JsonTextError("it is nested too deeply") from None
    if _deeper_than(whole, MOST_NESTED):
        raise JsonTextError("it is nested too deeply")
    if "\\ud" in whole.lower():
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise JsonTextError("it holds half a character, a lone surrogate") from None
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in made if names.count(key) > 1)
        raise JsonTextError(f"the key {shown(twice)} stands twice in one object")
    return made


def _integer(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise JsonTextError(f"an integer has {len(text)} digits")
    return int(text)


def _deeper_than(text: str, most: int) -> bool:
    """Return whether containers of a text that is JSON are nested more than so deep."""
    if text.count("[") + text.count("{") <= most:
        return False
    bare = _STRING.sub("", text).encode("utf-8", "replace")
    signs = np.frombuffer(bare, dtype=np.uint8)
    opened = (signs == ord("[")) | (signs == ord("{"))
    closed = (signs == ord("]")) | (signs == ord("}"))
    depths = np.cumsum(opened.astype(np.int8) - closed.astype(np.int8), dtype=np.int64)
    return bool(depths.max() > most)


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
