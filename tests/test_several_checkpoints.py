"""Weights of one's own for some of several potentials: ``--checkpoint NAME=PATH``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ase.build import bulk
from command_line import typed as typed
from hypothesis import given
from hypothesis import strategies as st

from symscape.errors import ModelError
from symscape.models.registry import SHORT_NAMES, find_card, load_cards
from symscape.models.several import match_checkpoints, resolve_all
from symscape.models.spec import ModelSpec

NAMES = st.lists(
    st.sampled_from(["chgnet", "7net-0", "mace", "M3GNet", "toy.py:make"]), min_size=1, unique=True
)
#: paths have equals signs and names of models in them, too
PATHS = st.text("ab/=.", min_size=1) | st.sampled_from(["mace", "runs/mace=1.model", "x y"])


@given(NAMES, st.data())
def test_each_model_gets_its_own_checkpoints_in_order(names, data):
    own = {name: data.draw(st.lists(PATHS, max_size=2)) for name in names}
    pairs = [(name, path) for name in names for path in own[name]]
    typed_names = [(data.draw(st.sampled_from([n, n.upper(), n.lower()])), p) for n, p in pairs]
    shuffled = data.draw(st.permutations([f"{name}={path}" for name, path in typed_names]))
    found = match_checkpoints(names, shuffled)
    assert [name for name, _ in found] == [n for n in names for _ in own[n] or [None]]
    for name in names:
        assert sorted(path for n, path in found if n == name and path) == sorted(own[name])


@given(PATHS)
def test_one_model_needs_no_name_before_its_path(path):
    assert match_checkpoints(["mace"], [path]) == (("mace", path),)


def test_any_name_of_a_registered_model_will_do():
    names = ["chgnet", "m3gnet"]
    for name in (*SHORT_NAMES, *SHORT_NAMES.values()):
        assert match_checkpoints(names, [f"{name}=a"]) == (("chgnet", None), ("m3gnet", "a"))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            ["run.model"],
            "--checkpoint run.model: say whose .*--checkpoint mace=run.model, .* 2 pot",
        ),
        (["mcae=run.model"], "names no 'mcae'; did you mean mace"),
        (["frob=run.model"], r"--mlip mace,chgnet names no 'frob'\."),
        (["mace="], "no path behind"),
    ],
)
def test_it_must_be_said_whose_weights_they_are(values, sentence):
    with pytest.raises(ModelError, match=sentence):
        match_checkpoints(["mace", "chgnet"], values)


def test_two_models_of_one_name_are_refused_and_one_twice_is_one(tmp_path):
    one, other = (str(tmp_path / folder / "last.pth") for folder in "ab")
    with pytest.raises(ModelError, match=r"called chgnet-last, .*a/last.pth and .*b/last.pth:"):
        resolve_all(ModelSpec("chgnet", checkpoint=path) for path in (one, other))
    with pytest.raises(ModelError, match="called make, one:make and other:make"):
        resolve_all(map(ModelSpec, ("one:make", "other:make")))
    assert list(resolve_all(map(ModelSpec, ("chgnet", "7net-0", "0.3.0", "CHGNet")))) == [
        "chgnet",
        "7net-0",
    ]


def test_short_names_hide_no_other_and_name_registered_weights():
    cards = load_cards()
    taken = {text.lower() for card in cards.values() for text in (card.name, card.checkpoint or "")}
    for short, known in SHORT_NAMES.items():
        assert find_card(short) is find_card(short.upper()) is cards[known]
        assert short == short.lower()
        assert short not in taken


@pytest.fixture
def copies(tmp_path, monkeypatch):
    """Two files with CHGNet's weights under names of their own, and a crystal."""
    chgnet = pytest.importorskip("chgnet")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    weights = next(Path(chgnet.__file__).parent.rglob("*0.3.0*.pth.tar"))
    for name in ("first", "second"):
        shutil.copy(weights, tmp_path / "runs" / f"{name}.pth")
    bulk("ZnO", "wurtzite", 3.25, c=5.2, u=0.382).write("zno.cif")


def test_landscape_compares_checkpoints_of_one_family_with_others(copies, typed):
    code, out, err = typed(
        *("landscape", "zno.cif", "--mlip", "ase.calculators.lj:LennardJones,chgnet"),
        *("--checkpoint", "chgnet=runs/first.pth", "--checkpoint", "CHGNet=runs/second.pth"),
        *("--points", 3, "--slices", 1, "--library", 0, "--no-contracts", "--cache-dir", "cache"),
    )
    assert code == 0, out + err
    page = Path("landscape.html").read_text()
    for name in ("LennardJones", "chgnet-first", "chgnet-second"):
        assert name in page


def test_the_suite_judges_checkpoints_of_its_own_beside_others(pytester):
    from symscape.suite.choices import read_settings

    config = pytester.parseconfig(
        "--mlip=chgnet,7net-0", "--checkpoint=chgnet=a=b.pth", "--checkpoint=chgnet=c.pth"
    )
    models = read_settings(config).models
    assert [(spec.name, spec.checkpoint) for spec in models] == [
        ("chgnet", "a=b.pth"),
        ("chgnet", "c.pth"),
        ("7net-0", None),
    ]
    renamed = pytester.parseconfig("--mlip=chgnet", "--checkpoint=a.pth", "--checkpoint=b.pth")
    renamed.option.mlip_name = "mine"
    with pytest.raises(pytest.UsageError, match="--mlip-name renames one potential"):
        read_settings(renamed)
