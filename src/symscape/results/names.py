"""Names that older files of the same schema give to what a case keeps."""

from __future__ import annotations

from typing import Any


def with_present_names(document: dict[str, Any]) -> dict[str, Any]:
    """Return a results document with the names that are written today.

    Once ``left_out`` was a number of crystals in bulk runs and their ids in the suite; the number
    is ``n_left_out`` now. What is malformed is returned as it is: to complain is the codec's work.
    """
    cases = document.get("cases")
    if not isinstance(cases, list):
        return document
    return {**document, "cases": [_case(case) for case in cases]}


def _case(case: Any) -> Any:
    detail = case.get("detail") if isinstance(case, dict) else None
    settings = detail.get("settings") if isinstance(detail, dict) else None
    if not isinstance(settings, dict) or type(settings.get("left_out")) is not int:
        return case
    renamed = {("n_left_out" if key == "left_out" else key): v for key, v in settings.items()}
    return {**case, "detail": {**detail, "settings": renamed}}
