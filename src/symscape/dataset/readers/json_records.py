"""Documents of pymatgen, Matbench Discovery and the Materials Project in JSON files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from symscape.dataset.documents import document_id, record_from_document
from symscape.dataset.files import Progress, open_binary
from symscape.dataset.jsonstream import DamagedFile, UnreadLayout, json_values
from symscape.dataset.record import BadRecord, CrystalRecord, Reject
from symscape.errors import DatasetError


def read_json_records(
    path: Path, progress: Progress | None = None
) -> Iterator[CrystalRecord | Reject]:
    """Yield the crystals of a JSON file, in whatever layout (`jsonstream.json_values`).

    Raises
    ------
    DatasetError
        If the file ends in the middle, is no JSON between its records, or spreads one of them over
        the file.
    """
    with open_binary(path, progress) as file:
        try:
            for value in json_values(file):
                try:
                    document = value.parse()
                except ValueError as error:
                    reason = f"the record is not valid JSON: {error}."
                    yield Reject(value.name, path.name, value.where, "malformed", reason)
                    continue
                yield from_document(document, path.name, value.where, value.name)
        except DamagedFile as error:
            raise DatasetError(
                f"{path}: the JSON is damaged or cut off: {error}; fetch or write it again."
            ) from error
        except UnreadLayout as error:
            raise DatasetError(f"{path}: {error}.") from error


def from_document(document: Any, file: str, where: str, name: str = "") -> CrystalRecord | Reject:
    """Return a document's crystal, or why there is none.

    Parameters
    ----------
    document
        As `record_from_document` takes it.
    file, where
        Where it stands.
    name
        What the file calls it, if it does.
    """
    from dataclasses import replace

    try:
        return replace(record_from_document(document, name), where=where)
    except BadRecord as error:
        return Reject(document_id(document, name), file, where, error.kind, error.reason)
