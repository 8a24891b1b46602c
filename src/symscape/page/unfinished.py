"""What stands in a report's place until the run that is going on has written its own."""

from __future__ import annotations

from html import escape
from pathlib import Path

from symscape.files import write_atomically

#: where the results of the run before are kept
EARLIER_RESULTS = "results.previous.json"
#: a page by itself: nothing of it is needed once the run has ended
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{model} – symscape</title>
<link rel="icon" href="data:,">
</head>
<body><main><h1>{model}</h1><p>{sentence}</p></main></body>
</html>
"""


def set_aside(folder: Path, model: str, began: str) -> None:
    """Replace an earlier run's summary and page by a notice, and rename its results.

    Nothing happens in a folder without a report.

    Parameters
    ----------
    folder
        The model's folder, ``reports/<model>``.
    began
        When the present run began, ISO 8601.

    Raises
    ------
    OSError
        If the folder can't be written to.
    """
    sentence = f"The run that began at {began} has not finished: nothing is judged."
    results, summary, page = (folder / n for n in ("results.json", "summary.md", "index.html"))
    if results.exists():
        results.replace(folder / EARLIER_RESULTS)
    if summary.exists():
        write_atomically(summary, f"# symscape: {model}\n\n{sentence}\n")
    if page.exists():
        write_atomically(page, _PAGE.format(model=escape(model), sentence=escape(sentence)))
