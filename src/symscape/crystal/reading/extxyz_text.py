"""Deuterium and tritium in extended XYZ, whose readers know neither symbol."""

from __future__ import annotations

import re

_PROPERTIES = re.compile(r'Properties="?([A-Za-z0-9_:]+)', re.IGNORECASE)
_HEAVY = re.compile(r"(?:^|\s)[DT]\s", re.MULTILINE)


def hydrogen(text: str) -> str:
    """Return frames with deuterium and tritium as hydrogen, which they are to a potential.

    Parameters
    ----------
    text
        Of an extended XYZ file; any other is returned as it is.
    """
    if not (_HEAVY.search(text) and _PROPERTIES.search(text)):
        return text
    lines = text.splitlines(keepends=True)
    start = 0
    while start < len(lines):
        if not lines[start].strip().isdigit():
            start += 1
            continue
        end = start + 2 + int(lines[start][:12])
        lines[start:end] = _of_frame(lines[start:end])
        start = end
    return "".join(lines)


def _of_frame(lines: list[str]) -> list[str]:
    """Replace the symbols in the column of species of one frame."""
    found = _PROPERTIES.search(lines[1]) if len(lines) > 1 else None
    if not found:
        return lines
    fields = found[1].split(":")
    place = 0
    for name, width in zip(fields[::3], fields[2::3], strict=False):
        if name.lower() == "species":
            break
        place += int(width)
    column = re.compile(rf"^((?:\s*\S+\s+){{{place}}}\s*)[DT](?=\s)")
    return [*lines[:2], *(column.sub(r"\1H", line) for line in lines[2:])]
