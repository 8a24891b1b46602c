"""JSON that no file of anybody's should hold: every reader refuses it with one sentence.

The kinds are written by hand, and hypothesis puts them anywhere into documents that are sound.
"""

from __future__ import annotations

import json
import sys

import pytest
from dataset_files import entries
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toys import toy_document

from symscape.cli import main

#: a value that stands where any value may
VALUES = {
    "digits": "1" + 5000 * "7",
    "negative digits": "-" + 5001 * "9",
    "nested 400": 400 * "[" + 400 * "]",
    "nested 400 by keys": 400 * '{"a":' + "1" + 400 * "}",
    "nested 100,000": 100_000 * "[" + 100_000 * "]",
    "nested without end": 100_000 * "[",
    "half a character": '"\\ud800"',
    "other half": '"x\\uDC00y"',
    "twice": '{"a": 1, "a": 1}',
    "twice by name": '{"a": 1, "\\u0061": 2}',
}
#: what is typed for a file, and with what it is read
READERS = (
    "validate {}", "validate {} --submission", "leaderboard {} -o board", "slices {}",
    "import {} -o new", "reference check {}", "reference plan {}", "draw {} -o x.png",
    "reference import plan.toml {}",
)  # fmt: skip


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    return tmp_path_factory.mktemp("json")


def sound() -> dict[str, dict]:
    """Documents of each kind that somebody may give."""
    return {
        "results": {"schema": "symscape-results/1", "model": {"name": "m"}, "cases": [{}]},
        "reference": toy_document(),
        "entry": entries()[0].as_dict(),
        "structure": entries()[0].structure.as_dict(),
    }


def spoiled(document: dict, value: str, place: float) -> str:
    """Return a document's text with a value in the place of one of its own."""
    text = json.dumps(document)
    marks = [k for k, character in enumerate(text) if character == ":"]
    mark = marks[min(int(place * len(marks)), len(marks) - 1)]
    # a member more, before the one that begins here
    start = text.rindex('"', 0, text.rindex('"', 0, mark))
    return f'{text[:start]}"spoiled": {value}, {text[start:]}'


def answer(typed: str, capsys, monkeypatch) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["symscape", *typed.split()])
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main()
    streams = capsys.readouterr()
    return end.value.code, streams.out + streams.err


@pytest.mark.parametrize("reader", READERS)
@settings(
    deadline=None, max_examples=5, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    st.sampled_from(sorted(VALUES)), st.sampled_from(sorted(sound())), st.floats(0, 1)
)  # fmt: skip
def test_every_reader_refuses_it(here, reader, capsys, monkeypatch, kind, document, place):
    monkeypatch.chdir(here)
    (here / "given.json").write_text(spoiled(sound()[document], VALUES[kind], place))
    code, said = answer(reader.format("given.json"), capsys, monkeypatch)
    assert code in (1, 2), said
    assert "Traceback" not in said
    assert "Error(" not in said
    sentences = [line for line in said.splitlines() if "given.json" in line or "symscape:" in line]
    assert sentences or "plan.toml" in said, said
    assert max(map(len, said.splitlines()), default=0) < 600, said


@pytest.mark.parametrize("digits", [5, 400, 5001])
@pytest.mark.parametrize("name", ["symscape-results", "symscape-landscape"])
@pytest.mark.parametrize("command", ["validate", "leaderboard", "reference check"])
def test_versions_of_many_digits_are_no_versions(here, digits, name, command, capsys, monkeypatch):
    monkeypatch.chdir(here)
    (here / "given.json").write_text(json.dumps({"schema": f"{name}/{digits * '1'}"}))
    code, said = answer(f"{command} given.json", capsys, monkeypatch)
    assert code in (1, 2)
    assert "given.json" in said
    assert "Traceback" not in said
    assert len(said) < 1000


@pytest.mark.parametrize("kind", sorted(VALUES))
def test_a_record_that_holds_it_is_left_out_and_the_others_are_read(
    here, kind, capsys, monkeypatch
):
    monkeypatch.chdir(here)
    good = entries()
    texts = [json.dumps(entry.as_dict()) for entry in good[:3]]
    texts[1] = spoiled(good[1].as_dict(), VALUES[kind], 0.5)
    (here / "list.jsonl").write_text("\n".join(texts) + "\n")
    code, said = answer("import list.jsonl -o made --replace", capsys, monkeypatch)
    assert code == 0, said
    assert "imported   2" in said
    assert "malformed" in said
