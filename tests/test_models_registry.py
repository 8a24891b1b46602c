"""Names, cards and what is said when something is missing."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
from docs_pages import blocks, read

from symscape.errors import ModelError
from symscape.models import family as family_module
from symscape.models.card import ModelCard
from symscape.models.families import families
from symscape.models.registry import load_cards, make, read_cards, resolve
from symscape.models.training_sets import training_sets

CARDS = load_cards()
#: whose number is stated nowhere that could be found, and that come with no package
WITHOUT_PARAMETERS = {
    "7net-omni", "7net-omni-matpes-r2scan",
    "mace-omat-0-medium",
    "mace-matpes-pbe-0", "mace-matpes-r2scan-0",
    "M3GNet-PES-MatPES-PBE-2025.2", "M3GNet-PES-MatPES-r2SCAN-2025.2",
    "TensorNet-PES-MatPES-PBE-2025.2", "TensorNet-PES-MatPES-r2SCAN-2025.2",
    "CHGNet-PES-MatPES-PBE-2025.2.10", "CHGNet-PES-MatPES-r2SCAN-2025.2.10",
    "QET-PES-MatPES-PBE-2025.2",
}  # fmt: skip
#: SevenNet-Omni's are in weights that have to be fetched
WITHOUT_ELEMENTS = {"7net-omni", "7net-omni-matpes-r2scan"}


#: ORB's files whose digest stands nowhere that could be found
WITHOUT_DIGEST = {
    "orb-v2", "orb-mptraj-only-v2", "orb-v3-conservative-20-omat", "orb-v3-direct-inf-omat",
    "orb-v3-direct-20-omat", "orb-v3-conservative-20-mpa", "orb-v3-direct-inf-mpa",
    "orb-v3-direct-20-mpa",
}  # fmt: skip


@pytest.mark.parametrize("name", CARDS)
def test_every_card_is_complete(name):
    assert CARDS[name].name == name
    check_complete(CARDS[name])


def test_the_card_of_the_recipe_is_complete(tmp_path):
    page = read("docs/adding-a-model.md")
    (entry,) = (block.text for block in blocks(page) if "level_of_theory" in block.text)
    (tmp_path / "cards.toml").write_text(entry)
    (card,) = read_cards(tmp_path / "cards.toml").values()
    check_complete(card)
    real = CARDS["chgnet"]
    for name in ("family", "checkpoint", "weights_file", "digest", "parameters", "elements"):
        assert getattr(card, name) == getattr(real, name)


def check_complete(card):
    """Hold a card against what the suite wants of each."""
    assert card.family in families()
    assert card.level_of_theory in {"PBE", "r2SCAN"}
    assert card.energy_convention in {"uncorrected", "MP2020"}
    assert card.training_sets
    assert "doi:" in card.reference or "arXiv:" in card.reference
    assert card.licence
    assert card.description
    assert set(card.training_sets) <= training_sets().keys()
    assert card.links
    assert all(re.fullmatch(r"https://\S+", link) for link in card.links)
    # a year, a month, or a day
    assert re.fullmatch(r"20\d\d(-\d\d){0,2}", card.date)
    assert not card.digest or re.fullmatch("[0-9a-f]{64}", card.digest)
    assert (card.parameters > 0) == (card.name not in WITHOUT_PARAMETERS)
    assert bool(card.elements) == (card.name not in WITHOUT_ELEMENTS)
    assert card.checkpoint
    assert card.weights_file
    # the seven of matgl 4 are revisions of repositories that are not here
    if not card.weights_file.startswith("~/.cache/matgl/models--"):
        assert bool(card.digest) == (card.name not in WITHOUT_DIGEST)
    if card.family in ("mace", "orb"):
        assert card.weights_file.startswith("https://")


@pytest.mark.parametrize("family", ["mace", "orb"])
def test_addresses_are_those_of_the_packages(family):
    """What the card names is what the package's own loader fetches."""
    known = published_addresses(family)
    for card in CARDS.values():
        if card.family == family:
            assert known[card.checkpoint] == card.weights_file


def published_addresses(family):
    """The addresses by name, as the package knows them."""
    if family == "mace":
        found = pytest.importorskip("mace.calculators.foundations_models")
        return found.mace_mp_urls
    found = pytest.importorskip("orb_models.forcefield.pretrained")
    return {
        name: inspect.signature(load).parameters["weights_path"].default
        for name, load in found.ORB_PRETRAINED_MODELS.items()
    }


