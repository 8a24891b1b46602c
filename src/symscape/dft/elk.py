"""Elk, a full-potential all-electron code [1]_, for energies that hold our own to account.

Nothing is pseudized, so that an error of a PAW dataset shows. What has to be chosen is the size of
the muffin-tin spheres, one for all points that are compared, and how far the plane waves between
them reach.

References
----------
.. [1] J. K. Dewhurst, S. Sharma et al., https://elk.sourceforge.io; Debian's package elk-lapw.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from symscape.decode import Finite
from symscape.errors import EngineError

COMMAND = "elk-lapw"
#: where Debian's package keeps the atoms' species files
SPECIES = Path("/usr/share/elk-lapw/species")
_BOHR_A = 0.529177210903
_HARTREE_EV = 27.211386245988
_CONVERGED = "Convergence targets achieved"
_LDA, _PBE = 3, 20
_ORBITALS = ": nlorb"
#: s, p, d and f states get local orbitals beyond those of Elk's species files
_ADDED_L = 4
#: radial functions of a local orbital: energy in hartree, energy derivative, searched for or not
_VALENCE, _SLOPE, _HIGH = "0.1500  0  F", "0.1500  1  F", "2.0000  0  F"
#: deep states lie so much higher in a crystal than in the atom, whose energies species files hold
_RISE = 0.4


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What decides how good Elk's energies are.

    Parameters
    ----------
    radii_bohr
        Of the muffin-tin spheres, by element; they must not overlap at any point.
    semicore
        Core states, by element, that are made valence states of their own: principal and angular
        quantum number and about the energy in hartree.
    rgkmax
        Longest wave vector of the plane waves, times the smallest radius.
    k_mesh, k_shift
        k-points along each reciprocal vector, and the mesh's offset in steps of it.
    smearing_eV
        Width of the Fermi-Dirac distribution.
    """

    radii_bohr: Mapping[str, Finite]
    semicore: Mapping[str, tuple[tuple[int, int, Finite], ...]] = field(default_factory=dict)
    rgkmax: Finite
    k_mesh: tuple[int, int, int]
    k_shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    smearing_eV: float = 0.05


def species_text(standard: str, radius: float, semicore: tuple[tuple[int, int, float], ...]) -> str:
    """Return a species file with another radius, more local orbitals and fewer core states.

    Parameters
    ----------
    standard
        The file that comes with Elk.
    radius
        Of the muffin-tin sphere, bohr.
    semicore
        Core states (n, l, energy in hartree) that become valence states, each with a local
        orbital of that energy.
    """
    raised = {(principal, angular) for principal, angular, _ in semicore}
    plain = _linearized(standard)
    added = [(angular, _SLOPE) for angular in range(_ADDED_L) if angular not in plain]
    added += [(angular, _HIGH) for angular in range(_ADDED_L)]
    added += [(angular, _fixed(energy)) for _, angular, energy in semicore]
    lines = []
    for line in standard.splitlines():
        words = line.split()
        if line.endswith("nrmt"):
            line = (
                f"  {words[0]}  {radius:.4f}  {words[2]}  {words[3]}  : rminsp, rmt, rmaxsp, nrmt"
            )
        elif line.endswith(_ORBITALS):
            line = f"  {int(words[0]) + len(added)}  {_ORBITALS}"
        elif len(words) >= 5 and words[4] == "T" and (int(words[0]), int(words[1])) in raised:
            line = line.replace("T", "F", 1)
        elif words[1:3] == ["0", "T"]:
            line = f"  {_fixed(float(words[0]) + _RISE)}"
        lines.append(line)
    for angular, second in added:
        lines += [f"  {angular}  2", f"  {_VALENCE}", f"  {second}"]
    return "\n".join(lines) + "\n"


def _fixed(energy: float) -> str:
    """Return a radial function of one energy, in hartree, the same at all points."""
    return f"{energy:.4f}  0  F"


def _linearized(standard: str) -> set[int]:
    """Return the angular momenta that have a local orbital of a radial function and its slope."""
    rows = [line.split(":")[0].split() for line in standard.split(_ORBITALS)[1].splitlines()[1:]]
    pair = [_VALENCE.split(), _SLOPE.split()]
    return {
        int(head[0]) for head, *rest in zip(rows, rows[1:], rows[2:], strict=False) if rest == pair
    }


