"""The pytest plugin: options, hooks and fixtures, and nothing else.

Everything that takes time or imports a large package is in ``symscape.suite`` and is imported when
a case first needs it, so that pytest sessions that have nothing to do with symscape pay nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from symscape.suite.closing import Closing
from symscape.suite.foreign import ForeignWarnings
from symscape.suite.outcome import Outcome

if TYPE_CHECKING:
    from symscape.questions.case import CaseResult
    from symscape.suite.curves import EquationCase
    from symscape.suite.hull_cases import HullCase
    from symscape.suite.slice_case import LandscapeCase

#: option, ini name or None, keyword arguments for argparse
_OPTIONS: tuple[tuple[str, str | None, dict[str, Any]], ...] = (
    (
        "--mlip",
        "symscape_mlip",
        {
            "action": "append",
            "metavar": "NAME",
            "help": "potentials to judge: registered names (see `symscape models`), a family with "
            "--checkpoint, or module:make_calculator; comma-separated or repeated; "
            "default chgnet",
        },
    ),
    (
        "--checkpoint",
        None,
        {
            "action": "append",
            "metavar": "PATH",
            "help": "weights of one's own for the family named by --mlip; with several potentials "
            "NAME=PATH, repeatable",
        },
    ),
    (
        "--mlip-name",
        None,
        {"metavar": "NAME", "help": "what reports call the potential given by --checkpoint"},
    ),
    (
        "--device",
        "symscape_device",
        {"metavar": "DEVICE", "help": "auto (default), cpu, cuda, cuda:1, mps"},
    ),
    (
        "--batch-size",
        "symscape_batch_size",
        {
            "metavar": "N",
            "help": "structures per model call, or auto (measured); default by family",
        },
    ),
    (
        "--dtype",
        "symscape_dtype",
        {"metavar": "TYPE", "help": "float32 or float64, where the family has both"},
    ),
    (
        "--model-option",
        "symscape_model_option",
        {
            "action": "append",
            "metavar": "KEY=VALUE",
            "help": "argument of the family's loader, repeatable: modality=mpa, head=omat_pbe",
        },
    ),
    (
        "--level-of-theory",
        None,
        {"metavar": "NAME", "help": "functional that a model of one's own was trained on: PBE"},
    ),
    (
        "--point-timeout",
        "symscape_point_timeout",
        {"metavar": "SECONDS", "help": "give up on a structure after this long; default never"},
    ),
    (
        "--references",
        "symscape_references",
        {
            "action": "append",
            "metavar": "DIR",
            "help": "folder of stored references, repeatable; default references/ or, where that "
            "is empty, 'installed': those that come with symscape",
        },
    ),
    (
        "--symscape-suite",
        None,
        {
            "action": "store_true",
            "help": "collect the benchmarks that come with symscape, beside the tests named",
        },
    ),
    (
        "--material",
        None,
        {
            "action": "append",
            "metavar": "NAME",
            "help": "only these materials: PbTiO3-P4mm or PbTiO3; comma-separated or repeated",
        },
    ),
    (
        "--tolerances",
        "symscape_tolerances",
        {"metavar": "PROFILE|FILE", "help": "strict, default, loose, or a TOML file"},
    ),
    (
        "--figures",
        "symscape_figures",
        {
            "action": "append",
            "metavar": "KIND",
            "help": "figures that the report shows on demand: relief (the landscapes as surfaces), "
            "forces (arrows of the forces on the maps); comma-separated or repeated",
        },
    ),
    (
        "--report-dir",
        "symscape_report_dir",
        {"metavar": "DIR", "help": "where reports are written; default reports/"},
    ),
    (
        "--cache-dir",
        "symscape_cache_dir",
        {"metavar": "DIR", "help": "where energies are kept; default the user's cache folder"},
    ),
    (
        "--baseline",
        "symscape_baseline",
        {
            "metavar": "RESULTS",
            "help": "fail only what got worse than in this results.json, folder of reports, or "
            "model of the leaderboard",
        },
    ),
    (
        "--baseline-margin",
        "symscape_baseline_margin",
        {
            "metavar": "SHARE",
            "help": "how much worse a metric may be, as a share of its tolerance; default 0.1",
        },
    ),
    (
        "--allow-gone",
        None,
        {
            "action": "store_true",
            "help": "don't fail for what the baseline judged and this run did not",
        },
    ),
    (
        "--history",
        "symscape_history",
        {
            "metavar": "DIR",
            "help": "folder with the reports of earlier runs: the report shows what moved since",
        },
    ),
    (
        "--update-tolerances",
        None,
        {
            "metavar": "FILE",
            "help": "write a proposal to this new file: tolerances under which this run passes",
        },
    ),
    (
        "--no-cache",
        None,
        {"action": "store_true", "help": "evaluate everything anew, keep nothing"},
    ),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and their ini equivalents."""
    group = parser.getgroup("symscape", "energy landscapes of interatomic potentials (symscape)")
    for option, ini, keywords in _OPTIONS:
        group.addoption(option, default=None, **keywords)
        if ini:
            text = f"the same as {option}"
            if keywords.get("action") == "append":
                parser.addini(ini, text, type="args", default=None)
            else:
                parser.addini(ini, text, type="string", default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers and, in the process that has the terminal, the collector of results."""
    for marker in (
        "landscape(question): asks one question of a slice of the energy landscape (symscape)",
        "crystals(question): asks one question of the hulls' crystals (symscape)",
        "curves(question): asks one question of equations of state (symscape)",
        "relaxation: relaxes crystals with the model, which takes minutes on a CPU (symscape)",
        "topology: minima, saddles and smoothness of a landscape (symscape)",
        "quick: the cheaper half of every kind of case; select with -m quick (symscape)",
        "contracts: what symmetry and energy conservation demand of any potential (symscape)",
        "speed: measures speed with pytest-benchmark; select with -m speed (symscape)",
    ):
        config.addinivalue_line("markers", marker)
    if hasattr(config, "workerinput"):
        return
    outcome = Outcome(config)
    config.pluginmanager.register(outcome, "symscape-outcome")
    config.pluginmanager.register(Closing(outcome), "symscape-closing")
    config.pluginmanager.register(ForeignWarnings(outcome), "symscape-foreign-warnings")
    if any(config.getoption(option) or (ini and config.getini(ini)) for option, ini, _ in _OPTIONS):
        from symscape.suite.collect import check_settings

        check_settings(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Let the workers of a run share what they compute, where nothing else does."""
    from symscape.suite.roll import share_file
    from symscape.suite.run_cache import share_folder

    share_folder(node.config, node.workerinput)
    share_file(node.config, node.workerinput)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Add the benchmarks that come with the package to what is collected."""
    if session.config.getoption("--symscape-suite"):
        from symscape.suite.installed import add_benchmarks

        add_benchmarks(session.config)


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    """Import the package's benchmarks under names of their own, whatever a user's are called."""
    from symscape.suite.installed import benchmark_module

    return benchmark_module(module_path, parent)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make the cases of tests that ask for ``landscape``, ``crystals`` or ``curves``."""
    if "landscape" in metafunc.fixturenames:
        from symscape.suite.collect import parametrize_landscapes

        parametrize_landscapes(metafunc)
    if "crystals" in metafunc.fixturenames:
        from symscape.suite.collect import parametrize_hulls

        parametrize_hulls(metafunc)
    if "curves" in metafunc.fixturenames:
        from symscape.suite.collect import parametrize_curves

        parametrize_curves(metafunc)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ask in the order in which reports tell: energies within seconds, relaxations at the end."""
    if any(_is_case(item) for item in items):
        from symscape.suite.quick import mark_quick, wants_quick
        from symscape.suite.roll import in_order

        items[:] = in_order(items)
        if wants_quick(items[0].config):
            mark_quick(items)


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Note which cases the user left out, so that they are not missed."""
    if items and any(_is_case(item) for item in items):
        from symscape.suite.roll import roll_of

        roll_of(items[0].config).deselect(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which cases the run has, so that every one of them is in the report."""
    if any(_is_case(item) for item in session.items):
        from symscape.suite.roll import roll_file, roll_of

        roll_of(session.config).enlist(session.items)
        path = roll_file(getattr(session.config, "workerinput", {}))
        if path is not None:
            roll_of(session.config).keep(path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """End with the exit code of an interrupt, wherever in a case it arrives."""
    try:
        return (yield)
    except KeyboardInterrupt as interrupt:
        from symscape.suite.interrupts import with_lines

        if _is_case(item):
            interrupt = with_lines(interrupt)
        raise interrupt from None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send a worker's roll to the process that writes the report."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        from symscape.suite.roll import WORKER_KEY, roll_of

        output[WORKER_KEY] = roll_of(session.config).to_plain()


def _is_case(item: pytest.Item) -> bool:
    return bool({"landscape", "crystals", "curves"} & set(getattr(item, "fixturenames", ())))


@pytest.fixture
def crystals(request: pytest.FixtureRequest) -> HullCase:
    """One model on the crystals of a chemical system, of a symmetry class, or on all of them."""
    from symscape.questions.registry import question_named
    from symscape.suite.case_maker import case_maker_of
    from symscape.suite.roll import question_of

    question = question_named(question_of(request.node, "crystals"))
    return case_maker_of(request.config).of_crystals(request.param, question)


@pytest.fixture
def curves(request: pytest.FixtureRequest) -> EquationCase:
    """One model on the equations of state of a group of the periodic table or of a prototype."""
    from symscape.questions.registry import question_named
    from symscape.suite.case_maker import case_maker_of
    from symscape.suite.roll import question_of

    question = question_named(question_of(request.node, "curves"))
    return case_maker_of(request.config).of_curves(request.param, question)


@pytest.fixture
def landscape(request: pytest.FixtureRequest) -> LandscapeCase:
    """One model on one slice: the reference, the model's energies, the tolerances."""
    from symscape.questions.registry import question_named
    from symscape.suite.case_maker import case_maker_of
    from symscape.suite.roll import question_of

    question = question_named(question_of(request.node, "landscape"))
    return case_maker_of(request.config).of_slice(request.param, question)


@pytest.fixture
def verdict(request: pytest.FixtureRequest) -> Callable[[CaseResult], None]:
    """Return a function that records a case's result for the report, and fails if it failed."""
    from symscape.suite.record import recorder

    return recorder(request.node)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send recorded results along with pytest's report; a user's mistake gets one sentence."""
    report = yield
    if _is_case(item):
        from symscape.suite.record import attach_results, shorten_user_error

        shorten_user_error(item, call, report)
        attach_results(item, report)
    return report
