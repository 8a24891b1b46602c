"""The study of underprediction: trends that are put into the data are found, and no others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from symscape.bulk.compare import compare_run
from symscape.bulk.manifest import SCHEMA, DatasetStamp, Done, Made, ModelStamp, RunManifest
from symscape.bulk.study_page import BEGIN, END, make_study
from symscape.errors import ScaleError
from symscape.science.hull.classes import lattice_class, wyckoff_class
from symscape.science.hull.conventions import Basis
from symscape.science.hull.study import (
    false_stability,
    overview,
    relaxed_overview,
    sample,
    shared_crystals,
    signed_errors,
    trends,
    volumes,
)

RANDOM = np.random.default_rng(7)


def table(n=400, per_coordinate=0.0, per_meV=0.0, noise=1.0):
    """Crystals whose error above hull depends as told on free coordinates and DFT's energy."""
    free = RANDOM.integers(0, 12, n)
    lattice = RANDOM.integers(1, 7, n)
    # the more coordinates, the further above the hull: what a partial correlation has to undo
    above = 0.01 * free + RANDOM.uniform(0.001, 0.1, n)
    error = per_coordinate * free + per_meV * 1000 * above + noise * RANDOM.standard_normal(n)
    return pd.DataFrame(
        {
            "id": [f"m-{k}" for k in range(n)],
            "chemistry": "oxide",
            "formula": "MgO",
            "space_group": 1,
            "n_wyckoff": free,
            "n_lattice": lattice,
            "n_wyckoff_class": [wyckoff_class(k) for k in free],
            "n_lattice_class": [lattice_class(k) for k in lattice],
            "above_hull_dft": above,
            "above_hull_model": np.maximum(above + error / 1000, 0.0),
            "error_formation": error,
            "error_above_hull": error,
        }
    )


def found(made, by, column):
    row = made[(made["error"] == "error_above_hull") & (made["by"] == by)]
    return float(row[row["window"] == "all"][column].iloc[0])


@pytest.mark.parametrize("slope", [-2.0, 2.0])
def test_a_trend_with_free_coordinates_is_found(slope):
    own = table(per_coordinate=slope)
    made = trends({"m": own})
    assert np.sign(found(made, "n_wyckoff", "spearman")) == np.sign(slope)
    assert found(made, "n_wyckoff", "p_partial") < 1e-6
    expected = spearmanr(own["n_wyckoff"], own["error_above_hull"])
    assert found(made, "n_wyckoff", "spearman") == pytest.approx(expected[0])
    assert found(made, "n_wyckoff", "p") == pytest.approx(expected[1])


def test_a_trend_with_the_energy_above_hull_is_not_taken_for_one_of_symmetry():
    made = trends({"m": table(per_meV=-1.0)})
    assert found(made, "n_wyckoff", "spearman") < -0.5
    assert abs(found(made, "n_wyckoff", "partial")) < 0.2
    assert np.isnan(found(made, "above_hull_dft", "partial"))


def test_windows_and_classes_hold_every_crystal_once():
    own = table()
    made = signed_errors({"m": own})
    counts = made[made["error"] == "error_above_hull"].set_index(["by", "class", "window"])["n"]
    for by in ("n_wyckoff", "n_lattice"):
        for window in ("\u2264 25", "\u2264 100", "> 100", "all"):
            level = counts[by].xs(window, level="window")
            assert level.drop("all").sum() == level["all"]
        assert counts[by, "all", "\u2264 100"] + counts[by, "all", "> 100"] == len(own)
    whole = made[(made["class"] == "all") & (made["window"] == "all")]
    assert whole["mean"].iloc[0] == pytest.approx(own["error_formation"].mean())


def test_what_the_crystals_are_is_counted():
    own = table(40)
    own.loc[:9, ["chemistry", "formula"]] = ["element", "Fe"]
    own.loc[10:11, ["chemistry", "formula"]] = ["element", "Na"]
    # an element's ground state, which has no error
    own.loc[0, "above_hull_dft"] = 0.0
    made = sample(own).set_index(["window", "class"])
    assert made.loc[("all", "all"), "n"] == 39
    assert made.loc[("all", "all"), "which"] == "Fe 9, Na 2"
    for _, level in made.drop("all", level="class").groupby("window"):
        assert level["share"].sum() == pytest.approx(1)
        assert (level["elements"] <= level["n"]).all()
    near = own[(own["above_hull_dft"] <= 0.025) & (own["above_hull_dft"] > 0)]
    free = near["n_wyckoff"] == 0
    assert made.loc[("\u2264 25", "0"), "n"] == free.sum()
    assert (
        made.loc[("\u2264 25", "0"), "elements"] == (free & (near["chemistry"] == "element")).sum()
    )


