"""The models that have a name, and how a name on the command line becomes a model."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symscape.decode import DecodeError, decode
from symscape.errors import ModelError, shown
from symscape.models.card import CONVENTIONS, ModelCard
from symscape.models.families import adapter_of, families
from symscape.models.spec import ModelSpec
from symscape.tomltext import read_toml

if TYPE_CHECKING:
    from symscape.models.base import EnergyModel

_REGISTRY = Path(__file__).with_name("registry.toml")
#: what a network is called where no more is said, and the weights that are meant by it
SHORT_NAMES = {"m3gnet": "M3GNet-MP-2021.2.8-PES"}


def load_cards() -> dict[str, ModelCard]:
    """Return the cards of all registered models by name, in the order of ``registry.toml``."""
    return dict(_cards())


@cache
def _cards() -> dict[str, ModelCard]:
    return read_cards(_REGISTRY)


def read_cards(path: str | Path) -> dict[str, ModelCard]:
    """Read model cards from a file like ``registry.toml``: one table for each model.

    Raises
    ------
    ModelError
        If the file can't be read, or a card lacks its family, has an unknown field or a value of
        the wrong type.
    """
    path = Path(path)
    document = read_toml(path, "file of model cards", ModelError)
    return {name: _card(path, name, entry) for name, entry in document.items()}


def _card(path: Path, name: str, entry: Any) -> ModelCard:
    """Make a card of a table."""
    where = f"{path}: the card of {name!r}"
    if not isinstance(entry, dict):
        raise ModelError(f"{where} is no table; write [{name}] and its fields below.")
    if "name" in entry:
        raise ModelError(f"{where}: its name is what stands in brackets; leave 'name' out.")
    try:
        card: ModelCard = decode(ModelCard, {**entry, "name": name}, "", closed=True)
    except DecodeError as error:
        raise ModelError(f"{where}: {error}; correct it.") from None
    if card.family not in families():
        raise ModelError(f"{where}: {_unknown('model family', card.family, families())}")
    if card.energy_convention not in CONVENTIONS:
        raise ModelError(
            f"{where}: energy_convention is {shown(card.energy_convention)}, but must be "
            f"{' or '.join(CONVENTIONS)}."
        )
    try:
        check_report_name(name)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    return card


def resolve(wanted: str | ModelSpec, **options: Any) -> EnergyModel:
    """Make the model that a user asks for; its weights are not loaded yet.

    Parameters
    ----------
    wanted
        A description, or the name in one.
    options
        The other fields of `ModelSpec`, where ``wanted`` is a name.

    Raises
    ------
    ModelError
        If nothing has that name or the description contradicts itself.
    """
    spec = ModelSpec(wanted, **options) if isinstance(wanted, str) else wanted
    card = _card_of(spec)
    if card.level_of_theory == "unknown":
        card = replace(
            card,
            level_of_theory=spec.level_of_theory,
            energy_convention=spec.energy_convention,
        )
    if spec.options:
        card = replace(card, options={**card.options, **dict(spec.options)})
    check_report_name(card.name)
    return make(card, device=spec.device, batch_size=spec.batch_size, dtype=spec.dtype)


def _card_of(spec: ModelSpec) -> ModelCard:
    """Return the card of a registered model, of a checkpoint or of a calculator."""
    name = spec.name
    if spec.checkpoint is not None:
        return _own_checkpoint(name, spec.family, spec.checkpoint, spec.mlip_name)
    # a path may have a drive's letter in front
    if ":" not in name or Path(name).is_file():
        return _registered(name, spec.family, spec.mlip_name)
    where, _, factory = name.rpartition(":")
    if not (where and factory):
        raise ModelError(f"'{name}' does not name a calculator: write package.module:function.")
    return ModelCard(name=spec.mlip_name or factory, family="ase", checkpoint=name)


def make(
    card: ModelCard,
    *,
    device: str = "auto",
    batch_size: int | str | None = None,
    dtype: str | None = None,
) -> EnergyModel:
    """Make the adapter of a card's family.

    Raises
    ------
    ModelError
        If there is no such family or it does not have the asked-for dtype.
    """
    adapter = adapter_of(card.family)
    if card.family == "ase":
        if dtype is not None:
            raise ModelError(
                f"The precision of {card.name} is its calculator's own: leave out the dtype."
            )
        if card.options:
            raise ModelError(
                f"{card.name} is an ASE calculator, which takes no option "
                f"'{next(iter(card.options))}': put it into the function that makes it."
            )
        return adapter(card, device=device, batch_size=batch_size)
    return adapter(card, device=device, batch_size=batch_size, dtype=dtype)


def known_card(name: str) -> ModelCard | None:
    """Return the card with that name or short name, or the first whose package calls it so."""
    cards = load_cards()
    by_lower = {
        card.checkpoint.lower(): card for card in reversed(cards.values()) if card.checkpoint
    }
    by_lower |= {known.lower(): card for known, card in cards.items()}
    by_lower |= {short: cards[known] for short, known in SHORT_NAMES.items()}
    return by_lower.get(name.lower())


def find_card(name: str) -> ModelCard:
    """Return the card of a registered model, by its name or its package's name for the weights.

    The case of letters does not matter.

    Raises
    ------
    ModelError
        If there is none; the message names the nearest.
    """
    cards = load_cards()
    found = known_card(name)
    if found is not None:
        return found
    if Path(name).expanduser().exists():
        from symscape.models.checkpoints import recognize_family

        of = recognize_family(Path(name).expanduser()) or "FAMILY"
        raise ModelError(f"{name} is a file: write --mlip {of} --checkpoint {name}.")
    own = ", ".join(card.name for card in cards.values() if card.family == name)
    if name == "ase":
        raise ModelError(
            "ase is no model by itself: name a calculator, as in --mlip package.module:function."
        )
    if name in families():
        raise ModelError(
            f"{name} is a family of models: name its weights with --checkpoint, or one of {own}."
        )
    raise ModelError(_unknown("model", name, cards))


@dataclass(frozen=True)
class ModelStatus:
    """What of a registered model is on this machine.

    Parameters
    ----------
    distribution, version
        The package that runs it and its installed version, None if it is not installed.
    extra
        The extra of symscape that installs it.
    weights
        The weights, None if they are not on this machine.
    """

    distribution: str
    version: str | None
    extra: str
    weights: Path | None


def model_status(card: ModelCard) -> ModelStatus:
    """Find out whether a registered model can run here; imports and fetches nothing."""
    from symscape.models.weights import distribution_version, package_folder

    adapter = adapter_of(card.family)
    folder = package_folder(adapter.package)
    weights = adapter.locate(card, folder) if folder else None
    return ModelStatus(
        adapter.distribution,
        distribution_version(adapter.distribution) if folder else None,
        adapter.extra,
        weights if weights is not None and weights.exists() else None,
    )


def _registered(name: str, family: str | None, mlip_name: str | None) -> ModelCard:
    card = find_card(name)
    if family is not None and family != card.family:
        raise ModelError(f"{card.name} is of the {card.family} family, not of {family}.")
    return card if mlip_name is None else replace(card, name=mlip_name)


def _own_checkpoint(
    name: str, family: str | None, checkpoint: str | Path, mlip_name: str | None
) -> ModelCard:
    """Return the card of weights that the user names by path."""
    if family is None:
        family = name
    elif mlip_name is None:
        mlip_name = name
    known = known_card(family)
    if known is not None and family not in families():
        return _copied(known, checkpoint, mlip_name)
    if family not in families() or family == "ase":
        raise ModelError(_unknown("model family", family, [f for f in families() if f != "ase"]))
    path = Path(checkpoint).expanduser()
    published = known_card(str(checkpoint))
    if published is not None and published.family == family and not path.exists():
        return published if mlip_name is None else replace(published, name=mlip_name)
    return ModelCard(
        name=mlip_name or f"{family}-{path.stem}",
        family=family,
        checkpoint=str(path),
        description=f"own checkpoint {path.name}",
        level_of_theory="unknown",
    )


def _copied(card: ModelCard, checkpoint: str | Path, mlip_name: str | None) -> ModelCard:
    """Return the card of a registered model whose weights the user has in a file of their own."""
    if model_status(card).weights is not None:
        raise ModelError(
            f"{card.name} names weights that are on this machine: for others, write "
            f"--mlip {card.family} with --checkpoint."
        )
    copy = copied_card(card, str(Path(checkpoint).expanduser()))
    if mlip_name in (None, card.name):
        return copy
    # under another name they may be other weights, trained further
    return replace(copy, name=str(mlip_name), digest="")


def copied_card(card: ModelCard, checkpoint: str) -> ModelCard:
    """Return the card of a registered model with its weights in another place."""
    options = dict(card.options)
    if card.family == "orb":
        options.setdefault("architecture", card.checkpoint)
    return replace(card, checkpoint=checkpoint, weights_file="", options=options)


def check_report_name(name: str) -> None:
    """Raise ModelError if a name can't be a folder of the report and part of a test's id."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", name):
        raise ModelError(
            f"'{name}' can't name a model: use letters, digits and . _ + - (see --mlip-name)."
        )


def _unknown(kind: str, name: str, known: Any) -> str:
    known = list(known)
    lower = {k.lower(): k for k in known}
    near = [lower[k] for k in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)]
    if near:
        return f"There is no {kind} '{name}': did you mean {' or '.join(near)}?"
    return f"There is no {kind} '{name}': the known ones are {', '.join(known)}."
