"""Whatever is wrong with what a user gives, the answer is one sentence and a sensible exit code."""

from __future__ import annotations

import json
import re
import sys

import numpy as np
import pytest
from bad_project import build_project, locked_cache
from inprocess import import_lazy_modules, without_figures
from toys import toy_document

import symscape.models.cache
import symscape.models.family
from symscape.cli import main
from symscape.models.card import ModelCard
from symscape.models.registry import resolve
from symscape.questions.energies import judge_energies
from symscape.references.store import load_reference, write_reference
from symscape.results.run_results import RunResults, save_results, summarize_reference
from symscape.verdict.tolerances import load_tolerances

REFERENCE = "AlCu-Cmcm/Al_y-Cu_y.json"

#: what is typed behind ``symscape`` -> exit code and what the sentence says
COMMANDS: dict[str, tuple[int, str]] = {
    "frobnicate": (2, "No such command 'frobnicate'"),
    "--frob": (2, "No such option: --frob"),
    # structure files
    "slices": (2, "Missing argument 'file'"),
    "slices absent.cif": (2, "absent.cif: there is no such file"),
    "slices a-folder": (2, "a-folder: this is not a file"),
    "slices empty.cif": (2, "empty.cif: the file is empty"),
    "slices prose.cif": (2, "prose.cif: no structure could be read"),
    "slices binary.vasp": (2, "binary.vasp: no structure could be read"),
    "slices cut.cif": (2, "cut.cif: no structure could be read"),
    "slices no-atoms.xyz": (2, "no-atoms.xyz: the structure has no atoms"),
    "slices molecule.xyz": (2, "molecule.xyz: the structure is not periodic"),
    "slices flat.vasp": (2, "flat.vasp: the structure is not periodic"),
    "slices overlap.vasp": (2, "overlap.vasp: .*overlapping atoms"),
    "slices nan.vasp": (2, "nan.vasp: .*not finite numbers"),
    "slices unknown.vasp": (2, "unknown.vasp: .*replace them by elements"),
    "slices partial.cif": (2, "partial.cif: .*partially occupied"),
    "slices good.vasp --symprec 0": (2, "--symprec 0 is not a distance"),
    "slices good.vasp --symprec nan": (2, "--symprec nan is not a distance"),
    "slices good.vasp --symprec far": (2, "Invalid value for '--symprec'"),
    "slices good.vasp --points 1": (2, "1 points are too few"),
    "slices good.vasp --points 100000": (2, "at most 1000000"),
    "slices good.vasp --plot absent/x.png": (2, "absent/x.png: the figure can't be written"),
    "slices good.vasp --plot x.abc": (2, "x.abc: the figure can't be written"),
    "slices good.vasp --write a-file": (2, "a-file: the slices can't be written"),
    "slices cubic.vasp --plot x.png": (2, "x.png: there is no proposed slice"),
    # plans
    "reference frob": (2, "No such command 'frob'"),
    "reference plan absent.toml": (2, "absent.toml: there is no such plan"),
    "reference plan absent.cif": (2, "absent.cif: there is no such file"),
    "reference plan good.vasp --slice 99": (2, "has 1 proposed .* no number 99"),
    "reference plan good.vasp --points 1": (2, "1 points are too few"),
    "reference plan good.vasp --write a-file": (2, "a-file: there is a file of that name"),
    "reference plan good.vasp --write a-file/x.toml": (2, "a-file/x.toml: "),
    "reference plan cubic.vasp": (2, "has 0 proposed local slices"),
    "reference plan plans/torn.toml": (2, "plans/torn.toml: not valid TOML"),
    "reference plan plans/unknown-key.toml": (2, "the key 'mask' is unknown"),
    "reference plan plans/no-crystal.toml": (2, r"has no \[crystal\] table"),
    "reference plan plans/no-cell.toml": (2, "'cell' is missing"),
    "reference plan plans/five-numbers.toml": (2, "cell takes six numbers"),
    "reference plan plans/negative-cell.toml": (2, "left-handed or lie in a plane"),
    "reference plan plans/no-group.toml": (2, "no space group 'Pxyz'"),
    "reference plan plans/hall-531.toml": (2, "hall_number is 531"),
    "reference plan plans/element.toml": (2, "'Cuu' is not a chemical element"),
    "reference plan plans/on-top.toml": (2, "are at the same place"),
    "reference plan plans/structure.toml": (2, "empty.cif: the file is empty"),
    "reference plan plans/one-axis.toml": (2, r"has two \[\[axes\]\] tables"),
    "reference plan plans/one-point.toml": (2, "axis 'Al_y' .* at least 2 points"),
    "reference plan plans/coordinate.toml": (2, "names 'Al_z', but AlCu in Cmcm has"),
    "reference plan plans/same-axes.toml": (2, "are not linearly independent"),
    "reference plan plans/backwards.toml": (2, "must have start < stop"),
    "reference plan plans/masked.toml": (2, "every grid point is masked"),
    "reference plan plans/cutoff.toml": (2, r"\[relax\]: cutoff_eV is -1"),
    "reference plan plans/relaxed.toml": (2, "relaxed.relaxed.json: .* is damaged"),
    "reference plan plans/no-colon.toml": (2, 'needs factory = "package.module:function"'),
    "reference run": (2, "Missing argument 'plans'"),
    "reference run plans/absent.toml": (2, "absent.toml: there is no such plan"),
    "reference run a-folder": (2, "a-folder: the plan can't be read"),
    "reference run plans/good.toml --jobs 0": (2, "Invalid value for '--jobs'"),
    "reference run plans/good.toml --nice high": (2, "Invalid value for '--nice'"),
    "reference run plans/good.toml --timeout -1": (2, "--timeout is -1"),
    "reference run plans/good.toml --finish": (2, "no point has been computed yet"),
    "reference run plans/good.toml --references a-file": (2, "--references a-file: this is no"),
    "reference run plans/journal.toml": (2, "line 1 of the journal is damaged"),
    "reference run plans/no-module.toml": (2, "'absent_module:make' can't be imported"),
    "reference run plans/imported.toml": (2, "imported.toml: .* nothing can be computed"),
    "reference status": (2, "there are no plans"),
    "reference status plans/torn.toml": (1, "plans/torn.toml: not valid TOML"),
    "reference relax plans/good.toml": (2, r"has no \[relax\] table"),
    "reference check absent.json": (2, "absent.json: there is no such reference"),
    "reference check a-folder": (2, "a-folder: the reference can't be read"),
    "reference check plans/good.toml --cutoff -1": (2, "--cutoff is -1"),
    "reference check plans/good.toml --k-density 0": (2, "--k-density is 0"),
    "reference check plans/good.toml --equivalents -1": (2, "Invalid value for '--equivalents'"),
    "reference import plans/good.toml": (2, "Missing argument 'files'"),
    "reference import plans/good.toml absent.xyz": (2, "absent.xyz: there is no such file"),
    "reference import plans/good.toml a-folder": (2, "a-folder: the folder holds no"),
    "reference import plans/good.toml a-file": (2, "a-file: ASE can't read this file"),
    "reference import plans/good.toml good.vasp": (2, "good.vasp: the geometry has no energy"),
    "reference import plans/good.toml results-good.json": (2, "schema is 'symscape-results/1'"),
    f"reference import plans/good.toml references/{REFERENCE} --code X": (2, "leave out"),
    "reference crystals": (2, "Missing argument 'plan'"),
    "reference crystals absent.toml": (2, "absent.toml: there is no such list of crystals"),
    "reference crystals a-folder": (2, "a-folder: the list of crystals can't be read"),
    "reference crystals torn.toml": (2, "torn.toml: not valid TOML"),
    "reference crystals plans/good.toml": (2, "the key 'mask_ratio' is unknown"),
    "reference crystals plans/good.toml --jobs 0": (2, "Invalid value for '--jobs'"),
    # references
    "materials --references absent": (2, "absent: there is no such folder"),
    "materials --references a-file": (2, "a-file: there is no such folder"),
    "materials --references a-folder": (2, "a-folder: no references here"),
    "materials AlCo": (2, "'AlCo' is not in the references; did you mean AlCu-Cmcm"),
    "materials --references references-torn": (1, f"{REFERENCE}: not valid JSON"),
    "materials --references references-newer": (1, "schema is 'symscape-landscape/9'"),
    "materials --references references-moved": (1, "angstrom away from the one"),
    "materials --references references-nan": (1, "point 4 .*energy_eV is nan"),
    "materials --references references-shape": (1, "point 4 .*forces_eV_A is not a table"),
    "materials --references references-text": (1, "point 4 .*energy_eV is 'low'"),
    "materials --references references-twice": (1, r"\(1, 0\) is listed twice"),
    "materials --references references-element": (1, r"atoms\[0\] is \['Xx'"),
    "materials --references references-negative": (1, "left-handed"),
    "materials --references references-group": (1, "Hall number 531"),
    "materials --references references-other-group": (1, "space_group_number is 62"),
    "materials --references references-kind": (1, "kind is 'locale'"),
    "materials --references references-no-points": (1, "no energy at all"),
    # models, cache, run
    "models show": (2, "Missing argument 'name'"),
    "models show chgnett": (2, "no model 'chgnett': did you mean chgnet"),
    "models frob": (2, "No such command 'frob'"),
    "cache frob": (2, "No such command 'frob'"),
    "cache info --cache-dir a-file": (2, "a-file: this is no folder"),
    "cache clear --cache-dir a-file": (2, "a-file: this is no folder"),
    "cache clear --model nobody": (2, "no model 'nobody' in the cache"),
    "run --suite absent": (2, "no benchmarks/ and no references/ here"),
    "run --suite a-file": (2, "no benchmarks/ and no references/ here"),
    "cache clear --model": (2, "Option '--model' requires an argument"),
    "run --suite": (2, "Option '--suite' requires an argument"),
    # data sets
    "import": (2, "Missing argument 'FILE...'"),
    "import frame.xyz": (2, "Missing option '--output'"),
    "import --frob": (2, "No such option: --frob"),
    "import absent.json -o new": (2, "absent.json: there is no such file"),
    "import a-folder -o new": (2, "a-folder: the folder holds no CIF files"),
    "import a-file -o new": (2, "a-file: the format is not recognized"),
    "import empty.cif -o new": (2, "empty.cif: the file is empty"),
    "import letter.cif -o new": (2, "letter.cif: the format is not recognized"),
    "import molecule.xyz -o new": (2, "molecule.xyz: the format is not recognized"),
    "import cut.cif -o new-cut": (1, "none of 1 records .*new-cut/rejects.jsonl says why"),
    "import entries-torn.json -o new-torn": (2, "entries-torn.json: the JSON is damaged"),
    "import entries-other.json -o new-other": (1, "none of 1 records could be imported"),
    "import entries-empty.json -o new-empty": (1, "none of 0 records could be imported"),
    "import entries-strange.json -o new-strange": (1, "none of 1 records could be imported"),
    "import results-good.json -o new-results": (1, "none of 1 records could be imported"),
    "import entries.json.gz -o new": (2, "entries.json.gz: the format is not recognized"),
    "import entries.zip -o new": (2, "entries.zip: this is a zip file; unpack it first"),
    "import table.csv -o new": (2, "table.csv: there are energies but no structures"),
    "import frame.xyz table-empty.csv -o new": (2, "table-empty.csv: the file is empty"),
    "import frame.xyz table.csv -o new --id-column x": (2, "table.csv: there is no column 'x'"),
    "import frame.xyz table.csv -o new --energy-column x": (2, "there is no column 'x'"),
    "import frame.xyz -o new-frame": (1, "none of 1 records could be imported"),
    "import frame.xyz -o new-key --energy-key e": (1, "none of 1 records could be imported"),
    "import frame.xyz -o new --format yaml": (2, "the format 'yaml' is unknown"),
    "import frame.xyz -o a-file": (2, "a-file: there is something that is no data set"),
    "import --mp Li-Fe -o new": (2, "the Materials Project wants a key"),
    "import frame.xyz -o references": (2, "references: there is something that is no data set"),
    "import frame.xyz -o a-file/new": (2, "a-file/new: the data set can't be written"),
    "import frame.xyz -o a-dataset": (2, "a-dataset: there is a data set already"),
    # data sets that outgrow one process
    "hull frobnicate": (2, "No such command 'frobnicate'"),
    "hull run": (2, "Missing argument 'DATASET'"),
    "hull run good-set": (2, "Missing option '--mlip'"),
    "hull run absent --mlip cheap:exact": (2, "absent: this is no data set"),
    "hull run a-file --mlip cheap:exact": (2, "a-file: this is no data set"),
    "hull run a-folder --mlip cheap:exact": (2, "a-folder: this is no data set"),
    "hull run a-dataset --mlip cheap:exact": (2, "a-dataset"),
    "hull run no-element --mlip cheap:exact": (2, "Al"),
    "hull run good-set --mlip chgnett": (2, "did you mean chgnet"),
    "hull run good-set --mlip cheap:raising --jobs 0": (2, "no licence file"),
    "hull run good-set --mlip mace --checkpoint absent.model": (2, "absent"),
    "hull run good-set --mlip cheap:exact --jobs -1": (2, "--jobs is -1"),
    "hull run good-set --mlip cheap:exact --relax wild": (2, "--relax is 'wild'"),
    "hull run good-set --mlip cheap:exact --optimizer sgd": (2, "--optimizer is 'sgd'"),
    "hull run good-set --mlip cheap:exact --chunk-atoms 0": (2, "give a positive number"),
    "hull run good-set --mlip cheap:exact --output a-file": (2, "no run's folder"),
    "hull status absent": (2, "absent: this is no run's folder"),
    "hull status a-folder": (2, "a-folder: this is no run's folder"),
    "hull tables absent": (2, "absent: this is no run's folder"),
    "hull tables a-file": (2, "a-file: this is no run's folder"),
    # figures
    "draw": (2, "Missing argument 'reference'"),
    "draw AlCu-Cmcm": (2, "Missing option '--output'"),
    "draw AlCu-Cmcm -o x.gif": (2, "--output x.gif: name a file that ends in .png"),
    "draw AlCu-Cmcm -o a-folder": (2, "--output a-folder: name a file that ends in .png"),
    "draw AlCu-Cmcm -o absent/x.png": (2, "there is no folder absent"),
    "draw AlCu-Cmcm -o a-file/x.png": (2, "there is no folder a-file"),
    "draw AlCo -o x.png": (2, "there is no reference 'AlCo'"),
    "draw absent.json -o x.png": (2, "absent.json: there is no such reference"),
    "draw AlCu-Cmcm -o x.png --references absent": (2, "absent: there is no such folder"),
    "draw AlCu-Cmcm -o x.png --references references-nan": (2, "point 4 .*energy_eV is nan"),
    "draw AlCu-Cmcm -o x.png --kind mountain": (2, "--kind is 'mountain'; there are landscape"),
    "draw AlCu-Cmcm -o x.png --mlip chgnett": (2, "did you mean chgnet"),
    "draw AlCu-Cmcm -o x.png --mlip cheap:typo": (2, "gave no energy at the DFT minimum"),
    "draw AlCu-Cmcm -o x.png --mlip cheap:raising": (2, "no licence file"),
    "draw AlCu-Cmcm -o x.png --mlip mace --checkpoint prose.pth": (2, "which is not installed"),
    "draw AlCu-Cmcm -o x.png --mlip cheap:exact --device gpu": (2, "Unknown device 'gpu'"),
    "draw AlCu-Cmcm -o x.png --mlip cheap:exact --cache-dir a-file": (2, "this is no folder"),
    # results
    "leaderboard": (2, "Missing argument 'results'"),
    "leaderboard absent.json": (2, "absent.json: there is no such"),
    "leaderboard a-folder": (2, "a-folder: "),
    "leaderboard results-torn.json": (2, "results-torn.json: not valid JSON"),
    "leaderboard results-newer.json": (2, "schema version 99 is newer"),
    "leaderboard results-other.json": (2, "schema is 'something-else/1'"),
    "leaderboard results-lacking.json": (2, "field 'cases' is not a list"),
    "leaderboard a-file": (2, "a-file: not valid JSON"),
    "leaderboard --believe results-good.json -o a-file": (
        2,
        "a-file: the leaderboard can't be written",
    ),
    "leaderboard --believe results-good.json -o a-file/x": (2, "the leaderboard can't be written"),
    "validate": (2, "Missing argument 'files'"),
    "validate empty.cif": (1, "empty.cif: neither JSON nor TOML"),
    "validate torn.toml": (1, "torn.toml: not valid TOML"),
    "validate plans/hall-531.toml": (1, "hall_number is 531"),
    "validate results-good.json --submission": (1, "call the file exact.json"),
    "validate results-good.json --submission --references absent": (2, "no such folder"),
    "validate absent.json": (1, "absent.json: there is no such file"),
    "validate a-folder": (1, "a-folder: this is a folder"),
    "validate card.toml": (1, "no model family 'chgnett': did you mean chgnet"),
    "validate results-torn.json": (1, "results-torn.json: not valid JSON"),
    "validate metric.toml": (1, "'maee' is no metric of energies; did you mean 'mae'"),
    f"validate references-nan/{REFERENCE}": (1, "energy_eV is nan"),
}