def test_the_overview_says_what_the_long_tables_say():
    tables = {"a": table(per_coordinate=1.0), "b": table(per_meV=-0.5)}
    made = overview(tables).set_index("model")
    for name, own in tables.items():
        assert made.loc[name, "n"] == len(own)
        assert made.loc[name, "formation"] == pytest.approx(own["error_formation"].mean())
        near = own[1000 * own["above_hull_dft"] <= 25]
        assert made.loc[name, "near"] == pytest.approx(near["error_above_hull"].mean())
        assert made.loc[name, "near_low"] < made.loc[name, "near"] < made.loc[name, "near_high"]
        expected = spearmanr(own["n_wyckoff"], own["error_above_hull"])
        assert made.loc[name, "spearman"] == pytest.approx(expected[0])
    assert made.loc["a", "partial"] > 0.5 > abs(made.loc["b", "partial"])


def test_models_share_what_all_are_compared_on():
    own = table(10)
    assert shared_crystals({"a": own, "b": own[own["id"] != "m-3"]}) == set(own["id"]) - {"m-3"}
    assert shared_crystals({"a": own, "b": own}) == set(own["id"])
    assert shared_crystals({}) == frozenset()


def test_false_stability_counts_what_only_the_model_puts_on_its_hull():
    own = table(8, noise=0.0)
    own.loc[:, "above_hull_dft"] = [0.0, 0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06]
    own.loc[:, "above_hull_model"] = [0.0, 0.01, 0.0, 0.0, 0.03, 0.04, 0.05, 0.06]
    row = false_stability({"m": own}).iloc[0]
    assert (row["unstable"], row["on_hull"]) == (6, 2)


def test_a_crystal_that_became_another_says_nothing_of_volumes():
    own = table(50).assign(relaxed_failed="", relaxed_volume_change=np.linspace(0, 0.02, 50))
    own.loc[[3, 4], "relaxed_volume_change"] = [3.0, -0.9]
    row = volumes({"m": own}).iloc[0]
    assert (row["n"], row["other"], row["mean"]) == (
        48,
        2,
        pytest.approx(own["relaxed_volume_change"].drop([3, 4]).mean()),
    )


def relaxed_table(n=120):
    """Crystals that a model relaxed onto its hull or not, three without an answer."""
    own = table(n)
    error = own["error_above_hull"] - 3
    above = np.maximum(own["above_hull_dft"] + error / 1000, 0.0)
    above.iloc[:3] = error.iloc[:3] = np.nan
    return own.assign(
        n_atoms=np.arange(n) % 40 + 1,
        error_above_hull_fixed=error,
        above_hull_model_fixed=above,
        relaxed_failed=np.where(np.arange(n) < 3, "no", ""),
        relaxed_converged_fixed=np.arange(n) >= 5,
        relaxed_volume_change=0.01 * RANDOM.standard_normal(n),
    )


def test_what_matters_of_relaxed_crystals_is_counted():
    own = relaxed_table()
    row = relaxed_overview({"m": own}).iloc[0]
    known = own.iloc[3:]
    assert (row["n"], row["failed"], row["unconverged"]) == (117, 3, 2)
    assert row["above_hull"] == pytest.approx(known["error_above_hull_fixed"].mean())
    near = known[known["above_hull_dft"] <= 0.025]
    assert row["near"] == pytest.approx(near["error_above_hull_fixed"].mean())
    rank = spearmanr(known["n_wyckoff"], known["error_above_hull_fixed"])
    assert (row["spearman"], row["p"]) == pytest.approx(tuple(rank))
    assert row["unstable"] == 117
    assert row["on_hull"] == (known["above_hull_model_fixed"] == 0).sum()


