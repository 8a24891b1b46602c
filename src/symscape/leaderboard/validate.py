"""Checking files before they are taken in: what a file is, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from symscape.errors import ModelError, SymscapeError
from symscape.jsontext import JsonTextError, parse_json
from symscape.models.card import ModelCard
from symscape.page.words import count_text
from symscape.questions.registry import QUESTIONS
from symscape.tomltext import read_toml

Kind = Literal[
    "results",
    "reference",
    "crystals",
    "equations",
    "cards",
    "tolerances",
    "plan",
    "crystal list",
    "curve list",
    "line list",
]

_SCHEMAS: dict[str, Kind] = {
    "symscape-results": "results",
    "symscape-landscape": "reference",
    "symscape-crystals": "crystals",
    "symscape-equations-of-state": "equations",
}
_TOLERANCE_KEYS = {"extends", "override", "known_failure", *QUESTIONS}
#: fields that other TOML files do not have
_CARD_KEYS = {field.name for field in fields(ModelCard)} - {
    *("name", "description", "licence", "reference", "options"),
    *("date", "digest", "elements", "links", "parameters", "published"),
    "not_published",
}


@dataclass(frozen=True)
class Checked:
    """A file that is in order.

    Parameters
    ----------
    kind
        What it is.
    summary
        What is in it, in words.
    content
        What its loader returned.
    """

    path: Path
    kind: Kind
    summary: str
    content: Any


def check_file(path: str | Path) -> Checked:
    """Recognize a file by its content and load it as the library itself does.

    Raises
    ------
    SymscapeError
        If it is nothing that symscape reads, or its loader refuses it.
    """
    path = Path(path)
    kind = kind_of_file(path)
    summary, content = _LOADERS[kind](path)
    return Checked(path, kind, summary, content)


def kind_of_file(path: Path) -> Kind:
    """Return what a file is.

    Raises
    ------
    SymscapeError
        If it can't be read or is nothing that symscape knows.
    """
    if path.suffix.lower() == ".toml":
        return _recognize_toml(path, read_toml(path, "file", SymscapeError))
    text = _read(path)
    if path.suffix.lower() != ".json":
        raise SymscapeError(
            f"{path}: neither JSON nor TOML by its name; results and references end in .json, "
            "model cards, tolerances and plans in .toml."
        )
    try:
        document = parse_json(text)
    except JsonTextError as error:
        raise SymscapeError(f"{path}: not valid JSON ({error}); write the file again.") from None
    schema = str(document.get("schema", "")) if isinstance(document, dict) else ""
    kind = _SCHEMAS.get(schema.partition("/")[0])
    if kind is None:
        known = " or ".join(f"{name}/1" for name in _SCHEMAS)
        raise SymscapeError(
            f"{path}: its field 'schema' is {schema[:40]!r} instead of {known}, so it is neither a "
            "results file nor a reference."
        )
    return kind


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SymscapeError(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise SymscapeError(f"{path}: this is a folder; name the files in it.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SymscapeError(f"{path}: the file can't be read ({error}).") from None


def _recognize_toml(path: Path, document: dict[str, Any]) -> Kind:
    if "crystal" in document:
        return "crystal list" if isinstance(document["crystal"], list) else "plan"
    if isinstance(document.get("group"), list):
        return "curve list"
    if isinstance(document.get("line"), list):
        return "line list"
    if _TOLERANCE_KEYS & set(document):
        return "tolerances"
    tables = [table for table in document.values() if isinstance(table, dict)]
    if _CARD_KEYS & set(document) or any(_CARD_KEYS & set(table) for table in tables):
        return "cards"
    raise SymscapeError(
        f"{path}: neither model cards ([name] with a family), nor tolerances ([energies], ...), "
        "nor a plan ([crystal]); see docs/adding-a-model.md for the form of a card."
    )


def _load_results(path: Path) -> tuple[str, Any]:
    from symscape.results.files import load_results

    run = load_results(path)
    cases, slices = count_text(len(run.cases), "case"), count_text(len(run.references), "slice")
    return f"results of {run.model.name}, {cases} on {slices}", run


def _load_reference(path: Path) -> tuple[str, Any]:
    from symscape.references.landscape_files import load_reference

    reference = load_reference(path, closely=True)
    points = int(reference.valid.sum())
    return f"reference {reference.id}, {points} points with an energy", reference


def _load_equations(path: Path) -> tuple[str, Any]:
    from symscape.references.equations import read_equations

    equations = read_equations(path.parent)
    # space groups are looked at when structures are made
    equations.structures(equations.average.volume[:, None])
    return f"equations of state of {count_text(len(equations), 'crystal')}", equations


def _load_cards(path: Path) -> tuple[str, Any]:
    from symscape.models.registry import read_cards

    cards = read_cards(path)
    problems = [text for card in cards.values() for text in card_problems(card)]
    if problems:
        raise ModelError(f"{path}: {problems[0]}")
    names = ", ".join(cards) if len(cards) <= 3 else count_text(len(cards), "model")
    return f"{'card' if len(cards) == 1 else 'cards'} of {names}", cards


def card_problems(card: ModelCard) -> list[str]:
    """Say what a card lacks to stand in the registry, one sentence each."""
    lacking = {
        "description": (not card.description, "one sentence that says what the model is"),
        "level_of_theory": (
            card.level_of_theory == "unknown",
            "the functional that it was trained on, as in 'PBE'",
        ),
        "training_sets": (not card.training_sets, "a list of names, as in ['MPtrj']"),
        "licence": (not card.licence, "the licence of the weights"),
        "reference": (
            "doi:" not in card.reference and "arXiv:" not in card.reference,
            "a citation with a DOI or arXiv number (doi:..., arXiv:...)",
        ),
    }
    return [
        f"the card of {card.name!r} has no usable {field}; give {wanted}."
        for field, (missing, wanted) in lacking.items()
        if missing
    ]


def _load_tolerances(path: Path) -> tuple[str, Any]:
    from symscape.verdict.tolerances import load_tolerances

    return "tolerances", load_tolerances(path)


def _load_plan(path: Path) -> tuple[str, Any]:
    from symscape.dft.plan import load_plan

    plan = load_plan(path)
    return f"plan of {plan.material}", plan


def _load_crystals(path: Path) -> tuple[str, Any]:
    """Load a file of relaxed crystals with the others of its library, which it must agree with."""
    from symscape.references.crystals import FOLDER, load_crystals

    if path.resolve().parent.name != FOLDER:
        raise SymscapeError(
            f"{path}: relaxed crystals belong into a library's folder {FOLDER}/; move the file."
        )
    library = load_crystals([path.resolve().parent.parent], closely=True)
    return f"relaxed crystals, {len(library.crystals)} in the library", library


def _load_crystal_list(path: Path) -> tuple[str, Any]:
    from symscape.dft.crystal_list import load_crystal_list

    crystals = load_crystal_list(path)
    return f"list of {count_text(len(crystals.crystals), 'crystal')}", crystals


def _load_curve_list(path: Path) -> tuple[str, Any]:
    from symscape.dft.curve_list import load_curve_list
    from symscape.references.equation_files import FOLDER
    from symscape.references.equations import read_equations

    # the crystals that it names are those of the library that the list lies in
    curves = load_curve_list(path, read_equations(path.parent.parent / FOLDER))
    return f"list of {count_text(len(curves.curves), 'curve')}", curves


def _load_line_list(path: Path) -> tuple[str, Any]:
    from symscape.dft.all_electron import load_line_list

    # the slices that it names are those of the library that the list lies in
    lines = load_line_list(path, path.parent.parent)
    return f"list of {count_text(len(lines.lines), 'line')}", lines


_LOADERS: dict[Kind, Callable[[Path], tuple[str, Any]]] = {
    "results": _load_results,
    "reference": _load_reference,
    "cards": _load_cards,
    "tolerances": _load_tolerances,
    "plan": _load_plan,
    "crystals": _load_crystals,
    "equations": _load_equations,
    "crystal list": _load_crystal_list,
    "curve list": _load_curve_list,
    "line list": _load_line_list,
}


def cards_among(checked: Iterable[Checked]) -> dict[str, ModelCard]:
    """Return the registered cards, those of the checked files in their place."""
    from symscape.models.registry import load_cards

    cards = load_cards()
    for item in checked:
        if item.kind == "cards":
            cards |= item.content
    return cards