#: options behind ``pytest benchmarks/ --mlip cheap:exact``, or another ``--mlip``; usage errors
OPTIONS: dict[str, str] = {
    "--mlip chgnett": "no model 'chgnett': did you mean chgnet",
    "--mlip ,": "names no potential",
    "--mlip cheap:absent": "cheap has no 'absent'",
    "--mlip cheap:a_number": "cheap:a_number is no calculator",
    "--mlip cheap.py:absent": "cheap.py has no 'absent'",
    "--mlip absent.py:make": "There is no file .*absent.py",
    "--mlip absent_module:make": r"Can't import absent_module \(ModuleNotFoundError",
    "--mlip broken:make": r"Can't import broken \(SyntaxError",
    "--mlip :make": "':make' does not name a calculator",
    "--mlip cheap:": "'cheap:' does not name a calculator",
    "--mlip ase": "ase is no model by itself",
    "--mlip mace": "mace is a family of models",
    "--mlip prose.pth": "prose.pth is a file: write --mlip",
    "--mlip mace --checkpoint prose.pth": r'not installed: pip install "symscape\[mace\]"',
    "--mlip chgnet --checkpoint absent.pth": "no checkpoint absent.pth",
    "--mlip chgnet --checkpoint empty.pth": "empty.pth is empty",
    "--mlip chgnet --checkpoint a-folder": "a-folder is a folder, but the chgnet family",
    "--mlip chgnet --checkpoint other.pth": "of the mace family, not of chgnet: use --mlip mace",
    "--mlip frob --checkpoint prose.pth": "no model family 'frob'",
    "--mlip cheap:exact --checkpoint prose.pth": "no model family 'cheap:exact'",
    "--mlip cheap:exact,cheap:typo --checkpoint x": "--checkpoint goes with one --mlip",
    "--mlip cheap:exact,cheap:typo --mlip-name x": "give it with one --mlip",
    "--mlip-name a/b": "'a/b' can't name a model",
    "--mlip-name ..": r"'\.\.' can't name a model",
    "--device gpu": "Unknown device 'gpu'",
    "--device cuda:x": "Unknown device 'cuda:x'",
    "--device mps": "MPS is for Macs",
    "--batch-size 0": "--batch-size is '0'",
    "--batch-size 1.5": "--batch-size is '1.5'",
    "--batch-size many": "--batch-size is 'many'",
    "--dtype float16": "--dtype is 'float16'",
    "--dtype float64": "leave out the dtype",
    "--mlip chgnet --dtype float64": "can't compute in float64: the chgnet family has float32",
    "--model-option head": "--model-option is 'head'",
    "--model-option =x": "--model-option is '=x'",
    "--model-option head=x": "takes no option 'head'",
    "--mlip chgnet --model-option head=x": "has no option 'head'",
    "--mlip 7net-0 --model-option modalitty=x": "takes modality",
    "--point-timeout 0": "--point-timeout is '0'",
    "--point-timeout soon": "--point-timeout is 'soon'",
    "--point-timeout nan": "--point-timeout is 'nan'",
    "--material AlCo": "'AlCo' is not in the references; did you mean AlCu-Cmcm",
    "--material zzzzzz": "'zzzzzz' is not in the references",
    "--references absent": "absent: there is no such folder",
    "--references a-file": "a-file: there is no such folder",
    "--references a-folder": "a-folder: no references here",
    "--references references --references references-nan": "is stored in .* as well",
    "--tolerances strikt": "'strikt': neither a profile .* did you mean 'strict'",
    "--tolerances a-folder": "a-folder: can't be read",
    "--tolerances torn.toml": "torn.toml: not valid TOML",
    "--tolerances metric.toml": "'maee' is no metric of energies; did you mean 'mae'",
    "--tolerances question.toml": "'energy' is no question; did you mean 'energies'",
    "--tolerances negative.toml": "energies.mae is -3",
    "--tolerances text.toml": "energies.mae is 'three'",
    "--tolerances interval.toml": r"softening_scale is \[1.2, 0.8\]",
    "--tolerances selector.toml": "material is a name",
    "--tolerances loop.toml": "'loop.toml' extends itself",
    "--tolerances parent.toml": "extends 'strikt', .* did you mean 'strict'",
    "--tolerances no-reason.toml": "needs a reason",
    "--tolerances no-expiry.toml": "needs the day on which it expires",
    "--tolerances all-known.toml": "would excuse every case",
    "--tolerances wrong-known.toml": "has 'mlip', but takes",
    "--baseline absent": "'absent': neither a results file",
    "--baseline a-folder": "'a-folder': neither a results file",
    "--baseline a-file": "a-file: not valid JSON",
    "--baseline results-torn.json": "results-torn.json: not valid JSON",
    "--baseline results-newer.json": "schema version 99 is newer",
    "--baseline results-other.json": "'something-else/1'",
    "--baseline results-lacking.json": "field 'cases' is not a list",
    "--baseline-margin -1": "--baseline-margin is '-1'",
    "--baseline-margin some": "--baseline-margin is 'some'",
    "--figures mountains": "--figures has 'mountains', but there are relief and forces",
    "--figures relief,arrows": "--figures has 'arrows'",
    "--report-dir a-file": "--report-dir .*a-file is no folder",
    "--report-dir a-file/reports": "--report-dir .*a-file is no folder",
    "--cache-dir a-file": "--cache-dir .*a-file is no folder",
    "--update-tolerances a-file": "a-file: the file exists",
    "--update-tolerances a-file/new.toml": "--update-tolerances .*a-file is no folder",
}

