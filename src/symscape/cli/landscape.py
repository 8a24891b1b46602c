"""``symscape landscape``: from a structure file to a page of models' landscapes, without DFT."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symscape.cli.cache import opened_cache
from symscape.cli.structures import (
    Axes,
    Block,
    CloseAtoms,
    Elements,
    MaxSize,
    StructureReader,
    Subgroup,
    Symprec,
    crystal_or_slice,
    elements_lacking,
    say_notices,
    slices_of,
    split_names,
)
from symscape.crystal.read import MAX_SIZE_MB
from symscape.errors import SymscapeError, did_you_mean, writing

if TYPE_CHECKING:
    from symscape.crystal.slice import Slice
    from symscape.models.base import EnergyModel
    from symscape.models.evaluate import Evaluator
    from symscape.page.landscape_page import ComparedSlice, LandscapePage
    from symscape.science.landscape.overlay import DftPoints
    from symscape.science.landscape.several import ModelComparison

_PICTURES = (".png", ".pdf", ".svg")
#: in which the points for DFT are written
POINT_FORMATS = ("poscar", "cif", "extxyz")


def landscape(
    file: Annotated[
        Path, typer.Argument(help="Structure file, or a slice that 'slices --write' wrote.")
    ],
    mlip: Annotated[
        str, typer.Option(help="Potentials as for the suite, comma-separated.")
    ] = "chgnet",
    checkpoint: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="Weights of one's own for the family named by --mlip; with several potentials "
            "NAME=PATH; may be repeated.",
        ),
    ] = None,
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
        typer.Option(help="Write these points into this folder."),
    ] = None,
    write_as: Annotated[
        str,
        typer.Option(
            metavar="FORMATS",
            help="Of these points: poscar, cif (a file each), extxyz (a file a slice), "
            "comma-separated.",
        ),
    ] = "poscar,extxyz",
    against: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="DFT energies to compare with: vasprun.xml, OUTCAR, extxyz, or a folder of them; "
            "may be repeated.",
        ),
    ] = None,
    library: Annotated[
        int,
        typer.Option(
            min=0, help="Slices of the library, of similar materials, to compare with; 0: none."
        ),
    ] = 4,
    contracts: Annotated[
        bool, typer.Option("--contracts/--no-contracts", help="Check invariance, smoothness, ...")
    ] = True,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    cache_dir: Annotated[
        Path | None, typer.Option(help="Where energies are kept; default the user's cache folder.")
    ] = None,
    symprec: Symprec = None,
    block: Block = "",
    elements: Elements = "",
    max_size: MaxSize = MAX_SIZE_MB,
    close_atoms: CloseAtoms = False,
) -> None:
    """Draw potentials on slices of any crystal, without DFT, and where they disagree.

    The page has each model's map, its wells and barriers, how far models are apart here and on the
    library's materials, what contracts find, and the points that a first DFT calculation should
    ask. It is written as soon as the first slice is drawn, and again when the rest is known. If a
    model fails, the page has the others, and the exit code is 1.
    """
    _check_output(output)
    formats = _formats(write_as)
    models = _models(split_names(mlip), checkpoint or [], device)
    reading = StructureReader.told(symprec, block, elements, max_size, close_atoms)
    subject = crystal_or_slice(file, reading)
    lacking = elements_lacking(models, subject)
    chosen = slices_of(
        file,
        subject,
        axes=split_names(axes),
        subgroup=subgroup,
        points=points,
        most=slices,
    )
    dft_points = _dft_points(chosen, against or [])
    able = [model for model in models if model.card.name not in lacking]
    with opened_cache(cache_dir) as cache:
        evaluators = _evaluators(able, cache)
        page = _first_page(chosen, dft_points, evaluators, dft, lacking)
        _save(output, page)
        picture = output.suffix in _PICTURES
        typer.echo(f"wrote {output}" + ("" if picture else f", without {page.pending} as yet"))
        if not picture:
            page = _whole_page(page, chosen, dft_points, evaluators, library, contracts)
            _save(output, page)
            typer.echo(f"wrote {output}, complete")
        elif write is not None:
            # points of the slices that the picture lacks are wanted too
            page = _whole_page(page, chosen, dft_points, evaluators, 0, contracts=False)
    if write is not None:
        for path in _write_points(write, [view.comparison for view in page.views], dft, formats):
            typer.echo(f"wrote {path}")
    _say_results(page)
    if page.failures:
        raise typer.Exit(1)


def _models(names: tuple[str, ...], checkpoints: list[str], device: str) -> list[EnergyModel]:
    from symscape.models.several import match_checkpoints, resolve_all
    from symscape.models.spec import ModelSpec

    if not names:
        raise SymscapeError("--mlip names no potential; see symscape models.")
    wanted = match_checkpoints(tuple(dict.fromkeys(names)), checkpoints)
    made = resolve_all(
        ModelSpec(name, checkpoint=weights, device=device) for name, weights in wanted
    )
    for model in made.values():
        model.check_installed()
    return list(made.values())


def _evaluators(models: list[EnergyModel], cache: object) -> dict[str, Evaluator]:
    from symscape.models.evaluate import Evaluator

    return {model.card.name: Evaluator(model, cache) for model in models}  # type: ignore[arg-type]


def _dft_points(chosen: list[Slice], files: list[Path]) -> list[DftPoints | None]:
    """Place the user's DFT energies on the slices, and say which lie on none."""
    if not files:
        return [None] * len(chosen)
    from symscape.crystal.slice import slice_titles
    from symscape.dft.importer import read_images
    from symscape.science.landscape.overlay import place_points

    images = read_images(files)
    placed = [place_points(one, images) for one in chosen]
    known = {name for points, _ in placed for name in points.names}
    lost = [image.name for image in images if image.name not in known]
    names = "; ".join(slice_titles(chosen))
    if not known:
        raise SymscapeError(
            f"--against {files[0]}: none of the {len(images)} geometries lies on {names}; choose "
            "the coordinates that they differ in with --axes, or give the slice they were made of."
        )
    if lost:
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        say_notices([f"{lost[0]}{more} lies on none of the slices {names} and is left out"])
    return [points if points.names else None for points, _ in placed]


