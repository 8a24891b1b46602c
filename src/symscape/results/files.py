"""Results files: written at once, and read with everything in them checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from symscape.arguments import named_arguments
from symscape.decode import DecodeError, decode, dumps, encode
from symscape.errors import ResultsFileError
from symscape.files import write_atomically
from symscape.questions.records import plain_case, read_case
from symscape.results.consistency import check_consistency
from symscape.results.names import with_present_names
from symscape.results.run_results import ENERGY_DECIMALS, RunResults
from symscape.results.upgrade import present_schema, read_document


def save_results(path: str | Path, run: RunResults) -> Path:
    """Write a results file at once: a reader sees the old file or the new one, never half of one.

    Energies are rounded to 1e-6 eV/atom; numbers that are not finite are written as null.

    Raises
    ------
    OSError
        If the folder can't be made or written to.
    """
    path = Path(path)
    document = {
        "schema": present_schema(),
        **encode(replace(run, cases=())),
        "cases": [plain_case(case) for case in round_energies(run).cases],
    }
    write_atomically(path, dumps(document) + "\n")
    return path


def round_energies(run: RunResults) -> RunResults:
    """Return a run with the energies that its file will have, rounded to 1e-6 eV/atom."""
    cases = tuple(replace(case, energies=_rounded(case.energies)) for case in run.cases)
    return replace(run, cases=cases)


@named_arguments
def load_results(path: str | Path) -> RunResults:
    """Read a results file of this or an earlier schema version and check all of it.

    A null where a number belongs is read as NaN.

    Raises
    ------
    ResultsFileError
        If the file is missing, is not JSON, is of a newer schema, lacks a field or contradicts
        itself; the sentence names the field.
    """
    path = Path(path)
    document = with_present_names(read_document(path))
    try:
        run = _with_cases(document)
        check_consistency(run)
    except DecodeError as error:
        raise ResultsFileError(
            f"{path}: {error}; run the suite again to remake the file."
        ) from None
    return run


def _with_cases(document: dict[str, Any]) -> RunResults:
    """Read a run, whose cases their questions read."""
    records = decode(tuple[Any, ...], document.get("cases", []), "cases")
    others = {**document, "cases": []} if "cases" in document else document
    run: RunResults = decode(RunResults, others, "")
    cases = (read_case(record, f"cases[{k}]") for k, record in enumerate(records))
    return replace(run, cases=tuple(cases))


def _rounded(energies: list[list[float | None]] | None) -> list[list[float | None]] | None:
    if energies is None:
        return None
    return [[None if e is None else round(e, ENERGY_DECIMALS) for e in row] for row in energies]
