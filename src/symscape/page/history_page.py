"""The page of ``symscape history``: every metric over checkpoints or commits."""

from __future__ import annotations

from symscape.page.history_view import HistoryView, render_history
from symscape.page.html import templates
from symscape.results.history import History


def render_history_page(history: History) -> str:
    """Return a page that opens from disk and needs nothing else."""
    return str(render_history(HistoryView(history), templates(), "history_page.html.j2"))
