"""``-m quick``: a half of the suite that has something of everything, the same for every model."""

from __future__ import annotations

import math
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inprocess import import_lazy_modules

from symscape.questions.quick_half import Costed, cheaper_half
from symscape.references.landscape_files import load_reference
from symscape.references.library import find_references

ROOT = Path(__file__).parents[1]
SUBJECTS = st.lists(
    st.builds(
        Costed,
        st.sampled_from(["slice", "system of 2", "prototype"]),
        st.text("abcdef", min_size=1, max_size=3),
        st.integers(0, 3).map(float),
    ),
    unique_by=lambda subject: subject[:2],
)


@pytest.fixture(scope="module", autouse=True)
def imported(tmp_path_factory, toy_reference):
    """Import what pytester would otherwise drop after each run in this process."""
    import_lazy_modules(tmp_path_factory.mktemp("lazy"), toy_reference)


@pytest.fixture
def collect(pytester, monkeypatch):
    """Return a function that lists the names of the suite's cases under some options."""
    shutil.copytree(
        ROOT / "benchmarks", pytester.path / "benchmarks", ignore=shutil.ignore_patterns("*speed*")
    )
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path / "user-cache"))

    def names(*options: str, references: Path = ROOT / "references") -> list[str]:
        outcome = pytester.runpytest_inprocess(
            "--collect-only", "-q", "-p", "no:cacheprovider", "--mlip", "chgnet",
            "--references", str(references), *options, "benchmarks",
        )  # fmt: skip
        return re.findall(r"::(test_\w+\[.*\])$", outcome.stdout.str(), re.MULTILINE)

    return names


def questions(cases: list[str]) -> Counter:
    return Counter(case.partition("[")[0] for case in cases)


@given(SUBJECTS)
def test_of_every_kind_half_is_quick_and_none_left_out_is_cheaper(subjects):
    chosen = cheaper_half(subjects)
    for kind in {subject.kind for subject in subjects}:
        own = [subject for subject in subjects if subject.kind == kind]
        quick = [subject for subject in own if subject in chosen]
        assert len(quick) == math.ceil(len(own) / 2)
        rest = [subject.cost for subject in own if subject not in chosen]
        assert max(subject.cost for subject in quick) <= min(rest, default=math.inf)
    assert chosen == cheaper_half(reversed(subjects))


def test_the_quick_half_asks_every_question_on_half_of_its_subjects(collect):
    everything, quick = questions(collect()), collect("-m", "quick")
    counts = questions(quick)
    assert sum(counts.values()) > 50
    assert set(counts) == set(everything)
    for question, count in counts.items():
        assert 0.4 * everything[question] <= count < 0.75 * everything[question] + 1
    slices = [
        {case.partition("[")[2] for case in quick if case.startswith(question)}
        for question in ("test_energies", "test_smoothness", "test_forces")
    ]
    assert slices[0] == slices[1] == slices[2]


def test_the_rest_is_what_quick_leaves_out(collect):
    everything = collect()
    quick, rest = collect("-m", "quick"), collect("-m", "not quick")
    assert quick
    assert rest
    assert sorted(quick + rest) == sorted(everything)


def test_slices_of_both_kinds_are_quick_and_they_are_small(collect):
    def size(path: Path) -> int:
        return len(load_reference(path).minimum_crystal.primitive_atoms)

    stored = {entry.id: size(entry.path) for entry in find_references([ROOT / "references"])}
    quick = [case for case in collect("-m", "quick") if case.startswith("test_energies")]
    chosen = {case.partition("[chgnet-")[2].removesuffix("]") for case in quick}
    assert 0 < len(chosen) < len(stored)
    mean = sum(stored[name] for name in chosen) / len(chosen)
    assert mean < sum(stored.values()) / len(stored)
    lattice = {name for name in chosen if "-ca-" in name or name.endswith("-volume")}
    assert lattice
    assert chosen - lattice


def test_one_reference_alone_is_quick_and_a_spoiled_one_is_seen(collect, pytester, toy_file):
    for material in ("AlCu-Cmcm", "Spoiled-P1"):
        (pytester.path / "own" / material).mkdir(parents=True)
    own = pytester.path / "own"
    (own / "AlCu-Cmcm" / toy_file.name).write_bytes(toy_file.read_bytes())
    (own / "Spoiled-P1" / "x-y.json").write_text("{")
    quick = collect("-m", "quick", "-k", "test_energies", references=own)
    assert len(quick) == 2
