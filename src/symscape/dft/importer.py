"""Grids computed elsewhere: every geometry is found on the grid or refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.decode import Finite, decode, encode
from symscape.dft.engine import stated_method
from symscape.dft.events import PointDone
from symscape.dft.grid_ledger import (
    SAME_GEOMETRY_A,
    GridLedger,
    match_to_grid,
    open_ledger,
)
from symscape.dft.grid_run import start_event
from symscape.dft.journal import Journal
from symscape.dft.matching import GridMatcher, Match
from symscape.dft.plan import Plan
from symscape.dft.plan_tables import read_table
from symscape.errors import PlanError
from symscape.references.landscape_files import load_reference, stored_points
from symscape.references.method import Method
from symscape.references.point_records import PointRecord
from symscape.references.provenance import PartialProvenance
from symscape.references.reference import LandscapeReference

if TYPE_CHECKING:
    from ase import Atoms

#: two energies for one grid point may differ by this much, eV/atom
SAME_ENERGY_EV_ATOM = 1e-3
_VASP_FILES = ("vasprun.xml", "vasprun.xml.gz", "OUTCAR")


@dataclass(frozen=True, eq=False)
class Image:
    """A geometry with its energy, and where it is from.

    Parameters
    ----------
    atoms
        With a calculator that holds the results: energy (eV), and if known free energy, forces
        (eV/angstrom) and stress (eV/angstrom^3).
    name
        For messages and for the journal.
    """

    atoms: Atoms
    name: str


@dataclass(frozen=True)
class ImportOutcome:
    """What an import did.

    Parameters
    ----------
    added
        How many points are new in the journal.
    known
        How many were there already, with the same energy.
    missing
        How many of the grid's irreducible points have no energy yet.
    largest_deviation_A
        Of the geometries from their grid points, angstrom.
    """

    added: int
    known: int
    missing: int
    largest_deviation_A: float


def read_images(paths: Iterable[str | Path]) -> list[Image]:
    """Read geometries with energies.

    Parameters
    ----------
    paths
        Files that ASE reads (all frames of an extxyz or trajectory file, the last step of a
        vasprun.xml or OUTCAR), or folders, searched for VASP outputs and extxyz files.

    Raises
    ------
    PlanError
        If a file can't be read, a folder holds nothing, or a frame has no energy.
    """
    images: list[Image] = []
    for path in map(Path, paths):
        files = [path]
        if path.is_dir():
            files = _files_in(path)
            if not files:
                raise PlanError(
                    f"{path}: the folder holds no vasprun.xml, OUTCAR, .extxyz or .xyz file."
                )
        for file in files:
            images += _read_file(file)
    return images


def _files_in(folder: Path) -> list[Path]:
    """Return the folder's files with results; one of each folder that VASP ran in."""
    found = sorted(p for p in folder.rglob("*") if p.suffix in (".extxyz", ".xyz"))
    for sub in sorted({folder, *(p for p in folder.rglob("*") if p.is_dir())}):
        outputs = [sub / name for name in _VASP_FILES if (sub / name).is_file()]
        found += outputs[:1]
    return found


def _read_file(path: Path) -> list[Image]:
    from ase.io import read

    is_vasp = any(word in path.name.lower() for word in ("vasprun", "outcar"))
    try:
        frames = read(path, index="-1:" if is_vasp else ":")
    except FileNotFoundError:
        raise PlanError(f"{path}: there is no such file; check the path.") from None
    except Exception as error:  # ASE's readers raise whatever their format makes them trip over
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise PlanError(
            f"{path}: ASE can't read this file ({text}); give extxyz, vasprun.xml or OUTCAR."
        ) from None
    if not frames:
        raise PlanError(f"{path}: the file holds no structure.")
    many = len(frames) > 1
    return [Image(atoms, f"{path}@{k}" if many else str(path)) for k, atoms in enumerate(frames)]