def test_tox_runs_mace_and_orb_without_more_words():
    """Each environment of a family names weights that its card can fetch."""
    text = (Path(__file__).parents[1] / "tox.ini").read_text()
    for family, name in (("mace", "mace-mp-0-medium"), ("orb", "orb-v2")):
        commands = text.partition(f"[testenv:{family}]")[2].partition("[testenv:")[0]
        assert f"symscape_mlip={name} " in commands
        assert resolve(name).card.family == family


def test_every_training_set_has_a_level_of_theory_and_a_source():
    for found in training_sets().values():
        assert found.level_of_theory
        assert "doi:" in found.source or "arXiv:" in found.source
    for name, card in CARDS.items():
        levels = " ".join(training_sets()[s].level_of_theory for s in card.training_sets)
        assert card.level_of_theory in levels, name
        assert not card.hubbard_u or "+U" in levels, name


def test_weights_that_come_with_a_package_have_the_parameters_of_their_card():
    """Those of SevenNet are in its checkpoints; what shifts and scales energies is not trained."""
    sevenn = pytest.importorskip("sevenn.checkpoint")
    package = Path(sevenn.__file__).parent
    for card in CARDS.values():
        path = package / card.weights_file
        if card.family == "sevenn" and path.exists():
            network = sevenn.SevenNetCheckpoint(str(path)).build_model()
            trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
            assert card.parameters == trained, card.name


def test_corrected_and_uncorrected_models_are_told_apart():
    # MgO at 4.25 angstrom differs by the oxide correction between the two
    assert CARDS["chgnet"].energy_convention == "MP2020"
    assert CARDS["7net-0"].energy_convention == "uncorrected"


def test_r2scan_weights_are_not_sold_as_pbe():
    assert CARDS["chgnet-r2scan"].level_of_theory == "r2SCAN"


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(ModelError, match="did you mean 7net-0"):
        resolve("7nte-0")


def test_unknown_name_far_from_all_lists_them():
    with pytest.raises(ModelError, match="the known ones are chgnet, "):
        resolve("qqqqqqqq")


def test_registered_names_do_not_care_about_case():
    assert resolve("CHGNet").card == CARDS["chgnet"]


def test_family_alone_asks_for_weights():
    with pytest.raises(ModelError, match="--checkpoint, or one of 7net-0"):
        resolve("sevenn")


def test_checkpoint_of_a_registered_name_names_the_family(tmp_path):
    with pytest.raises(ModelError, match="write --mlip sevenn"):
        resolve("7net-0", checkpoint=tmp_path / "x.pth")


def test_unknown_family_suggests_the_nearest(tmp_path):
    with pytest.raises(ModelError, match="no model family 'sevennet': did you mean sevenn"):
        resolve("sevennet", checkpoint=tmp_path / "x.pth")


def test_missing_checkpoint_is_named(tmp_path):
    path = tmp_path / "nowhere.pth"
    pytest.importorskip("chgnet")
    with pytest.raises(ModelError, match=r"no checkpoint .*nowhere\.pth"):
        _ = resolve("chgnet", checkpoint=path).fingerprint


def test_own_checkpoint_gets_its_names(tmp_path):
    path = tmp_path / "last.pth"
    assert resolve("chgnet", checkpoint=path).card.name == "chgnet-last"
    assert resolve("chgnet", checkpoint=path, mlip_name="run-42").card.name == "run-42"
    assert resolve("run-43", family="chgnet", checkpoint=path).card.name == "run-43"


def test_own_checkpoint_says_what_it_was_trained_on(tmp_path):
    model = resolve(
        "sevenn",
        checkpoint=tmp_path / "a.pth",
        level_of_theory="r2SCAN",
        energy_convention="MP2020",
        options={"modality": "mpa"},
    )
    assert model.card.level_of_theory == "r2SCAN"
    assert model.card.energy_convention == "MP2020"
    assert model.card.options == {"modality": "mpa"}


@pytest.mark.parametrize("bad", ["a/b", " x", "../up", "a b", ".hidden"])
def test_report_name_must_be_fit_for_a_folder(bad, tmp_path):
    with pytest.raises(ModelError, match="can't name a model"):
        resolve("chgnet", checkpoint=tmp_path / "a.pth", mlip_name=bad)


