"""Where the plugin keeps its things in pytest's stashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from symscape.questions.case import CaseResult

#: on an item: the results recorded by its test
RECORDED = pytest.StashKey[list["CaseResult"]]()
#: on an item: that its test recorded any result, sent along or not
JUDGED = pytest.StashKey[bool]()

#: the attribute of a test report that carries results, as plain data, from a worker process
REPORT_ATTRIBUTE = "symscape_results"
