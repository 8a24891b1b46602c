"""Wyckoff letters and site-symmetry symbols of a stated setting, from spglib."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from symscape.crystal.rational import Vector
from symscape.crystal.search import find_dataset
from symscape.crystal.spacegroup import SpaceGroup, space_group

#: A triclinic cell with obtuse angles, which the group's average turns into a generic cell that
#: spglib keeps as it is (acute angles would make it choose another cell).
_TRICLINIC = np.array([[8.0, 0.0, 0.0], [-1.4, 10.2, 0.0], [-1.8, -2.2, 12.6]])
#: Three general positions with elements of their own leave no symmetry beyond the group's.
_GENERIC = np.array([[0.1234, 0.2871, 0.0567], [0.3711, 0.1987, 0.4423], [0.2903, 0.4391, 0.1723]])
_PROBE = np.array([0.13771, 0.22943, 0.31417])


@lru_cache(maxsize=4096)
def letter_and_symbol(
    hall_number: int, offset: Vector, basis: tuple[Vector, ...]
) -> tuple[str, str]:
    """Return the Wyckoff letter and the oriented site-symmetry symbol of a position.

    spglib is asked about an artificial crystal that has exactly the group's symmetry and the
    position occupied; the crystal at hand might have more symmetry by accident.

    Parameters
    ----------
    hall_number
        The setting.
    offset, basis
        The position's form, fractional coordinates.
    """
    group = space_group(hall_number)
    start = np.array([float(entry) for entry in offset])
    for vector, amount in zip(basis, _PROBE, strict=False):
        start = start + amount * np.array([float(entry) for entry in vector])
    points = np.concatenate([_orbit(group, start), *(_orbit(group, x) for x in _GENERIC)])
    n_probe = len(_orbit(group, start))
    kinds = np.concatenate([np.zeros(n_probe), np.repeat([1, 2, 3], len(group))]) + 1
    rotations = group.rotations.astype(float)
    metric = np.mean(np.swapaxes(rotations, 1, 2) @ (_TRICLINIC @ _TRICLINIC.T) @ rotations, axis=0)
    dataset = find_dataset(
        (np.linalg.cholesky(metric), points, kinds.astype(int)),
        symprec=1e-4,
        hall_number=hall_number,
    )
    if (
        dataset is None
        or not np.allclose(dataset.transformation_matrix, np.eye(3), atol=1e-4)
        or not np.allclose(dataset.origin_shift, np.round(dataset.origin_shift), atol=1e-4)
    ):
        raise RuntimeError(f"spglib did not keep the setting of Hall number {hall_number}")
    return str(dataset.wyckoffs[0]), str(dataset.site_symmetry_symbols[0])


def _orbit(group: SpaceGroup, point: np.ndarray) -> np.ndarray:
    """All images of a point in the unit cell, shape (multiplicity, 3)."""
    images = (group.rotations @ point + group.translations) % 1.0
    keys = np.round(images * 1e6).astype(int) % 1_000_000
    _, first = np.unique(keys, axis=0, return_index=True)
    return images[np.sort(first)]
