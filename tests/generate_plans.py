"""Small plans for the tests of the reference tools."""

from __future__ import annotations

from pathlib import Path

CRYSTAL = """
[crystal]
hall_number = 298
cell = [2.9, 8.2, 4.0, 90, 90, 90]
sites = [["Al", 0, 0.36, "1/4"], ["Cu", 0, 0.07, 0.25]]
"""

PEROVSKITE = """
[crystal]
spacegroup = 99
cell = [3.9, 3.9, 4.15, 90, 90, 90]
sites = [["Pb", 0, 0, 0], ["Ti", 0.5, 0.5, 0.54], ["O", 0.5, 0.5, -0.1], ["O", 0.5, 0, 0.4]]
"""


AXES = """
[[axes]]
name = "Al_y"
start = 0.33
stop = 0.39
points = {points}
[[axes]]
name = "Cu_y"
span = [-0.03, 0.03]
points = {points}
"""


def write_plan(
    folder: Path,
    factory: str = "ase.calculators.emt:EMT",
    *,
    name: str = "AlCu",
    points: int = 3,
    top: str = "mask_ratio = 0.5",
    crystal: str = CRYSTAL,
    axes: str = AXES,
    options: str = "",
    more: str = "",
) -> Path:
    """Write a plan over CrB-type AlCu, space group Cmcm."""
    path = folder / f"{name}.toml"
    path.write_text(
        f"{top}\n{crystal}\n{axes.replace('{points}', str(points))}\n"
        '[settings]\nfunctional = "EMT"\n'
        f'[engine]\nname = "ase"\nfactory = "{factory}"\ncode = "a test"\n'
        f"{f'options = {{ {options} }}' if options else ''}\n{more}\n"
    )
    return path
