"""Ticks and grid lines of the landscape figures, an artist an axis.

matplotlib makes three lines and two texts for every tick, and measures each of them when it places
the axis's name: two thirds of what a figure of small panels costs. Here one line and one text are
drawn as often as they are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.artist import Artist

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: no more ticks than are read
_MOST_TICKS = 6
#: points: length of a tick, white between it and its number and between number and name
_LENGTH, _PAD, _NAME_PAD = 3.5, 3.5, 3.0
#: room for a number along the axis, in its size
_WIDE, _HIGH = 4.0, 2.0
_GRID: dict[str, Any] = {"color": "#dddddd", "linewidth": 0.6}


class Ticks(Artist):
    """Ticks, numbers and grid lines of one axis, where its limits are when it is drawn.

    Parameters
    ----------
    axes
        To which it is added; its own ticks are taken away.
    which
        ``x`` or ``y``.
    places, words
        Where ticks are and what is written there; default round numbers.
    size
        Of the numbers in points.
    labelled
        Whether there are numbers.
    grid
        Whether there are grid lines.
    """

    def __init__(
        self,
        axes: Axes,
        which: Literal["x", "y"],
        places: Sequence[float] | np.ndarray | None = None,
        words: Sequence[str] | None = None,
        *,
        size: float = 8.5,
        labelled: bool = True,
        grid: bool = False,
    ):
        from matplotlib.ticker import NullLocator

        super().__init__()
        self.which = which
        self.labelled = labelled
        self._given, self._words, self._size = places, words, size
        self._with_grid = grid
        self._own = axes.xaxis if which == "x" else axes.yaxis
        self._own.set_major_locator(NullLocator())
        # below what is plotted, as a grid must be
        self.set_zorder(0.5)
        self.set_in_layout(False)
        axes.add_artist(self)

    def places(self) -> np.ndarray:
        """Return axis values of the ticks within the limits, shape (n,)."""
        return self._candidates()[self._within()]

    def words(self) -> list[str]:
        """Return what is written at the ticks."""
        if self._words is None:
            return tick_words(self.places())
        return [word for word, here in zip(self._words, self._within(), strict=True) if here]

    def draw(self, renderer: Any) -> None:
        """Draw grid, ticks and numbers, and keep the axis's name clear of them."""
        if not self.get_visible():
            return
        places = self.places()
        spots = self._pixels(places)
        dots = self._dots_per_point()
        if self._with_grid:
            self._draw_lines(renderer, spots, -1.0, _GRID)
        self._draw_lines(renderer, spots, _LENGTH * dots, {"color": "black", "linewidth": 0.8})
        widest = self._draw_words(renderer, spots, dots) if self.labelled else 0.0
        self._own.labelpad = _LENGTH + (_PAD if self.labelled else 0) + widest / dots + _NAME_PAD
        self.stale = False

    def _candidates(self) -> np.ndarray:
        """Return the given places, or round numbers, beyond the limits too."""
        from matplotlib.ticker import AutoLocator

        if self._given is not None:
            return np.asarray(self._given, dtype=float)
        locator = AutoLocator()
        locator.set_params(nbins=self._most())
        return np.asarray(locator.tick_values(*sorted(self._limits())))

    def _within(self) -> np.ndarray:
        """Tell which of them are within the limits, booleans of shape (n,)."""
        low, high = sorted(self._limits())
        slack, places = 1e-9 * (high - low), self._candidates()
        inside: np.ndarray = (places >= low - slack) & (places <= high + slack)
        return inside

    def _most(self) -> int:
        """Return how many steps from tick to tick leave room for the numbers."""
        assert self.axes is not None
        horizontal = self.which == "x"
        length = self.axes.bbox.width if horizontal else self.axes.bbox.height
        room = self._size * (_WIDE if horizontal else _HIGH) * self._dots_per_point()
        return int(np.clip(length / room, 1, _MOST_TICKS))

    def _limits(self) -> tuple[float, float]:
        assert self.axes is not None
        return self.axes.get_xlim() if self.which == "x" else self.axes.get_ylim()

    def _dots_per_point(self) -> float:
        return self._canvas().dpi / 72

    def _canvas(self) -> Figure:
        assert self.axes is not None
        figure: Any = self.axes.figure
        return figure

    def _pixels(self, places: np.ndarray) -> np.ndarray:
        """Return how far along the axis the ticks are, in whole pixels, shape (n,)."""
        assert self.axes is not None
        k = 0 if self.which == "x" else 1
        points = np.zeros((len(places), 2))
        points[:, k] = places
        points[:, 1 - k] = (self.axes.get_ylim() if k == 0 else self.axes.get_xlim())[0]
        return np.floor(self.axes.transData.transform(points)[:, k]) + 0.5

    def _edges(self) -> tuple[float, float]:
        """Return where the axis and the opposite edge of the panel are, pixels."""
        assert self.axes is not None
        box = self.axes.bbox
        return (box.y0, box.y1) if self.which == "x" else (box.x0, box.x1)

    def _draw_lines(
        self, renderer: Any, spots: np.ndarray, length: float, style: dict[str, Any]
    ) -> None:
        """Draw a line at each tick, outwards by ``length`` pixels or across if that is negative."""
        from matplotlib.lines import Line2D
        from matplotlib.transforms import IdentityTransform

        near, far = self._edges()
        ends = (near, far) if length < 0 else (near - length, near)
        along = np.repeat(spots, 3)
        across = np.tile([*ends, np.nan], len(spots))
        where = (along, across) if self.which == "x" else (across, along)
        line = Line2D(*where, transform=IdentityTransform(), solid_capstyle="butt", **style)
        line.set_figure(self._canvas())
        line.draw(renderer)

    def _draw_words(self, renderer: Any, spots: np.ndarray, dots: float) -> float:
        """Write the numbers and return how far they reach outwards, pixels."""
        from matplotlib.text import Text

        horizontal = self.which == "x"
        text = Text(
            fontsize=self._size, parse_math=False,
            ha="center" if horizontal else "right", va="top" if horizontal else "center_baseline",
        )  # fmt: skip
        text.set_figure(self._canvas())
        edge = self._edges()[0] - (_LENGTH + _PAD) * dots
        widest = 0.0
        for spot, word in zip(spots, self.words(), strict=True):
            text.set_text(word)
            text.set_position((spot, edge) if horizontal else (edge, spot))
            text.draw(renderer)
            if not horizontal:
                widest = max(widest, text.get_window_extent(renderer).width)
        return self._size * dots * 1.05 if horizontal else widest


def tick_words(places: np.ndarray) -> list[str]:
    """Write round numbers with as many decimals as the finest of them needs."""
    step = float(np.diff(places).min()) if len(places) > 1 else 1.0
    decimals = next(
        (d for d in range(8) if np.allclose(np.round(places, d), places, atol=1e-3 * step, rtol=0)),
        8,
    )
    return [f"{place + 0.0:.{decimals}f}".replace("-", "−") for place in np.round(places, decimals)]


def add_ticks(
    axes: Axes, *, size: float = 8.5, labelled: bool = True, grid: bool = False
) -> tuple[Ticks, Ticks]:
    """Give both axes of a panel few ticks with small numbers.

    Parameters
    ----------
    axes
        The panel.
    size
        Of the numbers in points.
    labelled
        Whether the vertical axis has numbers.
    grid
        Whether there are grid lines.
    """
    return (
        Ticks(axes, "x", size=size, grid=grid),
        Ticks(axes, "y", size=size, labelled=labelled, grid=grid),
    )


def hide_numbers(axes: Axes) -> None:
    """Leave out the numbers of the vertical axis: those of the panel beside it are the same."""
    for artist in axes.artists:
        if isinstance(artist, Ticks) and artist.which == "y":
            artist.labelled = False
