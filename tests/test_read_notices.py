"""What reading a file gives notice of reaches a Python user as it does one of the command line."""

from __future__ import annotations

import warnings

import pytest
from typer.testing import CliRunner

import symscape
from symscape.cli import app
from symscape.crystal.read import crystal_from_file

PEROVSKITE = """data_{name}
_cell_length_a 3.9
_cell_length_b 3.9
_cell_length_c {c}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_IT_number 99
_space_group_name_H-M_alt 'P 4 m m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Pb Pb 0 0 0
Ti Ti 0.5 0.5 {z}
O1 O 0.5 0.5 0.1
O2 O 0.5 0 0.62
"""
FILES = {
    "nothing to say": PEROVSKITE.format(name="one", c=4.1, z=0.54),
    "two blocks": PEROVSKITE.format(name="one", c=4.1, z=0.54)
    + PEROVSKITE.format(name="two", c=4.2, z=0.55),
}


@pytest.mark.parametrize("name", FILES)
def test_python_warns_of_what_the_command_prints(name, tmp_path):
    path = tmp_path / "crystal.cif"
    path.write_text(FILES[name])
    notices = crystal_from_file(path).notices
    assert bool(notices) == (name != "nothing to say")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert symscape.propose_slices(path)
    told = [str(one.message) for one in caught if one.category is UserWarning]
    assert told == [f"{path}: {notice}" for notice in notices]
    assert all(one.filename == __file__ for one in caught if str(one.message) in told)
    shown = CliRunner().invoke(app, ["slices", str(path)])
    assert shown.exit_code == 0
    assert all(notice in " ".join(shown.output.split()) for notice in notices)
