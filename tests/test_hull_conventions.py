"""Energies carry their convention, and a comparison brings both sides to one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk

from symscape.crystal.structures import Structures
from symscape.errors import HullError
from symscape.hull.analysis import compare
from symscape.hull.conventions import Energies, mp2020_corrections, shared_convention


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
    trained = Energies(
        table["energy"].to_numpy() + corrections, "MP2020", Structures.from_atoms(structures)
    )
    made = compare(table, trained)
    np.testing.assert_allclose(made["error_formation"], 0.0, atol=1e-9)
    np.testing.assert_allclose(made["error_above_hull"], 0.0, atol=1e-9)
    assert made.attrs["settings"]["corrections"] == "MP2020 corrections added to the reference"
    # and without a word on their convention they would be off by the correction
    assert compare(table, trained.per_atom)["error_formation"].min() < -300


def test_mixed_levels_get_the_same_correction_on_both_sides():
    structures, table = oxide_set()
    table["correction"] = [-0.9, 0.0, 0.0]
    table["level_of_theory"] = ["PBE+U", "PBE", "PBE"]
    plain = Energies(
        table["energy"].to_numpy() + 0.01, "uncorrected", Structures.from_atoms(structures)
    )
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
