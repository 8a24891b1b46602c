"""What verdicts keep for reports, as plain data: how results have it and workers hand it on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from symscape.decode import encode

#: why a surface without an energy at DFT's minimum is not judged
NO_ZERO = "the model gave no energy at the DFT minimum, so that there is no common zero"


@dataclasses.dataclass(frozen=True)
class OtherDetail:
    """What a question keeps that says no dataclass for it, or is not installed here.

    Parameters
    ----------
    content
        Plain data, as the results have it.
    """

    content: Mapping[str, object]


def plain(value: Any) -> Any:
    """Return a detail as results keep it: what may be missing and is None is left out.

    Fields of a class's own stand before those that it inherits.
    """
    if isinstance(value, OtherDetail):
        return plain(value.content)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        own = vars(type(value)).get("__annotations__", {})
        fields = sorted(dataclasses.fields(value), key=lambda field: field.name not in own)
        found = {field.name: (field, getattr(value, field.name)) for field in fields}
        return {
            name: plain(item)
            for name, (field, item) in found.items()
            if not (item is None and field.default is None)
        }
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return encode(value)
