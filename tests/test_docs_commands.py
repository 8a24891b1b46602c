"""The commands of the documentation run, from the text of its pages, in the order of each page.

Models are replaced by toys and the suite by a small one; everything else is as the page has it. A
new command in a page is run by being there.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from command_line import typed as typed
from docs_pages import PAGES, blocks, read
from docs_world import MODELS, write_world
from inprocess import without_figures

#: what is not run here, and what runs it
ELSEWHERE = {
    r"^reference (run|check) references/plans/": "wants GPAW: test_generate_cli has a toy engine",
    r"^reference verify references --write": "would sign the toys: test_manifest",
    r"^leaderboard add|^merge|^validate --submission|--rerun": "wants the whole library and a "
    "registered model: test_leaderboard_joining, test_leaderboard_rerun",
    r"^leaderboard reports/leaderboard": "computes the committed results: test_leaderboard_files",
    r"^models (--check|time)": "asks networks: test_published, test_leaderboard_timing",
    r"chgnet-mine|lennardjones": "wants what the recipe adds: test_docs_code",
    r"wbm-": "files of a known form: test_dataset_formats",
    r"--mp ": "asks the Materials Project: test_dataset_materials_project",
    r"--dask-address": "wants a cluster: test_scale_cluster",
    r"datasets/synthetic": "150,000 crystals: test_scale_run",
    r"-k NEW": "wants a material that the library lacks: test_leaderboard_joining",
}
#: pages that a command writes, from data that are not in the repository
WRITTEN = {"docs/study-underprediction.md": "test_study"}
#: exit codes beside 0: toys fail benchmarks, and stored grids of toys are judged, too
MAY_FAIL = ("run", "check-run", "reference check")


def commands(page):
    """Yield the commands of symscape on a page: its consoles, and consoles within lists."""
    text = read(page)
    consoles = [block.text for block in blocks(text) if block.language == "console"]
    consoles += re.findall(r"^ {4,}(\$ .*)$", text, re.MULTILINE)
    for console in consoles:
        for line in console.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                for part in re.split(r"&&|;", line.removeprefix("$ ")):
                    words = shlex.split(part, comments=True)
                    if words[:1] == ["symscape"]:
                        yield words[1:]


def elsewhere(words):
    line = " ".join(words)
    return next((why for pattern, why in ELSEWHERE.items() if re.search(pattern, line)), None)


def on_an_earlier_page(words, page):
    """Whether the suite is run in the same way on a page before this one."""
    earlier = PAGES[: PAGES.index(page)]
    return words[0] == "run" and any(words in list(commands(other)) for other in earlier)


def with_toys(words):
    """Replace models and placeholders; the names that reports have follow."""
    line = shlex.join(words).replace("--mlip mace --checkpoint runs/last.model", "--mlip chgnet")
    if words[0] == "init":
        return words
    replaced = []
    for word in shlex.split(line.replace("NAME", "chgnet")):
        names = word.split(",")
        if replaced[-1:] == ["--mlip"] and set(names) <= set(MODELS):
            replaced.append(",".join(MODELS[name] for name in names))
        else:
            replaced.append(word.replace("reports/7net-0", "reports/seven"))
    return replaced


def before(page, folder, run):
    """Make what a page takes from an earlier one."""
    needed = " ".join(" ".join(words) for words in commands(page))
    if "baselines/main" in needed or "leaderboard reports/chgnet" in needed:
        run(["run", "--mlip", "toy.py:chgnet,toy.py:seven", "-k", "energies"])
        (folder / "baselines" / "main").mkdir(parents=True)
        results = (folder / "reports" / "chgnet" / "results.json").read_bytes()
        (folder / "baselines" / "main" / "results.json").write_bytes(results)
    if "check-run" in needed:
        (folder / ".symscape-began").touch()
    if "--lf" in needed:
        (folder / ".pytest_cache").mkdir()


def pytest_here(words, folder):
    """Run pytest in this process, which has imported what it needs; forget the folder's modules."""
    paths, said = sys.path[:], io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            code = pytest.main(words)
    finally:
        sys.path[:] = paths
        for name, module in list(sys.modules.items()):
            if str(folder) in str(getattr(module, "__file__", "")):
                del sys.modules[name]
    return int(code), said.getvalue()


@pytest.fixture
def enter(tmp_path, typed, monkeypatch):
    """Return what enters a command line in the folder: exit code, and all that was said.

    ``symscape run`` becomes pytest; here that pytest runs in the process of the tests.
    """
    become: list[str] = []

    def execv(program, words):
        become[:] = words
        raise SystemExit

    monkeypatch.setattr(os, "execv", execv)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SYMSCAPE_CACHE_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def call(words):
        become.clear()
        code, out, err = typed(*words)
        if become:
            assert become[1:3] == ["-m", "pytest"]
            return pytest_here(become[3:], tmp_path)
        return code, f"{out}\n{err}"

    return call


@pytest.mark.parametrize("page", [page for page in PAGES if any(commands(page))])
def test_the_commands_of_a_page_run(page, tmp_path, enter, monkeypatch):
    if page in WRITTEN:
        pytest.skip(f"written by a command itself: {WRITTEN[page]}")
    text = read(page)
    write_world(tmp_path, text)
    if "--figures" not in text:
        without_figures(monkeypatch)
    before(page, tmp_path, enter)
    for words in commands(page):
        if elsewhere(words) or on_an_earlier_page(words, page):
            continue
        asked = with_toys(words)
        if words[0] == "init":
            shutil.rmtree("benchmarks")  # it brings its own
        code, said = enter(asked)
        allowed = {0, 1} if " ".join(words).startswith(MAY_FAIL) else {0}
        assert code in allowed, f"{page}: symscape {' '.join(words)}\n{said}"
        if words[0] == "run":
            # the model fails, the tool does not
            assert re.search(r": \d+ passed, \d+ failed, 0 error[^;]*; report: ", said), said
        elif "-o" in asked:
            made = tmp_path / asked[asked.index("-o") + 1]
            assert made.is_dir() or made.stat().st_size > 1000


def test_what_is_run_elsewhere_is_documented():
    """No exception outlives its command, and each names a file of tests that is there."""
    lines = [" ".join(words) for page in PAGES for words in commands(page)]
    for pattern in ELSEWHERE:
        assert any(re.search(pattern, line) for line in lines), pattern
    tests = Path(__file__).parent
    for why in (*ELSEWHERE.values(), *WRITTEN.values()):
        for name in re.findall(r"test_\w+", why):
            assert (tests / f"{name}.py").is_file(), name
