"""What a question may ask: the cases that it is handed, as far as it knows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from symscape.questions.subjects import MaterialSlice, Subject

if TYPE_CHECKING:
    import pandas as pd

    from symscape.models.base import EnergyModel
    from symscape.models.evaluate import Evaluator
    from symscape.questions.contracts import CheckedCrystal, MetricContract
    from symscape.questions.limits import LimitsByCase
    from symscape.references.birch_murnaghan import BirchMurnaghan
    from symscape.references.equations import EquationsOfState
    from symscape.references.reference import LandscapeReference
    from symscape.science.landscape.slice_energies import SliceEvaluation

Of = TypeVar("Of", bound=Subject, covariant=True)


class AskedCase(Protocol[Of]):
    """One model on one subject."""

    @property
    def model(self) -> EnergyModel:
        """The potential."""

    @property
    def subject(self) -> Of:
        """What the model is asked about, of the kind that the question names."""

    @property
    def tolerances(self) -> LimitsByCase:
        """Those of the run."""


class SliceCase(AskedCase[MaterialSlice], Protocol):
    """One model on one slice."""

    @property
    def reference(self) -> LandscapeReference:
        """The slice and its DFT energies."""

    @property
    def evaluation(self) -> SliceEvaluation:
        """The model's energies on the grid."""

    @property
    def potential(self) -> Evaluator:
        """The model with the run's cache, for questions that need more than the grid."""

    @property
    def arrows(self) -> bool:
        """Whether figures want forces to be kept."""


class CrystalCase(AskedCase[Of], Protocol[Of]):
    """One model on a chemical system, a symmetry class, or all crystals."""

    def table(self) -> pd.DataFrame:
        """Return what `symscape.science.hull.analysis.compare` made of the case's crystals."""

    def relaxed(self) -> pd.DataFrame:
        """Return the same after the model has relaxed them.

        ``attrs["not_relaxed"]`` are the ids of those at which it failed.
        """

    def contracts(self, asked: Sequence[MetricContract]) -> tuple[CheckedCrystal, ...]:
        """Return what contracts find on each crystal."""


class CurveCase(AskedCase[Of], Protocol[Of]):
    """One model on a group of the periodic table, or on a prototype."""

    def judged_on(self) -> tuple[EquationsOfState, BirchMurnaghan]:
        """Return DFT's and the model's curves of the crystals that the model is judged on."""

    def with_energies(self) -> tuple[EquationsOfState, BirchMurnaghan]:
        """Return the same of those crystals of which the model gave energies."""
