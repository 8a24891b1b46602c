"""Verdicts are kept, and reached anew where anything that decides them has changed."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace

import pytest
from ase.calculators.emt import EMT

from symscape.digest import code_digest
from symscape.models.ase import ASEModel
from symscape.models.cache import EnergyCache
from symscape.models.card import ModelCard
from symscape.questions.case import CaseResult, Check
from symscape.questions.energies import EnergiesDetail
from symscape.questions.named_points import FailedPoint
from symscape.questions.subjects import subject_of
from symscape.verdict import kept_verdicts
from symscape.verdict.kept_verdicts import AskedOfModel, judge_once
from symscape.verdict.tolerances import load_tolerances

SUBJECT = subject_of("AlCu-Cmcm", "Al_y-Cu_y")
CARD = ModelCard("soft", "ase", "ase.calculators.emt:EMT")


class Model(ASEModel):
    """A model that is known by a name."""

    fingerprint = "the soft one"
    cacheable = True

    def __init__(self, card=CARD):
        super().__init__(card)
        self._calculator = EMT()


class Judge:
    """Counts how often it is asked."""

    def __init__(self, status="passed"):
        self.asked = 0
        self.status = status

    def __call__(self, *, model, fingerprint):
        self.asked += 1
        if self.status is None:
            return None
        return CaseResult(
            "energies",
            model,
            "AlCu-Cmcm",
            "Al_y-Cu_y",
            self.status,
            checks=(Check("mae", 3.5, (None, 25.0), "meV/atom", True),),
            metrics={"mae": 3.5, "spearman": float("nan")},
            energies=[[0.0, None], [1.25, 0.5]],
            detail=EnergiesDetail((FailedPoint((1, 0), {"Al_y": 0.3}, "no such place"),)),
            fingerprint=fingerprint,
        )


def asked(model=None, **changes):
    plain = AskedOfModel("energies", SUBJECT, model or Model(), load_tolerances(), "digest")
    return replace(plain, **changes)


def ask(question, cache, judge, whole=True):
    return judge_once(question, cache, judge, lambda: whole)


def without_time(result):
    # NaN is not itself, and lists and tuples are the same in a file
    return repr(replace(result, seconds=0.0)).replace("(", "[").replace(")", "]")


@pytest.fixture
def cache(tmp_path):
    with EnergyCache(tmp_path / "cache") as made:
        yield made


def test_a_verdict_is_reached_once_and_comes_back_whole(cache):
    judge = Judge()
    first, second = (ask(asked(), cache, judge) for _ in range(2))
    other_process = ask(asked(), EnergyCache(cache.folder), judge)
    assert judge.asked == 1
    plain = judge(model="soft", fingerprint="the soft one")
    assert without_time(first) == without_time(second) == without_time(other_process)
    assert without_time(first) == without_time(plain)
    assert first.seconds > 0
    assert second.seconds > 0


def test_that_there_is_nothing_to_ask_is_kept_too(cache):
    judge = Judge(status=None)
    assert [ask(asked(), cache, judge) for _ in range(2)] == [None, None]
    assert judge.asked == 1


@pytest.mark.parametrize(
    ("status", "whole"), [("error", True), ("passed", False), ("failed", False), (None, False)]
)
def test_a_verdict_with_gaps_is_not_kept(cache, status, whole):
    judge = Judge(status)
    for _ in range(2):
        ask(asked(), cache, judge, whole)
    assert judge.asked == 2


def test_without_a_cache_or_a_lasting_fingerprint_everything_is_judged_anew(cache, monkeypatch):
    judge = Judge()
    for _ in range(2):
        ask(asked(), None, judge)
    monkeypatch.setattr(Model, "cacheable", False)
    for _ in range(2):
        ask(asked(), cache, judge)
    assert judge.asked == 4


@pytest.mark.parametrize(
    "change",
    [
        {"question": "minima"},
        {"subject": subject_of("AlCu-Pmma", "Al_y-Cu_y")},
        {"subject": subject_of("AlCu-Cmcm", "Al_y-Cu_z")},
        {"digest": "another"},
        {"extra": ("arrows",)},
        {"tolerances": load_tolerances("strict")},
        {"model": Model(replace(CARD, level_of_theory="r2SCAN"))},
        {"model": Model(replace(CARD, name="hard"))},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_decides_a_verdict_leads_to_a_new_one(cache, change):
    judge = Judge()
    ask(asked(), cache, judge)
    ask(asked(**change), cache, judge)
    assert judge.asked == 2


def test_another_checkpoint_is_judged_by_itself(cache, monkeypatch):
    judge = Judge()
    ask(asked(), cache, judge)
    monkeypatch.setattr(Model, "fingerprint", "trained further")
    assert ask(asked(), cache, judge).fingerprint == "trained further"
    assert judge.asked == 2


def test_other_code_is_asked_again(cache, monkeypatch):
    judge = Judge()
    ask(asked(), cache, judge)
    monkeypatch.setattr(kept_verdicts, "code_digest", lambda *_: "other code")
    ask(asked(), cache, judge)
    assert judge.asked == 2


def test_limits_of_other_materials_change_nothing(cache, tmp_path):
    judge = Judge()
    ask(asked(), cache, judge)
    file = tmp_path / "mine.toml"
    file.write_text('extends = "default"\n[[override]]\nmaterial = "P-*"\nenergies = {mae = 60}\n')
    ask(asked(tolerances=load_tolerances(file)), cache, judge)
    assert judge.asked == 1
    file.write_text(
        'extends = "default"\n[[override]]\nmaterial = "AlCu-*"\nenergies = {mae = 6}\n'
    )
    ask(asked(tolerances=load_tolerances(file)), cache, judge)
    assert judge.asked == 2


def test_clearing_and_a_full_cache_forget_verdicts(cache):
    judge = Judge()
    ask(asked(), cache, judge)
    cache.clear("hard")
    ask(asked(), cache, judge)
    assert judge.asked == 1
    cache.clear("soft")
    ask(asked(), cache, judge)
    assert judge.asked == 2
    for k in range(200):
        cache.put_verdict("the soft one", "soft", k.to_bytes(16, "big"), "x" * 2000)
    small = EnergyCache(cache.folder, max_bytes=200_000)
    assert small.prune() > 100
    assert small.path.stat().st_size < 200_000


def test_the_digest_of_code_sees_every_module_and_version(tmp_path, monkeypatch):
    package = tmp_path / "somewhere"
    (package / "inside").mkdir(parents=True)
    for path in ("__init__.py", "one.py", "inside/__init__.py", "inside/two.py"):
        (package / path).write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()

    def digest(*arguments):
        code_digest.cache_clear()
        return code_digest(*arguments)

    whole, one = ("symscape.verdict", "somewhere.inside"), ("somewhere.one",)
    before, single = digest(whole), digest(one)
    assert digest(whole) == before
    (package / "inside" / "notes.txt").write_text("no code")
    assert digest(whole) == before
    (package / "inside" / "two.py").write_text("x = 1")
    assert digest(whole) != before
    assert digest(one) == single
    (package / "one.py").write_text("x = 1")
    assert digest(one) != single
    assert len({digest(one, v) for v in ((), ("numpy",), ("numpy", "ase"), ("no-such",))}) == 4
    sys.modules.pop("somewhere", None)
    code_digest.cache_clear()
