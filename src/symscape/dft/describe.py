"""Plans and their state in words."""

from __future__ import annotations

from pathlib import Path

from symscape.dft.cost import estimate_cost
from symscape.dft.grid_ledger import open_ledger
from symscape.dft.kinds import is_list
from symscape.dft.plan import Plan, load_plan
from symscape.progress import duration


def describe_plan(the_plan: Plan) -> str:
    """Return what a plan would compute and what that costs, for a person to read."""
    crystal = the_plan.crystal
    lattice = ", ".join(f"{k} = {v:.5g}" for k, v in crystal.lattice_parameters.items())
    free = ", ".join(f"{f.name} = {f.value:.5g}" for f in crystal.free_coordinates) or "none"
    lines = [
        (
            f"{the_plan.material}: {crystal.formula}, {crystal.symbol} "
            f"(No. {crystal.space_group_number}), {len(crystal.primitive_atoms)} atoms in the "
            "primitive cell"
        ),
        f"  lattice           {lattice}",
        f"  free coordinates  {free}",
    ]
    if the_plan.axes is not None:
        the_slice, ledger = the_plan.slice, open_ledger(the_plan)
        for axis in the_plan.axes:
            tied = " with " + ", ".join(axis.terms) if list(axis.terms) != [axis.name] else ""
            lines.append(
                f"  axis              {axis.name}{tied}: {axis.start:g} to {axis.stop:g}, "
                f"{axis.points} points, the crystal at {axis.origin:.5g}"
            )
        total, masked = the_slice.mask.size, int(the_slice.mask.sum())
        mesh = " x ".join(map(str, ledger.settings.k_mesh or ()))
        lines += [
            (
                f"  points            {total}, of which {masked} masked; {len(ledger.order)} to "
                f"compute by symmetry, {len(ledger.done)} done, {len(ledger.failed)} failed"
            ),
            (
                f"  settings          {ledger.settings.functional}, "
                f"{ledger.settings.cutoff_eV:g} eV, k-mesh {mesh} for all points "
                f"({the_plan.engine.name})"
            ),
        ]
        cost = estimate_cost(ledger)
        if cost.seconds_per_point is not None and cost.seconds is not None:
            lines.append(
                f"  cost              {duration(cost.seconds)} on one core, "
                f"{cost.seconds_per_point:.0f} s a point ({cost.basis})"
            )
        else:
            lines.append(f"  cost              unknown ({cost.basis})")
    if the_plan.needs_relaxation:
        lines.append("  the crystal is not relaxed yet; 'run' does it first")
    lines += [f"  note: {text}" for text in the_plan.notices]
    lines += [f"  warning: {text}" for text in the_plan.warnings()]
    return "\n".join(lines)


def grid_plans(folder: Path) -> list[Path]:
    """List the plans of grids in a folder; lists of crystals, curves and lines are none."""
    return [path for path in sorted(folder.glob("*.toml")) if not is_list(path)]


def status_row(path: Path) -> list[str]:
    """Return state, points done, points failed, seconds a point and time left of a plan."""
    the_plan = load_plan(path)
    if the_plan.axes is None:
        return ["to relax" if the_plan.needs_relaxation else "relaxed", "", "", "", ""]
    ledger = open_ledger(the_plan)
    cost = estimate_cost(ledger)
    state = "complete" if not ledger.todo else "started" if ledger.done else "not started"
    if the_plan.needs_relaxation and not ledger.done:
        state = "to relax"
    return [
        state,
        f"{len(ledger.done)}/{len(ledger.order)}",
        str(len(ledger.failed)),
        "" if cost.seconds_per_point is None else f"{cost.seconds_per_point:.0f}",
        "" if cost.seconds is None else duration(cost.seconds) if ledger.todo else "",
    ]