def _first_page(
    chosen: list[Slice],
    dft_points: list[DftPoints | None],
    evaluators: dict[str, Evaluator],
    dft: int,
    lacking: dict[str, str],
) -> LandscapePage:
    """Ask for the first slice alone, so that there is something to look at.

    Models that lack an element are not asked: their failures are known.
    """
    from symscape.explore import ask_slice
    from symscape.page.landscape_page import LandscapePage

    view, failed = ask_slice(chosen[0], evaluators, dft_points[0])
    failures = lacking | failed
    if view is None:
        raise SymscapeError("; ".join(f"{name}: {why}" for name, why in failures.items()))
    more = "the other slices, " if len(chosen) > 1 else ""
    return LandscapePage(
        chosen[0].crystal.formula, [view], failures, dft, pending=f"{more}contracts and the library"
    )


def _whole_page(
    page: LandscapePage,
    chosen: list[Slice],
    dft_points: list[DftPoints | None],
    evaluators: dict[str, Evaluator],
    library: int,
    contracts: bool,
) -> LandscapePage:
    """Ask for the rest: other slices, contracts on the crystal, the library's materials."""
    from symscape.explore import ask_slice, check_contracts, distances_in_library

    views: list[ComparedSlice] = list(page.views)
    failures = dict(page.failures)
    good = {name: one for name, one in evaluators.items() if name not in failures}
    for one, points in zip(chosen[1:], dft_points[1:], strict=True):
        view, failed = ask_slice(one, good, points)
        failures |= failed
        views += [view] if view is not None else []
    good = {name: one for name, one in good.items() if name not in failures}
    found = {}
    for name, evaluator in good.items() if contracts else ():
        try:
            found[name] = check_contracts(evaluator, chosen[0].crystal)
        except SymscapeError as error:
            failures[name] = f"its contracts could not be checked: {error}"
    beside = distances_in_library(good, chosen[0].crystal, library) if library else None
    return replace(
        page, views=views, failures=failures, contracts=found, library=beside, pending=""
    )


