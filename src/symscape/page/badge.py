"""badge.svg: what a run amounts to, small enough for the head of a README."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from symscape.page.view import RunView

#: white letters on these have a contrast above 4.5
_COLOURS = {"failed": "#b3370a", "error": "#7a4a9c", "passed": "#0b6b8a"}
_LABEL = "energy landscapes"
#: mean width of a letter at 11 pixels; ``textLength`` makes the text exactly as long
_LETTER = 6.3
_PADDING = 6.0

_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{words}">
<title>{words}</title>
<rect width="{width}" height="20" rx="3" fill="#444c56"/>
<path d="M{left} 0h{body}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{body}z" fill="{colour}"/>
<g fill="#ffffff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="6" y="14" textLength="{label_length}">{label}</text>
<text x="{text_x}" y="14" textLength="{text_length}">{text}</text>
</g>
</svg>
"""


def badge_svg(view: RunView) -> str:
    """Return a badge: ``energy landscapes | 131 of 150 passed``.

    Cases that failed as declared count as passed; those not judged don't.
    """
    counts = view.counts
    total = sum(counts.values())
    passed = counts["passed"] + counts["known"]
    text = f"{passed} of {total} passed" if total else "nothing judged"
    return draw_badge(_LABEL, text, _COLOURS[view.status])


def draw_badge(label: str, text: str, colour: str) -> str:
    """Return a badge as SVG, which needs neither fonts nor scripts from elsewhere.

    Parameters
    ----------
    label, text
        On its left and right.
    colour
        Behind the text, which is white.
    """
    label_length, text_length = round(_LETTER * len(label)), round(_LETTER * len(text))
    left, right = label_length + 2 * _PADDING, text_length + 2 * _PADDING
    return _SVG.format(
        width=f"{left + right:g}",
        left=f"{left:g}",
        body=f"{right - 3:g}",
        colour=colour,
        label=escape(label),
        text=escape(text),
        words=escape(f"{label}: {text}"),
        text_x=f"{left + _PADDING:g}",
        label_length=label_length,
        text_length=text_length,
    )
