"""What a run says first: numbers, or why one of them is undefined."""

import json
import math
from dataclasses import fields

import pytest
from scale_sets import ELEMENTS, crystals, record, run, write_set
from typer.testing import CliRunner

from symscape.bulk.headline import Headline
from symscape.cli import app

NUMBERS = [field.name for field in fields(Headline)]
#: means are undefined together: they are of the same crystals
TOGETHER = [{"formation", "formation_signed"}, {"above_hull", "above_hull_signed", "too_low"}]
KINDS = [set(), *TOGETHER, {"falsely_stable"}, {"stability"}, set(NUMBERS)]


@pytest.mark.parametrize("undefined", KINDS, ids=lambda names: "+".join(sorted(names)) or "none")
def test_what_is_undefined_is_a_word(undefined):
    made = Headline(**{name: math.nan if name in undefined else 0.25 for name in NUMBERS})
    formation, above_hull, stability = made.lines()
    assert "nan" not in "".join(made.lines())
    assert ("no error" in formation) is ("formation" in undefined)
    assert ("no error" in above_hull) is ("above_hull" in undefined)
    assert ("no false-stable share" in stability) is ("falsely_stable" in undefined)
    assert ("no F1" in stability) is ("stability" in undefined)
    known = json.loads(json.dumps(made.document(), allow_nan=False))
    assert sum(value is None for value in known.values()) == len(undefined)


def test_elements_alone_have_no_errors(tmp_path):
    """Each is its own ground state, zero for both by definition, and all lie on the hull."""
    records = [record(name, atoms) for name, atoms in crystals() if name.endswith("fcc")]
    run(write_set(tmp_path / "set", records), tmp_path / "run")
    done = CliRunner().invoke(app, ["hull", "tables", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    assert "nan" not in done.output
    lines = {line[:10].strip(): line[10:].strip() for line in done.output.splitlines()}
    assert lines["compared"].startswith(f"{len(ELEMENTS)} crystals")
    assert lines["formation"] == lines["above hull"]
    assert "ground states of elements" in lines["formation"]
    assert lines["stability"].endswith("F1 1.000 (25 meV/atom)")
    summary = json.loads(
        (tmp_path / "run/tables/summary.json").read_text(), parse_constant=pytest.fail
    )
    assert summary["headline"]["f1"] == 1.0
    assert summary["headline"]["formation_mae"] is None