def test_missing_package_gives_the_pip_command(monkeypatch):
    monkeypatch.setattr(family_module, "package_folder", lambda package: None)
    with pytest.raises(ModelError, match=r'pip install "symscape\[sevenn\]"'):
        _ = resolve("7net-0").fingerprint


def test_weights_that_the_package_lacks_are_named():
    pytest.importorskip("sevenn")
    card = ModelCard("lost", "sevenn", "lost", weights_file="pretrained_potentials/lost.pth")
    with pytest.raises(ModelError, match=r"lost\.pth.*--checkpoint"):
        _ = make(card).fingerprint


def test_dtype_that_a_family_does_not_have():
    with pytest.raises(ModelError, match="can't compute in float64"):
        resolve("chgnet", dtype="float64")


def test_bad_device():
    pytest.importorskip("chgnet")
    with pytest.raises(ModelError, match="Unknown device 'gpu'"):
        _ = resolve("chgnet", device="gpu").fingerprint


@pytest.mark.parametrize("name", ["chgnet", "7net-0"])
def test_fingerprint_needs_no_torch(name):
    pytest.importorskip({"chgnet": "chgnet", "7net-0": "sevenn"}[name])
    code = (
        "import sys; from symscape.models.registry import resolve;"
        f"print(resolve({name!r}).fingerprint);"
        "assert not {'torch', 'chgnet', 'sevenn', 'pymatgen', 'ase'} & set(sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == resolve(name).fingerprint


@pytest.mark.parametrize(
    ("device", "sentence"), [("cuda", "--device cpu"), ("mps", "Apple silicon")]
)
def test_device_that_is_not_there(device, sentence, monkeypatch):
    pytest.importorskip("chgnet")
    from symscape.models import devices

    monkeypatch.setattr(devices, "_count_gpus", lambda: 0)
    monkeypatch.setattr(devices.platform, "system", lambda: "Linux")
    with pytest.raises(ModelError, match=sentence):
        resolve("chgnet", device=device).load()


def test_auto_takes_a_gpu_only_if_torch_can_use_it(monkeypatch):
    from symscape.models import devices

    monkeypatch.setattr(devices, "_count_gpus", lambda: 1)
    monkeypatch.setattr(devices, "_cuda_in_torch", lambda: False)
    assert devices.resolve_device("auto") == "cpu"
    monkeypatch.setattr(devices, "_cuda_in_torch", lambda: True)
    assert devices.resolve_device("auto") == "cuda"
    monkeypatch.setattr(devices, "_count_gpus", lambda: 0)
    assert devices.resolve_device("auto") == "cpu"


def test_a_file_in_the_place_of_a_name():
    pytest.importorskip("sevenn")
    path = resolve("7net-0").weights
    with pytest.raises(ModelError, match=f"write --mlip sevenn --checkpoint {path}"):
        resolve(str(path))


def test_the_packages_own_name_of_weights_will_do():
    assert resolve("medium-mpa-0").card.name == "mace-mpa-0-medium"
    assert resolve("mace", checkpoint="medium-omat-0").card.name == "mace-omat-0-medium"
    assert resolve("sevenn", checkpoint="7net-0").card == CARDS["7net-0"]


def test_copied_weights_keep_the_card_and_orbs_architecture(tmp_path):
    path = tmp_path / "copied.ckpt"
    path.write_bytes(b"")
    card = resolve("orb-v3-direct-20-omat", checkpoint=path).card
    assert card.options == {"architecture": "orb-v3-direct-20-omat"}
    assert card.level_of_theory == "PBE"
    assert card.checkpoint == str(path)
    assert card.digest == CARDS[card.name].digest
    # under another name they may be other weights
    other = resolve("orb-v3-direct-20-omat", checkpoint=path, mlip_name="mine").card
    assert (other.name, other.digest) == ("mine", "")


def test_fingerprints_differ_where_energies_do():
    pytest.importorskip("chgnet")
    prints = {
        resolve(name, device="cpu").fingerprint for name in CARDS if name.startswith("chgnet")
    }
    assert len(prints) == 3
    assert resolve("chgnet", device="cuda").fingerprint not in prints
    again = resolve("chgnet", device="cpu", mlip_name="another-name", batch_size=3)
    assert again.fingerprint in prints
