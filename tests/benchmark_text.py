"""Benchmarks about slices as a project has them, written for the tests that run one."""

from __future__ import annotations

_ASK = """

@pytest.mark.landscape("{question}")
def test_{question}(landscape, verdict):
    verdict(landscape.judge())
"""


def benchmark(*questions: str) -> str:
    """Return a module of tests, one a question, that judge the landscape as `benchmarks/` does."""
    return "import pytest\n" + "".join(_ASK.format(question=question) for question in questions)
