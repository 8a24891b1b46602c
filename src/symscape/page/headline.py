"""What a run amounts to, in one sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from symscape.page.case_views import Outcome, SliceView
from symscape.page.words import count_text
from symscape.questions.energies import MEAN_SIGNED_ERROR, SOFTENING_SCALE
from symscape.results.run_results import RunResults

#: mean signed errors below this many meV/atom are no bias: references converge no better
SIGNIFICANT_BIAS = 1.0


def headline(run: RunResults, slices: Sequence[SliceView]) -> str:
    """Say in one sentence what is wrong, and if only part was asked, without a full stop."""
    if not slices:
        return "No landscape was evaluated"
    parts = [f"{_verdict(run, slices)}{_exceptions(slices)}", _bias(slices)]
    if lacking := run.lacking:
        parts.append(f"{count_text(len(lacking), 'case')} without an answer")
    if run.selection is not None:
        parts.append(str(run.selection))
    return "; ".join(filter(None, parts))


def _count(slices: Sequence[SliceView], status: Outcome) -> int:
    return sum(item.status == status for item in slices)


def _verdict(run: RunResults, slices: Sequence[SliceView]) -> str:
    failed, errors = _count(slices, "failed"), _count(slices, "error")
    total = len(slices)
    noun = _noun(slices)
    everything = count_text(total, noun) if noun else f"{total} landscapes and crystal groups"
    if errors == total:
        return f"None of {everything} could be judged"
    if run.baseline is not None:
        model = run.baseline.model
        whom = "the baseline" + (f" {model}" if model not in ("", run.model.name) else "")
        return f"{failed or 'None'} of {everything} worse than {whom}"
    if failed:
        return f"{failed} of {everything} outside tolerance"
    if _count(slices, "passed") < total:
        return f"{_count(slices, 'passed')} of {everything} within tolerance"
    if total == 1:
        return f"The {noun} is within tolerance"
    return f"All {everything} within tolerance"


def _noun(slices: Sequence[SliceView]) -> str:
    """Word for what was judged: slices of landscapes or groups of crystals; empty for both."""
    found = {item.about for item in slices}
    words = {"slices": "landscape", "crystals": "crystal group", "curves": "crystal group"}
    return words[found.pop()] if len(found) == 1 else ""


def _exceptions(slices: Sequence[SliceView]) -> str:
    """Say what is neither passed nor failed as usual."""
    text = ""
    if known := _count(slices, "known"):
        text += f", {known} failed as declared"
    if surprises := _count(slices, "surprise"):
        text += f", {surprises} passed although declared a known failure"
    errors = _count(slices, "error")
    if errors and errors != len(slices):
        text += f", {errors} could not be judged"
    return text


def _bias(slices: Sequence[SliceView]) -> str:
    """Say on how many slices energies are too low or too high, and how soft they are."""
    judged = [item.judged for item in slices if item.judged]
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
