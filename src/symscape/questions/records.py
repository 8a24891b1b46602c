"""Cases as plain data: how they travel between processes, are kept, and stand in results.

Within a process a case has its question's own dataclass; here alone it is taken apart and read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from symscape.decode import DecodeError, decode, encode, is_finite
from symscape.questions.case import CaseResult, Check, Status, Windows
from symscape.questions.detail import OtherDetail, plain
from symscape.questions.notes import Notes
from symscape.questions.registry import QUESTIONS

#: keys of what every case may keep; all others are the question's own
_NOTES = frozenset(field.name for field in fields(Notes))


@dataclass(frozen=True)
class _Record:
    """A case as files have it: what its question decides is not read yet."""

    question: str
    model: str
    material: str
    slice: str
    status: Status
    checks: tuple[Check, ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict)
    energies: list[list[float | None]] | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    fingerprint: str = ""
    seconds: float = 0.0


def plain_case(case: CaseResult) -> dict[str, Any]:
    """Return a case as ``results.json`` has it; numbers that are not finite become None."""
    record = _Record(
        case.question, case.model, case.material, case.slice, case.status, case.checks,
        _plain_metrics(case), case.energies, {**(plain(case.detail) or {}), **plain(case.notes)},
        case.fingerprint, case.seconds,
    )  # fmt: skip
    found: dict[str, Any] = encode(record)
    return found


def read_case(record: object, where: str = "case") -> CaseResult:
    """Return the case that `plain_case` took apart, or that somebody's file has.

    Parameters
    ----------
    where
        Path of the record in its document, for the complaint.

    Raises
    ------
    DecodeError
        If a field is missing or of the wrong type; the message names it by its path.
    """
    said: _Record = decode(_Record, record, where)
    windows = _windows(said.metrics, f"{where}.metrics")
    plainly = {k: v for k, v in said.metrics.items() if k not in ("window", "windows")}
    values = _values(plainly, f"{where}.metrics")
    notes = {key: value for key, value in said.detail.items() if key in _NOTES}
    own = {key: value for key, value in said.detail.items() if key not in _NOTES}
    return CaseResult(
        said.question, said.model, said.material, said.slice, said.status, said.checks,
        values if windows is None else {**windows.values, **values},
        said.energies,
        _detail(said.question, own, f"{where}.detail"),
        said.fingerprint, said.seconds, windows,
        decode(Notes, notes, f"{where}.detail"),
    )  # fmt: skip


def _detail(question: str, own: dict[str, Any], where: str) -> Any:
    """Read what a question keeps into its own dataclass; None where it keeps nothing."""
    if not own:
        return None
    known = QUESTIONS.get(question)
    if known is None or known.detail is None:
        return OtherDetail(own)
    return decode(known.detail, own, where)


def _plain_metrics(case: CaseResult) -> dict[str, Any]:
    if case.windows is None:
        return dict(case.metrics)
    judged = case.windows.values
    others = {name: value for name, value in case.metrics.items() if name not in judged}
    return {"window": case.windows.judged, "windows": case.windows.by_width, **others}


def _windows(metrics: Mapping[str, Any], where: str) -> Windows | None:
    """Read the metrics of energy windows, if there are any."""
    if "windows" not in metrics:
        return None
    stated = decode(dict[str, Any], metrics["windows"], f"{where}.windows")
    found = {
        width: _values(decode(dict[str, Any], own, f"{where}.windows.{width}"),
                       f"{where}.windows.{width}")
        for width, own in stated.items()
    }  # fmt: skip
    judged = decode(str, metrics.get("window"), f"{where}.window")
    try:
        widths = {float(width) for width in found}
        known = float(judged) in widths
    except ValueError:
        raise DecodeError(f"a window in '{where}' is not called by its width in meV/atom") from None
    if not known:
        raise DecodeError(f"the judged window of '{where}' is not among its windows")
    return Windows(judged, found)


def _values(plainly: Mapping[str, Any], where: str) -> dict[str, float]:
    """Read values by name: null is NaN, and counts stay integers."""
    for name, value in plainly.items():
        if value is not None and not is_finite(value):
            raise DecodeError(f"field '{where}.{name}' is not a number")
    return {name: float("nan") if value is None else value for name, value in plainly.items()}