def import_points(
    plan: Plan,
    images: Iterable[Image | Atoms],
    *,
    method: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
    command: str = "",
) -> ImportOutcome:
    """Put energies from elsewhere into a plan's journal; ``finish`` then makes the reference.

    Either all images fit the grid or nothing is written.

    Parameters
    ----------
    plan
        Names the slice and states how the energies were computed.
    images
        Geometries with results, see ``Image``.
    method
        Added to what the plan states: code, version, datasets, ...; None takes a statement out.
    provenance
        Added to what the plan says: source, licence, citation, ...
    command
        Command line for the provenance.

    Raises
    ------
    PlanError
        If the plan does not state functional and code, or an image lies on no grid point, has no
        energy, or contradicts one that is already there.
    """
    extra = method or {}
    stated = plan.stated_settings if plan.engine.name == "import" else None
    if stated is not None and "functional" not in (*stated, *extra):
        raise PlanError(
            f"{plan.path}: state the functional under [settings], with the cut-off and whatever "
            "else is known of how the imported energies were computed."
        )
    if plan.engine.name != "gpaw" and not (plan.engine.code or extra.get("code")):
        raise PlanError(
            f"{plan.path}: name the code that computed the imported energies, with --code or under "
            "[engine]."
        )
    with Journal(plan.journal_path) as journal:
        ledger = open_ledger(plan)
        named = [
            image if isinstance(image, Image) else Image(image, f"image {k}")
            for k, image in enumerate(images)
        ]
        events, known, deviation = _place(plan, ledger, named)
        if events:
            whole = {**encode(stated_method(plan.engine, ledger.settings, stated)), **extra}
            told = {key: value for key, value in whole.items() if value is not None}
            start = start_event(plan, ledger, read_table(Method, told, "method"), command)
            if provenance:
                said = read_table(PartialProvenance, dict(provenance), "provenance")
                start = replace(start, provenance=said)
            journal.append(start)
        for event in events:
            journal.append(event)
    after = open_ledger(plan)
    return ImportOutcome(len(events), known, len(after.order) - len(after.done), deviation)


def import_stored(plan: Plan, path: str | Path, *, command: str = "") -> ImportOutcome:
    """Take a stored reference into a plan's journal, to check it, go on with it or extend it.

    Its method and provenance stay as they are stored.

    Raises
    ------
    ReferenceFileError
        If the file is malformed or contradicts its slice.
    PlanError
        If one of its points lies on no grid point of the plan.
    """
    reference = load_reference(path)
    cutoff = reference.method.cutoff_eV
    if cutoff is not None and cutoff != plan.settings.cutoff_eV:
        raise PlanError(
            f"{plan.path}: the cut-off is {plan.settings.cutoff_eV:g} eV, but {path} was computed "
            f"with {cutoff:g} eV; set the plan's to that."
        )
    events = [
        _stored_event(reference, point)
        for point in stored_points(path, reference.slice)
        if point.energy_eV is not None
    ]
    with Journal(plan.journal_path) as journal:
        ledger = open_ledger(plan)
        new = []
        for event, index in zip(events, match_to_grid(plan.slice, events), strict=True):
            if index is None:
                raise PlanError(
                    f"{plan.path}: point ({event.i}, {event.j}) of {path} lies on no grid point "
                    "of the plan; correct the plan's crystal and axes."
                )
            if index not in ledger.points:
                i, j = divmod(index, plan.slice.shape[1])
                new.append(replace(event, i=i, j=j))
        if new:
            # what the journal will tell anew is left out
            kept = replace(
                reference.provenance,
                complete=None,
                convergence=None,
                equivalents=None,
                failed_points=None,
            )
            start = start_event(plan, ledger, reference.method, command)
            journal.append(replace(start, provenance=kept))
        for event in new:
            journal.append(event)
    after = open_ledger(plan)
    return ImportOutcome(
        len(new), len(events) - len(new), len(after.order) - len(after.done), SAME_GEOMETRY_A
    )


def _stored_event(reference: LandscapeReference, point: PointRecord) -> PointDone:
    """Return the journal's line for a stored point, whose arrays loading has checked."""
    u, v = reference.slice.grid_values[point.i * reference.slice.shape[1] + point.j]
    said = encode(point) | {
        "u": round(float(u), 12),
        "v": round(float(v), 12),
        "imported": f"{reference.id} {point.i} {point.j}",
    }
    event: PointDone = decode(PointDone, said, f"points of {reference.id}")
    # what else a point says, the values of its axes, the journal has as u and v
    return replace(event, as_read={})