#: what is not seen before a case runs: the case is an error, the run goes on
CASE_ERRORS: dict[str, str] = {
    "--mlip cheap:raising": "cheap:raising raised OSError .*: no licence file",
    "--mlip cheap:no_calculator": "returned str, which is no ASE calculator",
    "--mlip cheap:typo": "ValueError: first line",
    "--references references-torn": f"{REFERENCE}: not valid JSON",
    "--references references-newer": "schema is 'symscape-landscape/9'",
    "--references references-moved": "angstrom away from the one",
    "--references references-nan": "point 4 .*energy_eV is nan",
    "--references references-no-points": "no energy at all",
}

#: lines of the ini file
INI: dict[str, str] = {
    "symscape_mlip = chgnett": "no model 'chgnett'",
    "symscape_device = gpu": "Unknown device 'gpu'",
    "symscape_batch_size = many": "--batch-size is 'many'",
    "symscape_dtype = half": "--dtype is 'half'",
    "symscape_model_option = head": "--model-option is 'head'",
    "symscape_point_timeout = -3": "--point-timeout is '-3'",
    "symscape_tolerances = strikt": "did you mean 'strict'",
    "symscape_report_dir = a-file": "a-file is no folder",
    "symscape_cache_dir = a-file": "a-file is no folder",
    "symscape_baseline = absent": "'absent': neither a results file",
    "symscape_baseline_margin = x": "--baseline-margin is 'x'",
    "symscape_figures = mountains": "--figures has 'mountains'",
    "symscape_references = absent": "absent: there is no such folder",
}

