"""``symscape models`` and ``symscape cache``."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from symscape.cli import app
from symscape.errors import ModelError
from symscape.models.cache import CacheEntry, EnergyCache
from symscape.models.registry import load_cards


def run(*args):
    return CliRunner().invoke(app, list(args))


def test_lists_every_registered_model_once():
    lines = run("models").stdout.splitlines()
    listed = [line.split()[0] for line in lines[1 : lines.index("")]]
    assert listed == list(load_cards())


def test_says_what_is_installed(monkeypatch):
    pytest.importorskip("chgnet")
    line = next(x for x in run("models").stdout.splitlines() if x.startswith("chgnet "))
    assert "chgnet 0." in line
    assert line.split()[-1] == "here"
    monkeypatch.setattr("symscape.models.weights.package_folder", lambda package: None)
    line = next(x for x in run("models").stdout.splitlines() if x.startswith("chgnet "))
    assert 'pip install "symscape[chgnet]"' in line


def test_shows_a_card_with_citation_and_licence():
    text = run("models", "show", "7NET-0").stdout
    assert "doi:10.1021/acs.jctc.4c00190" in text
    assert "GPL-3.0" in text
    assert "uncorrected" in text


def test_a_card_without_a_digest_says_so():
    """Of a file that others publish without its SHA-256, the card does not pass over it."""
    text = run("models", "show", "orb-v2").stdout
    (line,) = [line for line in text.splitlines() if line.startswith("SHA-256")]
    assert line.split(maxsplit=1)[1].strip() == "not published where this could be looked up"


def test_unknown_card_names_the_nearest():
    outcome = run("models", "show", "chgnett")
    assert isinstance(outcome.exception, ModelError)
    assert "did you mean chgnet" in str(outcome.exception)


def test_cache_info_and_clear(tmp_path):
    where = ("--cache-dir", str(tmp_path))
    assert "empty" in run("cache", "info", *where).stdout
    with EnergyCache(tmp_path) as cache:
        cache.put("f1", "run-1", {bytes(16): CacheEntry(1.0), bytes([1]) * 16: CacheEntry(2.0)})
        cache.put("f2", "run-22", {bytes(16): CacheEntry(1.0)})
    text = run("cache", "info", *where).stdout
    assert str(tmp_path) in text
    assert "run-1   2 structures" in text
    assert "run-22  1 structure\n" in text
    wrong = run("cache", "clear", "--model", "run-3", *where)
    assert "no model 'run-3'" in str(wrong.exception)
    assert "which holds run-1, run-22" in str(wrong.exception)
    assert run("cache", "clear", "--model", "run-1", *where).stdout == "removed 2 structures\n"
    assert run("cache", "clear", *where).stdout == "removed 1 structure\n"
    assert "empty" in run("cache", "info", *where).stdout
