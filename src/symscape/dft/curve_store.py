"""From the journal of a list of curves to the reference library."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from symscape.decode import Finite, encode
from symscape.dft.curve_ledger import CurveLedger
from symscape.errors import PlanError
from symscape.references.own_curves import CurveRecord, write_own_curves
from symscape.references.provenance import CurvesProvenance


def store_curves(ledger: CurveLedger, library: str | Path) -> Path:
    """Write all finished curves of a list, in its order.

    Raises
    ------
    PlanError
        If none is finished, or parts of them were computed in different ways.
    """
    plan, finished, starts = ledger.plan, ledger.curves(), ledger.starts
    if not finished or not starts:
        raise PlanError(f"{plan.path}: no curve has been computed yet; run the list first.")
    methods = [event.method for event in starts]
    if any(encode(method) != encode(methods[0]) for method in methods):
        raise PlanError(
            f"{plan.journal_path}: its curves were computed in more than one way; compute them "
            "again with one version and one set of settings."
        )
    records = [
        CurveRecord(
            id=curve.id,
            cutoff_eV=Finite(curve.settings.cutoff_eV),
            k_mesh=curve.k_mesh,
            volumes_A3_atom=np.round(curve.volumes, 6).tolist(),
            energies_eV_atom=energies.tolist(),
        )
        for curve, energies in finished
    ]
    provenance = CurvesProvenance(
        licence=plan.licence,
        notes=plan.notes,
        command=starts[-1].command,
        symscape=starts[-1].symscape,
        complete=len(finished) == len(plan.curves),
    )
    return write_own_curves(library, records, methods[0], provenance)
