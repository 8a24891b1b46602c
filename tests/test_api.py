"""``import symscape``: what a notebook sees."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from inspect import getdoc, isclass, isfunction

import numpy as np
import pytest
from ase.calculators.emt import EMT
from hull_library import CRYSTALS, write_library
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition

import symscape
from symscape.errors import (
    ArgumentError,
    HullError,
    ModelError,
    ReferenceFileError,
    ToleranceFileError,
)
from symscape.rounding import ENERGY_DECIMALS

HEAVY = ("numpy", "torch", "pymatgen", "matplotlib", "pandas", "scipy", "spglib", "ase", "typer")
#: energies on slices are rounded to so much, meV/atom
TICK_MEV = 1000 * 10.0**-ENERGY_DECIMALS


class HalfEMT(EMT):
    """Half of EMT's energy: a landscape that is too soft by exactly two."""

    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        self.results["energy"] *= 0.5


@pytest.fixture(scope="module")
def emt(toy_reference):
    """The potential that the toy reference was made with, and its energies."""
    model = symscape.model("ase.calculators.emt:EMT")
    return model, symscape.landscape(toy_reference.slice, model)


@pytest.fixture(scope="module")
def half(toy_reference, tmp_path_factory):
    model = symscape.model(f"{__file__}:HalfEMT")
    return model, symscape.landscape(toy_reference.slice, model, toy_reference.valid)