def input_text(
    symbols: list[str],
    positions: np.ndarray,
    cell: np.ndarray,
    basis: Basis,
    *,
    from_atoms: bool = False,
) -> str:
    """Return ``elk.in`` for one energy with PBE, from the density of a ``STATE.OUT``.

    Parameters
    ----------
    symbols
        Of the atoms.
    positions, cell
        Cartesian, (n_atoms, 3) and (3, 3), angstrom.
    basis
        The numerical settings.
    from_atoms
        Ask for a density in place of that: the local density approximation, from overlapping
        atoms and roughly converged. PBE's potential of overlapping atoms is so rough that the
        first steps wander.
    """
    shift = " ".join(f"{part:g}" for part in basis.k_shift)
    blocks = {
        "tasks": "0\n" if from_atoms else "1\n",
        "xctype": _LDA if from_atoms else _PBE,
        "isgkmax": -3,  # rgkmax is that of the smallest sphere
        "rgkmax": f"{basis.rgkmax:g}",
        "gmaxvr": 16,
        "lmaxapw": 8,
        "lmaxo": 8,
        # every fourth radial point, as by default, puts MgS off by 13 meV/atom at a short bond
        "lradstp": 1,
        "nempty": 6,
        "stype": 3,
        "swidth": f"{basis.smearing_eV / _HARTREE_EV:.10f}",
        "epspot": "1e-3" if from_atoms else "1e-6",
        "epsengy": "1e-3" if from_atoms else "1e-6",
        # Broyden's is the faster; from overlapping atoms it can go astray
        "mixtype": 1 if from_atoms else 3,
        "maxscl": 80,
        "ngridk": " ".join(map(str, basis.k_mesh)),
        "vkloff": shift,
        "sppath": "'./'",
        "avec": "\n".join(_row(vector) for vector in cell / _BOHR_A),
        "atoms": _atoms(symbols, np.linalg.solve(cell.T, positions.T).T),
    }
    return "\n".join(f"{name}\n{value}\n" for name, value in blocks.items())


def _row(vector: np.ndarray) -> str:
    return " ".join(f"{part:.12f}" for part in vector)


def _atoms(symbols: list[str], fractional: np.ndarray) -> str:
    kinds = list(dict.fromkeys(symbols))
    lines = [str(len(kinds))]
    for kind in kinds:
        rows = [row for row, symbol in zip(fractional, symbols, strict=True) if symbol == kind]
        lines += [f"'{kind}.in'", str(len(rows)), *(f"{_row(row)} 0 0 0" for row in rows)]
    return "\n".join(lines)


def read_energy(text: str, where: str) -> float:
    """Return the energy of an ``INFO.OUT``, extrapolated to zero smearing, in eV.

    Elk's total energy is the free one, F = E - TS; with a Fermi-Dirac distribution the energy at
    zero smearing is near F + TS / 2.

    Raises
    ------
    EngineError
        If the run did not converge.
    """
    totals = re.findall(r"^ total energy\s+:\s*(\S+)", text, re.MULTILINE)
    entropies = re.findall(r"^ electron entropic\s+:\s*(\S+)", text, re.MULTILINE)
    if _CONVERGED not in text or not totals or not entropies:
        raise EngineError(f"{where}: Elk did not converge; see INFO.OUT there.")
    return (float(totals[-1]) - float(entropies[-1]) / 2) * _HARTREE_EV


def version_of(text: str) -> str:
    """Return Elk's version from an ``INFO.OUT``, empty if it does not tell."""
    found = re.search(r"Elk version (\S+) started", text)
    return found[1] if found else ""


def compute_energy(
    folder: Path,
    symbols: list[str],
    positions: np.ndarray,
    cell: np.ndarray,
    basis: Basis,
    start: Path | None = None,
) -> float:
    """Run Elk, unless the folder holds the finished run of the same input, and return the energy.

    Parameters
    ----------
    folder
        Where input and output go.
    symbols, positions, cell
        The structure, angstrom.
    basis
        The numerical settings.
    start
        Folder of a finished run of nearly the same structure, whose density is where this begins.

    Returns
    -------
    float
        In eV a cell, extrapolated to zero smearing.

    Raises
    ------
    EngineError
        If Elk or an element's species file is not there, or a run does not converge.
    """
    missing = set(symbols) - basis.radii_bohr.keys()
    if missing:
        raise EngineError(f"{folder}: there is no radius for {', '.join(sorted(missing))}; add it.")
    text = input_text(symbols, positions, cell, basis)
    told, output = folder / "elk.in", folder / "INFO.OUT"
    if told.is_file() and told.read_text(encoding="utf-8") == text and output.is_file():
        finished = output.read_text(encoding="utf-8", errors="replace")
        if _CONVERGED in finished:
            return read_energy(finished, str(folder))
    if shutil.which(COMMAND) is None or not SPECIES.is_dir():
        raise EngineError(
            f"{COMMAND} and its species in {SPECIES} are needed; 'apt-get install elk-lapw' brings "
            "both."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for kind in dict.fromkeys(symbols):
        standard = (SPECIES / f"{kind}.in").read_text(encoding="utf-8")
        own = species_text(standard, basis.radii_bohr[kind], tuple(basis.semicore.get(kind, ())))
        (folder / f"{kind}.in").write_text(own, encoding="utf-8")
    if start is None:
        _run(folder, input_text(symbols, positions, cell, basis, from_atoms=True))
    else:
        shutil.copy(start / "STATE.OUT", folder / "STATE.OUT")
    _run(folder, text)
    return read_energy(output.read_text(encoding="utf-8", errors="replace"), str(folder))


def _run(folder: Path, text: str) -> None:
    (folder / "elk.in").write_text(text, encoding="utf-8")
    with (folder / "elk.out").open("w", encoding="utf-8") as log:
        subprocess.run([COMMAND], cwd=folder, stdout=log, stderr=log, check=False)