def test_relaxed_energies_are_corrected_like_the_others():
    rows = pd.DataFrame(
        {
            "id": ["FeO", "Fe", "O"],
            "formula": ["FeO", "Fe", "O"],
            "system": ["Fe-O", "Fe", "O"],
            "level_of_theory": ["PBE+U", "PBE", "PBE"],
            "energy": [-5.8, -8.4, -4.9],
            "energy_model": [-5.8, -8.4, -4.9],
            "relaxed_energy_fixed": [-5.8, -8.4, -4.9],
            "correction": [-1.47, 0.0, 0.0],
            "n_wyckoff": 0,
            "n_lattice": 1,
        }
    )
    manifest = manifest_of("m")
    made = compare_run(rows, manifest)
    assert made["formation_model"][0] == pytest.approx(-5.8 - 1.47 + 6.65)
    assert made["above_hull_model"][0] == pytest.approx(0.0)
    np.testing.assert_allclose(made["error_above_hull_fixed"], 0.0, atol=1e-9)
    # without U's correction FeO is above its elements, in the raw view
    assert compare_run(rows, manifest, basis=Basis.RAW)["above_hull_model"][0] == pytest.approx(
        0.85
    )


def manifest_of(name):
    """Of a run that relaxed nothing, with energies without corrections."""
    return RunManifest(
        SCHEMA,
        DatasetStamp("0" * 64, 3, 4),
        ModelStamp("1" * 64, name, "uncorrected"),
        Done("none", 0.01),
        100,
        10,
        Made("nowhere", "ase", None),
    )


def run(folder, name, own):
    (folder / "tables").mkdir(parents=True)
    own.to_parquet(folder / "tables" / "crystals.parquet")
    return folder


def test_a_page_is_made_again_alike(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "symscape.bulk.study_page.read_manifest", lambda folder: manifest_of(folder.name)
    )
    monkeypatch.setattr("symscape.bulk.study_page.duplicates_of", lambda folder: {"m-3": "m-2"})
    runs = [run(tmp_path / name, name, table()) for name in ("first", "second")]
    page = tmp_path / "study.md"
    page.write_text(f"# Title\n\n{BEGIN}\nold\n{END}\n\nThe end.\n", encoding="utf-8")
    written = make_study(runs, [], page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Title\n")
    assert text.endswith("\n\nThe end.\n")
    assert "old" not in text
    assert "| all | all | 399 | 100 % | 0 | – |" in text
    assert "| first | energy above hull | `n_wyckoff` 0 |" in text
    assert all(path.stat().st_size for path in written)
    make_study(runs, [], page)
    assert page.read_text(encoding="utf-8") == text
    with pytest.raises(ScaleError, match="two runs of first"):
        make_study([runs[0], runs[0]], [], page)
    page.write_text("no lines")
    with pytest.raises(ScaleError, match="lacks the lines"):
        make_study(runs, [], page)


def test_models_may_have_relaxed_other_cells(tmp_path, monkeypatch):
    sizes = {"first": 120, "first-small": 60, "second-small": 60}

    def manifest(folder):
        own = manifest_of(folder.name.removesuffix("-small"))
        n = sizes.get(folder.name, 120)
        return replace(own, dataset=DatasetStamp(str(n), n, n))

    monkeypatch.setattr("symscape.bulk.study_page.read_manifest", manifest)
    monkeypatch.setattr("symscape.bulk.study_page.duplicates_of", lambda folder: {})
    single = [run(tmp_path / "single" / name, name, table()) for name in ("first", "second")]
    relaxed = [run(tmp_path / name, name, relaxed_table(n)) for name, n in sizes.items()]
    page = tmp_path / "study.md"
    page.write_text(f"{BEGIN}\n{END}\n", encoding="utf-8")
    make_study(single, relaxed[::-1], page)
    text = page.read_text(encoding="utf-8")
    large = "**Relaxed at fixed symmetry, 120 entries, cells of at most 40 atoms:"
    small = "**Relaxed at fixed symmetry, 60 entries, cells of at most 40 atoms:"
    assert 0 < text.index(large) < text.index(small)
    of_large = text[text.index(large) : text.index(small)]
    assert "| first | 117 | 2 | 3 |" in of_large
    assert "second" not in of_large
    assert "| first | 57 | 2 | 3 |" in text
    assert "| second | 57 | 2 | 3 |" in text
    with pytest.raises(ScaleError, match="two runs of first"):
        make_study(single, [relaxed[0], relaxed[0]], page)
