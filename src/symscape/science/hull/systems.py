"""Chemical systems by their names: the elements, joined by hyphens."""

from __future__ import annotations

from collections.abc import Iterable


def elements_of_system(system: str) -> tuple[str, ...]:
    """Return the chemical symbols of a system: ``Mg`` and ``Si`` of ``Mg-Si``."""
    return tuple(system.split("-"))


def system_of(elements: Iterable[str]) -> str:
    """Return the name of the system of some elements, which the alphabet orders: ``Mg-Si``."""
    return "-".join(sorted(set(elements)))
