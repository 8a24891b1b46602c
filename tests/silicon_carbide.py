"""A crystal that readers of files are tried with, and how they refuse what is none."""

import pytest
from pymatgen.core import Lattice, Structure

from symscape.crystal.read import crystal_from_file
from symscape.errors import StructureFileError

SIC = Structure(
    Lattice.hexagonal(3.08, 5.048),
    ["Si", "Si", "C", "C"],
    [[1 / 3, 2 / 3, 0], [2 / 3, 1 / 3, 0.5], [1 / 3, 2 / 3, 0.375], [2 / 3, 1 / 3, 0.875]],
)


def refused(path, sentence, options=None):
    with pytest.raises(StructureFileError, match=sentence) as caught:
        crystal_from_file(path, options=options)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))
