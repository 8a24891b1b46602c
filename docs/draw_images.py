"""Draw the pictures of the documentation from the results on the leaderboard.

``python docs/draw_images.py`` after ``reports/leaderboard/results/chgnet.json`` has changed. Two
come from elsewhere: ``models.png`` from ``symscape landscape SnO2.cif --mlip chgnet,7net-0 -o
docs/images/models.png``, ``failure-crystal.png`` from the card of arsenic in a report.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image

from symscape.figures.periodic_table_svg import periodic_table_svg
from symscape.files import write_atomically
from symscape.page.curves_page import element_tables
from symscape.page.curves_view import CurvesView
from symscape.page.report import write_figures
from symscape.page.view import RunView
from symscape.questions.equation_of_state import EPSILON
from symscape.results.files import load_results

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "reports" / "leaderboard" / "results" / "chgnet.json"
IMAGES = ROOT / "docs" / "images"
#: picture of the documentation: figure of a report
FIGURES = {
    "landscape": "GeTe-R3m-ca-Ge_z-wide",
    "failure-lost-barrier": "GeTe-R3m-ca-Ge_z-topology",
    "failure-softening": "P-Cmce-P_y-P_z-wide",
    "tutorial": "PbTiO3-P4mm-Ti_z-O_z-wide",
}
#: the periodic table of epsilon
ELEMENTS = "elements-chgnet.svg"
#: colours of a picture, which then takes a quarter of the space
COLOURS = 256


def draw_images(results: Path = RESULTS, folder: Path = IMAGES) -> list[Path]:
    """Draw a report's figures, keep those that the documentation shows, and return their paths."""
    run = load_results(results)
    slices = {figure.rpartition("-")[0] for figure in FIGURES.values()}
    shown = [case for case in run.cases if f"{case.material}-{case.slice}" in slices]
    with tempfile.TemporaryDirectory() as made:
        write_figures(Path(made), RunView(replace(run, cases=tuple(shown))))
        paths = []
        for name, figure in FIGURES.items():
            picture = Image.open(Path(made) / "figures" / f"{figure}.png").convert("RGB")
            paths.append(folder / f"{name}.png")
            picture.quantize(COLOURS).save(paths[-1], optimize=True)
    table = element_tables(CurvesView(run))[EPSILON.name]
    paths.append(folder / ELEMENTS)
    write_atomically(paths[-1], periodic_table_svg(table).text)
    return paths


if __name__ == "__main__":
    for path in draw_images(*map(Path, sys.argv[1:])):
        print(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
