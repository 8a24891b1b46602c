"""Small lists of crystals for the tests of relaxations for the hulls."""

from __future__ import annotations

from symscape.dft.crystal_list import load_crystal_list

HEAD = """
licence = "CC-BY-4.0"
[settings]
functional = "Morse"
k_density_A = 1.0
[engine]
name = "ase"
factory = "{factory}"
code = "Morse"
{options}
"""


FCC = """
[[crystal]]
id = "Cu-fcc"
prototype = "Cu (A1)"
hall_number = 523
cell = [{a}, {a}, {a}, 90, 90, 90]
sites = [["Cu", 0, 0, 0]]
"""


CRB = """
[[crystal]]
id = "AlCu-CrB"
prototype = "CrB (B33)"
k_density_A = 2.0
hall_number = 298
cell = [2.35, 8.9, 3.75, 90, 90, 90]
sites = [["Al", 0, 0.33, "1/4"], ["Cu", 0, 0.07, 0.25]]
"""


def write_list(folder, *crystals, factory="generate_factories:set_morse", options=""):
    """Write a list of crystals and read it."""
    path = folder / "list.toml"
    path.write_text(HEAD.format(factory=factory, options=options) + "".join(crystals))
    return load_crystal_list(path)
