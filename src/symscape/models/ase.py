"""Adapter for anything that has an ASE calculator: ``package.module:factory``."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import json
import os
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.files import checksum
from symscape.models.base import ALL_QUANTITIES, EnergyModel, Prediction, Quantity
from symscape.models.card import ModelCard
from symscape.models.devices import check_device, device_kind
from symscape.models.precision import precision_settings
from symscape.models.weights import (
    distribution_version,
    imported_identity,
    module_identity,
    reason_of,
)

# what a calculator that nobody vouches for is told apart by: nothing outlives the process
_PROCESS = uuid.uuid4().hex


#: the method by which a calculator takes many structures at once
BATCHES = "symscape_predict_batch"
#: how many structures it then gets, unless the user says otherwise
_TOGETHER = 32


class ASEModel(EnergyModel):
    """A potential behind an ASE calculator, one structure after another.

    A calculator that has a method `symscape_predict_batch` is given whole batches: it takes
    `Structures`, whether forces and whether stresses are wanted, and returns a `Prediction`.

    ``card.checkpoint`` is ``package.module:name`` or ``path/to/file.py:name``, where ``name`` is
    a calculator class or a function that returns a calculator. It is called without arguments, or
    with ``device`` if it has an argument of that name.

    Energies are kept between runs only if it is known what they depend on: for calculators of ASE
    itself, and where the function (or class) has an attribute ``fingerprint``, a string or a
    function without arguments that returns one, which changes whenever the energies do. Otherwise
    each process has a fingerprint of its own and `cacheable` is False.
    """

    default_batch_size: ClassVar[int] = 1

    def __init__(self, card: ModelCard, device: str = "auto", batch_size: int | str | None = None):
        super().__init__(card, device, batch_size)
        self._factory: Any = None
        self._calculator: Any = None

    @property
    def factory(self) -> Any:
        """The class or function that the card names.

        Raises
        ------
        ModelError
            If it can't be imported or is not callable.
        """
        if self._factory is None:
            self._factory = import_factory(str(self.card.checkpoint))
        return self._factory

    def check_installed(self) -> None:
        """Raise ModelError if the factory can't be imported."""
        _ = self.factory

    @property
    def identity(self) -> dict[str, object]:
        """What the energies depend on, as far as it can be known."""
        factory = self.factory
        declared = getattr(factory, "fingerprint", None)
        module = sys.modules.get(getattr(factory, "__module__", ""), None)
        known: dict[str, object] = {
            "family": "ase",
            "factory": str(self.card.checkpoint),
            "package": _packages(module),
            "source": _source_hash(module),
            "device": device_kind(self.device),
        }
        if declared is not None:
            known["declared"] = str(declared() if callable(declared) else declared)
        if declared is not None or not self._is_of_ase():
            known |= {"torch": distribution_version("torch"), "precision": precision_settings()}
        if declared is None and not self._is_of_ase():
            known["process"] = f"{_PROCESS}-{os.getpid()}"
        return known

    @property
    def fingerprint(self) -> str:
        """SHA-256 of `identity`; imports the module that holds the factory."""
        text = json.dumps(self.identity, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def cacheable(self) -> bool:
        """Whether it is known what the energies depend on."""
        return "process" not in self.identity

    def _is_of_ase(self) -> bool:
        return (
            inspect.isclass(self.factory)
            and getattr(self.factory, "__module__", "").partition(".")[0] == "ase"
        )

    @property
    def implements(self) -> frozenset[Quantity]:
        """What the calculator lists as ``implemented_properties``; all if it lists nothing.

        A class is asked itself; a function must make its calculator first.
        """
        listed = getattr(self.factory, "implemented_properties", None)
        if not listed:
            self.load()
            listed = getattr(self._calculator, "implemented_properties", None)
        # the calculator speaks where it has no list: what it lacks ends in an error of its own
        if not listed:
            return ALL_QUANTITIES
        return frozenset(what for what in ALL_QUANTITIES if what == "energy" or what in listed)

    @property
    def one_by_one(self) -> bool:
        """Whether the calculator has no method for batches; true as long as it is not made."""
        return _batches_of(self._calculator) is None

    def load(self) -> None:
        """Make the calculator, once."""
        if self._calculator is not None:
            return
        factory = self.factory
        try:
            calculator = factory(**self._arguments())
        except Exception as error:
            raise ModelError(
                f"{self.card.checkpoint} raised {type(error).__name__} instead of returning a "
                f"calculator: {reason_of(error)}."
            ) from error
        if not hasattr(calculator, "get_potential_energy"):
            raise ModelError(
                f"{self.card.checkpoint} returned {type(calculator).__name__}, which is no ASE "
                "calculator: name a calculator class or a function that returns a calculator."
            )
        self._calculator = calculator
        if _batches_of(calculator) is not None and not isinstance(self.wanted_batch_size, int):
            self.batch_size = _TOGETHER

    def _arguments(self) -> dict[str, str]:
        """Return the device for a factory that asks for it."""
        try:
            parameters = inspect.signature(self.factory).parameters
        except (TypeError, ValueError):
            return {}
        return {"device": check_device(self.device)} if "device" in parameters else {}

    def _predict_batch(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        self.load()
        together = _batches_of(self._calculator)
        if together is not None:
            said = together(batch, forces, stresses)
            if not isinstance(said, Prediction):
                raise ModelError(f"{BATCHES} returned {type(said).__name__}, not a Prediction")
            return said
        energies, all_forces, all_stresses = [], [], []
        try:
            for atoms in batch:
                atoms.calc = self._calculator
                energies.append(_number(atoms.get_potential_energy()))
                if forces:
                    all_forces.append(_array(atoms.get_forces(), (len(atoms), 3), "forces"))
                if stresses:
                    all_stresses.append(_array(atoms.get_stress(voigt=False), (3, 3), "stress"))
        except BaseException:
            self._forget_results()
            raise
        if not np.isfinite(energies).all():
            self._forget_results()
        return Prediction(
            np.array(energies),
            np.concatenate(all_forces) if forces else None,
            np.array(all_stresses) if stresses else None,
        )

    def _forget_results(self) -> None:
        """Take from the calculator what a failing call may have left in it.

        ASE calculators answer from ``results`` where the atoms have not changed, also after a call
        that has filled them and then raised.
        """
        calculator, self._calculator = self._calculator, None
        results = getattr(calculator, "results", None)
        if isinstance(results, dict):
            results.clear()  # a factory may give the same calculator again
        try:
            calculator.reset()
        except Exception:
            # without a reset, or with a broken one, only a new calculator knows nothing
            return
        self._calculator = calculator


def _batches_of(calculator: Any) -> Callable[[Structures, bool, bool], Any] | None:
    """Return a calculator's method for batches, None if it has none.

    One that is inherited by a class with a `calculate` of its own says nothing of that.
    """
    for kind in type(calculator).__mro__:
        if BATCHES in vars(kind):
            method: Callable[[Structures, bool, bool], Any] = getattr(calculator, BATCHES)
            return method
        if "calculate" in vars(kind):
            return None
    return None


def _number(value: Any) -> float:
    """Return an energy as a number: a scalar of any library, or an array that holds one."""
    try:
        one = value.item() if hasattr(value, "item") else value
        if isinstance(one, str | bytes | bool):
            raise TypeError  # float reads these, too
        return float(one)
    except (TypeError, ValueError, RuntimeError):
        shape = getattr(value, "shape", None)
        what = type(value).__name__ if shape is None else f"an array of shape {tuple(shape)}"
        raise ModelError(f"the calculator returned {what} for an energy, not a number") from None


def _array(value: Any, shape: tuple[int, ...], what: str) -> np.ndarray:
    """Return forces or a stress as an array of float64, on the host.

    Flat, or in its shape but for axes of length one: another order of axes is no other writing.
    """
    array = np.array(
        value.detach().cpu().numpy() if hasattr(value, "detach") else value, dtype=float
    )
    axes = [[n for n in own if n != 1] for own in (array.shape, shape)]
    if array.size != np.prod(shape) or (array.ndim > 1 and axes[0] != axes[1]):
        raise ModelError(f"the calculator returned {what} of shape {array.shape}, not {shape}")
    return array.reshape(shape)


def import_factory(name: str) -> Any:
    """Return what ``package.module:attribute`` or ``file.py:attribute`` names.

    Modules are found as Python finds them, the current folder last.

    Raises
    ------
    ModelError
        If the module, the file or the attribute is not there, or it is not callable.
    """
    where, _, attribute = name.rpartition(":")
    if not where or not attribute:
        raise ModelError(f"'{name}' does not name a calculator: write package.module:function.")
    module = _import_file(Path(where)) if where.endswith(".py") else _import_module(where)
    found = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise ModelError(f"{where} has no '{attribute}' to make a calculator with.")
        found = getattr(found, part)
    if not callable(found):
        raise ModelError(
            f"{name} is no calculator class and no function that returns a calculator."
        )
    return found


def _import_module(name: str) -> ModuleType:
    top = name.partition(".")[0]
    here = os.getcwd()
    # a console script does not have the current folder on its path, python -m has
    if importlib.util.find_spec(top) is None and here not in sys.path:
        sys.path.append(here)
        importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise ModelError(
            f"Can't import {name} ({type(error).__name__}: {reason_of(error)}): check the name, "
            "and that Python finds it from the current folder."
        ) from error


def _import_file(path: Path) -> ModuleType:
    path = path.expanduser().resolve()
    if not path.is_file():
        raise ModelError(f"There is no file {path} to take a calculator from.")
    name = f"symscape_calculator_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ModelError(
            f"Can't import {path} ({type(error).__name__}: {reason_of(error)}): correct the file."
        ) from error
    return module


def _packages(module: ModuleType | None) -> str:
    """Return the identity of the code that a module is in and that it imports."""
    if module is None:
        return "unknown"
    top = module.__name__.partition(".")[0]
    if hasattr(sys.modules.get(top, module), "__path__"):
        return module_identity(top)
    # of a single file the source tells everything but what it imports
    return imported_identity(top)


def _source_hash(module: ModuleType | None) -> str:
    path = getattr(module, "__file__", None)
    return checksum(Path(path)) if path else "unknown"
