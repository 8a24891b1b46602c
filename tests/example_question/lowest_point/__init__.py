"""A question of another package: how far below DFT's minimum does the model go?"""

from __future__ import annotations

import numpy as np

from symscape.questions.case import CaseResult
from symscape.questions.metric import Metric
from symscape.questions.question import Question
from symscape.questions.subjects import MaterialSlice


def ask(case, *, fingerprint, **_):
    """Hold the depth of the model's lowest point, below DFT's minimum, against the tolerances."""
    reference, model = case.reference, case.model
    found = case.evaluation
    depth = 1000 * float(found.energies[reference.minimum] - np.nanmin(found.energies))
    names = {
        "material": reference.material,
        "slice": reference.slice.name,
        "model": model.card.name,
    }
    limits = case.tolerances.case(LOWEST_POINT.name, **names)
    metrics = {"depth_below_minimum": depth}
    checks = limits.check(metrics, LOWEST_POINT)
    status = "passed" if all(check.passed for check in checks) else "failed"
    return CaseResult(
        question=LOWEST_POINT.name,
        status=status,
        checks=checks,
        metrics=metrics,
        fingerprint=fingerprint,
        **names,
    )


LOWEST_POINT = Question(
    "lowest_point",
    "Lowest point",
    MaterialSlice,
    (Metric("depth_below_minimum", "depth below DFT's minimum", "meV/atom"),),
    ask=ask,
)
