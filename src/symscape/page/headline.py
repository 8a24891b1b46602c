"""What a run amounts to, in one sentence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from symscape.page.words import count_text
from symscape.questions.energies import MEAN_SIGNED_ERROR, SOFTENING_SCALE

if TYPE_CHECKING:
    from symscape.page.view import RunView

#: mean signed errors below this many meV/atom are no bias: references converge no better
SIGNIFICANT_BIAS = 1.0


def headline(view: RunView) -> str:
    """Say in one sentence what is wrong, and if only part was asked, without a full stop."""
    if not view.slices:
        return "No landscape was evaluated"
    parts = [f"{_verdict(view)}{_exceptions(view)}", _bias(view)]
    if lacking := view.run.lacking:
        parts.append(f"{count_text(len(lacking), 'case')} without an answer")
    if view.run.selection is not None:
        parts.append(str(view.run.selection))
    return "; ".join(filter(None, parts))


def _verdict(view: RunView) -> str:
    failed, errors = len(view.with_status("failed")), len(view.with_status("error"))
    total = len(view.slices)
    noun = _noun(view)
    everything = count_text(total, noun) if noun else f"{total} landscapes and crystal groups"
    if errors == total:
        return f"None of {everything} could be judged"
    if view.run.baseline is not None:
        model = view.run.baseline.model
        whom = "the baseline" + (f" {model}" if model not in ("", view.run.model.name) else "")
        return f"{failed or 'None'} of {everything} worse than {whom}"
    if failed:
        return f"{failed} of {everything} outside tolerance"
    if len(view.with_status("passed")) < total:
        return f"{len(view.with_status('passed'))} of {everything} within tolerance"
    if total == 1:
        return f"The {noun} is within tolerance"
    return f"All {everything} within tolerance"


def _noun(view: RunView) -> str:
    """Word for what was judged: slices of landscapes or groups of crystals; empty for both."""
    found = {item.about for item in view.slices}
    words = {"slices": "landscape", "crystals": "crystal group", "curves": "crystal group"}
    return words[found.pop()] if len(found) == 1 else ""


def _exceptions(view: RunView) -> str:
    """Say what is neither passed nor failed as usual."""
    text = ""
    if known := len(view.with_status("known")):
        text += f", {known} failed as declared"
    if surprises := len(view.with_status("surprise")):
        text += f", {surprises} passed although declared a known failure"
    errors = len(view.with_status("error"))
    if errors and errors != len(view.slices):
        text += f", {errors} could not be judged"
    return text


def _bias(view: RunView) -> str:
    """Say on how many slices energies are too low or too high, and how soft they are."""
    judged = [item.judged for item in view.slices if item.judged]
    errors = [MEAN_SIGNED_ERROR.of(metrics) for metrics in judged]
    low = sum(error < -SIGNIFICANT_BIAS for error in errors)
    high = sum(error > SIGNIFICANT_BIAS for error in errors)
    if not low and not high:
        return ""
    direction, count = ("under", low) if low >= high else ("over", high)
    scales = [SOFTENING_SCALE.of(metrics) for metrics in judged]
    known = [scale for scale in scales if math.isfinite(scale)]
    where = "" if len(judged) == 1 else f" on {count} of {len(judged)} slices"
    text = f"energies are {direction}predicted{where}"
    if known:
        mean = "softening scale" if len(judged) == 1 else "mean softening scale"
        text += f" ({mean} {np.mean(known):.2f})"
    return text
