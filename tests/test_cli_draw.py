"""``symscape draw``: figures of one model on one slice, from the command line."""

from __future__ import annotations

import re
import sys

import pytest
from PIL import Image

from symscape.cli import main

MODEL = "ase.calculators.emt:EMT"


@pytest.fixture
def draw(toy_file, tmp_path, monkeypatch, capsys):
    """Run ``symscape draw`` with a cache of its own; the exit code and what it printed."""

    def run(*arguments):
        shared = ("--mlip", MODEL, "--cache-dir", str(tmp_path / "cache"))
        references = ("--references", str(toy_file.parents[1]))
        words = ["symscape", "draw", "AlCu-Cmcm", *shared, *references, *arguments]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as stop:
            main()
        output = capsys.readouterr()
        return stop.value.code, output.out + output.err

    return run


@pytest.mark.parametrize("kind", ["landscape", "topology", "forces", "relief"])
def test_every_kind_is_drawn(draw, tmp_path, kind):
    path = tmp_path / f"{kind}.png"
    assert draw("--kind", kind, "-o", str(path)) == (0, f"wrote {path}\n")
    with Image.open(path) as picture:
        wide = picture.size
    assert wide[0] > wide[1]
    if kind == "relief":
        draw("--kind", kind, "--tall", "-o", str(path))
        with Image.open(path) as picture:
            assert picture.width < picture.height


def test_forces_show(draw, tmp_path):
    """The figure with arrows is not the one without."""
    pictures = []
    for kind in ("topology", "forces"):
        draw("--kind", kind, "-o", str(tmp_path / "x.png"))
        pictures.append((tmp_path / "x.png").read_bytes())
    assert pictures[0] != pictures[1]


@pytest.mark.parametrize("end", [".pdf", ".svg"])
def test_other_formats(draw, tmp_path, end):
    assert draw("-o", str(tmp_path / f"x{end}"))[0] == 0
    assert (tmp_path / f"x{end}").read_bytes().startswith(b"%PDF" if end == ".pdf" else b"<?xml")


def test_a_model_without_an_energy_at_the_minimum(draw, tmp_path):
    (tmp_path / "bad.py").write_text(
        "from ase.calculators.emt import EMT\n\n\nclass Bad(EMT):\n"
        "    def calculate(self, *args, **kwargs):\n"
        "        raise RuntimeError('no')\n"
    )
    code, text = draw("--mlip", f"{tmp_path}/bad.py:Bad", "-o", str(tmp_path / "x.png"))
    assert code == 2
    assert re.fullmatch(r"symscape: Bad gave no energy at the DFT minimum .*\.\n", text)
    assert not (tmp_path / "x.png").exists()
