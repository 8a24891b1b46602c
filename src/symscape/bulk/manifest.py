"""What a run is of: ``run.json`` in its folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from symscape.bulk.plan import dataset_digest
from symscape.bulk.run_settings import Identity, RunSettings
from symscape.dataset.folder import DatasetInfo
from symscape.decode import DecodeError, decode, encode
from symscape.errors import ScaleError, shown
from symscape.jsontext import parse_json
from symscape.models.card import ModelCard
from symscape.models.hubbard import trained_with_u
from symscape.science.hull.relax import RelaxSettings

SCHEMA = "symscape-hull-run/1"
MANIFEST = "run.json"
#: fields that decide the results, and what a difference in them is called
_DECISIVE = {
    "dataset": "another data set",
    "model": "another model",
    "settings": "other settings",
    "chunk_atoms": "other chunks",
    "block_atoms": "other blocks",
}


@dataclass(frozen=True)
class DatasetStamp:
    """The data set of a run: digest of its content, and how many crystals and atoms it has."""

    digest: str
    crystals: int
    atoms: int


@dataclass(frozen=True)
class ModelStamp:
    """The model of a run: what its energies depend on, its name, and what they are made of."""

    fingerprint: str
    name: str
    energy_convention: str


@dataclass(frozen=True)
class Done:
    """What is done with each crystal.

    Parameters
    ----------
    relax
        One of `settings.RELAX`.
    symprec_A
        spglib's tolerance, angstrom.
    optimizer
        With its version; None if nothing is relaxed.
    relaxation
        Where relaxations end; None if nothing is relaxed.
    """

    relax: str
    symprec_A: float
    optimizer: str | None = None
    relaxation: RelaxSettings | None = None


@dataclass(frozen=True)
class Made:
    """What is to be known of a run besides, and decides nothing.

    Parameters
    ----------
    dataset
        Where the data set was.
    family, checkpoint, level_of_theory, options, training_sets
        Of the model's card.
    with_u
        Whether the model was trained with +U; None where that is not known.
    versions
        Of packages, by name.
    """

    dataset: str
    family: str
    checkpoint: str | None
    level_of_theory: str = "unknown"
    options: dict[str, str] = field(default_factory=dict)
    training_sets: tuple[str, ...] = ()
    with_u: bool | None = None
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunManifest:
    """What a run is of.

    Parameters
    ----------
    schema
        `SCHEMA`.
    dataset, model, settings
        What is asked of whom.
    chunk_atoms, block_atoms
        Most atoms of a chunk, which is one file, and of a block, which is evaluated at once.
    made
        What else is to be known.
    """

    schema: str
    dataset: DatasetStamp
    model: ModelStamp
    settings: Done
    chunk_atoms: int
    block_atoms: int
    made: Made

    def document(self) -> dict[str, Any]:
        """Return the manifest as JSON has it, without what a run that relaxes nothing ignores."""
        document: dict[str, Any] = encode(self)
        settings = document["settings"]
        document["settings"] = {key: v for key, v in settings.items() if v is not None}
        return document

    @property
    def digest(self) -> str:
        """SHA-256 of what decides the results: chunks of another digest are another run's."""
        document = self.document()
        decisive = {key: document[key] for key in _DECISIVE}
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()

    @property
    def card(self) -> ModelCard:
        """The model's card, as far as a run keeps it."""
        return ModelCard(
            self.model.name,
            self.made.family,
            self.made.checkpoint,
            self.made.level_of_theory,
            self.model.energy_convention,
            self.made.training_sets,
            options=dict(self.made.options),
            hubbard_u=bool(self.made.with_u),
        )


def describe_run(
    info: DatasetInfo,
    card: ModelCard,
    settings: RunSettings,
    identity: Identity,
    chunk_atoms: int,
    block_atoms: int,
) -> RunManifest:
    """Return what a run is of that begins now."""
    relaxes = settings.relax != "none"
    return RunManifest(
        SCHEMA,
        DatasetStamp(dataset_digest(info), info.crystals, info.atoms),
        ModelStamp(identity.fingerprint, card.name, card.energy_convention),
        Done(
            settings.relax,
            settings.symprec_A,
            identity.optimizer or None,
            settings.relaxation if relaxes else None,
        ),
        chunk_atoms,
        block_atoms,
        Made(
            str(info.path.resolve()),
            card.family,
            card.checkpoint,
            card.level_of_theory,
            {key: str(value) for key, value in card.options.items()},
            card.training_sets,
            trained_with_u(card),
            {name: version(name) for name in ("symscape", "spglib", "pymatgen")},
        ),
    )


def read_manifest(path: str | Path) -> RunManifest:
    """Return what a run's folder says that it is of.

    Raises
    ------
    ScaleError
        If it is no run's folder, or ``run.json`` is damaged or of another schema.
    """
    file = Path(path) / MANIFEST
    if not file.is_file():
        raise ScaleError(f"{path}: this is no run's folder; make one with 'symscape hull run'.")
    try:
        document = parse_json(file.read_text(encoding="utf-8"))
        schema = document["schema"]
        if schema == SCHEMA:
            manifest: RunManifest = decode(RunManifest, document, "")
            return manifest
    except (OSError, ValueError, KeyError, TypeError, DecodeError) as error:
        raise ScaleError(
            f"{file}: the file is damaged ({error}); run into another folder."
        ) from error
    raise ScaleError(
        f"{file}: the schema is {shown(schema)}, not {SCHEMA!r}; run into another folder."
    )


def refuse_another(folder: Path, known: RunManifest, wanted: RunManifest) -> None:
    """Refuse to go on in the folder of another run.

    Raises
    ------
    ScaleError
        If something that decides the results differs; says what.
    """
    there, now = known.document(), wanted.document()
    for key, what in _DECISIVE.items():
        if there[key] != now[key]:
            raise ScaleError(
                f"{folder}: the run there is of {what} ({_difference(there[key], now[key])}); "
                "name another folder with --output, or remove that one."
            )


def _difference(known: Any, wanted: Any) -> str:
    """Name the first value that differs."""
    if isinstance(known, dict) and isinstance(wanted, dict):
        for key in {**known, **wanted}:
            if known.get(key) != wanted.get(key):
                return f"{key}: {_difference(known.get(key), wanted.get(key))}"
    return f"{_short(known)} there, {_short(wanted)} now"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:12] + "..."
