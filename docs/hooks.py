"""What MkDocs does beyond its settings: formulas become MathML, which browsers draw themselves."""

from __future__ import annotations

import html
import re
from typing import Any

from latex2mathml.converter import convert

#: what pymdownx.arithmatex leaves of a formula, in a line and on its own
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


def on_page_content(content: str, **_: Any) -> str:
    """Replace the formulas of a page, so that it needs no script from elsewhere."""

    def mathml(found: re.Match[str]) -> str:
        display = "block" if found[2] == "[" else "inline"
        return convert(html.unescape(found[3]), display=display)

    return _FORMULA.sub(mathml, content)
