"""JSON that no file of ours holds is refused with one sentence, whoever reads it."""

from __future__ import annotations

import json
import sys

import pytest
from dataset_files import documents
from hypothesis import given, settings
from hypothesis import strategies as st

from symscape.cli import main
from symscape.jsontext import MOST_DIGITS, MOST_NESTED, JsonTextError, parse_json

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
plain = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | texts
values = st.recursive(
    plain | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(values, st.booleans())
def test_what_json_writes_is_read_back(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert parse_json(text) == value
    assert parse_json(text.encode()) == value


#: kinds of JSON that are refused, and what the sentence says of them
BAD = {
    "digits": (lambda n: "[" + "1" * (MOST_DIGITS + n) + "]", "digits"),
    "digits beyond Python": (lambda n: "[" + "1" * (5000 + n) + "]", "digits"),
    "nesting": (lambda n: "[" * (MOST_NESTED + n) + "]" * (MOST_NESTED + n), "nested"),
    "nesting of objects": (
        lambda n: '{"a":' * (MOST_NESTED + n) + "1" + "}" * (MOST_NESTED + n),
        "nested",
    ),
    "nesting without end": (lambda n: "[" * (100_000 + n) + "]" * (100_000 + n), "nested"),
    "surrogate": (lambda n: json.dumps(["x" * n + chr(0xD800 + n % 0x800)]), "surrogate"),
    "surrogate in a key": (lambda n: json.dumps({chr(0xDC00 + n % 0x300): n}), "surrogate"),
    "key twice": (
        lambda n: json.dumps([{"b": 0, f"a{n}": 1, "c": 2, "?": 1}]).replace("?", f"a{n}"),
        "twice",
    ),
    "torn": (lambda n: json.dumps(list(range(n + 1)))[:-1], "line 1"),
    "not UTF-8": (lambda n: b'["\xff"' + b", 1" * n + b"]", "UTF-8"),
}


@pytest.mark.parametrize("kind", BAD)
@settings(deadline=None, max_examples=30)
@given(n=st.integers(1, 200))
def test_bad_kinds_are_refused(kind, n):
    make, word = BAD[kind]
    with pytest.raises(JsonTextError, match=word):
        parse_json(make(n))


def test_as_deep_as_allowed_and_pairs_of_surrogates_are_fine():
    assert parse_json("[" * MOST_NESTED + "]" * MOST_NESTED)
    assert parse_json('["\\ud83d\\ude00", "\\\\ud800"]') == ["\U0001f600", "\\ud800"]
    assert parse_json("[" + "9" * MOST_DIGITS + "]") == [int("9" * MOST_DIGITS)]


def command(line, capsys, monkeypatch):
    """Return exit code and what was said on stderr."""
    monkeypatch.setattr(sys, "argv", ["symscape", *line])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, capsys.readouterr().err


HEAD = {
    "results": '{"schema": "symscape-results/1", "x": %s}',
    "reference": '{"schema": "symscape-reference/1", "x": %s}',
    "crystal": '{"schema": "symscape-crystal/1", "x": %s}',
}
READERS = {
    "leaderboard": ("results", 2),
    "validate": ("results", 1),
    "reference check": ("reference", 2),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", BAD)
def test_readers_answer_with_one_sentence(kind, reader, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    what, code = READERS[reader]
    bad = BAD[kind][0](3)
    body = bad if isinstance(bad, bytes) else bad.encode("utf-8")
    (tmp_path / "bad.json").write_bytes((HEAD[what] % "?").encode().replace(b"?", body))
    found, said = command([*reader.split(), "bad.json"], capsys, monkeypatch)
    assert found == code
    assert "bad.json" in said
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 1
    assert len(said) < 600


@pytest.mark.parametrize("number", ["1" * 30, "1" * 5001, "0", "-1", "1.0", "\u0661"])
@pytest.mark.parametrize("reader", ["leaderboard", "validate"])
def test_a_version_that_is_none(number, reader, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.json").write_text(
        json.dumps({"schema": f"symscape-results/{number}"}), encoding="utf-8"
    )
    found, said = command([reader, "bad.json"], capsys, monkeypatch)
    assert found == READERS[reader][1]
    assert "schema is" in said
    assert len(said.strip().splitlines()) == 1
    assert len(said) < 600


@pytest.mark.parametrize("kind", [kind for kind in BAD if kind != "torn"])
def test_a_bad_record_of_a_data_set_spoils_no_other(kind, tmp_path, capsys, monkeypatch):
    bad = BAD[kind][0](3)
    body = bad if isinstance(bad, bytes) else bad.encode("utf-8")
    good = json.dumps(documents()[0]).encode()
    (tmp_path / "entries.json").write_bytes(b"[" + good + b', {"energy": ' + body + b"}]")
    monkeypatch.chdir(tmp_path)
    assert command(["import", "entries.json", "-o", "made"], capsys, monkeypatch)[0] == 0
    (line,) = (tmp_path / "made" / "rejects.jsonl").read_text().splitlines()
    assert json.loads(line)["kind"] == "malformed"


_SIGNS = st.text('[]{}"\\ aé', max_size=12)
_NESTED = st.recursive(
    st.one_of(st.integers(), st.none(), _SIGNS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_SIGNS, inner, max_size=3),
    max_leaves=12,
)


def _depth(value):
    if not isinstance(value, dict | list):
        return 0
    items = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_depth, items), default=0)


@given(_NESTED, st.integers(0, 140), st.booleans())
def test_what_is_nested_too_deeply_is_told_by_the_text(value, more, ascii_only):
    """Brackets and quotation marks within strings are no brackets."""
    for _ in range(more):
        value = [value] if more % 2 else {"[": value, "]": 0}
    text = json.dumps(value, ensure_ascii=ascii_only)
    if _depth(value) <= MOST_NESTED:
        assert parse_json(text) == value
    else:
        with pytest.raises(JsonTextError, match="nested too deeply"):
            parse_json(text)