FOREIGN = ("Traceback", "INTERNALERROR", "_pytest", " object at 0x")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project in which something is wrong with nearly every file."""
    folder = tmp_path_factory.mktemp("bad")
    document = toy_document(points=3)
    reference = load_reference(write_reference(folder / "good", document))
    case = judge_energies(reference, reference.energies, load_tolerances(), model="exact")
    run = RunResults(
        model=ModelCard("exact", "ase"),
        fingerprint="exact",
        cases=(case,),
        references=(summarize_reference(reference),),
        versions={},
        started="2026-01-01T00:00:00+00:00",
        wall_seconds=0.0,
        tolerances="default",
    )
    results = json.loads(save_results(folder / "results.json", run).read_text())
    with pytest.MonkeyPatch.context() as monkeypatch:
        without_figures(monkeypatch)
        import_lazy_modules(folder / "lazy", reference)
    return build_project(folder / "project", document, results)


@pytest.fixture
def here(project, monkeypatch, tmp_path):
    """The project as the current folder; of the model packages only mace is missing."""
    monkeypatch.chdir(project)
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.setenv("PYTHONPATH", str(project))
    monkeypatch.delenv("MP_API_KEY", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
    monkeypatch.setattr(
        symscape.models.family,
        "package_folder",
        lambda package: None if package == "mace" else tmp_path,
    )
    without_figures(monkeypatch)
    known = set(sys.modules)
    yield project
    # modules of this project must not be taken for those of the next one, of the same names
    for name in set(sys.modules) - known:
        if name in ("broken", "cheap") or name.startswith("symscape_calculator"):
            del sys.modules[name]


def the_sentence(text: str, pattern: str) -> None:
    """Check that one line, whole, says what is wrong, and that nothing of Python is shown."""
    for foreign in FOREIGN:
        assert foreign not in text, text
    said = [line for line in text.splitlines() if re.search(pattern, line)]
    assert len(said) >= 1, text
    # what the library of the command line says itself ends as it likes
    assert said[0].startswith("Error: ") or said[0].endswith((".", "?")), said[0]


@pytest.mark.parametrize("typed", COMMANDS)
def test_commands_answer_with_a_sentence(here, typed, monkeypatch, capsys):
    code, pattern = COMMANDS[typed]
    monkeypatch.setattr(sys, "argv", ["symscape", *typed.split()])
    with pytest.raises(SystemExit) as stop:
        main()
    output = capsys.readouterr()
    assert stop.value.code == code, output
    the_sentence(output.err, pattern)
    if not typed.startswith("validate "):
        problems = [x for x in output.err.splitlines() if x.startswith(("symscape: ", "Error: "))]
        assert len(problems) == 1, output.err
        assert re.search(pattern, problems[0]), output.err


@pytest.fixture
def suite(here, pytester, monkeypatch):
    """Run pytest on the project's benchmark in this process."""
    monkeypatch.chdir(here)

    def run(*arguments: str):
        if "--mlip" not in arguments and "-c" not in arguments:
            arguments = ("--mlip", "cheap:exact", *arguments)
        fixed = ("-p", "no:cacheprovider", "--rootdir", str(here))
        return pytester.runpytest_inprocess(*fixed, *arguments, str(here / "benchmarks"))

    return run


