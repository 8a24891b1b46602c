"""From a journal to a stored reference, with full provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from symscape.crystal.slice import Slice
from symscape.decode import decode, encode
from symscape.dft.events import ConvergenceChecked, EquivalentsChecked, GridStarted, PointDone
from symscape.dft.grid_ledger import GridLedger
from symscape.dft.plan_crystal import crystal_digest
from symscape.errors import PlanError
from symscape.references.landscape_files import landscape_record, write_reference
from symscape.references.method import Method
from symscape.references.point_records import PointRecord
from symscape.references.provenance import GridProvenance

Kind = TypeVar("Kind", ConvergenceChecked, EquivalentsChecked)
#: how a run moves over the grid
PROTOCOL = (
    "live calculators whose atoms are moved from point to point in snake order; a new one for each "
    "cell and after each failure"
)
#: free and extrapolated energies nearer than this (eV) are one energy
_SAME_ENERGY_EV = 1e-6


def finish(ledger: GridLedger, folder: str | Path) -> Path:
    """Write the reference of a plan: ``<folder>/<material>/<slice>.json``.

    Points that are not computed yet are left out, and ``provenance.complete`` is then false.

    Raises
    ------
    PlanError
        If nothing has been computed.
    ReferenceFileError
        If what would be written does not fit its own slice.
    """
    plan = ledger.plan
    starts = ledger.events_of(GridStarted)
    if not ledger.points or not starts:
        raise PlanError(f"{plan.path}: no point has been computed yet; run the plan first.")
    reasons = {k: ledger.reason(k) for k in ledger.failed}
    record = landscape_record(
        material=plan.material,
        the_slice=plan.slice,
        points=grid_points(plan.slice, ledger.points, reasons),
        method=_method(starts),
        provenance=_provenance(ledger, starts),
        kind=plan.kind,
    )
    return write_reference(folder, record)


def grid_points(
    the_slice: Slice, computed: Mapping[int, PointDone], failed: Mapping[int, str]
) -> list[PointRecord]:
    """Return a reference's list of grid points.

    Parameters
    ----------
    the_slice
        The slice.
    computed
        Flat index to energies, forces and geometry.
    failed
        Flat index of an irreducible point to the reason why it has no energy.

    Returns
    -------
    list of PointRecord
        A computed point with its numbers; one that is equivalent to a computed one as ``same_as``;
        a masked or failed one as such. Points that have not been tried are left out.
    """
    first = the_slice.representatives.ravel()
    mask = the_slice.mask.ravel()
    of_class = {int(first[k]): k for k in sorted(computed, reverse=True)}
    names = [axis.name for axis in the_slice.axes]
    points: list[PointRecord] = []
    for k, values in enumerate(the_slice.grid_values):
        i, j = divmod(k, the_slice.shape[1])
        at = dict(zip(names, (round(float(x), 10) for x in values), strict=True))
        head = PointRecord(i=i, j=j, as_read={"i": i, "j": j, **at})
        if mask[k]:
            points.append(replace(head, masked=True))
        elif k in computed:
            points.append(_stored(head, computed[k]))
        elif int(first[k]) in of_class:
            same = divmod(of_class[int(first[k])], the_slice.shape[1])
            points.append(replace(head, same_as=same))
        elif int(first[k]) in failed:
            points.append(replace(head, failed=failed[int(first[k])]))
    return points


def _stored(head: PointRecord, event: PointDone) -> PointRecord:
    """Return a point with what was computed there; a free energy only where it is another."""
    free = event.free_energy_eV
    same = free is not None and abs(free - event.energy_eV) < _SAME_ENERGY_EV
    return replace(
        head,
        energy_eV=event.energy_eV,
        free_energy_eV=None if same else free,
        scf_steps=event.scf_steps,
        cell_A=event.cell_A,
        positions=event.positions,
        forces_eV_A=event.forces_eV_A,
        stress_eV_A3=event.stress_eV_A3,
    )


def _method(starts: Sequence[GridStarted]) -> Method:
    """Return the method of the first run; versions that joined later are listed beside it."""
    method = starts[0].method
    stated = {key: value for key, value in method.as_read.items() if value not in (None, "")}

    def joined(key: str) -> str:
        seen = dict.fromkeys(str(getattr(start.method, key)) for start in starts)
        return ", then ".join(filter(None, seen))

    return replace(
        method,
        as_read=stated,
        version=joined("version"),
        ase=joined("ase"),
        datasets=joined("datasets"),
        libxc=joined("libxc"),
    )


def _provenance(ledger: GridLedger, starts: Sequence[GridStarted]) -> GridProvenance:
    """Put together what the plan, its runs and its imports say about where the numbers are from."""
    plan = ledger.plan
    runs = [start for start in starts if start.computes]
    given = [start.provenance for start in starts if start.provenance is not None]
    commands = [
        (start.provenance and start.provenance.command) or start.command or "a call from Python"
        for start in starts
    ]
    said: dict[str, object] = {"licence": plan.licence}
    for extra in given:
        said |= encode(extra)
    said |= {"command": "; ".join(dict.fromkeys(commands))}
    stated: GridProvenance = decode(GridProvenance, said, "provenance")
    cited = [*plan.citation, *(name for extra in given for name in extra.citations)]
    provenance = replace(
        stated,
        plan=plan.path.name,
        symscape=starts[-1].symscape,
        complete=len(ledger.done) == len(ledger.order),
        citation=tuple(dict.fromkeys(cited)),
        notes=plan.notes or stated.notes,
        crystal=stated.crystal if plan.relaxed is None else plan.relaxed.summary,
        failed_points=len(ledger.failed) or stated.failed_points,
        convergence=_last(ledger, ConvergenceChecked) or stated.convergence,
        equivalents=_last(ledger, EquivalentsChecked) or stated.equivalents,
    )
    if not runs:
        return provenance
    when = f"{runs[0].time[:10]} to {runs[-1].time[:10]}"
    return replace(provenance, computed=when, protocol=PROTOCOL)


def _last(ledger: GridLedger, kind: type[Kind]) -> Any:
    """Return what the last check of this kind found for the plan's own crystal."""
    own = crystal_digest(ledger.plan.crystal)
    checks = [event for event in ledger.events_of(kind) if event.crystal == own]
    return checks[-1].result if checks else None


def edge_warning(the_slice: Slice, energies: np.ndarray) -> str | None:
    """Return a sentence if a local slice's lowest energy lies on the edge of its grid.

    Parameters
    ----------
    the_slice
        The slice; an axis that spans a full period has no edge.
    energies
        Shape (n_u, n_v), NaN where there is none.
    """
    if not np.isfinite(energies).any():
        return None
    where = np.unravel_index(int(np.nanargmin(energies)), the_slice.shape)
    for axis, k in zip(the_slice.axes, where, strict=True):
        if axis.period is None and k in (0, axis.points - 1):
            return (
                f"the lowest energy lies on the edge of the grid ({axis.name} = "
                f"{axis.values[int(k)]:g}), so the common zero would be a strained point; move or "
                "widen that axis."
            )
    return None
