"""What ``tox run -e mace`` and ``-e orb`` do first: the packages' loaders fetch the weights.

And whether what they fetched, now or long ago, is the file that a registered name stands for.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.request import urlretrieve

import numpy as np
import pytest
import small_models as small
from model_structures import varied

from symscape.errors import ModelError
from symscape.models.card import ModelCard
from symscape.models.family import FamilyModel
from symscape.models.fetched import FILE
from symscape.models.registry import load_cards, make, model_status, resolve

pytestmark = pytest.mark.filterwarnings("ignore")


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder; ORB's downloads are named by what a server says of a file's version."""

    def end_headers(self):
        self.send_header("ETag", '"1"')
        super().end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def served(tmp_path):
    """A folder and its address on this machine."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def caches(tmp_path, monkeypatch):
    """Folders of the packages' downloads, still empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CACHED_PATH_CACHE_ROOT", str(tmp_path / "cached_path"))
    monkeypatch.setenv("SYMSCAPE_CACHE_DIR", str(tmp_path / "symscape"))
    return tmp_path


def test_mace_mp_0(served, caches, monkeypatch):
    models = pytest.importorskip("mace.calculators.foundations_models")
    folder, address = served
    card = load_cards()["mace-mp-0-medium"]
    file = card.weights_file.rpartition("/")[2]
    path = small.save_mace(folder / file)
    monkeypatch.setitem(models.mace_mp_urls, card.checkpoint, f"{address}/{file}")
    card = replace(card, digest=sha256(path))
    same_energies(card, resolve("mace", checkpoint=path, device="cpu"), caches)


def test_orb_v2(served, caches, monkeypatch):
    pretrained = pytest.importorskip("orb_models.forcefield.pretrained")
    folder, address = served
    card = load_cards()["orb-v2"]
    file = card.weights_file.rpartition("/")[2]
    path = small.save_orb(folder / file, False)
    name = small.register_small_orb(monkeypatch, False)
    # the weights of a small network, in the place of the large one's
    table = pretrained.ORB_PRETRAINED_MODELS
    monkeypatch.setitem(table, card.checkpoint, table[name])
    local = resolve("orb", checkpoint=path, device="cpu", options={"architecture": name})
    same_energies(replace(card, weights_file=f"{address}/{file}"), local, caches)


def same_energies(card, local, caches):
    """A card's weights are fetched, found and loaded, and are those that were served."""
    structures = varied(3)
    fetched = make(card, device="cpu")
    np.testing.assert_allclose(fetched.energies(structures), local.energies(structures), rtol=1e-6)
    assert fetched.weights.is_relative_to(caches)
    assert not fetched.weights.is_relative_to(caches / "served")


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


class Served(FamilyModel):
    """A family of an installed package whose weights are fetched into a folder, never loaded."""

    package = "numpy"
    distribution = "numpy"
    implements = frozenset({"energy"})
    folder: Path

    @classmethod
    def locate(cls, card, folder):
        return cls.folder / "weights.bin"

    def _fetch(self):
        self.folder.mkdir(exist_ok=True)
        # the server on this machine has no certificate
        address = self.card.weights_file.replace("https://", "http://")
        urlretrieve(address, self.locate(self.card, self.folder))

    def _load(self, weights, device):
        raise NotImplementedError

    def _evaluate(self, batch, forces, stresses):
        raise NotImplementedError


@pytest.fixture
def fetched(served, caches, monkeypatch):
    """Return a function that fetches text from the server, or takes what was fetched before."""
    folder, address = served
    address = address.replace("http://", "https://")
    monkeypatch.setattr(Served, "folder", caches / "fetched", raising=False)

    def fetch(text=None, digest=""):
        if text is not None:
            (folder / "weights.bin").write_text(text)
            (Served.folder / "weights.bin").unlink(missing_ok=True)
        card = ModelCard("mine", "mace", weights_file=f"{address}/weights.bin", digest=digest)
        return Served(card, device="cpu").weights.read_text()

    return fetch


def test_a_file_without_a_published_digest_must_stay_what_it_was_at_first(fetched, caches):
    assert fetched("one") == "one"
    assert fetched() == "one"
    # the server has another one, or the file here was changed
    with pytest.raises(ModelError, match="is not the file that was used as mine before"):
        fetched("two")
    assert fetched("one") == "one"
    (Served.folder / "weights.bin").write_text("edited")
    with pytest.raises(ModelError, match="was not published") as refused:
        fetched()
    record = caches / "symscape" / FILE
    assert str(record) in str(refused.value)
    assert hashlib.sha256(b"edited").hexdigest()[:12] in str(refused.value)
    # told to trust the new one
    record.unlink()
    assert fetched() == "edited"
    record.write_text("{")
    with pytest.raises(ModelError, match="is damaged"):
        fetched()


def test_a_file_with_another_digest_than_the_published_one_is_refused(fetched, caches):
    digest = hashlib.sha256(b"the published one").hexdigest()
    assert fetched("the published one", digest) == "the published one"
    with pytest.raises(ModelError, match=r"is not the file published as mine: .* Remove it"):
        fetched("another", digest)
    assert not (caches / "symscape" / FILE).exists()


def test_a_copy_under_a_registered_name_is_the_published_file(tmp_path):
    copy = tmp_path / "copy.bin"
    copy.write_bytes(b"the published one")
    digest = hashlib.sha256(copy.read_bytes()).hexdigest()
    card = ModelCard("mine", "mace", checkpoint=str(copy), digest=digest)
    assert Served(card, device="cpu").weights == copy
    copy.write_bytes(b"trained further")
    with pytest.raises(ModelError, match=r"not the file published as mine: .* a name of its own"):
        _ = Served(card, device="cpu").weights
    assert Served(replace(card, digest=""), device="cpu").weights == copy


def test_where_nothing_can_be_kept_every_use_is_the_first(fetched, caches, monkeypatch):
    (caches / "file").write_text("")
    monkeypatch.setenv("SYMSCAPE_CACHE_DIR", str(caches / "file"))
    assert fetched("one") == "one"
    assert fetched("two") == "two"


@pytest.mark.parametrize("card", load_cards().values(), ids=lambda card: card.name)
def test_weights_that_are_here_have_the_digest_of_their_card(card):
    weights = model_status(card).weights
    if weights is None or not card.digest:
        pytest.skip("not on this machine, or of no known digest")
    assert sha256(weights / "state.pt" if weights.is_dir() else weights) == card.digest
