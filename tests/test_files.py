"""Files are written whole or not at all, whatever is in them."""

import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symscape.decode import dumps
from symscape.files import checksum, write_atomically, write_checked
from symscape.jsontext import parse_json

SURROGATES = range(0xD800, 0xE000)
#: as models say it: any characters, halves of characters among them
texts = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from(SURROGATES).map(chr)), max_size=20
)


def spelled_out(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" if ord(c) in SURROGATES else c for c in text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts)
def test_any_text_is_written(tmp_path, text):
    path = tmp_path / "summary.md"
    write_atomically(path, text)
    assert path.read_bytes().decode("utf-8") == spelled_out(text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(texts.map(spelled_out), st.lists(texts, max_size=3), max_size=3), texts)
def test_any_text_in_json_is_read_again(tmp_path, document, key):
    path = tmp_path / "results.json"
    write_atomically(path, dumps(document | {"last": {key: key}}))
    expected = {k: [spelled_out(item) for item in items] for k, items in document.items()}
    expected["last"] = {spelled_out(key): spelled_out(key)}
    assert parse_json(path.read_bytes()) == expected


@pytest.mark.parametrize("content", ["Å\n", "Å\r\n".encode()])
def test_the_checksum_is_that_of_the_bytes(tmp_path, content):
    path = tmp_path / "new" / "file"
    write_atomically(path, content)
    raw = content if isinstance(content, bytes) else content.encode()
    assert path.read_bytes() == raw
    assert checksum(path) == hashlib.sha256(raw).hexdigest()


def test_what_fails_its_check_leaves_the_old_file(tmp_path):
    path = tmp_path / "material" / "slice.json"
    seen = []

    def check(trial):
        seen.append((trial.parent.name, trial.name, trial.read_text()))
        if "wrong" in seen[-1][2]:
            raise ValueError("wrong")

    write_checked(path, "old", check)
    with pytest.raises(ValueError, match="wrong"):
        write_checked(path, "wrong", check)
    assert path.read_text() == "old"
    write_checked(path, "new", check)
    assert path.read_text() == "new"
    assert seen == [("material", "slice.json", text) for text in ("old", "wrong", "new")]
    assert list(path.parent.iterdir()) == [path]