def output_of(outcome) -> str:
    return outcome.stdout.str() + "\n" + outcome.stderr.str()


@pytest.mark.parametrize("options", OPTIONS)
def test_options_are_refused_before_anything_runs(suite, options):
    outcome = suite(*options.split())
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR, output_of(outcome)
    errors = [line for line in output_of(outcome).splitlines() if line.startswith("ERROR: ")]
    assert len(errors) == 1, output_of(outcome)
    the_sentence(output_of(outcome), OPTIONS[options])
    assert re.search(OPTIONS[options], errors[0]), errors


@pytest.mark.parametrize("options", CASE_ERRORS)
def test_what_is_found_later_spoils_its_case(suite, options):
    outcome = suite(*options.split())
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED, output_of(outcome)
    for foreign in FOREIGN:
        assert foreign not in output_of(outcome)
    outcome.stdout.fnmatch_lines(["*: 0 passed, 0 failed, 1 error; report: *"])
    assert re.search(CASE_ERRORS[options], outcome.stdout.str())


@pytest.mark.parametrize("line", INI)
def test_ini_lines_are_refused_before_anything_runs(suite, here, line, tmp_path):
    ini = tmp_path / "pytest.ini"
    ini.write_text(f"[pytest]\n{line}\n")
    arguments = () if "mlip" in line else ("--mlip", "cheap:exact")
    outcome = suite("-c", str(ini), *arguments)
    assert outcome.ret in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERRUPTED)
    the_sentence(output_of(outcome), INI[line])


