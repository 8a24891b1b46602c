"""From a journal to a stored reference, with full provenance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from symscape.crystal.slice import Slice
from symscape.dft.crystals import crystal_digest
from symscape.dft.grid_ledger import GridLedger
from symscape.errors import PlanError
from symscape.references.store import build_document, write_reference

#: what a journalled point hands on to the reference
_POINT_FIELDS = (
    "energy_eV", "free_energy_eV", "scf_steps", "cell_A", "positions", "forces_eV_A",
    "stress_eV_A3",
)  # fmt: skip
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
    starts = ledger.events_of("start")
    if not ledger.points or not starts:
        raise PlanError(f"{plan.path}: no point has been computed yet; run the plan first.")
    reasons = {k: ledger.reason(k) for k in ledger.failed}
    document = build_document(
        material=plan.material,
        the_slice=plan.slice,
        points=grid_points(plan.slice, ledger.points, reasons),
        method=_method(starts),
        provenance=_provenance(ledger, starts),
        kind=plan.kind,
    )
    return write_reference(folder, document)


def grid_points(
    the_slice: Slice,
    computed: Mapping[int, Mapping[str, Any]],
    failed: Mapping[int, str],
) -> list[dict[str, Any]]:
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
    list of dict
        A computed point with its numbers; one that is equivalent to a computed one as ``same_as``;
        a masked or failed one as such. Points that have not been tried are left out.
    """
    first = the_slice.representatives.ravel()
    mask = the_slice.mask.ravel()
    of_class = {int(first[k]): k for k in sorted(computed, reverse=True)}
    names = [axis.name for axis in the_slice.axes]
    points: list[dict[str, Any]] = []
    for k, values in enumerate(the_slice.grid_values):
        i, j = divmod(k, the_slice.shape[1])
        head: dict[str, Any] = {"i": i, "j": j}
        head |= {name: round(float(x), 10) for name, x in zip(names, values, strict=True)}
        if mask[k]:
            points.append({**head, "masked": True})
        elif k in computed:
            points.append({**head, **_stored(computed[k])})
        elif int(first[k]) in of_class:
            same = divmod(of_class[int(first[k])], the_slice.shape[1])
            points.append({**head, "same_as": list(same)})
        elif int(first[k]) in failed:
            points.append({**head, "failed": failed[int(first[k])]})
    return points


def _stored(event: Mapping[str, Any]) -> dict[str, Any]:
    point = {key: event[key] for key in _POINT_FIELDS if event.get(key) is not None}
    free = point.get("free_energy_eV")
    if free is not None and abs(free - point["energy_eV"]) < _SAME_ENERGY_EV:
        del point["free_energy_eV"]
    return point


def _method(starts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the method of the first run; versions that joined later are listed beside it."""
    method = dict(starts[0]["method"])
    for key in ("version", "ase", "datasets", "libxc"):
        seen = list(dict.fromkeys(str(start["method"].get(key, "")) for start in starts))
        if len(seen) > 1:
            method[key] = ", then ".join(filter(None, seen))
    return {key: value for key, value in method.items() if value not in (None, "")}


def _provenance(ledger: GridLedger, starts: list[dict[str, Any]]) -> dict[str, Any]:
    """Put together what the plan, its runs and its imports say about where the numbers are from."""
    plan = ledger.plan
    runs = [start for start in starts if start.get("computes")]
    given = [start["provenance"] for start in starts if "provenance" in start]
    commands = [
        start.get("provenance", {}).get("command", start["command"]) or "a call from Python"
        for start in starts
    ]
    citations = list(plan.citation)
    for extra in given:
        cited = extra.get("citation", [])
        citations += [cited] if isinstance(cited, str) else cited
    provenance: dict[str, Any] = {"licence": plan.licence}
    for extra in given:
        provenance |= extra
    provenance |= {
        "command": "; ".join(dict.fromkeys(commands)),
        "plan": plan.path.name,
        "symscape": starts[-1]["symscape"],
        "complete": len(ledger.done) == len(ledger.order),
    }
    if runs:
        provenance["computed"] = f"{runs[0]['time'][:10]} to {runs[-1]['time'][:10]}"
        provenance["protocol"] = PROTOCOL
    if citations:
        provenance["citation"] = list(dict.fromkeys(citations))
    if plan.notes:
        provenance["notes"] = plan.notes
    if plan.relaxed is not None:
        provenance["crystal"] = plan.relaxed.summary
    if ledger.failed:
        provenance["failed_points"] = len(ledger.failed)
    own = crystal_digest(plan.crystal)
    for kind in ("convergence", "equivalents"):
        checks = [event for event in ledger.events_of(kind) if event["crystal"] == own]
        if checks:
            provenance[kind] = checks[-1]["result"]
    return provenance


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
