"""What ``--help`` says beyond the docstrings: order of the commands, one line each, examples."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    import typer

#: the commands as ``symscape --help`` lists them, one line of at most 60 characters each
SUMMARIES: dict[str, str] = {
    "run": "Run the benchmark: pytest on benchmarks/, with its options.",
    "init": "Write benchmarks and a CI workflow into a repository.",
    "models": "List the registered potentials, or show one's card.",
    "materials": "List the stored references.",
    "draw": "Draw one figure of a potential on one slice.",
    "landscape": "Draw potentials on slices of any crystal, without DFT.",
    "slices": "Show a crystal's Wyckoff positions and propose slices.",
    "reference": "Compute, check and import references.",
    "import": "Make a data set of crystals with energies.",
    "hull": "Compare formation energies and hulls of a data set.",
    "history": "Draw each metric over checkpoints or commits.",
    "merge": "Join results of parts of the suite in one file.",
    "leaderboard": "Build the leaderboard from results files.",
    "validate": "Check model cards and results files.",
    "check-run": "Look whether a run left a new and whole report.",
    "cache": "Look at or clear the energies that are kept on disk.",
}

#: command -> what its help gives as examples
EXAMPLES: dict[str, tuple[str, ...]] = {
    "run": (
        "symscape run --mlip chgnet -k PbTiO3",
        "symscape run --mlip mypackage.mymodule:make_calculator -n 2",
        "symscape run --suite ../symscape --mlip 7net-0 --tolerances strict",
        "symscape run -- --help          (all options of pytest and the suite)",
    ),
    "init": (
        "symscape init",
        "symscape init my-potential --mlip mypackage.mymodule:make_calculator",
    ),
    "models": ("symscape models", "symscape models show 7net-0"),
    "models show": ("symscape models show 7net-0",),
    "models time": ("symscape models time chgnet 7net-0",),
    "materials": (
        "symscape materials",
        "symscape materials PbTiO3 --references references",
        "symscape materials --summary",
    ),
    "draw": (
        "symscape draw PbTiO3-P4mm --mlip chgnet --kind forces -o forces.png",
        "symscape draw GeTe-R3m --mlip 7net-0 --kind relief -o relief.png",
    ),
    "landscape": (
        "symscape landscape BaTiO3.cif --mlip chgnet,7net-0 -o BaTiO3.html",
        "symscape landscape SrTiO3.cif --subgroup I4/mcm --dft 12 --write points/",
        "symscape landscape SnO2.cif --mlip chgnet,mace --checkpoint mace=run.model",
    ),
    "slices": (
        "symscape slices BaTiO3.cif",
        "symscape slices BaTiO3.cif --points 11 --write slices/",
    ),
    "reference": (
        "symscape reference plan BaTiO3.cif --write references/plans/BaTiO3.toml",
        "symscape reference run references/plans/BaTiO3.toml --jobs 2",
    ),
    "reference plan": (
        "symscape reference plan BaTiO3.cif --points 11 --write plans/BaTiO3.toml",
        "symscape reference plan plans/BaTiO3.toml",
    ),
    "reference run": ("symscape reference run plans/BaTiO3.toml --jobs 2 --nice 10",),
    "reference verify": ("symscape reference verify",),
    "reference curves": ("symscape reference curves plans/equations-of-state.toml --nice 10",),
    "reference lines": ("symscape reference lines plans/all-electron.toml",),
    "reference status": ("symscape reference status",),
    "reference relax": ("symscape reference relax plans/BaTiO3.toml",),
    "reference check": (
        "symscape reference check plans/BaTiO3.toml",
        "symscape reference check references/PbTiO3-P4mm/Ti_z-O_z.json",
    ),
    "reference crystals": (
        "symscape reference crystals references/plans/crystals.toml --jobs 2 --nice 10",
        "symscape reference crystals references/plans/crystals.toml --status",
    ),
    "reference import": (
        "symscape reference import plans/BaTiO3.toml vasp_runs/ --code VASP --code-version 6.4.2",
    ),
    "import": (
        "symscape import entries.json.gz -o datasets/mine",
        "symscape import wbm-computed-structure-entries.jsonl.gz wbm-summary.csv.gz -o wbm",
        "symscape import --mp Li-Fe-O -o datasets/Li-Fe-O",
    ),
    "hull": (
        "symscape hull run datasets/mine --mlip chgnet",
        "symscape hull status hulls/mine/chgnet",
    ),
    "hull run": (
        "symscape hull run datasets/mine --mlip chgnet --jobs 8",
        "symscape hull run datasets/mine --mlip mace --checkpoint run.model --relax fixed",
        "symscape hull run datasets/mine --mlip 7net-0 --dask-address tcp://login1:8786",
    ),
    "hull status": ("symscape hull status hulls/mine/chgnet",),
    "hull tables": (
        "symscape hull tables hulls/mine/chgnet --leave-out Xe",
        "symscape hull tables hulls/mine/chgnet --system Mg-Si",
    ),
    "hull study": ("symscape hull study hulls/mine/chgnet hulls/mine/7net-0 --page study.md",),
    "history": (
        "symscape history runs -o history.html",
        "symscape history checkpoints --by-name",
    ),
    "merge": ("symscape merge results/chgnet.json reports/chgnet/results.json -o chgnet.json",),
    "leaderboard": (
        "symscape leaderboard reports/*/results.json -o reports/leaderboard",
        "symscape leaderboard add reports/mine/results.json",
    ),
    "validate": ("symscape validate reports/chgnet/results.json",),
    "check-run": ("symscape check-run reports/chgnet --since .symscape-began",),
    "cache": ("symscape cache info", "symscape cache clear --model chgnet"),
    "cache info": ("symscape cache info",),
    "cache clear": ("symscape cache clear --model chgnet",),
}


def plain_types(text: str) -> str:
    """Return a help text with ``<path>...`` where typer says ``<list[path]>``; no column moves."""

    def plain(match: re.Match[str]) -> str:
        return f"<{match[1]}>...".ljust(len(match[0]))

    return re.sub(r"<list\[(\w+)\]>", plain, text)


class PlainCommand(TyperCommand):
    """A command whose help names no types of Python."""

    def get_help(self, ctx: Any) -> str:
        """Return the help text."""
        return plain_types(super().get_help(ctx))


class OrderedGroup(TyperGroup):
    """Lists the commands in the order of `SUMMARIES`, others behind them."""

    def list_commands(self, ctx: object) -> list[str]:
        """Return the names of the commands."""
        order = list(SUMMARIES)
        names = list(self.commands)
        return sorted(names, key=lambda name: order.index(name) if name in order else len(order))


def annotate(app: typer.Typer, prefix: str = "") -> None:
    """Give every command of ``app``, and of the apps in it, its line and its examples."""
    for command in app.registered_commands:
        own = command.name or getattr(command.callback, "__name__", "").strip("_")
        name = f"{prefix}{own}"
        command.short_help = command.short_help or SUMMARIES.get(name)
        command.epilog = command.epilog or _examples(name)
        command.cls = PlainCommand if command.cls is TyperCommand else command.cls
    for group in app.registered_groups:
        name = f"{prefix}{group.name}"
        if name in SUMMARIES:
            group.short_help = SUMMARIES[name]
        if name in EXAMPLES:
            group.epilog = _examples(name)
        if group.typer_instance is not None:
            annotate(group.typer_instance, f"{name} ")


def _examples(name: str) -> str | None:
    """Return the paragraph of examples, which must not be wrapped."""
    lines = EXAMPLES.get(name)
    if not lines:
        return None
    title = "Example:" if len(lines) == 1 else "Examples:"
    return "\n".join(["\b", title, *(f"  {line}" for line in lines)])
