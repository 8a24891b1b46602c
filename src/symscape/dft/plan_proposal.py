"""A plan for a crystal file alone."""

from __future__ import annotations

from pathlib import Path

from symscape.crystal.crystal import Crystal
from symscape.crystal.propose import survey_slices
from symscape.crystal.slice import Slice
from symscape.dft.plan import DEFAULT_LICENCE, lattice_axes, material_name
from symscape.dft.settings import Settings
from symscape.errors import PlanError, writing

_HEADER = """\
# Proposed by 'symscape reference plan'; see docs/computing-references.md.
# The crystal is relaxed first, and the ranges lie about its relaxed values.
"""


def propose_plan(
    crystal: Crystal, *, number: int = 1, points: int = 11, notices: tuple[str, ...] = ()
) -> str:
    """Return the TOML text of a plan over one of a crystal's proposed slices.

    Parameters
    ----------
    crystal
        Near its equilibrium; the plan relaxes it first.
    number
        Which of the proposed local slices, from 1.
    points
        Grid values along each axis.
    notices
        What the user should know of the crystal's file. They stay with the plan as comments, and so
        does what the search for slices has to say.

    Raises
    ------
    PlanError
        If the crystal has no such slice.
    """
    survey = survey_slices(crystal, points=points)
    proposals = [p for p in survey.proposals if p.kind == "local"]
    if not 1 <= number <= len(proposals):
        why = "".join(f"; {notice}" for notice in survey.notices)
        raise PlanError(
            f"{crystal.formula} in {crystal.symbol} has {len(proposals)} proposed local slices, so "
            f"there is no number {number}{why}."
        )
    said = "".join(f"# note: {notice}\n" for notice in (*notices, *survey.notices))
    return said + plan_text(proposals[number - 1].slice)


def plan_text(the_slice: Slice) -> str:
    """Return the TOML text of a plan for a local slice, with its crystal written out."""
    crystal = the_slice.crystal
    atoms = crystal.to_atoms()
    settings = Settings()
    sites = ",\n".join(
        f'  ["{atoms[s.representative].symbol}", '
        + ", ".join(f"{x:.6f}" for x in crystal.positions[s.representative])
        + "]"
        for s in crystal.sites
    )
    cell = ", ".join(f"{x:.5f}" for x in atoms.cell.cellpar())
    lines = [
        _HEADER,
        f'material = "{material_name(crystal)}"',
        'kind = "local"',
        f'licence = "{DEFAULT_LICENCE}"',
        "",
        "[crystal]",
        f"hall_number = {crystal.hall_number}  # {crystal.group}",
        f"cell = [{cell}]",
        f"sites = [\n{sites},\n]",
        "",
        "[relax]",
        "force_eV_A = 0.01",
        "pressure_GPa = 0.1",
        "cutoff_eV = 600",
    ]
    for axis, moves_lattice in zip(the_slice.axes, lattice_axes(the_slice), strict=True):
        reach = (axis.stop - axis.start) / 2
        share = reach / abs(axis.origin) if moves_lattice else reach
        key = "relative_span" if moves_lattice else "span"
        lines += [
            "",
            "[[axes]]",
            f'name = "{axis.name}"',
            f"{key} = [{-share:.4f}, {share:.4f}]",
            f"points = {axis.points}",
        ]
    lines += [
        "",
        "[settings]",
        f'functional = "{settings.functional}"',
        f"cutoff_eV = {settings.cutoff_eV:g}",
        f"k_density_A = {settings.k_density_A:.1f}",
        f"smearing_eV = {settings.smearing_eV:g}",
        "",
        "[engine]",
        'name = "gpaw"',
    ]
    return "\n".join(lines) + "\n"


def save_plan(text: str, path: Path) -> None:
    """Write a new plan.

    Raises
    ------
    PlanError
        If the file is there already or can't be written.
    """
    with writing(path, "the plan", "choose another place", PlanError):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            raise PlanError(
                f"{path}: there is a file of that name already; choose another."
            ) from None
