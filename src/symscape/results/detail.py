"""What all reports print of a case, whatever its question.

It comes as plain dictionaries in ``CaseResult.detail``, perhaps from a file that somebody else
wrote; here it is checked and gets names.
"""

from __future__ import annotations

from dataclasses import dataclass

from symscape.decode import decode, encode
from symscape.questions.case import CaseResult
from symscape.questions.energies import EnergiesDetail
from symscape.questions.forces import ForcesDetail
from symscape.verdict.baseline import JudgedByBaseline


@dataclass(frozen=True)
class CaseDetail(EnergiesDetail, ForcesDetail, JudgedByBaseline):
    """The part of ``CaseResult.detail`` that reports print: what grids keep, and the run's own.

    Parameters
    ----------
    known_failure, known_failure_expires
        Why the case is expected to fail, and the last day (ISO 8601) on which it is.
    """

    known_failure: str | None = None
    known_failure_expires: str | None = None


def read_detail(case: CaseResult, where: str = "detail") -> CaseDetail:
    """Read what a case says about single grid points.

    Parameters
    ----------
    where
        Path of the detail in its document, for the complaint.

    Raises
    ------
    DecodeError
        If a field is missing or of the wrong type.
    """
    detail: CaseDetail = decode(CaseDetail, encode(case.detail), where)
    return detail
