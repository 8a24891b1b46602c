"""Fetching from the Materials Project's API with mp-api and the user's own key."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import combinations
from typing import Any, Protocol

from symscape.dataset.readers.json_records import from_document
from symscape.dataset.record import CrystalRecord, Reject
from symscape.errors import DatasetError, shown
from symscape.science.hull.systems import elements_of_system

THERMO_TYPES = ("GGA_GGA+U", "R2SCAN", "GGA_GGA+U_R2SCAN")
_FIELDS = (
    "material_id", "thermo_type", "energy_type", "uncorrected_energy_per_atom", "energy_per_atom",
    "entries",
)  # fmt: skip


class Client(Protocol):
    """What is used of ``mp_api.client.MPRester``: ``materials.thermo.search``."""

    materials: Any


def open_client(key: str = "") -> AbstractContextManager[Client]:
    """Return an ``MPRester`` that gives documents as dictionaries; use it in a with statement.

    Parameters
    ----------
    key
        The user's key; that of the environment variable MP_API_KEY if empty.

    Raises
    ------
    DatasetError
        If there is no key, mp-api is not installed, or it refuses the key.
    """
    key = key or os.environ.get("MP_API_KEY", "")
    if not key:
        raise DatasetError(
            "the Materials Project wants a key; set MP_API_KEY, or give --key, to the one from "
            "https://next-gen.materialsproject.org/api."
        )
    try:
        from mp_api.client import MPRester
    except ImportError as error:
        raise DatasetError(
            "fetching from the Materials Project needs mp-api, which can't be imported "
            f"({error}); run 'pip install symscape[mp]'."
        ) from error
    try:
        client: AbstractContextManager[Client] = MPRester(
            key, use_document_model=False, mute_progress_bars=True
        )
    except Exception as error:  # mp-api raises its own and those of requests
        raise DatasetError(
            f"the Materials Project's client can't be started ({_first_line(error)}); check the "
            "key and the network."
        ) from error
    return client


def fetch(
    client: Client, systems: Sequence[str], thermo_type: str = "GGA_GGA+U"
) -> Iterator[CrystalRecord | Reject]:
    """Yield the crystals of chemical systems, of their subsystems and elements.

    One request a set of elements, so that no more than one is held.

    Parameters
    ----------
    client
        An ``MPRester``, or what behaves like one.
    systems
        Such as ``Li-Fe-O``.
    thermo_type
        One of `THERMO_TYPES`.

    Raises
    ------
    DatasetError
        If a system is misspelt or has no entries at all, or a request fails.
    """
    if thermo_type not in THERMO_TYPES:
        raise DatasetError(
            f"the thermo type {thermo_type!r} is unknown; take {', '.join(THERMO_TYPES)}."
        )
    if not systems:
        raise DatasetError("no chemical system is named; give some, such as Li-Fe-O.")
    wanted = [_elements(system) for system in systems]
    return _fetch(client, wanted, thermo_type)


def _fetch(
    client: Client, wanted: list[tuple[str, ...]], thermo_type: str
) -> Iterator[CrystalRecord | Reject]:
    for part in _parts(wanted):
        name = "-".join(part)
        try:
            documents = client.materials.thermo.search(
                chemsys=name, thermo_types=[thermo_type], all_fields=False, fields=list(_FIELDS)
            )
        except Exception as error:  # mp-api raises its own and those of requests
            raise DatasetError(
                f"the Materials Project's entries of {name} can't be fetched "
                f"({_first_line(error)}); try again."
            ) from error
        if not documents and part in wanted:
            raise DatasetError(
                f"the chemical system {name} is empty: the Materials Project has no "
                f"{thermo_type} entries of it; leave it out."
            )
        for number, document in enumerate(documents, start=1):
            yield from_document(_plain(document), "Materials Project", f"{name}, entry {number}")


def _parts(wanted: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return systems and all their subsystems, each once, the small ones first."""
    parts = {
        part
        for system in wanted
        for size in range(1, len(system) + 1)
        for part in combinations(system, size)
    }
    return sorted(parts, key=lambda part: (len(part), part))


def _elements(system: str) -> tuple[str, ...]:
    """Return the elements of a chemical system in alphabetical order."""
    from ase.data import atomic_numbers

    elements = sorted({element.strip() for element in elements_of_system(system)})
    for element in elements:
        if not atomic_numbers.get(element):
            raise DatasetError(
                f"{shown(system)} is no chemical system: {shown(element)} is no element; write it "
                "like Li-Fe-O."
            )
    return tuple(elements)


def _plain(document: Any) -> Any:
    """Return a document as nothing but dictionaries, lists and numbers."""
    if hasattr(document, "model_dump"):
        document = document.model_dump(mode="json")
    if not isinstance(document, dict) or not isinstance(document.get("entries"), dict):
        return document
    entries = {
        str(kind): entry.as_dict() if hasattr(entry, "as_dict") else entry
        for kind, entry in document["entries"].items()
    }
    kind = document.get("energy_type")
    return {**document, "entries": entries, "energy_type": getattr(kind, "value", kind)}


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(". ")[:200] if lines else type(error).__name__
