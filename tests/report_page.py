"""A page of mixed results, parsed."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_runs import mixed_run

from symscape.figures import landscape_figure as figures
from symscape.page.report import write_report

#: elements without an end tag
VOID = {"meta", "link", "img", "source", "br", "input"}


#: scripts of a page
N_SCRIPTS = 3


class Page(HTMLParser):
    """A parsed page: every element with its attributes, and the text in order."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "title", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\xa0", " ").split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def draw_little(patch: pytest.MonkeyPatch) -> None:
    """Empty figures in place of landscapes, for tests that don't look at them."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    def draw(_, layout):
        figure = Figure(figsize=(2.4, 0.8) if layout == "wide" else (0.8, 2.4), dpi=50)
        FigureCanvasAgg(figure)
        return figure

    patch.setattr(figures, "draw_landscape", draw)


@pytest.fixture
def quick_figures(monkeypatch):
    draw_little(monkeypatch)


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    """The report of a run with failures, a pass and an error; returns its folder."""
    folder = tmp_path_factory.mktemp("reports") / "soft"
    with pytest.MonkeyPatch.context() as patch:
        draw_little(patch)
        assert write_report(folder, mixed_run()) == folder / "index.html"
    return folder


@pytest.fixture(scope="module")
def page(report) -> Page:
    return Page((report / "index.html").read_text(encoding="utf-8"))
