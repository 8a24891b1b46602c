"""What counts on the leaderboard, of the questions about slices: perfect and useless values.

They are physical, not fitted to any set of models; each comes with its reason, which the page
prints.
"""

from __future__ import annotations

from symscape.leaderboard.catalogue_crystals import HULL, RELAXATION, STABILITY, UNDERPREDICTION
from symscape.leaderboard.scales import MetricScale, QuestionScale

#: energy window, in meV/atom above the DFT minimum, in which the pointwise metrics count
ENERGY_WINDOW = "500"

_ENERGIES = QuestionScale(
    "energies",
    "energies",
    1.0,
    (
        MetricScale(
            "mae",
            "mean absolute error",
            "meV/atom",
            1.0,
            70.0,
            "The references are converged to 1 meV/atom. Nine of ten known metastable crystals lie "
            "within 67 meV/atom of the stable one (Sun et al., Sci. Adv. 2, e1600225 (2016)): an "
            "error of that size cannot tell what can be made from what cannot.",
        ),
        MetricScale(
            "max_error",
            "largest error",
            "meV/atom",
            5.0,
            250.0,
            "Half of the judged window: a point in its upper half then looks like one at the "
            "bottom. A single point of DFT may be off by a few meV/atom.",
        ),
        MetricScale(
            "softening_scale",
            "softening scale",
            "",
            0.0,
            0.5,
            "Frequencies go with its root: at 0.5 they are 30 % too low.",
            target=1.0,
        ),
        MetricScale(
            "spearman",
            "rank correlation",
            "",
            0.0,
            0.5,
            "At 0.5 a third of all pairs of points is in the wrong order (of normally distributed "
            "energies, Kendall's tau is then 0.35).",
            target=1.0,
        ),
    ),
    f"relative energies point by point, up to {ENERGY_WINDOW} meV/atom above the DFT minimum",
    on_grid=True,
)
_MINIMA = QuestionScale(
    "minima",
    "minima",
    1.0,
    (
        MetricScale(
            "missing_minima",
            "missing minima",
            "",
            0.0,
            1.0,
            "For such a model a phase does not exist.",
        ),
        MetricScale(
            "spurious_minima",
            "spurious minima",
            "",
            0.0,
            1.0,
            "A relaxation can end in a phase that does not exist.",
        ),
        MetricScale(
            "max_displacement",
            "displacement of a minimum",
            "angstrom",
            0.01,
            0.25,
            "Relaxations are converged to about 0.01 Å; minima 0.25 Å apart count as different "
            "ones.",
        ),
        MetricScale(
            "max_depth_error",
            "error of a well's energy",
            "meV/atom",
            1.0,
            70.0,
            "As the mean absolute error of the energies.",
        ),
    ),
    "the minima of DFT, at their places and energies, and no others",
    on_grid=True,
)
_SADDLES = QuestionScale(
    "saddles",
    "saddles",
    1.0,
    (
        MetricScale(
            "missing_saddles",
            "missing saddles",
            "",
            0.0,
            1.0,
            "A transition that does not exist for the model.",
        ),
        MetricScale(
            "max_barrier_error",
            "barrier error",
            "meV/atom",
            1.0,
            50.0,
            "In a cell of six atoms at room temperature each 10 meV/atom change rates tenfold: "
            "at 50 they are off by five orders of magnitude.",
        ),
    ),
    "the barriers between the minima",
    on_grid=True,
)
_FORCES = QuestionScale(
    "forces",
    "forces",
    1.0,
    (
        MetricScale(
            "relative_force_error",
            "relative force error",
            "",
            0.0,
            1.0,
            "Root-mean-square error over root-mean-square force: 1 for a model that answers zero "
            "everywhere.",
        ),
        MetricScale(
            "force_softening",
            "softening of the forces",
            "",
            0.0,
            0.5,
            "As the softening scale of the energies.",
            target=1.0,
        ),
    ),
    "slopes along the axes of the slice against DFT's forces",
)
_SMOOTHNESS = QuestionScale(
    "smoothness",
    "smooth",
    1.0,
    (
        MetricScale(
            "rough_points",
            "rough points",
            "",
            0.0,
            2.0,
            "One step that DFT does not have shows in two grid points.",
        ),
        MetricScale(
            "max_jump",
            "largest jump",
            "meV/atom",
            0.01,
            5.0,
            "Single precision leaves 0.01; from 5 meV/atom on, a step makes wells of its own.",
            logarithmic=True,
        ),
        MetricScale(
            "max_kink",
            "largest kink",
            "meV/atom/angstrom",
            2.0,
            1000.0,
            "How those two jumps show in the slope, over the 0.005 Å of a step.",
            logarithmic=True,
        ),
    ),
    "no steps, kinks or ripples that DFT does not have",
    on_grid=True,
)
_INVARIANCE = QuestionScale(
    "invariance",
    "symmetry",
    0.5,
    (
        MetricScale(
            "largest",
            "largest violation",
            "meV/atom",
            0.005,
            5.0,
            "Single precision leaves 0.002; from 5 meV/atom on, equal structures look like "
            "different phases.",
            logarithmic=True,
        ),
    ),
    "the energy does not depend on orientation, origin, order of atoms or choice of cell",
)
_CONSERVATION = QuestionScale(
    "conservative_forces",
    "gradients",
    0.5,
    (
        MetricScale(
            "symmetric_forces",
            "symmetry-breaking force",
            "meV/angstrom",
            1.0,
            100.0,
            "Relaxations stop at 1 to 10 meV/Å; 100 is the force error of a useful potential.",
            logarithmic=True,
        ),
        MetricScale(
            "force_gradient",
            "force against energy",
            "meV/angstrom",
            1.0,
            100.0,
            "Single precision leaves 0.1; forces that are predicted directly are off by 20 to 100.",
            logarithmic=True,
        ),
        MetricScale(
            "stress_strain",
            "stress against energy",
            "meV/angstrom^3",
            0.05,
            5.0,
            "0.008 GPa and 0.8 GPa: pressures are quoted to the first and mean little at the "
            "second.",
            logarithmic=True,
        ),
        MetricScale(
            "curl",
            "work around a loop",
            "meV/atom",
            0.1,
            10.0,
            "Energy gained in every turn: at 10 meV/atom, the thermal energy of room temperature "
            "in three turns.",
            logarithmic=True,
        ),
    ),
    "forces and stress are derivatives of the energy",
)

#: what counts, in the order of the columns
SCALES: dict[str, QuestionScale] = {
    scale.question: scale
    for scale in (
        _ENERGIES,
        _MINIMA,
        _SADDLES,
        _FORCES,
        _SMOOTHNESS,
        _INVARIANCE,
        _CONSERVATION,
        HULL,
        STABILITY,
        UNDERPREDICTION,
        RELAXATION,
    )
}

#: shown, but no part of the score: it depends on the machine
SPEED = MetricScale(
    "seconds_per_point",
    "speed",
    "s/point",
    1e-3,
    15.0,
    "A classical potential takes about a millisecond for a grid point, DFT 15 s on one core.",
    logarithmic=True,
)
