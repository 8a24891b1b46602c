"""``symscape landscape``: from a structure file to a page of models' landscapes, without DFT."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symscape.cli.cache import opened_cache
from symscape.cli.structures import (
    Axes,
    Block,
    Elements,
    MaxSize,
    Subgroup,
    Symprec,
    check_symprec,
    read_options,
    say_notices,
    split,
)
from symscape.crystal.read import MAX_SIZE_MB
from symscape.errors import SymscapeError

if TYPE_CHECKING:
    from symscape.crystal.crystal import Crystal
    from symscape.crystal.slice import Slice
    from symscape.landscape.several import ModelComparison
    from symscape.models.base import EnergyModel

_PICTURES = (".png", ".pdf", ".svg")


def landscape(
    file: Annotated[
        Path, typer.Argument(help="Structure file, or a slice that 'slices --write' wrote.")
    ],
    mlip: Annotated[
        str, typer.Option(help="Potentials as for the suite, comma-separated.")
    ] = "chgnet",
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="A page (.html), or a picture of the first slice."),
    ] = Path("landscape.html"),
    axes: Axes = "",
    subgroup: Subgroup = "",
    points: Annotated[int, typer.Option(help="Grid values along each axis.")] = 15,
    slices: Annotated[int, typer.Option(min=1, help="Slices at most.")] = 2,
    dft: Annotated[
        int, typer.Option(min=1, help="Points proposed for a first DFT calculation, a slice.")
    ] = 8,
    write: Annotated[
        Path | None,
        typer.Option(help="Write these points here, a POSCAR each and an extxyz of all."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    cache_dir: Annotated[
        Path | None, typer.Option(help="Where energies are kept; default the user's cache folder.")
    ] = None,
    symprec: Symprec = None,
    block: Block = "",
    elements: Elements = "",
    max_size: MaxSize = MAX_SIZE_MB,
) -> None:
    """Draw potentials on slices of any crystal, without DFT, and where they disagree.

    The page has each model's map, its wells and barriers, how far models are apart, and the points
    that a first DFT calculation should ask. If a model fails, the page has the others, and the exit
    code is 1.
    """
    _check_output(output)
    check_symprec(symprec)
    options = read_options(block, elements, max_size)
    chosen = slices_of_file(
        file, axes=split(axes), subgroup=subgroup, points=points, most=slices,
        symprec=symprec, options=options,
    )  # fmt: skip
    models = _models(split(mlip), device)
    with opened_cache(cache_dir) as cache:
        comparisons, failures = _evaluate(chosen, models, cache)
    _save(output, comparisons, failures, dft)
    typer.echo(f"wrote {output}")
    if write is not None:
        for path in _write_points(write, comparisons, dft):
            typer.echo(f"wrote {path}")
    for name, reason in failures.items():
        typer.echo(f"symscape: {name}: {reason}", err=True)
    if failures:
        raise typer.Exit(1)


def slices_of_file(
    path: Path,
    *,
    axes: tuple[str, ...],
    subgroup: str,
    points: int,
    most: int,
    symprec: float | None,
    options: object,
) -> list[Slice]:
    """Return the slices to look at: of a slice's file that one, else what suits the crystal.

    Raises
    ------
    SymscapeError
        If the file can't be read or has no slice.
    """
    from symscape.crystal.propose import survey_slices
    from symscape.crystal.read import ReadOptions, crystal_from_file
    from symscape.crystal.subgroups import subgroup_named, survey_subgroups
    from symscape.references.slice_file import is_slice_file, load_slice

    if path.suffix == ".json" and is_slice_file(path):
        return [load_slice(path)]
    assert isinstance(options, ReadOptions)
    content = crystal_from_file(path, symprec, None, options)
    say_notices(content.notices)
    crystal: Crystal = content.crystal
    if subgroup:
        crystal = subgroup_named(crystal, subgroup)
    survey = survey_slices(crystal, axes=axes, points=points, max_local=most, max_global=0)
    if not survey.proposals and not axes:
        survey = survey_subgroups(crystal, points, most)
    say_notices(survey.notices)
    if not survey.proposals:
        raise SymscapeError(
            f"{path}: there is no slice of {crystal.formula} in {crystal.symbol}, for its only "
            "freedom is the volume or its atoms would be too close; see symscape slices."
        )
    return [proposal.slice for proposal in survey.proposals[:most]]


def _models(names: tuple[str, ...], device: str) -> list[EnergyModel]:
    import symscape

    if not names:
        raise SymscapeError("--mlip names no potential; see symscape models.")
    models = [symscape.model(name, device=device) for name in dict.fromkeys(names)]
    for model in models:
        model.check_installed()
    return models


def _evaluate(
    chosen: list[Slice], models: list[EnergyModel], cache: object
) -> tuple[list[ModelComparison], dict[str, str]]:
    """Ask every model for every slice; one that fails is left out and its reason kept."""
    import numpy as np

    from symscape.landscape.evaluate import evaluate_slice
    from symscape.landscape.several import compare_energies

    grids: dict[str, list[np.ndarray]] = {}
    failures: dict[str, str] = {}
    for model in models:
        name = model.card.name
        try:
            done = [evaluate_slice(model, one, cache=cache) for one in chosen]  # type: ignore[arg-type]
        except SymscapeError as error:
            failures[name] = str(error)
            continue
        silent = next((e for e in done if not np.isfinite(e.energies).any()), None)
        if silent is not None:
            reason = next(iter(silent.failures.values()), "no reason given")
            failures[name] = f"no energy at all on a slice ({reason})"
            continue
        grids[name] = [evaluation.energies for evaluation in done]
    if not grids:
        raise SymscapeError("; ".join(f"{name}: {reason}" for name, reason in failures.items()))
    comparisons = []
    for k, one in enumerate(chosen):
        try:
            comparisons.append(compare_energies(one, {n: g[k] for n, g in grids.items()}))
        except ValueError as error:
            raise SymscapeError(f"{one.name}: {error}") from error
    return comparisons, failures


def _check_output(path: Path) -> None:
    """Refuse before anything is evaluated what can't be written."""
    if path.suffix not in (".html", *_PICTURES):
        ends = ", ".join((".html", *_PICTURES))
        raise SymscapeError(f"--output {path}: name a file that ends in {ends}.")
    if not path.parent.is_dir():
        raise SymscapeError(f"--output {path}: there is no folder {path.parent}.")


