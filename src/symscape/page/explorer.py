"""What the maps of a page need that answer to a pointer: grids, scales and the crystal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.decode import encode
from symscape.figures.colour_scales import energy_span

if TYPE_CHECKING:
    from symscape.page.case_views import SliceView
    from symscape.page.view import RunView

#: decimals of energies in meV/atom
_DECIMALS = 1


def explorer_json(view: RunView) -> str:
    """Return JSON, by the slug of each slice that has energies, which is safe within a script."""
    found = {item.slug: _slice(item) for item in view.slices}
    text = json.dumps({k: v for k, v in found.items() if v}, separators=(",", ":"))
    # nothing that comes from a file may end the script
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _slice(item: SliceView) -> Mapping[str, Any] | None:
    """Return the content for one slice, energies in meV/atom above the DFT minimum."""
    reference, model = item.reference, item.model
    if reference is None or model is None:
        return None
    dft = 1000 * np.where(reference.masked, np.nan, reference.relative)
    own = 1000 * np.where(reference.masked, np.nan, model)
    if not np.isfinite(dft).any() or not np.isfinite(own).any():
        return None
    window = 1000 * item.window
    inside = np.isfinite(own) & (dft <= window + 1e-9)
    largest = float(np.nanmax(np.abs(own - dft), where=inside, initial=0.1))
    baseline = None
    surfaces = [own]
    if item.baseline is not None:
        surfaces.append(1000 * np.where(reference.masked, np.nan, item.baseline))
        baseline = _rounded(surfaces[-1])
    return {
        "title": reference.title,
        "axes": [{"label": a.label, "values": list(a.values)} for a in reference.axes],
        "dft": _rounded(dft),
        "model": _rounded(own),
        "baseline": baseline,
        "minimum": list(reference.minimum),
        "span": list(energy_span(dft, np.stack(surfaces), window)),
        "largest": largest,
        "structure": encode(reference.structure),
    }


def _rounded(grid: np.ndarray) -> Any:
    return encode(np.round(grid, _DECIMALS))
