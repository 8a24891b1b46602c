"""Engines: what turns atoms into energies. GPAW, or any code with an ASE calculator."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from symscape.decode import Finite, encode
from symscape.dft.settings import EngineSpec, Settings
from symscape.errors import EngineError
from symscape.references.method import Method

if TYPE_CHECKING:
    from ase import Atoms

Value = TypeVar("Value")
#: how often a point is tried, each time with more careful mixing
ATTEMPTS = 3
_CAREFUL_MIXING = (
    {"backend": "pulay", "beta": 0.02, "nmaxold": 8, "weight": 50.0},
    {"backend": "pulay", "beta": 0.01, "nmaxold": 5, "weight": 100.0},
)
_GPAW_MISSING = (
    "GPAW is not installed; install it with 'apt-get install libxc-dev libopenblas-dev' and "
    "'CC=g++ pip install \"symscape[dft]\"', or name another code's ASE calculator in the plan."
)


class Engine(Protocol):
    """What a code has to offer to compute references."""

    def method(self) -> Method:
        """Return the level of theory, code, versions and settings, as stored in a reference."""

    def calculator(self, atoms: Atoms, care: int, folder: Path) -> Any:
        """Return a new ASE calculator for these atoms.

        Parameters
        ----------
        atoms
            What it will be used on first.
        care
            0 for the plan's settings; 1 and 2 after a failure: slower, safer mixing.
        folder
            Where the calculator may write; no other worker uses it.
        """

    def scf_steps(self, calculator: Any) -> int | None:
        """Return the number of SCF steps of the last calculation, if the code tells."""


def make_engine(spec: EngineSpec, settings: Settings) -> Engine:
    """Return the engine that a plan names.

    Raises
    ------
    EngineError
        If its code is not installed, the factory can't be imported, or nothing is to be computed.
    """
    if spec.name == "import":
        raise EngineError(
            "the plan's energies come from elsewhere ([engine] name = 'import'), so nothing can be "
            "computed; import the missing points, or name an engine."
        )
    if spec.name == "gpaw":
        return GpawEngine(spec, settings)
    return AseEngine(spec, settings)


class GpawEngine:
    """GPAW in plane-wave mode (Mortensen et al., J. Chem. Phys. 160, 092503 (2024)).

    Energies are extrapolated to zero smearing; the mesh is centred on Gamma, so that it keeps the
    symmetry of every lattice; the symmetry operations of each geometry are used.
    """

    def __init__(self, spec: EngineSpec, settings: Settings) -> None:
        if importlib.util.find_spec("gpaw") is None:
            raise EngineError(_GPAW_MISSING)
        self.spec = spec
        self.settings = settings

    def method(self) -> Method:
        """Return what a reference says about how it was computed."""
        from importlib.metadata import PackageNotFoundError, version

        import ase
        import gpaw

        try:
            datasets = f"gpaw-data {version('gpaw-data')}, default PAW datasets"
        except PackageNotFoundError:
            datasets = "PAW datasets of a GPAW_SETUP_PATH"
        return replace(
            stated_method(self.spec, self.settings),
            code="GPAW",
            version=str(gpaw.__version__),
            datasets=datasets,
            libxc=str(gpaw.get_libraries().get("libxc", "")),
            k_mesh_centre="Gamma",
            smearing="Fermi-Dirac",
            energy="extrapolated to zero smearing",
            ase=str(ase.__version__),
        )

    def calculator(self, atoms: Atoms, care: int, folder: Path) -> Any:
        """Return a new plane-wave calculator; see ``Engine``."""
        from gpaw import GPAW

        settings = self.settings
        # screw axes and glides too: fewer k-points for most space groups, the same energies
        options: dict[str, Any] = {"symmetry": {"symmorphic": False}}
        if settings.k_mesh is not None:
            options["kpts"] = {"size": list(settings.k_mesh), "gamma": True}
        else:
            options["kpts"] = {"density": settings.k_density_A, "gamma": True}
        if care:
            options["mixer"] = dict(_CAREFUL_MIXING[min(care, len(_CAREFUL_MIXING)) - 1])
        if settings.magnetic_moments:
            options["spinpol"] = True
        options.update(self.spec.options)
        return GPAW(
            mode={"name": "pw", "ecut": settings.cutoff_eV},
            xc=settings.functional,
            occupations={"name": "fermi-dirac", "width": settings.smearing_eV},
            convergence={"energy": settings.energy_convergence_eV},
            maxiter=settings.max_iterations * (2 if care else 1),
            txt=str(folder / "gpaw.txt"),
            **options,
        )

    def scf_steps(self, calculator: Any) -> int | None:
        """Return the number of SCF steps of the last calculation."""
        return int(calculator.get_number_of_iterations())


class AseEngine:
    """Any code with an ASE calculator.

    The plan's ``factory`` is called as ``function(**options)``. If its signature names them it is
    also given ``settings`` (the plan's, as a dictionary with the derived ``k_mesh``), ``care`` (0,
    then 1 and 2 after failures) and ``folder`` (where this worker may write). A reference states
    the plan's cut-off, k-points and so on only if the factory takes ``settings``.
    """

    def __init__(self, spec: EngineSpec, settings: Settings) -> None:
        self.spec = spec
        self.settings = settings
        self.factory = import_calculator(spec.factory)

    def method(self) -> Method:
        """Return what a reference says about how it was computed."""
        import ase

        # a factory that takes no settings computes with its own; its options then say which
        takes_settings = "settings" in inspect.signature(self.factory).parameters
        method = stated_method(self.spec, self.settings, None if takes_settings else ["functional"])
        return replace(method, calculator=self.spec.factory, ase=str(ase.__version__))

    def calculator(self, atoms: Atoms, care: int, folder: Path) -> Any:
        """Return a new calculator from the factory; see ``Engine``."""
        settings = {k: v for k, v in encode(self.settings).items() if v is not None}
        offered = {"settings": settings, "care": care, "folder": folder}
        wanted = inspect.signature(self.factory).parameters
        chosen = {name: value for name, value in offered.items() if name in wanted}
        calculator = self.factory(**chosen, **self.spec.options)
        if not hasattr(calculator, "get_potential_energy"):
            raise EngineError(
                f"the calculator factory {self.spec.factory!r} returned "
                f"{type(calculator).__name__}, which is no ASE calculator"
            )
        return calculator

    def scf_steps(self, calculator: Any) -> int | None:
        """Return the number of SCF steps if the calculator tells it in the way GPAW does."""
        try:
            return int(calculator.get_number_of_iterations())
        except (AttributeError, NotImplementedError, TypeError):
            return None


def import_calculator(path: str) -> Callable[..., Any]:
    """Import ``package.module:function``.

    Raises
    ------
    EngineError
        If the module or the function isn't there.
    """
    module_name, _, name = path.partition(":")
    try:
        factory = getattr(importlib.import_module(module_name), name)
    except Exception as error:  # whatever a module does when it is imported
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise EngineError(
            f"the calculator factory {path!r} can't be imported ({text}); it must be a function "
            "in a module on Python's path."
        ) from None
    if not callable(factory):
        raise EngineError(f"the calculator factory {path!r} is not a function.")
    return factory  # type: ignore[no-any-return]


def stated_method(
    spec: EngineSpec, settings: Settings, stated: Collection[str] | None = None
) -> Method:
    """Return a reference's method as far as the plan alone tells it.

    Parameters
    ----------
    spec, settings
        The plan's.
    stated
        The settings that the plan gives in so many words; the others are then left out, because
        the defaults are not what another code was run with. All of them if None.
    """

    def told(name: str, value: Value) -> Value | None:
        return value if stated is None or name in stated else None

    moments = {symbol: Finite(value) for symbol, value in settings.magnetic_moments.items()}
    return Method(
        code=spec.code or ("GPAW" if spec.name == "gpaw" else ""),
        version=spec.version,
        datasets=spec.datasets,
        functional=told("functional", settings.functional) or "",
        cutoff_eV=told("cutoff_eV", Finite(settings.cutoff_eV)),
        k_density_A=told("k_density_A", Finite(settings.k_density_A)),
        k_mesh=told("k_mesh", settings.k_mesh),
        smearing_eV=told("smearing_eV", Finite(settings.smearing_eV)),
        energy_convergence_eV_per_valence_electron=told(
            "energy_convergence_eV", Finite(settings.energy_convergence_eV)
        ),
        magnetic_moments=told("magnetic_moments", moments or "non-polarized"),
        options=spec.options,
    )
