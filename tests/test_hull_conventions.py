"""Energies carry their convention, and a comparison brings both sides to one."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk
from ase.spacegroup import crystal as ase_crystal
from hypothesis import given, settings
from hypothesis import strategies as st

import symscape
from symscape.crystal.structures import Structures
from symscape.errors import HullError
from symscape.models.base import EnergyModel, Prediction
from symscape.models.cache import EnergyCache
from symscape.models.card import ModelCard
from symscape.references.crystals import load_crystals
from symscape.science.hull.analysis import compare
from symscape.science.hull.conventions import (
    Energies,
    bring_together,
    corrections_of,
    mp2020_corrections,
    shared_convention,
)

ROOT = Path(__file__).parents[1]


def oxide_set():
    """MgO among its elements: structures, and a table of plain PBE energies (eV/atom)."""
    structures = [bulk("MgO", "rocksalt", a=4.25), bulk("Mg"), bulk("O", "sc", a=3.0)]
    table = pd.DataFrame(
        {
            "id": ["MgO", "Mg", "O"],
            "formula": ["MgO", "Mg", "O"],
            "energy": [-6.0, -1.6, -4.9],
        }
    )
    return structures, table


@pytest.mark.parametrize("given_correction", [False, True])
def test_a_corrected_model_is_compared_with_corrected_references(given_correction):
    structures, table = oxide_set()
    corrections = mp2020_corrections(structures)
    assert corrections[0] < -0.3
    if given_correction:
        table["correction"] = corrections
    own = table["energy"].to_numpy() + corrections
    trained = Energies(own, "MP2020", corrections_of(Structures.from_atoms(structures)))
    made = compare(table, trained)
    np.testing.assert_allclose(made["error_formation"], 0.0, atol=1e-9)
    np.testing.assert_allclose(made["error_above_hull"], 0.0, atol=1e-9)
    assert made.attrs["settings"]["corrections"] == "MP2020 corrections added to the reference"
    # taken for plain energies they would be off by the correction
    assert compare(table, Energies(own, "uncorrected"))["error_formation"].min() < -300
    # both sides with their corrections are as they should be
    both = compare(table.assign(energy=own), Energies(own, "MP2020"), reference_convention="MP2020")
    np.testing.assert_allclose(both["error_total"], 0.0, atol=1e-9)


def test_energies_without_a_convention_or_a_way_to_it_are_refused():
    _, table = oxide_set()
    own = table["energy"].to_numpy()
    with pytest.raises(HullError, match="do not say of which convention"):
        compare(table, own)
    with pytest.raises(HullError, match="there are no corrections"):
        compare(table, Energies(own, "MP2020"))
    with pytest.raises(HullError, match="'MP2018' is unknown"):
        Energies(own, "MP2018")
    with pytest.raises(HullError, match="'MP2018' is unknown"):
        compare(table, Energies(own, "MP2020"), reference_convention="MP2018")


CONVENTIONS = st.sampled_from(["uncorrected", "MP2020"])


@settings(deadline=None, max_examples=20)
@given(CONVENTIONS, CONVENTIONS, st.floats(-1, 1))
def test_errors_do_not_depend_on_the_conventions_of_the_two_sides(theirs, ours, correction):
    """The same two calculations, written down with or without corrections."""
    _, table = oxide_set()
    added = np.array([correction, 0.0, 0.0])  # elements get none
    model = table["energy"].to_numpy() + np.array([0.03, -0.01, 0.02])
    plain = compare(table, Energies(model, "uncorrected"))
    shown = table["energy"].to_numpy() + (theirs == "MP2020") * added
    found = compare(
        table.assign(energy=shown, correction=added),
        Energies(model + (ours == "MP2020") * added, ours),
        reference_convention=theirs,
    )
    for error in ("error_total", "error_formation"):
        np.testing.assert_allclose(found[error], plain[error], atol=1e-7)


def test_mixed_levels_get_the_same_correction_on_both_sides():
    _, table = oxide_set()
    table["correction"] = [-0.9, 0.0, 0.0]
    table["level_of_theory"] = ["PBE+U", "PBE", "PBE"]
    plain = Energies(table["energy"].to_numpy() + 0.01, "uncorrected")
    made = compare(table, plain)
    alone = compare(table.drop(columns="level_of_theory"), plain)
    np.testing.assert_allclose(made["error_formation"], alone["error_formation"], atol=1e-9)
    assert made["formation_dft"][0] == pytest.approx(alone["formation_dft"][0] - 0.9)
    said = made.attrs["settings"]["corrections"]
    assert said == "MP2020 corrections added to the reference and the model"


@pytest.mark.parametrize(
    ("levels", "shared"),
    [
        ([], ""),
        (["PBE"], ""),
        (["r2SCAN", "r2SCAN"], ""),
        (["PBE", "PBE+U"], "MP2020"),
        (["PBE", "unknown"], "MP2020"),
    ],
)
def test_levels_of_theory_share_a_hull_by_a_scheme_only(levels, shared):
    assert shared_convention(levels) == shared


@pytest.mark.parametrize("other", ["r2SCAN", "PBEsol", "SCAN", "HSE"])
def test_functionals_never_share_a_hull(other):
    with pytest.raises(HullError, match="share no hull"):
        shared_convention(["PBE", other])


def keys(structures):
    """Of each structure, what tells it from the others."""
    return [
        b"".join(part.tobytes() for part in structures.arrays(k)) for k in range(len(structures))
    ]


class Trained(EnergyModel):
    """Knows DFT's energies of a library by heart, as trained with MP2020's corrections or not."""

    def __init__(self, library, convention):
        super().__init__(ModelCard("trained", "toy", energy_convention=convention), "cpu")
        known = library.structures
        energies = np.array([crystal.energy_per_atom for crystal in library.crystals])
        if convention == "MP2020":
            energies = energies + corrections_of(known)()
        self.by_heart = dict(zip(keys(known), energies * known.n_atoms, strict=True))

    @property
    def fingerprint(self):
        return "trained"

    @property
    def implements(self):
        return frozenset({"energy"})

    def _predict_batch(self, batch, forces, stresses):
        return Prediction(np.array([self.by_heart[key] for key in keys(batch)]))


@pytest.mark.parametrize("convention", ["uncorrected", "MP2020"])
def test_the_snippet_of_the_docs_compares_like_with_like(convention, tmp_path, monkeypatch, capsys):
    (tmp_path / "references" / "crystals").mkdir(parents=True)
    for system in ("Mg", "Se", "Mg-Se"):
        file = Path("crystals") / f"{system}.json"
        (tmp_path / "references" / file).symlink_to(ROOT / "references" / file)
    monkeypatch.chdir(tmp_path)
    trained = Trained(load_crystals(["references"]), convention)
    monkeypatch.setattr(symscape, "model", lambda name: trained)
    page = (ROOT / "docs" / "metrics-hull.md").read_text()
    (snippet,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    namespace: dict[str, object] = {}
    exec(compile(snippet, "docs/metrics-hull.md", "exec"), namespace)
    table = namespace["table"]
    np.testing.assert_allclose(table["error_formation"], 0.0, atol=1e-9)
    np.testing.assert_allclose(table["error_above_hull"], 0.0, atol=1e-9)
    assert ("MP2020" in table.attrs["settings"]["corrections"]) == (convention == "MP2020")
    assert "n_wyckoff_class" in capsys.readouterr().out


# -- corrections ----------------------------------------------------------------------------------


def rock_salt(cation, anion, a):
    return ase_crystal(
        [cation, anion], [(0, 0, 0), (0.5, 0.5, 0.5)], spacegroup=225, cellpar=[a] * 3 + [90] * 3
    )


def test_corrections_are_those_of_the_published_scheme():
    """Wang et al. 2021, Table 2: oxide -0.687, S -0.503, Se -0.472, Si 0.071 eV per anion."""
    antifluorite = ase_crystal(
        ["Mg", "Si"], [(0.25, 0.25, 0.25), (0, 0, 0)], spacegroup=225, cellpar=[6.35] * 3 + [90] * 3
    )
    silicon = Atoms("Si2", cell=[[0, 2.7, 2.7], [2.7, 0, 2.7], [2.7, 2.7, 0]], pbc=True)
    silicon.positions[1] = 1.35
    structures = [
        rock_salt("Mg", "O", 4.25), rock_salt("Mg", "S", 5.2), rock_salt("Mg", "Se", 5.5),
        antifluorite, silicon,
    ]  # fmt: skip
    assert mp2020_corrections(structures) == pytest.approx(
        [-0.687 / 2, -0.503 / 2, -0.472 / 2, 0.071 / 3, 0.0], abs=5e-4
    )


def test_kept_corrections_need_no_pymatgen(tmp_path, monkeypatch):
    cache = EnergyCache(tmp_path)
    structures = [rock_salt("Mg", "S", 5.2), rock_salt("Mg", "Se", 5.5)]
    first = mp2020_corrections(structures[:1], cache)
    assert first == pytest.approx(mp2020_corrections(structures[:1]), abs=0)
    both = mp2020_corrections(structures, cache)
    assert both == pytest.approx(mp2020_corrections(structures), abs=0)
    monkeypatch.setitem(sys.modules, "pymatgen.entries.compatibility", None)
    assert mp2020_corrections(structures[::-1], cache) == pytest.approx(both[::-1], abs=0)
    with pytest.raises(ImportError):
        mp2020_corrections([rock_salt("Mg", "O", 4.25)], cache)


def test_conventions_are_brought_together_on_the_right_side():
    dft, model, correction = np.array([-5.0]), np.array([-5.4]), np.array([-0.3])
    plain = {"reference_convention": "uncorrected", "model_convention": "uncorrected"}
    assert bring_together(dft, model, correction, **plain)[:2] == (dft, model)
    both = {"reference_convention": "MP2020", "model_convention": "MP2020"}
    assert bring_together(dft, model, correction, **both)[:2] == (dft, model)
    trained = {"reference_convention": "uncorrected", "model_convention": "MP2020"}
    reference, found, done = bring_together(dft, model, correction, **trained)
    assert reference == pytest.approx([-5.3])
    assert found == model
    assert "added to the reference" in done
    other = {"reference_convention": "MP2020", "model_convention": "uncorrected"}
    assert bring_together(dft, model, correction, **other)[0] == pytest.approx([-4.7])
    with pytest.raises(HullError, match="'MP2018' is unknown"):
        bring_together(
            dft, model, correction, reference_convention="MP2018", model_convention="MP2020"
        )
