"""What ``tox run -e mace`` and ``-e orb`` do first: the packages' loaders fetch the weights."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
import small_models as small
from model_structures import varied

from symscape.models.registry import load_cards, make, resolve

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
    return tmp_path


def test_mace_mp_0(served, caches, monkeypatch):
    models = pytest.importorskip("mace.calculators.foundations_models")
    folder, address = served
    card = load_cards()["mace-mp-0-medium"]
    file = card.weights_file.rpartition("/")[2]
    path = small.save_mace(folder / file)
    monkeypatch.setitem(models.mace_mp_urls, card.checkpoint, f"{address}/{file}")
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
