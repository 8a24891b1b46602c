"""Published values of the cards: what is compared, and how."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from ase.units import GPa
from typer.testing import CliRunner

from symscape.cli import app
from symscape.errors import ModelError
from symscape.models import published, registry
from symscape.models.base import EnergyModel, Prediction
from symscape.models.card import ModelCard, PublishedValue
from symscape.models.family import FamilyModel
from symscape.models.registry import load_cards, read_cards

VALUES = [(name, value) for name, card in load_cards().items() for value in card.published]


class Springs(EnergyModel):
    """A cubic crystal whose energy is lowest at a known edge, anharmonic around it."""

    edge = 4.25

    @property
    def fingerprint(self):
        return "springs"

    @property
    def implements(self):
        return frozenset({"energy"})

    def _predict_batch(self, batch, forces, stresses):
        strain = np.abs(np.linalg.det(batch.cells)) ** (1 / 3) / self.edge - 1
        return Prediction(-7 + 40 * strain**2 - 60 * strain**3)


def springs(*values):
    return Springs(ModelCard("springs", "ase", published=values))


@pytest.mark.parametrize(("name", "value"), VALUES)
def test_every_published_value_can_be_asked_for(name, value):
    assert value.quantity in ("energy", "lattice_parameter", "lowest_energy", "bulk_modulus")
    assert value.source in published.published_text(value)
    assert value.tolerance > 0
    assert value.source
    structure = published.published_structure(value.structure)
    assert len(structure) == 1
    if value.quantity != "energy":
        cell = structure.cells[0]
        assert cell == pytest.approx(np.eye(3) * cell[0, 0], abs=1e-9)
    if value.quantity == "lattice_parameter":
        assert cell[0, 0] == pytest.approx(value.value, rel=0.05)


@pytest.mark.parametrize("card", load_cards().values(), ids=lambda card: card.name)
def test_a_card_has_values_or_says_why_not_but_not_both(card):
    assert bool(card.published) != bool(card.not_published)


def test_the_bulk_modulus_is_that_of_the_energy(monkeypatch):
    # E = 40 x^2 of the strain x of the edge a: V E''(V) = 80 / (9 a^3) eV per cubic angstrom
    modulus = 80 / (9 * Springs.edge**3) / GPa
    value = PublishedValue("MoS", "bulk_modulus", modulus, 1e-4 * modulus, "closed form")
    assert published.compare_published(springs(value))[0].agrees


@pytest.mark.parametrize("structure", ["MoS", "Cu"])
def test_the_lowest_energy_is_per_atom(structure):
    # Springs have -7 eV a cell at their lowest, whatever is in it
    n = len(published.published_structure(structure).numbers)
    value = PublishedValue(structure, "lowest_energy", -7 / n, 1e-5, "closed form")
    edge = np.linalg.det(published.published_structure(structure).cells[0]) ** (1 / 3)
    model = springs(value)
    model.edge = 1.02 * edge
    assert published.compare_published(model)[0].agrees
    assert "eV/atom" in published.published_text(value)


def test_another_head_of_the_same_weights_is_asked_where_the_value_is_its(monkeypatch):
    asked = []

    def make(card, **more):
        asked.append(dict(card.options))
        return Springs(card)

    monkeypatch.setattr(registry, "make", make)
    value = PublishedValue("MoS", "energy", -7.0, 1e3, "x", {"modality": "R2SCAN"})
    card = ModelCard("mine", "ase", options={"modality": "PBE", "n": 1}, published=(value,))
    assert published.compare_published(Springs(card))[0].agrees
    assert asked == [{"modality": "R2SCAN", "n": 1}]
    assert "with modality R2SCAN" in published.published_text(value)


@pytest.mark.parametrize("edge", [3.95, 4.0, 4.21, 4.3])
def test_the_edge_of_lowest_energy_is_found(edge, monkeypatch):
    monkeypatch.setattr(Springs, "edge", edge)
    value = PublishedValue("MoS", "lattice_parameter", edge, 1e-4, "closed form")
    (found,) = published.compare_published(springs(value))
    assert found.agrees
    assert found.found == pytest.approx(edge, abs=1e-4)


def test_another_energy_does_not_agree_and_nan_never_does():
    value = PublishedValue("MoS", "energy", -7.0, 1e-3, "closed form")
    (found,) = published.compare_published(springs(value))
    assert not found.agrees
    assert not replace(found, found=float("nan")).agrees
    strain = 4.0 / 4.25 - 1
    exact = replace(value, value=-7 + 40 * strain**2 - 60 * strain**3)
    assert published.compare_published(springs(exact))[0].agrees


def test_unknown_structures_and_quantities_are_named():
    with pytest.raises(ModelError, match="no structure Xy for published values: use one of"):
        published.published_structure("Xy")
    with pytest.raises(ModelError, match="not of colour"):
        published.compare_published(springs(PublishedValue("Si", "colour", 1.0, 1.0, "x")))


def test_the_command_says_what_differs(monkeypatch):
    right = PublishedValue("MoS", "lattice_parameter", 4.25, 1e-3, "closed form")
    monkeypatch.setattr(registry, "resolve", lambda name, **more: springs(right))
    done = CliRunner().invoke(app, ["models", "--check", "springs"])
    assert done.exit_code == 0
    assert "agrees: 4.2500" in done.stdout
    monkeypatch.setattr(
        registry, "resolve", lambda name, **more: springs(right, replace(right, value=4.1))
    )
    done = CliRunner().invoke(app, ["models", "--check", "springs"])
    assert done.exit_code == 1
    assert "DIFFERS" in done.stdout
    monkeypatch.setattr(registry, "resolve", lambda name, **more: springs())
    done = CliRunner().invoke(app, ["models", "--check", "springs"])
    assert done.exit_code == 1
    assert "no published value" in done.stdout


@pytest.mark.parametrize("text", ["other", ""])
@pytest.mark.parametrize("folder", [False, True])
def test_another_file_than_the_cards_is_told(tmp_path, text, folder, monkeypatch):
    path = tmp_path / "weights" / ("state.pt" if folder else "weights.bin")
    path.parent.mkdir()
    path.write_text("the published ones")
    digest = hashlib.sha256(b"the published ones").hexdigest()
    path.write_text(text or path.read_text())
    # what else lies in a folder is not the weights
    (path.parent / "README.md").write_text("read me")

    class Filed(Springs):
        weights = path.parent if folder else path
        state_file = "state.pt"
        digest_of = FamilyModel.digest_of

    monkeypatch.setattr(published, "FamilyModel", Filed)
    card = ModelCard("mine", "ase", digest=digest)
    assert published.weights_are_the_cards(Filed(card)) is (not text)
    assert published.weights_are_the_cards(Filed(replace(card, digest=""))) is None
    assert published.weights_are_the_cards(Springs(card)) is None


def test_the_command_fails_with_another_file(monkeypatch):
    right = PublishedValue("MoS", "lattice_parameter", 4.25, 1e-3, "closed form")
    monkeypatch.setattr(registry, "resolve", lambda name, **more: springs(right))
    for same, said in ((True, "agrees: SHA-256"), (False, "DIFFERS: SHA-256")):
        monkeypatch.setattr(published, "weights_are_the_cards", lambda model, same=same: same)
        done = CliRunner().invoke(app, ["models", "--check", "springs"])
        assert done.exit_code == (0 if same else 1)
        assert said in done.stdout


def test_a_card_with_a_bad_published_value_is_refused(tmp_path):
    path = tmp_path / "cards.toml"
    path.write_text('[mine]\nfamily = "mace"\npublished = [{ structure = "Si" }]\n')
    with pytest.raises(ModelError, match=r"'published\[0\].quantity' is missing"):
        read_cards(path)
    path.write_text('[mine]\nfamily = "mace"\nparameters = true\n')
    with pytest.raises(ModelError, match="'parameters' is not an integer"):
        read_cards(path)


def test_a_version_that_computes_something_else_is_refused(monkeypatch):
    from symscape.models import family

    monkeypatch.setattr(family, "package_folder", lambda package: published._FOLDER)
    monkeypatch.setattr(family, "distribution_version", lambda name: "4.1.2")
    model = registry.resolve("M3GNet-MP-2021.2.8-PES")
    with pytest.raises(ModelError, match=r"needs matgl >=2,<3, but 4.1.2 is installed"):
        model.check_installed()