def _say_results(page: LandscapePage) -> None:
    """Say on the terminal how wrong models are, and what failed."""
    for view, title in zip(page.views, page.slice_titles, strict=True):
        alone = view.points is not None and len(view.points.names) == 1
        if alone:
            typer.echo(f"{title}  one DFT point, which is the zero: nothing to compare")
        for one in () if alone else view.errors:
            # DFT energies that are all alike have no slope
            slope = f", slope {one.softening:.2f}" if math.isfinite(one.softening) else ""
            typer.echo(
                f"{title}  {one.model}: mean absolute error "
                f"{one.mean_absolute:.1f}, mean {round(one.mean, 1) + 0.0:+.1f} meV/atom against "
                f"{len(one.errors)} DFT points{slope}"
            )
        if view.falls_off:
            falls = f"energies on {title} go on falling where the grid ends: the structure is not "
            say_notices([falls + "what it should be, or has to be relaxed first"])
    for name, reason in page.failures.items():
        typer.echo(f"symscape: {name}: {reason}", err=True)


def _check_output(path: Path) -> None:
    """Refuse before anything is evaluated what can't be written."""
    if path.suffix not in (".html", *_PICTURES):
        ends = ", ".join((".html", *_PICTURES))
        raise SymscapeError(f"--output {path}: name a file that ends in {ends}.")
    if not path.parent.is_dir():
        raise SymscapeError(f"--output {path}: there is no folder {path.parent}.")


def _save(path: Path, page: LandscapePage) -> None:
    from symscape.files import write_atomically
    from symscape.page.landscape_page import comparison_figure, render_landscape_page

    with writing(path, "the landscape", "choose another place"):
        if path.suffix != ".html":
            view = page.views[0]
            comparison_figure(view.comparison, view.overlay).savefig(path)
            return
        write_atomically(path, render_landscape_page(page))


def _formats(names: str) -> tuple[str, ...]:
    """Return the formats that points are written in."""
    formats = split_names(names)
    for name in formats:
        if name not in POINT_FORMATS:
            raise SymscapeError(
                f"--write-as is {name!r}; there are {', '.join(POINT_FORMATS)}"
                f"{did_you_mean(name, POINT_FORMATS)}"
            )
    return formats


def _write_points(
    folder: Path, comparisons: list[ModelComparison], count: int, formats: tuple[str, ...]
) -> list[Path]:
    """Write the structures that a first DFT calculation should ask, and return the paths."""
    from ase.io import write as write_atoms
    from pymatgen.io.ase import AseAtomsAdaptor
    from pymatgen.io.cif import CifWriter

    from symscape.crystal.slice import slice_titles

    written = []
    with writing(folder, "the points", "choose another place"):
        folder.mkdir(parents=True, exist_ok=True)
        titles = slice_titles([comparison.slice for comparison in comparisons])
        for comparison, title in zip(comparisons, titles, strict=True):
            one, stem = comparison.slice, re.sub(r"[^\w-]+", "-", title).strip("-")
            images = []
            for i, j in comparison.first_points(count):
                atoms = one.structures().atoms(i * one.shape[1] + j)
                atoms.info = {"i": i, "j": j}
                images.append(atoms)
                if "poscar" in formats:
                    path = folder / f"{stem}-{i}-{j}.vasp"
                    write_atoms(path, atoms, format="vasp", direct=True, sort=True)
                    written.append(path)
                if "cif" in formats:
                    # ASE's own has five decimals, too few to be found on the grid again
                    path = folder / f"{stem}-{i}-{j}.cif"
                    structure = AseAtomsAdaptor.get_structure(atoms)
                    CifWriter(structure, significant_figures=10).write_file(path)
                    written.append(path)
            if "extxyz" in formats:
                path = folder / f"{stem}.extxyz"
                write_atoms(path, images, format="extxyz")
                written.append(path)
    return written
