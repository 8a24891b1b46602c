"""The models that have a name, and how a name on the command line becomes a model."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symscape.errors import ModelError, shown
from symscape.models.card import ModelCard

if TYPE_CHECKING:
    from symscape.models.base import EnergyModel

#: family -> (module, class) of its adapter; the one place where a family is added
FAMILIES: dict[str, tuple[str, str]] = {
    "chgnet": ("symscape.models.chgnet", "CHGNetModel"),
    "sevenn": ("symscape.models.sevenn", "SevenNetModel"),
    "mace": ("symscape.models.mace", "MACEModel"),
    "matgl": ("symscape.models.matgl", "MatGLModel"),
    "orb": ("symscape.models.orb", "ORBModel"),
    "ase": ("symscape.models.ase", "ASEModel"),
}

#: what a card's energy_convention may be, see `ModelCard`
CONVENTIONS = ("uncorrected", "MP2020")

_REGISTRY = Path(__file__).with_name("registry.toml")


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
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path}: there is no such file of model cards.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: the model cards can't be read ({error}).") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ModelError(f"{path}: not valid TOML ({error}); correct the file.") from None
    return {name: _card(path, name, entry) for name, entry in document.items()}


def _card(path: Path, name: str, entry: Any) -> ModelCard:
    """Make a card of a table."""
    where = f"{path}: the card of {name!r}"
    if not isinstance(entry, dict):
        raise ModelError(f"{where} is no table; write [{name}] and its fields below.")
    known = {f.name: str(f.type) for f in fields(ModelCard) if f.name != "name"}
    for key, value in entry.items():
        if key not in known:
            raise ModelError(f"{where}: {_unknown('field', key, known)}")
        fits, wanted = _KINDS[known[key]]
        if not fits(value):
            raise ModelError(f"{where}: {key} is {shown(value)}, but must be {wanted}.")
    if "family" not in entry:
        raise ModelError(f"{where} has no family; give one of {', '.join(FAMILIES)}.")
    if entry["family"] not in FAMILIES:
        raise ModelError(f"{where}: {_unknown('model family', entry['family'], FAMILIES)}")
    convention = entry.get("energy_convention", CONVENTIONS[0])
    if convention not in CONVENTIONS:
        raise ModelError(
            f"{where}: energy_convention is {convention!r}, but must be {' or '.join(CONVENTIONS)}."
        )
    try:
        check_report_name(name)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    return ModelCard(name=name, **values)


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


#: type hint of a card's field -> whether a value of a TOML file fits, and the words for it
_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "str": (lambda value: isinstance(value, str), "a string"),
    "str | None": (lambda value: isinstance(value, str), "a string"),
    "tuple[str, ...]": (_is_names, "a list of strings"),
    "dict[str, object]": (lambda value: isinstance(value, dict), "a table"),
    "bool": (lambda value: isinstance(value, bool), "true or false"),
}


def resolve(
    name: str,
    *,
    family: str | None = None,
    checkpoint: str | Path | None = None,
    mlip_name: str | None = None,
    device: str = "auto",
    batch_size: int | str | None = None,
    dtype: str | None = None,
    options: dict[str, object] | None = None,
    level_of_theory: str = "unknown",
    energy_convention: str = "uncorrected",
) -> EnergyModel:
    """Make the model that a user asks for; its weights are not loaded yet.

    Parameters
    ----------
    name
        A registered name, a family (with ``checkpoint``), or ``package.module:factory`` of an ASE
        calculator.
    family
        The family, where ``name`` is not one; then ``name`` is the model's name in reports.
    checkpoint
        A checkpoint file of one's own.
    mlip_name
        What reports call the model; by default its registered name, the checkpoint's file name or
        the factory's.
    device
        ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
    batch_size
        Structures in one call of the model, or ``auto`` for a measured size.
    dtype
        ``float32`` or ``float64``, where the family has both.
    options
        Extra arguments for the family's loader (``modality``, ``head``), over those of the card.
    level_of_theory, energy_convention
        What a checkpoint or calculator of one's own was trained on, for its card.

    Raises
    ------
    ModelError
        If nothing has that name or the arguments contradict each other.
    """
    if checkpoint is not None:
        card = _own_checkpoint(name, family, checkpoint, mlip_name)
    elif ":" in name:
        where, _, factory = name.rpartition(":")
        if not (where and factory):
            raise ModelError(f"'{name}' does not name a calculator: write package.module:function.")
        card = ModelCard(name=mlip_name or factory, family="ase", checkpoint=name)
    else:
        card = _registered(name, family, mlip_name)
    if card.level_of_theory == "unknown":
        card = replace(card, level_of_theory=level_of_theory, energy_convention=energy_convention)
    if options:
        card = replace(card, options={**card.options, **options})
    check_report_name(card.name)
    return make(card, device=device, batch_size=batch_size, dtype=dtype)


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
    adapter = _adapter(card)
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


def _adapter(card: ModelCard) -> Any:
    if card.family not in FAMILIES:
        raise ModelError(_unknown("model family", card.family, FAMILIES))
    module, cls = FAMILIES[card.family]
    return getattr(import_module(module), cls)


def _find(name: str) -> ModelCard | None:
    """Return the card with that name, or the first whose package calls the weights so."""
    cards = load_cards()
    by_lower = {
        card.checkpoint.lower(): card for card in reversed(cards.values()) if card.checkpoint
    }
    by_lower |= {known.lower(): card for known, card in cards.items()}
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
    found = _find(name)
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
    if name in FAMILIES:
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


def status(card: ModelCard) -> ModelStatus:
    """Find out whether a registered model can run here; imports and fetches nothing."""
    from symscape.models.weights import distribution_version, package_folder

    adapter = _adapter(card)
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
    known = _find(family)
    if known is not None and family not in FAMILIES:
        return _copied(known, checkpoint, mlip_name)
    if family not in FAMILIES or family == "ase":
        raise ModelError(_unknown("model family", family, [f for f in FAMILIES if f != "ase"]))
    path = Path(checkpoint).expanduser()
    published = _find(str(checkpoint))
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
    if status(card).weights is not None:
        raise ModelError(
            f"{card.name} names weights that are on this machine: for others, write "
            f"--mlip {card.family} with --checkpoint."
        )
    options = dict(card.options)
    if card.family == "orb":
        options.setdefault("architecture", card.checkpoint)
    return replace(
        card,
        name=mlip_name or card.name,
        checkpoint=str(Path(checkpoint).expanduser()),
        weights_file="",
        options=options,
    )


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
