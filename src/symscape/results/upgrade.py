"""The document of a results file: JSON of any version of the schema, brought to the present one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from symscape.errors import ResultsFileError, shown
from symscape.jsontext import JsonTextError, parse_json

SCHEMA_NAME = "symscape-results"
SCHEMA_VERSION = 1
#: digits of a schema's version
_LONGEST_VERSION = 9

#: version -> how a document of that version becomes one of the next; docs/results-schema.md
UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


def present_schema() -> str:
    """Return what a file that is written today says of itself: ``symscape-results/1``."""
    return f"{SCHEMA_NAME}/{SCHEMA_VERSION}"


def read_document(path: Path) -> dict[str, Any]:
    """Read a results file of this or an earlier version as a document of this one.

    Raises
    ------
    ResultsFileError
        If the file is missing, is not JSON, is no results file or is of a newer schema.
    """
    return _upgrade(path, _read(path))


def _read(path: Path) -> dict[str, Any]:
    try:
        document = parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultsFileError(f"{path}: there is no such results file; run the suite.") from None
    except JsonTextError as error:
        raise ResultsFileError(f"{path}: not valid JSON ({error}); run the suite again.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsFileError(f"{path}: the results can't be read ({error}).") from None
    if not isinstance(document, dict):
        raise ResultsFileError(f"{path}: not a results file, for it holds no JSON object.")
    return document


def _upgrade(path: Path, document: dict[str, Any]) -> dict[str, Any]:
    """Bring a document of an older schema version to this one, step by step."""
    name, _, number = str(document.get("schema", "")).partition("/")
    counted = number.isascii() and number.isdigit() and len(number) <= _LONGEST_VERSION
    if name != SCHEMA_NAME or not counted or int(number) < 1:
        raise ResultsFileError(
            f"{path}: schema is {shown(document.get('schema'))} instead of "
            f"'{present_schema()}', so this is not a results file."
        )
    version = int(number)
    if version > SCHEMA_VERSION:
        raise ResultsFileError(
            f"{path}: schema version {version} is newer than {SCHEMA_VERSION}, the newest that "
            "this version of symscape reads; update symscape."
        )
    for older in range(version, SCHEMA_VERSION):
        document = UPGRADES[older](document)
    return document
