"""Grids whose energies come from elsewhere, disguised as other codes write them."""

from __future__ import annotations

from ase.calculators.emt import EMT
from ase.calculators.morse import MorsePotential
from ase.calculators.singlepoint import SinglePointCalculator
from generate_plans import PEROVSKITE as PEROVSKITE_CRYSTAL
from generate_plans import write_plan

from symscape.dft.plan import load_plan

ENGINE = '[engine]\nname = "import"\ncode = "VASP"\nversion = "6.4.2"\ndatasets = "PBE.54"'


#: ferroelectric perovskite, whose inversion maps (u, v) to (1 - u, -v)
PEROVSKITE = {
    "top": "mask_ratio = 0.5",
    "crystal": PEROVSKITE_CRYSTAL,
    "axes": """
[[axes]]
name = "Ti_z"
start = 0.44
stop = 0.56
points = 5
[[axes]]
name = "O_z"
terms = { O1_z = 1.0, O2_z = 1.0 }
start = -0.12
stop = 0.12
points = 5
""",
}


#: rutile type, x against c/a
RUTILE = {
    "top": "",
    "crystal": """
[crystal]
spacegroup = 136
cell = [4.6, 4.6, 3.0, 90, 90, 90]
sites = [["Ti", 0, 0, 0], ["O", 0.305, 0.305, 0]]
""",
    "axes": """
[[axes]]
name = "c/a"
relative_span = [-0.04, 0.04]
points = 3
[[axes]]
name = "O_x"
span = [-0.02, 0.02]
points = 5
""",
}


PLANS = {"CrB": {}, "perovskite": PEROVSKITE, "rutile": RUTILE}


def imported_plan(folder, kind="CrB", **changes):
    """A plan whose energies come from elsewhere."""
    path = write_plan(folder, points=3, **{**PLANS[kind], **changes})
    text = path.read_text()
    path.write_text(text[: text.index("[engine]")] + ENGINE)
    return load_plan(path)


def potential(kind):
    """What takes the place of DFT."""
    if kind == "CrB":
        return EMT()
    return MorsePotential(epsilon=0.3, r0=2.2, rho0=4.0, rcut1=1.3, rcut2=1.9)


def computed(atoms, kind, force_error=0.0):
    """The atoms with the results of that potential, as a file would hold them."""
    atoms = atoms.copy()
    atoms.calc = potential(kind)
    results = {
        "energy": atoms.get_potential_energy(),
        "forces": atoms.get_forces() + force_error,
    }
    if kind != "CrB":
        results["stress"] = atoms.get_stress()
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms
