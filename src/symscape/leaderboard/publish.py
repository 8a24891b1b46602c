"""Writing the leaderboard: pages, tables, pictures and the results they were made from."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from symscape.files import checksum, write_atomically
from symscape.leaderboard.badge import score_badge
from symscape.leaderboard.board_files import leaderboard_csv, leaderboard_markdown
from symscape.leaderboard.collect import Entry
from symscape.leaderboard.document import leaderboard_json
from symscape.leaderboard.elements import FOLDER as ELEMENTS
from symscape.leaderboard.elements import write_elements
from symscape.leaderboard.judged import save_judged
from symscape.leaderboard.maps import (
    Thumbnail,
    colour_script,
    map_data,
    write_thumbnail,
)
from symscape.leaderboard.pages import Pages
from symscape.leaderboard.ranking import Ranking
from symscape.leaderboard.site import BoardSite, slug

#: folders of the leaderboard that hold nothing else than what is written here
_OWNED = (
    ("models", "*.html"),
    ("materials", "*.html"),
    ("badges", "*.svg"),
    ("assets", "*"),
    ("thumbs", "**/*.png"),
    (ELEMENTS, "*.svg"),
    (ELEMENTS, "*.png"),
)


def write_leaderboard(
    folder: str | Path, ranking: Ranking, progress: Callable[[int, int], None] | None = None
) -> Path:
    """Write the whole leaderboard into a folder and return the path of its index page.

    Results files are copied to ``results/<model>.json``, so that the folder holds what it was made
    from. Pages and pictures of an earlier leaderboard that are not in this one are removed.

    Parameters
    ----------
    folder
        Made if it is not there.
    progress
        Called with (things written, things to write).

    Raises
    ------
    OSError
        If the folder can't be written to.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    asides = [aside.entry for aside in ranking.board.asides]
    copy_results(folder, [*ranking.board.entries, *asides])
    filed = {e.name: checksum(results_path(folder, e.name)) for e in ranking.board.entries}
    judged = ranking.judged(filed)
    if judged is not None:
        save_judged(folder, judged)
    write_atomically(folder / "leaderboard.json", leaderboard_json(ranking))
    write_atomically(folder / "leaderboard.csv", leaderboard_csv(ranking))
    write_atomically(folder / "leaderboard.md", leaderboard_markdown(ranking))
    assets = _write_assets(folder / "assets")
    total = (len(ranking.standings) + 1) * len(ranking.table.slices)
    thumbnails = _write_thumbnails(folder, ranking, lambda done: _tell(progress, done, total))
    elements = {
        standing.name: write_elements(folder, standing.entry, slug(standing.name))
        for standing in ranking.standings
    }
    site = BoardSite(ranking, thumbnails, elements)
    pages = Pages(site)
    written = {folder / thumbnail.path for thumbnail in thumbnails.values()}
    written |= {folder / picture.path for own in elements.values() for picture in own}
    written |= assets
    for standing in ranking.standings:
        path = folder / "models" / f"{slug(standing.name)}.html"
        write_atomically(path, pages.model(standing))
        badge = folder / "badges" / f"{slug(standing.name)}.svg"
        write_atomically(badge, score_badge(standing))
        written |= {path, badge}
    for material in site.materials:
        path = folder / material.page
        write_atomically(path, pages.material(material))
        written.add(path)
    for owned, pattern in _OWNED:
        for path in (folder / owned).glob(pattern):
            if path not in written:
                path.unlink()
    index = folder / "index.html"
    write_atomically(index, pages.index())
    return index


def _write_assets(folder: Path) -> set[Path]:
    """Copy styles and scripts beside the pages and return their paths."""
    templates = resources.files("symscape.leaderboard") / "templates"
    found = {"style.css": templates / "style.css"}
    found.update((asset.name, asset) for asset in (templates / "scripts").iterdir())
    texts = {name: asset.read_text(encoding="utf-8") for name, asset in found.items()}
    texts["colours.js"] = colour_script()
    # periodic tables look and answer as in a report
    shared = resources.files("symscape.page") / "templates"
    texts["style.css"] += (shared / "periodic.css").read_text(encoding="utf-8")
    texts["periodic.js"] = (shared / "periodic.js").read_text(encoding="utf-8")
    for name, text in texts.items():
        write_atomically(folder / name, text)
    return {folder / name for name in texts}


def copy_results(folder: Path, entries: Sequence[Entry]) -> None:
    """Keep the results of runs, those set aside too, under the models' names.

    One case a line: without indentation a file is a quarter smaller, and still has readable diffs.
    """
    target = folder / "results"
    target.mkdir(parents=True, exist_ok=True)
    for entry in entries:
        path = results_path(folder, entry.name)
        if not (path.exists() and path.samefile(entry.path)):
            document = json.loads(entry.path.read_text(encoding="utf-8"))
            write_atomically(path, _one_line_each(document))


def results_path(folder: Path, model: str) -> Path:
    """Return where a leaderboard's folder keeps the results of a model."""
    return folder / "results" / f"{slug(model)}.json"


def _one_line_each(document: dict[str, Any]) -> str:
    """Write JSON with one line for each field, and for each entry of a field that is a list."""

    def compact(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    fields = []
    for key, value in document.items():
        text = compact(value)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            text = "[\n" + ",\n".join(map(compact, value)) + "\n]"
        fields.append(f"{compact(key)}:{text}")
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _write_thumbnails(
    folder: Path, ranking: Ranking, tell: Callable[[int], None]
) -> dict[tuple[str, str], Thumbnail]:
    """Draw DFT and every model on every slice small; by the model's name and the slice's id."""
    thumbnails: dict[tuple[str, str], Thumbnail] = {}
    done = 0
    for entry in (None, *(standing.entry for standing in ranking.standings)):
        name = entry.name if entry else ""
        place = f"models/{slug(name)}" if entry else "dft"
        for reference in ranking.table.slices:
            data = map_data(reference, entry)
            if data is not None:
                path = f"thumbs/{place}/{slug(reference.id)}.png"
                thumbnails[name, reference.id] = write_thumbnail(folder, path, data)
            done += 1
            tell(done)
    return thumbnails


def _tell(progress: Callable[[int, int], None] | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)
