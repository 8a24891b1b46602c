"""Documents spoiled in every way that a hand or an unfinished download can spoil them."""

from __future__ import annotations

import copy
import json
from datetime import date, datetime
from typing import Any

from hypothesis import strategies as st

#: what may stand where something else belongs
JUNK: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    3,
    10**30,
    10**400,
    0.5,
    -2.5,
    1e300,
    float("nan"),
    float("inf"),
    float("-inf"),
    "",
    "x",
    "Al",
    "1/0",
    "nan",
    "../x",
    "a\nb",
    "<b>&amp;",
    "ü\u2028",
    [],
    [None],
    [1, 2, 3],
    ["x", "y", "z"],
    [[]],
    [[1.0, 2.0], [3.0]],
    {},
    {"x": 1},
    {"": {}},
    [{}],
)


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of everything inside a document."""
    found: list[tuple[Any, ...]] = []
    if isinstance(value, dict):
        items: Any = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        return found
    for key, item in items:
        found.append((*path, key))
        found += spots(item, (*path, key))
    return found


def _holder(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document


@st.composite
def spoiled(draw: Any, document: Any, most: int = 3) -> Any:
    """A copy of a document with one to ``most`` things deleted, retyped, swapped or repeated."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, most))):
        places = spots(document)
        if not places:
            break
        # shallow places are few but matter most
        deepest = draw(st.integers(1, max(len(p) for p in places)))
        path = draw(st.sampled_from([p for p in places if len(p) <= deepest]))
        holder, key = _holder(document, path), path[-1]
        match draw(st.sampled_from(("retype", "delete", "swap", "repeat", "cut", "nest"))):
            case "retype":
                holder[key] = copy.deepcopy(draw(st.sampled_from(JUNK)))
            case "delete":
                del holder[key]
            case "swap":
                other = draw(st.sampled_from(places))
                there = _holder(document, other)
                value = copy.deepcopy(there[other[-1]])
                there[other[-1]] = copy.deepcopy(holder[key])
                if path == tuple(path[: len(other)]) or len(other) >= len(path):
                    holder[key] = value
            case "repeat" if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            case "cut" if isinstance(holder[key], list | str):
                holder[key] = holder[key][:-1]
            case "nest":
                holder[key] = [holder[key]]
    return document


@st.composite
def torn(draw: Any, text: str) -> str:
    """A text cut off somewhere, or with some of its characters replaced."""
    if draw(st.booleans()):
        return text[: draw(st.integers(0, len(text) - 1))]
    for _ in range(draw(st.integers(1, 3))):
        k = draw(st.integers(0, len(text) - 1))
        text = text[:k] + draw(st.sampled_from('{}[]",:.-0919eExn \n\\=#\x00')) + text[k + 1 :]
    return text


def toml(document: dict[str, Any]) -> str:
    """Write a document as TOML, every entry on one line."""
    return "".join(f"{_key(key)} = {_inline(value)}\n" for key, value in document.items())


def _key(key: Any) -> str:
    return json.dumps(str(key), ensure_ascii=True)


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        items = ", ".join(f"{_key(key)} = {_inline(item)}" for key, item in value.items())
        return "{" + items + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if value is None:
        return '"None"'
    return json.dumps(value, ensure_ascii=True)


def assert_sentence(error: BaseException, *names: object) -> None:
    """Check that an error is one sentence that names the things, and shows nothing of Python."""
    text = str(error)
    assert "\n" not in text, text
    assert text.rstrip().endswith((".", "?")), text
    assert len(text) < 1000, text
    for name in names:
        assert str(name) in text, text
    for foreign in ("Traceback", " object at 0x", "numpy.", "np.float64", "symscape.models."):
        assert foreign not in text, text
