"""The codec: what dataclasses say is what a file may hold, and a complaint names the place."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import toml

from symscape.decode import DecodeError, Finite, OpenRecord, decode, encode
from symscape.errors import PlanError, SymscapeError, ToleranceFileError
from symscape.tomltext import read_toml


@dataclass(frozen=True)
class Inner:
    """A table within a table."""

    place: int | str
    when: date = date(2027, 3, 31)


@dataclass(frozen=True)
class Outer:
    """A table with all kinds of fields."""

    width: float
    inner: Inner
    rows: tuple[Inner, ...] = ()
    named: dict[str, Inner] = field(default_factory=dict)
    cited: str | tuple[str, ...] = ()
    maybe: float | None = None


words = st.text("abcdefgh", min_size=1, max_size=6)
inners = st.builds(Inner, st.integers(-9, 9) | words, st.dates())
outers = st.builds(
    Outer,
    st.floats(-1e6, 1e6),
    inners,
    st.lists(inners, max_size=3).map(tuple),
    st.dictionaries(words, inners, max_size=3),
    words | st.lists(words, max_size=3).map(tuple),
    st.none() | st.floats(-1e6, 1e6),
)


def plain(value: object) -> object:
    """Return dataclasses as a TOML file gives them: tables, lists, days; nothing is null."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


@given(outers)
def test_what_is_taken_apart_is_put_together_again(outer):
    assert decode(Outer, plain(asdict(outer)), "", closed=True) == outer


def tables(document: object, path: str = "") -> list[tuple[str, dict]]:
    """Return the tables of a document whose fields are known, with their paths."""
    found = [(path, document)]
    spots = {"inner": document["inner"]}
    spots |= {f"rows[{k}]": row for k, row in enumerate(document["rows"])}
    spots |= {f"named.{key}": row for key, row in document["named"].items()}
    return found + list(spots.items())


@given(outers, st.data())
def test_an_unknown_key_is_named_by_its_path_and_only_where_it_matters(outer, data):
    document = plain(asdict(outer))
    where, table = data.draw(st.sampled_from(tables(document)))
    table["wdith" if table is document else "palce"] = 1
    assert decode(Outer, document, "") == outer
    with pytest.raises(DecodeError) as caught:
        decode(Outer, document, "", closed=True)
    spot = "wdith" if table is document else f"{where}.palce"
    meant = "width" if table is document else "place"
    assert str(caught.value) == f"the key '{spot}' is unknown (did you mean '{meant}'?)"


@given(outers, st.data())
def test_a_field_that_is_missing_or_of_another_type_is_named_by_its_path(outer, data):
    document = plain(asdict(outer))
    where, table = data.draw(st.sampled_from(tables(document)))
    name = "width" if table is document else "place"
    spot = f"{where}.{name}" if where else name
    wrong = data.draw(st.sampled_from([None, [], {}, True, datetime(2027, 3, 31)]))
    if wrong is None:
        del table[name]
        said = f"field '{spot}' is missing"
    else:
        table[name] = wrong
        kinds = "a number" if table is document else "an integer or a string"
        said = f"field '{spot}' is not {kinds}"
    with pytest.raises(DecodeError, match=f"^{re.escape(said)}$"):
        decode(Outer, document, "", closed=True)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (3, "field 'cited' is not a string or a list"),
        (["a", 3], r"field 'cited\[1\]' is not a string"),
    ],
)
def test_of_a_union_the_nearest_complaint_is_made(value, said):
    document = {"width": 1, "inner": {"place": 1}, "cited": value}
    with pytest.raises(DecodeError, match=f"^{said}$"):
        decode(Outer, document, "")


def test_a_moment_is_no_day():
    with pytest.raises(DecodeError, match="is not a day"):
        decode(date, datetime(2027, 3, 31, 12), "expires")


def test_numbers_of_json_are_not_truths():
    with pytest.raises(DecodeError, match="is not an integer"):
        decode(int, True, "points")
    assert decode(dict[str, int], encode({"a": 1}), "") == {"a": 1}


