"""``symscape init``: benchmarks, tolerances and a workflow for a repository of one's own."""

from __future__ import annotations

import shlex
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from symscape.errors import SymscapeError

#: file that is written -> its template
FILES = {
    "benchmarks/conftest.py": "conftest.py.txt",
    "benchmarks/test_landscapes.py": "test_landscapes.py.txt",
    "references/README.md": "references.md",
    "tolerances.toml": "tolerances.toml",
    ".github/workflows/energy-landscapes.yml": "energy-landscapes.yml",
}


def init(
    folder: Annotated[Path, typer.Argument(help="The repository; by default, here.")] = Path(),
    mlip: Annotated[
        str, typer.Option(help="The potential that the workflow judges, as for the suite.")
    ] = "chgnet",
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Weights in the repository, of the family that --mlip names."),
    ] = None,
) -> None:
    """Write benchmarks, a tolerance file and a CI workflow into a repository of one's own.

    benchmarks/ asks a potential for the energies of the slices that come with symscape and of
    those in references/, where one's own go; its conftest.py is for fixtures of one's own. Nothing
    that is there already is overwritten.
    """
    contents = repository_files(mlip, checkpoint)
    there = [name for name in contents if (folder / name).exists()]
    if there:
        raise SymscapeError(
            f"{folder / there[0]}: is there already, so nothing was written; move it away "
            "or name another folder."
        )
    from symscape.files import write_atomically

    try:
        for name, text in contents.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / name, text)
            typer.echo(f"wrote {folder / name}")
    except OSError as error:
        raise SymscapeError(f"{folder}: can't be written to ({error.strerror}).") from error
    typer.echo(f"now: symscape run {' '.join(_model_options(mlip, checkpoint))}")


def repository_files(mlip: str, checkpoint: Path | None = None) -> dict[str, str]:
    """Return the files that `init` writes, by their paths.

    Raises
    ------
    ModelError
        If there is no such potential, or a checkpoint without a family.
    """
    from symscape.questions.energies import MAE

    own = f"symscape=={version('symscape')}"
    family = _family(mlip, checkpoint)
    install = [own.replace("==", f"[{family}]==")] if family else [".", own]
    tokens = {
        "@INSTALL@": " ".join(f'"{word}"' for word in install),
        "@MODEL@": " ".join(_model_options(mlip, checkpoint)),
        "@METRIC@": MAE.name,
    }
    contents = {}
    for name, template in FILES.items():
        text = (files("symscape.cli") / "templates" / template).read_text(encoding="utf-8")
        for token, value in tokens.items():
            text = text.replace(token, value)
        contents[name] = text
    return contents


def _family(mlip: str, checkpoint: Path | None) -> str:
    """Return the family whose package is needed; empty for a calculator of one's own."""
    from symscape.models.families import OWN, families
    from symscape.models.registry import find_card

    if checkpoint is not None and mlip not in families():
        raise SymscapeError(
            f"--checkpoint goes with a family, but --mlip is {mlip!r}; take one of "
            f"{', '.join(sorted(families()))}."
        )
    if ":" in mlip:
        return ""
    family = mlip if checkpoint is not None else find_card(mlip).family
    return family if family in OWN else ""


def _model_options(mlip: str, checkpoint: Path | None) -> list[str]:
    weights = [] if checkpoint is None else ["--checkpoint", checkpoint.as_posix()]
    return [shlex.quote(word) for word in ["--mlip", mlip, *weights]]
