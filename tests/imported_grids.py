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


VASPRUN = """<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
 <generator><i name="program" type="string">vasp </i></generator>
 <incar></incar>
 <kpoints></kpoints>
 <parameters><i type="string" name="PREC">accura</i></parameters>
 <atominfo>
  <atoms> {n_atoms} </atoms><types> {n_types} </types>
  <array name="atoms" ><set>{atoms}</set></array>
 </atominfo>
 <structure name="initialpos" >
  <crystal><varray name="basis" >{cell}</varray><i name="volume"> {volume:.8f} </i></crystal>
  <varray name="positions" >{positions}</varray>
 </structure>
 <calculation>
  <scstep><energy><i name="e_fr_energy"> {energy:.8f} </i><i name="e_wo_entrp"> {energy:.8f} </i>
   <i name="e_0_energy"> {energy:.8f} </i></energy></scstep>
  <structure>
   <crystal><varray name="basis" >{cell}</varray><i name="volume"> {volume:.8f} </i></crystal>
   <varray name="positions" >{positions}</varray>
  </structure>
  <varray name="forces" >{forces}</varray>
  <energy><i name="e_fr_energy"> {energy:.8f} </i><i name="e_wo_entrp"> {energy:.8f} </i>
   <i name="e_0_energy"> {energy:.8f} </i></energy>
 </calculation>
</modeling>
"""


def write_vasprun(path, image):
    """Write an image that carries energy and forces as VASP does at the end of a run."""
    path.write_text(
        VASPRUN.format(
            n_atoms=len(image),
            n_types=len(set(image.symbols)),
            atoms="".join(f"<rc><c>{s} </c><c> 1</c></rc>" for s in image.symbols),
            energy=image.get_potential_energy(),
            cell=_rows(image.cell),
            volume=image.get_volume(),
            positions=_rows(image.get_scaled_positions()),
            forces=_rows(image.get_forces()),
        )
    )


def _rows(vectors):
    return "".join("<v>" + " ".join(f"{x:.8f}" for x in vector) + "</v>" for vector in vectors)