def _save(
    path: Path, comparisons: list[ModelComparison], failures: dict[str, str], dft: int
) -> None:
    from symscape.files import write_atomically
    from symscape.page.landscape_page import LandscapePage, comparison_figure, render_landscape_page

    crystal = comparisons[0].slice.crystal
    try:
        if path.suffix != ".html":
            comparison_figure(comparisons[0]).savefig(path)
            return
        page = LandscapePage(crystal.formula, comparisons, failures, dft)
        write_atomically(path, render_landscape_page(page))
    except OSError as error:
        raise SymscapeError(
            f"{path}: can't be written ({error.strerror}); choose another place."
        ) from error


def _write_points(folder: Path, comparisons: list[ModelComparison], count: int) -> list[Path]:
    """Write the structures that a first DFT calculation should ask, and return the paths."""
    from ase.io import write as write_atoms

    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for comparison in comparisons:
            one = comparison.slice
            images = []
            for i, j in comparison.first_points(count):
                atoms = one.structures().atoms(i * one.shape[1] + j)
                atoms.info = {"i": i, "j": j}
                poscar = folder / f"{one.crystal.symbol.replace('/', '')}-{one.name}-{i}-{j}.vasp"
                write_atoms(poscar, atoms, format="vasp", direct=True, sort=True)
                images.append(atoms)
                written.append(poscar)
            together = folder / f"{one.crystal.symbol.replace('/', '')}-{one.name}.extxyz"
            write_atoms(together, images, format="extxyz")
            written.append(together)
    except OSError as error:
        raise SymscapeError(
            f"{folder}: the points can't be written there ({error.strerror}); choose another."
        ) from error
    return written
