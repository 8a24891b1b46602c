"""Names that older files of the same schema give to what a case keeps."""

from __future__ import annotations

from typing import Any

from symscape.questions.hull import POLYMORPH_MAE

#: of a composition's polymorphs, whose mean error was called as the metric made of them all
_OF_POLYMORPHS = {
    POLYMORPH_MAE.name: "mean_error_meV",
    "max_polymorph_error": "max_error_meV",
}


def with_present_names(document: dict[str, Any]) -> dict[str, Any]:
    """Return a results document with the names that are written today.

    Once ``left_out`` was a number of crystals in bulk runs and their ids in the suite; the number
    is ``n_left_out`` now. Columns of polymorphs got units. What is malformed is returned as it is:
    to complain is the codec's work.
    """
    cases = document.get("cases")
    if not isinstance(cases, list):
        return document
    return {**document, "cases": [_case(case) for case in cases]}


def _case(case: Any) -> Any:
    detail = case.get("detail") if isinstance(case, dict) else None
    if not isinstance(detail, dict):
        return case
    changed = {}
    settings, polymorphs = detail.get("settings"), detail.get("polymorphs")
    if isinstance(settings, dict) and type(settings.get("left_out")) is int:
        changed["settings"] = _renamed(settings, {"left_out": "n_left_out"})
    if isinstance(polymorphs, list):
        changed["polymorphs"] = [_renamed(row, _OF_POLYMORPHS) for row in polymorphs]
    return {**case, "detail": {**detail, **changed}} if changed else case


def _renamed(row: Any, names: dict[str, str]) -> Any:
    return {names.get(key, key): v for key, v in row.items()} if isinstance(row, dict) else row
