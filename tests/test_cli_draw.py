"""``symscape draw``: figures of one model on one slice, from the command line."""

from __future__ import annotations

import re

import pytest
from ase.build import bulk
from command_line import typed as typed
from PIL import Image

MODEL = "ase.calculators.emt:EMT"


@pytest.fixture
def draw(toy_file, tmp_path, typed):
    """Run ``symscape draw`` with a cache of its own; the exit code and what it printed."""

    def run(*arguments):
        shared = ("--mlip", MODEL, "--cache-dir", str(tmp_path / "cache"))
        references = ("--references", str(toy_file.parents[1]))
        code, printed, said = typed("draw", "AlCu-Cmcm", *shared, *references, *arguments)
        return code, printed + said

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


ALLOY = """data_x
_symmetry_space_group_name_H-M 'P 42/m n m'
_cell_length_a 5.6
_cell_length_b 5.6
_cell_length_c 3.6
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Cu1 0 0 0
Al1 0.30 0.30 0
"""


@pytest.fixture
def alone(tmp_path, monkeypatch, typed):
    """Run any command in a folder with one structure file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.cif").write_text(ALLOY)
    return typed


DRAWN = ("--mlip", MODEL, "--cache-dir", "cache", "-o", "x.png")


def test_a_structure_file_is_drawn(alone, tmp_path):
    assert alone("draw", "x.cif", *DRAWN, "--points", "5") == (0, "wrote x.png\n", "")
    first = (tmp_path / "x.png").read_bytes()
    assert alone("draw", "x.cif", *DRAWN, "--points", "5", "--axes", "a,c")[0] == 0
    assert (tmp_path / "x.png").read_bytes() != first


@pytest.mark.parametrize("words", [(), ("--subgroup", "R3m")])
def test_a_rigid_crystal_is_drawn_in_a_subgroup(alone, tmp_path, words):
    """Of a cubic crystal nothing but the volume is free; the name of the file may be left out."""
    bulk("CuAu", "cesiumchloride", 3.1).write(tmp_path / "CuAu.cif")
    drawn = ("--mlip", MODEL, "--cache-dir", "cache", "--points", "3")
    code, out, err = alone("draw", "CuAu.cif", *drawn, *words)
    assert (code, out) == (0, "wrote landscape.png\n")
    assert bool(words) != ("slices are of its subgroups" in err)
    assert (tmp_path / "landscape.png").stat().st_size > 10_000


def test_what_slices_writes_is_drawn_and_is_the_same_slice(alone, tmp_path):
    assert alone("slices", "x.cif", "--points", "5", "--write", "out")[0] == 0
    written = sorted((tmp_path / "out").glob("*.json"))
    assert written
    alone("draw", "x.cif", *DRAWN, "--points", "5")
    first = (tmp_path / "x.png").read_bytes()
    pictures = []
    for path in written:
        assert alone("draw", str(path), *DRAWN)[0] == 0
        pictures.append((tmp_path / "x.png").read_bytes())
    assert first in pictures


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("absent.cif",), "absent.cif: there is no such file"),
        (("x.cif", "--kind", "forces"), "there is a landscape only"),
        (("x.cif", "--axes", "Cu_x,c"), "no free coordinate or lattice parameter 'Cu_x'"),
        (("x.cif", "--symprec", "0"), "--symprec 0 is not a distance"),
        (("broken.json",), "field 'crystal'|crystal.formula"),
    ],
)
def test_what_can_not_be_drawn_alone(alone, tmp_path, words, sentence):
    (tmp_path / "broken.json").write_text(
        '{"schema": "symscape-slice/1", "material": "x", "slice": "a-b", "kind": "local"}'
    )
    code, _, err = alone("draw", *words, *DRAWN)
    assert code == 2
    assert re.search(sentence, err)
    assert "Traceback" not in err
