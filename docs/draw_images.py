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

from symscape.page.curves_page import write_curves
from symscape.page.curves_view import CurvesView
from symscape.page.report import write_figures
from symscape.page.view import RunView
from symscape.results.run_results import load_results

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "reports" / "leaderboard" / "results" / "chgnet.json"
IMAGES = ROOT / "docs" / "images"
#: picture of the documentation: figure of a report
FIGURES = {
    "landscape": "GeTe-R3m-ca-Ge_z-wide",
    "failure-lost-barrier": "GeTe-R3m-ca-Ge_z-topology",
    "failure-softening": "P-Cmce-P_y-P_z-wide",
    "tutorial": "PbTiO3-P4mm-Ti_z-O_z-wide",
    "elements-chgnet": "curves-epsilon",
}
#: colours of a picture, which then takes a quarter of the space
COLOURS = 256


def draw_images(results: Path = RESULTS, folder: Path = IMAGES) -> list[Path]:
    """Draw a report's figures, keep those that the documentation shows, and return their paths."""
    run = load_results(results)
    slices = {figure.rpartition("-")[0] for figure in FIGURES.values()}
    shown = [case for case in run.cases if f"{case.material}-{case.slice}" in slices]
    with tempfile.TemporaryDirectory() as made:
        write_figures(Path(made), RunView(replace(run, cases=tuple(shown))))
        write_curves(made, CurvesView(run))
        paths = []
        for name, figure in FIGURES.items():
            picture = Image.open(Path(made) / "figures" / f"{figure}.png").convert("RGB")
            paths.append(folder / f"{name}.png")
            picture.quantize(COLOURS).save(paths[-1], optimize=True)
    return paths


if __name__ == "__main__":
    for path in draw_images(*map(Path, sys.argv[1:])):
        print(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