def test_the_list_is_long():
    assert len(COMMANDS) + len(OPTIONS) + len(CASE_ERRORS) + len(INI) >= 60


def test_a_misspelt_material_in_the_tolerances_is_noticed(suite):
    outcome = suite("--tolerances", "override.toml")
    assert outcome.ret == 0, output_of(outcome)
    outcome.stdout.fnmatch_lines(["tolerances override.toml: no stored material fits 'AlCo-*'*"])


def test_a_damaged_cache_is_set_aside(suite, here, tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "energies-2.sqlite3").write_bytes(
        (here / "torn-cache" / "energies-2.sqlite3").read_bytes()
    )
    outcome = suite("--cache-dir", str(folder))
    assert outcome.ret == 0, output_of(outcome)
    outcome.stdout.fnmatch_lines(["*is damaged; it was set aside as *"])
    assert list(folder.glob("*.damaged-*"))


def test_a_locked_cache_is_done_without(suite, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(symscape.models.cache, "PATIENCE", 0.1)
    connection = locked_cache(tmp_path / "cache")
    try:
        outcome = suite("--cache-dir", str(tmp_path / "cache"))
        monkeypatch.setattr(
            sys, "argv", ["symscape", "cache", "info", "--cache-dir", str(tmp_path / "cache")]
        )
        with pytest.raises(SystemExit) as stop:
            main()
    finally:
        connection.close()
    assert outcome.ret == 0, output_of(outcome)
    outcome.stdout.fnmatch_lines(["*can't be used (database is locked)*"])
    assert stop.value.code == 1
    assert "can't be used (database is locked)" in capsys.readouterr().err


def test_a_report_that_can_not_be_written_fails_the_run(suite, here, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("symscape.page.report.save_results", full)
    outcome = suite()
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["*report of exact can't be written*No space left on device*"])
    assert "Traceback" not in output_of(outcome)


@pytest.mark.parametrize("content", ["prose", "torn", "other pickle"])
def test_weights_that_can_not_be_loaded(tmp_path, content):
    chgnet = pytest.importorskip("chgnet")
    path = tmp_path / "x.pth"
    if content == "torn":
        whole = next(iter((tmp_path / chgnet.__file__).parent.rglob("*.pth.tar"))).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif content == "prose":
        path.write_text("these are no weights\n")
    else:
        np.save(path.open("wb"), np.arange(3), allow_pickle=True)
    model = resolve("chgnet", checkpoint=path, device="cpu")
    with pytest.raises(symscape.errors.ModelError, match="can't load the weights") as refusal:
        model.load()
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)