def test_importing_costs_nothing():
    code = f"import sys, symscape; sys.exit(' '.join({{*{HEAVY}}} & {{*sys.modules}}) or None)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_only_what_is_used_is_imported():
    code = (
        "import sys, symscape; symscape.load_reference('PbTiO3-P4mm/Ti_z-O_z');"
        "symscape.model('chgnet'); symscape.load_tolerances('strict');"
        "sys.exit(' '.join({'torch', 'pymatgen', 'matplotlib', 'pandas', 'pytest'}"
        " & {*sys.modules}) or None)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("name", sorted(set(symscape.__all__) - {"__version__"}))
def test_every_public_name_is_there_and_described(name):
    thing = getattr(symscape, name)
    assert isclass(thing) or isfunction(thing)
    assert getdoc(thing)
    assert name in dir(symscape)


def test_public_names_are_theirs_whatever_was_imported_before():
    """An import of ``symscape.x`` binds ``x`` in the package: no module may be called so."""
    code = """
import importlib, inspect, pkgutil, symscape
for found in pkgutil.walk_packages(symscape.__path__, "symscape."):
    if not found.name.endswith("__main__"):
        try:
            importlib.import_module(found.name)
        except ModuleNotFoundError as error:  # an extra that is not installed
            assert not error.name.startswith("symscape"), error
for name in set(symscape.__all__) - {"__version__"}:
    thing = getattr(symscape, name)
    assert inspect.isfunction(thing) or inspect.isclass(thing), (name, thing)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_names_that_are_not_there():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = symscape.nothing


def test_version_is_the_installed_one():
    assert symscape.__version__ == version("symscape")


def test_a_reference_by_path_and_by_every_form_of_its_name(toy_file):
    folder = toy_file.parents[1]
    by_path = symscape.load_reference(toy_file)
    for name in ("AlCu-Cmcm/Al_y-Cu_y", "AlCu-Cmcm-Al_y-Cu_y", "AlCu-Cmcm", "AlCu"):
        assert symscape.load_reference(name, folder).digest == by_path.digest
    assert [entry.path for entry in symscape.find_references(folder)] == [toy_file]


def test_a_name_that_fits_nothing_or_too_much(toy_file, tmp_path):
    with pytest.raises(ReferenceFileError, match="no reference 'AlCu-Cmmm'; did you mean AlCu-Cm"):
        symscape.load_reference("AlCu-Cmmm", toy_file.parents[1])
    with pytest.raises(ReferenceFileError, match="no such folder"):
        symscape.load_reference("AlCu", tmp_path / "nowhere")
    for slice_name in ("x-y", "x-z"):
        path = tmp_path / "Si-Fd-3m" / f"{slice_name}.json"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    with pytest.raises(ReferenceFileError, match=r"fits several.*Si-Fd-3m/x-y, Si-Fd-3m/x-z"):
        symscape.load_reference("Si-Fd-3m", tmp_path)


def test_the_potential_that_made_the_reference_has_no_error(toy_reference, emt):
    table = symscape.metrics(toy_reference, emt[1])
    assert list(table.index) == [100, 500, 1000]
    assert table["mae_meV_per_atom"].max() == pytest.approx(0, abs=TICK_MEV)
    assert table["softening_scale"].to_numpy() == pytest.approx(1, abs=1e-4)
    result = symscape.judge(toy_reference, emt[1], "strict", model=emt[0])
    assert result.passed
    assert result.model == "EMT"
    assert result.fingerprint == emt[0].fingerprint


def test_metrics_of_a_soft_potential_are_those_of_their_formulas(toy_reference, half):
    table = symscape.metrics(toy_reference, half[1])
    relative = toy_reference.relative[toy_reference.valid]
    for window, row in table.iterrows():
        inside = relative[relative <= window / 1000]
        assert row["n_points"] == len(inside)
        assert row["softening_scale"] == pytest.approx(0.5, abs=1e-4)
        wanted = pytest.approx(500 * inside.mean(), abs=TICK_MEV)
        assert row["mae_meV_per_atom"] == wanted
        assert -row["mean_signed_error_meV_per_atom"] == wanted


def test_judging_by_profile_file_and_loaded_tolerances(toy_reference, half, tmp_path):
    model, evaluation = half
    failed = symscape.judge(toy_reference, evaluation, model=model)
    assert failed.status == "failed"
    assert "softening_scale" in symscape.explain(failed)
    file = tmp_path / "mine.toml"
    file.write_text(
        "[energies]\nmae = inf\nmax_error = inf\nmean_signed_error = inf\n"
        "softening_scale = [0.4, 0.6]\n"
    )
    assert symscape.judge(toy_reference, evaluation, file, model="mine").passed
    assert symscape.judge(toy_reference, evaluation, symscape.load_tolerances(file)).passed
    with pytest.raises(ToleranceFileError, match="neither a profile"):
        symscape.judge(toy_reference, evaluation, "stricter")


@pytest.mark.parametrize("layout", ["wide", "tall"])
def test_the_figure_shows_both_landscapes(toy_reference, half, layout):
    model, evaluation = half
    figure = symscape.figure(toy_reference, evaluation, model=model, layout=layout)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert {"DFT (EMT)", "HalfEMT", "HalfEMT − DFT (EMT)"} <= set(titles)
    cut = next(line for axes in figure.axes for line in axes.lines if line.get_gid() == "model")
    column = evaluation.energies[:, toy_reference.minimum[1]]
    expected = 1000 * (column - evaluation.energies[toy_reference.minimum])
    assert np.asarray(cut.get_ydata()) == pytest.approx(expected)


def test_figures_of_other_kinds(toy_reference, half, emt):
    model, evaluation = half
    relief = symscape.figure(toy_reference, evaluation, model=model, kind="relief")
    assert [axes.name for axes in relief.axes] == ["3d", "3d", "rectilinear"]
    maps = symscape.figure(toy_reference, evaluation, model=model, kind="topology")
    assert not quivers(maps)
    arrows = quivers(symscape.figure(toy_reference, evaluation, model=model, kind="forces"))
    assert len(arrows) == 2
    with pytest.raises(ModelError, match="needs the potential"):
        symscape.figure(toy_reference, evaluation, model="HalfEMT", kind="forces")
    with pytest.raises(ValueError, match="'mountain' is no figure"):
        symscape.figure(toy_reference, evaluation, kind="mountain")


def test_a_slice_and_several_models_are_drawn_by_the_same_function(toy_reference, half, emt):
    model, evaluation = half
    alone = symscape.figure(toy_reference.slice, evaluation, model=model)
    assert "HalfEMT" in {axes.get_title(loc="left") for axes in alone.axes}
    comparison = symscape.compare(toy_reference.slice, [model, emt[0]])
    (pair,) = comparison.pairs()
    assert (pair.first, pair.second) == ("HalfEMT", "EMT")
    assert pair.softening == pytest.approx(2, abs=1e-4)
    words = {text.get_text() for axes in symscape.figure(comparison).axes for text in axes.texts}
    titles = {axes.get_title(loc="left") for axes in symscape.figure(comparison).axes}
    assert {"HalfEMT", "EMT"} <= words | titles


def test_a_figure_of_too_little_or_too_much_names_the_argument(toy_reference, half):
    comparison = symscape.compare(toy_reference.slice, [half[0]])
    for what in (toy_reference, toy_reference.slice):
        with pytest.raises(ArgumentError, match="evaluation is missing"):
            symscape.figure(what)
    with pytest.raises(ArgumentError, match="evaluation is given"):
        symscape.figure(comparison, half[1])
    for arguments in ((comparison,), (toy_reference.slice, half[1])):
        with pytest.raises(ArgumentError, match="kind is 'relief'"):
            symscape.figure(*arguments, kind="relief")


def test_models_of_one_name_are_not_compared(toy_reference):
    with pytest.raises(ModelError, match="two models are called EMT"):
        symscape.compare(toy_reference.slice, ["ase.calculators.emt:EMT"] * 2)


def quivers(figure):
    found = [c for axes in figure.axes for c in axes.collections if c.get_gid() == "forces"]
    assert all(len(quiver.U) > 3 for quiver in found)
    return found


def test_a_data_set_is_loaded_by_its_public_name(tmp_path):
    with pytest.raises(symscape.SymscapeError, match="this is no data set"):
        symscape.load_dataset(tmp_path / "absent")


def test_hulls_of_the_potential_that_made_them_and_of_half_of_it(tmp_path_factory):
    """Half of all energies: half of every formation energy and energy above hull."""
    folder = write_library(tmp_path_factory.mktemp("references"))
    right = symscape.hull(symscape.model("ase.calculators.emt:EMT"), folder=folder)
    assert set(right["id"]) == set(CRYSTALS)
    for name in ("error_formation", "error_above_hull"):
        np.testing.assert_allclose(right[name], 0.0, atol=0.01)
    compositions = [Composition(formula) for formula in right["formula"]]
    entries = [
        PDEntry(composition, energy * composition.num_atoms)
        for composition, energy in zip(compositions, right["energy"], strict=True)
    ]
    diagram = PhaseDiagram(entries)
    for entry, (_, row) in zip(entries, right.iterrows(), strict=True):
        above = diagram.get_e_above_hull(entry)
        assert row["above_hull_dft"] == pytest.approx(above, abs=1e-9)
    soft = symscape.hull(symscape.model(f"{__file__}:HalfEMT"), folder=folder)
    for name in ("formation", "above_hull"):
        np.testing.assert_allclose(soft[f"{name}_model"], soft[f"{name}_dft"] / 2, atol=1e-5)
    alone = symscape.hull("ase.calculators.emt:EMT", "Al", folder)
    assert set(alone["formula"]) == {"Al"}
    with pytest.raises(HullError, match="Mg-Si"):
        symscape.hull(symscape.model("ase.calculators.emt:EMT"), "Mg-Si", folder)


def test_an_unknown_model_is_a_sentence():
    with pytest.raises(ModelError, match="did you mean chgnet"):
        symscape.model("chgnett")