# ---------------------------------------------------------------------------------------- TOML

#: what is no TOML, or no file at all
BAD = {
    "torn": b"[energies\n",
    "latin": b'name = "\xe9"\n',
    "digits": b"x = " + b"9" * 5000,
    "deep": b"x = " + b"[" * 100_000,
    "twice": b"x = 1\nx = 2\n",
    "day": b"x = 2027-02-31\n",
    "half": b'x = "\\ud800"\n',
}


@pytest.mark.parametrize("kind", [PlanError, ToleranceFileError])
@pytest.mark.parametrize("name", [*BAD, "absent", "folder", "null\0"])
def test_what_is_no_toml_is_one_sentence_that_names_the_file(tmp_path, name, kind):
    path = tmp_path / f"{name}.toml"
    if name == "folder":
        path.mkdir()
    elif name in BAD:
        path.write_bytes(BAD[name])
    with pytest.raises(kind) as caught:
        read_toml(path, "plan", kind)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    assert text.endswith(".")


@given(st.dictionaries(words, st.dictionaries(words, st.integers() | words | st.booleans())))
def test_tables_are_read_back(tmp_path_factory, document):
    path: Path = tmp_path_factory.mktemp("toml") / "x.toml"
    path.write_text(toml(document), encoding="utf-8")
    assert read_toml(path, "file", SymscapeError) == document


@dataclass(frozen=True, kw_only=True)
class Part(OpenRecord):
    """A part of a file that may say more."""

    code: str
    cutoff: Finite | None = None
    mesh: tuple[int, int, int] | None = None
    note: str = ""
    cited: str | tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True, kw_only=True)
class Holder(OpenRecord):
    """One that holds others."""

    part: Part
    parts: dict[str, Part] = field(default_factory=dict)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
stated = st.fixed_dictionaries(
    {"code": words},
    optional={
        "cutoff": st.none() | st.integers(0, 900) | st.floats(0, 900),
        "mesh": st.none() | st.lists(st.integers(1, 9), min_size=3, max_size=3),
        "note": st.just("") | words,
        "cited": words | st.lists(words, max_size=2),
        "whole": st.booleans(),
    },
)
part = st.tuples(stated, st.dictionaries(words.map("x_".__add__), json_values, max_size=3))
part = part.map(lambda both: both[0] | both[1]).flatmap(
    lambda said: st.permutations(list(said)).map(lambda keys: {key: said[key] for key in keys})
)


@given(part, st.dictionaries(words, part, max_size=2))
def test_an_open_record_is_written_as_it_was_read(own, others):
    """Order of keys, what no field takes, 520 beside 520.0: to the byte, also in closed files."""
    document = {"parts": others, "part": own}
    for closed in (False, True):
        read = decode(Holder, document, "", closed=closed)
        assert json.dumps(encode(read)) == json.dumps(document)
        assert decode(Holder, encode(read), "") == read


@given(part, words, st.none() | st.floats(1, 9))
def test_what_is_changed_in_an_open_record_is_written_where_it_stood(said, code, cutoff):
    changed = encode(replace(decode(Part, said, ""), code=code, cutoff=cutoff))
    kept = [key for key in said if key != "cutoff"]
    assert [key for key in changed if key != "cutoff"] == kept
    assert changed["code"] == code
    assert changed.get("cutoff") == cutoff
    # what was told to be nothing stays only where it already was
    assert ("cutoff" in changed) == (cutoff is not None or said.get("cutoff", 0) is None)
    assert {key: said[key] for key in kept if key != "code"} == {
        key: changed[key] for key in kept if key != "code"
    }


@given(words, st.sampled_from([None, 0, 2.5]))
def test_a_new_open_record_leaves_out_what_is_empty(code, cutoff):
    made = Part(code=code, cutoff=cutoff)
    assert encode(made) == {"code": code} | ({} if cutoff is None else {"cutoff": cutoff})
