"""What the adapters of the model families share: weights, identity, loading, known elements."""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

import numpy as np

from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.models.allocator import keep_freed_memory
from symscape.models.base import EnergyModel, Prediction
from symscape.models.card import ModelCard, not_trained
from symscape.models.checkpoints import recognize_family
from symscape.models.devices import check_device, device_kind
from symscape.models.fetched import check_fetched, check_published
from symscape.models.precision import precision_kept, precision_settings
from symscape.models.weights import (
    content_hash,
    distribution_version,
    module_identity,
    package_folder,
    package_identity,
    reason_of,
    sha256_of,
)


class FamilyModel(EnergyModel):
    """A potential of a family that has its own adapter.

    An adapter names its package, says what it can do and implements ``_load`` and ``_evaluate``.

    Parameters
    ----------
    card, device, batch_size
        As for `EnergyModel`.
    dtype
        ``float32`` or ``float64``; the family's default if None.
    """

    #: import name and distribution name
    package: ClassVar[str]
    distribution: ClassVar[str]
    #: extra of this project that installs it; empty for families of other packages
    extra: ClassVar[str] = ""
    #: floating-point types that the package can compute in, its default first
    dtypes: ClassVar[tuple[str, ...]] = ("float32",)
    #: extra arguments that the loader takes from a card's options
    loader_options: ClassVar[tuple[str, ...]] = ()
    #: whether a checkpoint is a folder rather than a file
    saves_folders: ClassVar[bool] = False
    #: the file in such a folder that holds the trained numbers
    state_file: ClassVar[str] = ""
    #: to be raised whenever the adapter's energies change, so that old cached ones are not used
    revision: ClassVar[int] = 1

    def __init__(
        self,
        card: ModelCard,
        device: str = "auto",
        batch_size: int | str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(card, device, batch_size)
        self.dtype = dtype or self.dtypes[0]
        if self.dtype not in self.dtypes:
            raise ModelError(
                f"{card.name} can't compute in {self.dtype}: "
                f"the {card.family} family has {' and '.join(self.dtypes)}."
            )
        for option in card.options:
            if option not in self.loader_options:
                takes = " and ".join(self.loader_options) or "none"
                raise ModelError(
                    f"{card.name} has no option '{option}': the {card.family} family takes {takes}."
                )
        self._loaded = False
        #: atomic numbers that the network takes; empty until loaded
        self.elements: frozenset[int] = frozenset()

    def unloaded(self) -> FamilyModel:
        """Return a model like this one that has not been loaded."""
        return type(self)(self.card, self.device, self.wanted_batch_size, self.dtype)

    @property
    def weights(self) -> Path:
        """The file or folder that holds the weights.

        Raises
        ------
        ModelError
            If the package is not installed, or the weights are missing, another family's, or under
            a registered name another file than the card's (`check_fetched`).
        """
        folder = self._package_folder()
        if self.card.weights_file:
            found = self.locate(self.card, folder)
            if not found.exists():
                self._fetch()
                found = self.locate(self.card, folder)
            if not found.exists():
                raise self._missing(found, "it was not there after a download")
            check_fetched(self.card, found, self.digest_of(found))
            return found
        path = Path(str(self.card.checkpoint)).expanduser()
        if not path.exists():
            raise ModelError(
                f"There is no checkpoint {path} for the model {self.card.name}: "
                "--checkpoint takes the path of an existing file."
            )
        check_family(path, self.card.family)
        if path.is_dir() != self.saves_folders:
            wanted, other = ("folder", "file") if self.saves_folders else ("file", "folder")
            raise ModelError(
                f"The checkpoint {path} is a {other}, but the {self.card.family} family saves its "
                f"weights as a {wanted}: name that."
            )
        if path.is_file() and not path.stat().st_size:
            raise ModelError(f"The checkpoint {path} is empty: save it again.")
        if self.card.digest:  # a registered name with a file of the user's
            check_published(self.card, path, self.digest_of(path), "Name the published one,")
        return path

    def digest_of(self, weights: Path) -> str:
        """Return the SHA-256 of the file that holds the trained numbers, as a card has it."""
        return sha256_of(weights / self.state_file if weights.is_dir() else weights)

    def check_installed(self) -> None:
        """Raise ModelError if the package is not installed or a named checkpoint is not there."""
        self._package_folder()
        if not self.card.weights_file:
            _ = self.weights

    def _package_folder(self) -> Path:
        folder = package_folder(self.package)
        if folder is None:
            raise ModelError(
                f"The model {self.card.name} needs the package {self.distribution}, which is not "
                f"installed: {self._install_command()}."
            )
        self._check_version()
        return folder

    def _check_version(self) -> None:
        """Raise ModelError if the installed version is none that loads the weights rightly."""
        from packaging.specifiers import SpecifierSet

        wanted, found = self.card.package_version, distribution_version(self.distribution)
        # a copy without metadata has no version to judge by
        if found != "unknown" and not SpecifierSet(wanted).contains(found, prereleases=True):
            raise ModelError(
                f"The model {self.card.name} needs {self.distribution} {wanted}, but {found} is "
                f"installed: pip install '{self.distribution}{wanted}', in an environment of its "
                "own if other models need the newer one."
            )

    @classmethod
    def _install_command(cls) -> str:
        wanted = f'"symscape[{cls.extra}]"' if cls.extra else cls.distribution
        return f"pip install {wanted}"

    @classmethod
    def locate(cls, card: ModelCard, folder: Path) -> Path:
        """Return where the weights of a registered model are or would be; imports nothing.

        Parameters
        ----------
        card
            A card with a ``weights_file``.
        folder
            Where the family's package is installed.
        """
        return folder / card.weights_file

    def _fetch(self) -> None:
        """Let the package download weights that are not there.

        Raises
        ------
        ModelError
            If it can't; families whose weights are in the package never can.
        """
        raise ModelError(
            f"{self.distribution} {distribution_version(self.distribution)} has no weights for "
            f"{self.card.name} (they should be in its {self.card.weights_file}): install a "
            "version of it that does, or name a copy of the file with --checkpoint."
        )

    def _missing(self, path: Path, reason: str) -> ModelError:
        """Say which file is wanted, where the package looks for it, and what else there is."""
        return ModelError(
            f"The weights of {self.card.name} are missing and {self.distribution} could not "
            f"download them ({reason}): put {self.wanted()} at {path}, or give any copy of it as "
            f"--mlip {self.card.name} --checkpoint PATH (of several potentials, "
            f"{self.card.name}=PATH)."
        )

    def wanted(self) -> str:
        """Name the file that a download would fetch."""
        return Path(self.card.weights_file).name

    @property
    def identity(self) -> dict[str, object]:
        """What the energies depend on, for people to read; the fingerprint is its hash."""
        module = type(self).__module__
        # symscape's own adapters raise `revision`
        own = module.partition(".")[0] == "symscape"
        return {
            **({} if own else {"adapter": module_identity(module)}),
            "family": self.card.family,
            "weights": content_hash(self.weights),
            "package": package_identity(self.package, self.distribution),
            "torch": distribution_version("torch"),
            "precision": precision_settings(),
            "dtype": self.dtype,
            "device": device_kind(self.device),
            "options": self.card.options,
            "revision": self.revision,
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256 of `identity`; imports neither torch nor the model package."""
        text = json.dumps(self.identity, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def load(self) -> None:
        """Load the weights, once."""
        if self._loaded:
            return
        weights = self.weights
        device = check_device(self.device)
        keep_freed_memory()
        try:
            with precision_kept():
                self._load(weights, device)
        except ModelError:
            raise
        except ImportError as error:
            raise ModelError(
                f"The model {self.card.name} can't be loaded because {self.package} fails to "
                f"import ({error}): reinstall it with {self._install_command()}."
            ) from error
        except Exception as error:
            raise ModelError(
                f"{self.distribution} {distribution_version(self.distribution)} can't load the "
                f"weights {weights} of {self.card.name} ({type(error).__name__}: "
                f"{reason_of(error)}): check that they are of the {self.card.family} family and "
                "were saved with a compatible version."
            ) from error
        self._loaded = True

    @abstractmethod
    def _load(self, weights: Path, device: str) -> None:
        """Load the weights and set ``elements``."""

    @abstractmethod
    def _evaluate(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        """Evaluate one batch of structures whose elements are known to the model."""

    def _predict_batch(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        self.load()
        from ase.data import chemical_symbols

        present = np.unique(batch.numbers).tolist()
        unknown = [
            chemical_symbols[z]
            for z in present
            if z not in self.elements or chemical_symbols[z] in self.card.untrained
        ]
        if unknown:
            raise not_trained(self.card.name, unknown)
        sound = _sound(batch)
        if sound.all():
            return self._evaluate(batch, forces, stresses)
        return self._evaluate_sound(batch, np.flatnonzero(sound), forces, stresses)

    def _evaluate_sound(
        self, batch: Structures, sound: np.ndarray, forces: bool, stresses: bool
    ) -> Prediction:
        """Evaluate some structures of a batch; the others get NaN and can't spoil the graph."""
        energies = np.full(len(batch), np.nan)
        all_forces = np.full((len(batch.numbers), 3), np.nan) if forces else None
        all_stresses = np.full((len(batch), 3, 3), np.nan) if stresses else None
        if len(sound):
            found = self._evaluate(batch[sound], forces, stresses)
            energies[sound] = found.energies
            if all_forces is not None:
                chosen = np.isin(np.repeat(np.arange(len(batch)), batch.n_atoms), sound)
                all_forces[chosen] = found.forces
            if all_stresses is not None:
                all_stresses[sound] = found.stresses
        return Prediction(energies, all_forces, all_stresses)


def _sound(batch: Structures) -> np.ndarray:
    """Tell which structures have finite positions and a finite cell with a volume."""
    with np.errstate(all="ignore"):
        volumes = np.linalg.det(batch.cells)
    bad_atoms = ~np.isfinite(batch.positions).all(axis=1)
    bad = np.zeros(len(batch), dtype=bool)
    bad[np.repeat(np.arange(len(batch)), batch.n_atoms)[bad_atoms]] = True
    return ~bad & np.isfinite(batch.cells).all(axis=(1, 2)) & (np.abs(volumes) > 0)


def check_family(path: Path, family: str) -> None:
    """Raise ModelError if the checkpoint is recognized as one of another family."""
    found = recognize_family(path)
    if found is not None and found != family:
        raise ModelError(
            f"{path} is a checkpoint of the {found} family, not of {family}: use --mlip {found}."
        )