def _place(
    plan: Plan, ledger: GridLedger, images: list[Image]
) -> tuple[list[PointDone], int, float]:
    """Return the journal's new events, how many points it had already, and the worst deviation."""
    matcher = GridMatcher(plan.slice)
    taken: dict[int, tuple[float, str]] = {
        k: (event.energy_eV, "the journal") for k, event in ledger.points.items()
    }
    n_atoms = len(plan.slice.atom_indices())
    events: list[PointDone] = []
    known = 0
    deviation = 0.0
    for image in images:
        energy = image_energy(image) * n_atoms / len(image.atoms)
        matches = _matches(plan, matcher, image)
        free = [match for match in matches if match.index not in taken]
        deviation = max(deviation, (free or matches)[0].deviation_A)
        if not free:
            other, where = taken[matches[0].index]
            apart = abs(energy - other) / n_atoms
            if apart > SAME_ENERGY_EV_ATOM:
                i, j = divmod(matches[0].index, plan.slice.shape[1])
                raise PlanError(
                    f"{image.name}: the energy at grid point ({i}, {j}) is "
                    f"{1000 * apart:.1f} meV/atom away from that of {where}; leave one of them out."
                )
            known += 1
            continue
        taken[free[0].index] = (energy, image.name)
        events.append(_event(plan, free[0], image, energy))
    return events, known, deviation


def _matches(plan: Plan, matcher: GridMatcher, image: Image) -> list[Match]:
    """Return where an image fits: only as it stands if it is not turned, else everywhere."""
    if not matcher.composition_fits(image.atoms):
        raise PlanError(
            f"{image.name}: {image.atoms.get_chemical_formula()} is not made of the "
            f"{len(matcher.numbers)} atoms of {plan.material}'s primitive cell; give the plan's "
            "material."
        )
    matches = matcher.matches(image.atoms)
    if not matches:
        raise PlanError(
            f"{image.name}: the geometry lies on no grid point of {plan.material} {plan.slice.name}"
            f" within {matcher.tolerance_A:g} angstrom; correct the plan's crystal and axes, or "
            "leave it out."
        )
    if plan.slice.mask.ravel()[matches[0].index]:
        i, j = divmod(matches[0].index, plan.slice.shape[1])
        raise PlanError(
            f"{image.name}: grid point ({i}, {j}) is masked because atoms are too close; lower the "
            "plan's mask_ratio or leave it out."
        )
    straight = [match for match in matches if match.turned < 1e-6]
    return straight or matches


def image_energy(image: Image) -> float:
    """Return an image's energy in eV, extrapolated to zero smearing where the code tells it."""
    atoms = image.atoms
    results = atoms.calc.results if atoms.calc is not None else {}
    energy = results.get("energy", atoms.info.get("energy"))
    if energy is None or not np.isfinite(energy):
        raise PlanError(f"{image.name}: the geometry has no energy; give one with each structure.")
    return float(energy)


def _event(plan: Plan, match: Match, image: Image, energy: float) -> PointDone:
    """Return the journal's line for an image, turned into the grid point's axes and atom order."""
    from ase.stress import voigt_6_to_full_3x3_stress as full

    i, j = divmod(match.index, plan.slice.shape[1])
    u, v = (Finite(round(float(x), 12)) for x in plan.slice.grid_values[match.index])
    results = dict(image.atoms.calc.results) if image.atoms.calc is not None else {}
    share = len(match.order) / len(image.atoms)
    free, steps, seconds = (results.get(k) for k in ("free_energy", "scf_steps", "seconds"))
    forces = voigt = None
    if results.get("forces") is not None:
        turned = match.vectors(np.asarray(results["forces"], dtype=float))
        forces = (np.round(turned, 6) + 0.0).tolist()
    if results.get("stress") is not None and plan.moves_lattice:
        s = match.tensor(full(np.asarray(results["stress"], dtype=float)))
        upper = [s[0, 0], s[1, 1], s[2, 2], s[1, 2], s[0, 2], s[0, 1]]
        voigt = (np.round(upper, 8) + 0.0).tolist()
    return PointDone(
        i=i,
        j=j,
        u=u,
        v=v,
        imported=image.name,
        energy_eV=Finite(round(energy, 8)),
        forces_eV_A=forces,
        free_energy_eV=None if free is None else Finite(round(float(free) * share, 8)),
        stress_eV_A3=voigt,
        scf_steps=None if steps is None else int(steps),
        seconds=None if seconds is None else Finite(float(seconds)),
        cell_A=(np.round(match.cell, 8) + 0.0).tolist(),
        positions=(np.round(match.positions, 8) + 0.0).tolist(),
    )
