"""The questions that the suite asks and the metrics that answer each."""

from __future__ import annotations

from dataclasses import dataclass

from symscape.landscape.metrics import POINTWISE


@dataclass(frozen=True)
class Question:
    """One test function of the suite, and what its tolerances may name.

    Parameters
    ----------
    name
        As in results and tolerance files: ``energies``.
    title
        For reports.
    metrics
        Name to unit of each metric that can have a tolerance.
    settings
        Names of numbers that set how the metrics are computed, not limits on them.
    about
        ``slices`` of landscapes or ``crystals``.
    """

    name: str
    title: str
    metrics: dict[str, str]
    settings: tuple[str, ...] = ()
    about: str = "slices"


_STABILITY = (
    "stable", "false_stable", "false_unstable", "unstable", "false_stable_share",
    "false_unstable_share", "precision", "recall", "f1",
)  # fmt: skip

#: contracts about the energy and the forces of one crystal, see `symscape.contracts`
_INVARIANCE = dict.fromkeys(
    ("rotation", "translation", "permutation", "supercell", "cell_choice", "space_group"),
    "meV/atom",
)
_CONSERVATION = {
    "symmetric_forces": "meV/angstrom",
    "force_gradient": "meV/angstrom",
    "stress_strain": "meV/angstrom^3",
}

#: adding a question here makes it known to tolerance files and reports
QUESTIONS: dict[str, Question] = {
    q.name: q
    for q in (
        Question(
            "energies",
            "Relative energies",
            {name: metric.unit for name, metric in POINTWISE.items()},
            ("window",),
        ),
        Question(
            "minima",
            "Minima",
            {
                "missing_minima": "",
                "spurious_minima": "",
                "matched_minima": "",
                "max_displacement": "angstrom",
                "max_depth_error": "meV/atom",
                "min_curvature_ratio": "",
                "max_curvature_ratio": "",
                "bottleneck": "meV/atom",
                "wasserstein": "meV/atom",
            },
            ("window", "threshold", "radius"),
        ),
        Question(
            "saddles",
            "Saddles and barriers",
            {
                "missing_saddles": "",
                "matched_saddles": "",
                "max_barrier_error": "meV/atom",
                "mean_barrier_error": "meV/atom",
                "max_saddle_error": "meV/atom",
            },
            ("window", "threshold", "radius"),
        ),
        Question(
            "smoothness",
            "Smoothness",
            {
                "rough_points": "",
                "max_roughness": "",
                "max_excess": "meV/atom",
                "max_jump": "meV/atom",
                "max_kink": "meV/atom/angstrom",
                "max_ripple": "meV/atom",
            },
            ("window",),
        ),
        Question(
            "forces",
            "Forces along the axes",
            {
                "force_mae": "meV/atom/angstrom",
                "force_rmse": "meV/atom/angstrom",
                "max_force_error": "meV/atom/angstrom",
                "relative_force_error": "",
                "force_softening": "",
                "n_forces": "",
            },
            ("window",),
        ),
        Question(
            "invariance",
            "Invariance",
            {**_INVARIANCE, "equivalent_points": "meV/atom"},
        ),
        Question(
            "conservative_forces",
            "Conservative forces",
            {**_CONSERVATION, "curl": "meV/atom"},
        ),
        Question("crystal_invariance", "Invariance on crystals", _INVARIANCE, about="crystals"),
        Question("crystal_forces", "Forces on crystals", _CONSERVATION, about="crystals"),
        Question(
            "hull",
            "Hull and polymorphs",
            {
                "formation_mae": "meV/atom",
                "formation_bias": "meV/atom",
                "above_hull_mae": "meV/atom",
                "above_hull_bias": "meV/atom",
                "max_above_hull_error": "meV/atom",
                "wrong_order_share": "",
                "ground_states_missed": "",
                "polymorph_mae": "meV/atom",
                "false_stable": "",
                "false_unstable": "",
                "n_crystals": "",
            },
            ("threshold", "resolution"),
            "crystals",
        ),
        Question(
            "stability",
            "Stability",
            {
                **dict.fromkeys(_STABILITY, ""),
                **{f"{name}_at_0": "" for name in _STABILITY},
                "n": "",
            },
            ("threshold",),
            "crystals",
        ),
        Question(
            "underprediction",
            "Underprediction by symmetry",
            {
                f"{prefix}{name}{end}": "" if name == "share_underpredicted" else "meV/atom"
                for prefix in ("", "formation_", "total_")
                for name in ("mean_signed_error", "mae", "share_underpredicted")
                for end in ("", "_low", "_high")
            }
            | {"n_crystals": ""},
            (),
            "crystals",
        ),
        Question(
            "relaxation",
            "Relaxation by the model",
            {
                "above_hull_mae_fixed": "meV/atom",
                "above_hull_mae_free": "meV/atom",
                "broken_near_hull": "",
                "max_gained_near_hull": "meV/atom",
                "max_volume_change_near_hull": "",
                "broken_share": "",
                "not_converged": "",
                "n_crystals": "",
            },
            ("near",),
            "crystals",
        ),
    )
}
