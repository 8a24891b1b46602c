"""Graphs of ORB for a whole batch at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from symscape.crystal.structures import Structures
from symscape.graphs.neighbors import find_bonds

#: the package's own slack of the cut-off, angstrom
_SLACK_A = 1e-8


def graph_of_batch(
    batch: Structures, radius: float, most: int, dtype: Any, device: str
) -> Any | None:
    """Return one ``AtomGraphs`` for all structures, with the edges that orb-models makes of each.

    Parameters
    ----------
    batch
        The structures.
    radius
        Cut-off, angstrom.
    most
        An atom keeps so many neighbours, the nearest.
    dtype, device
        Of real numbers, and where the network computes.

    Returns
    -------
    AtomGraphs or None
        None if an atom has more neighbours. Which of several equally far ones the package then
        keeps is a matter of its search and of rounding; only it can tell.
    """
    import torch
    from orb_models.forcefield.base import AtomGraphs

    def moved(values: np.ndarray, kind: Any = torch.int64) -> Any:
        return torch.as_tensor(np.ascontiguousarray(values), dtype=kind, device=device)

    owners = np.repeat(np.arange(len(batch)), batch.n_atoms)
    fractional = np.einsum("ai,aij->aj", batch.positions, np.linalg.inv(batch.cells)[owners]) % 1.0
    positions = np.einsum("ai,aij->aj", fractional, batch.cells[owners])
    inside = Structures(batch.numbers, positions, batch.cells, batch.offsets)
    bonds = find_bonds(inside, radius - _SLACK_A, device)
    starts = torch.cat([bonds.center, bonds.neighbor])
    if len(starts) and int(torch.bincount(starts).max()) > most:
        return None
    # of each atom the nearest first, as the package has them
    by_length = torch.argsort(bonds.length.repeat(2), stable=True)
    order = by_length[torch.argsort(starts[by_length], stable=True)]
    starts, ends = starts[order], torch.cat([bonds.neighbor, bonds.center])[order]
    images = torch.cat([bonds.image, -bonds.image])[order]
    places = moved(positions, torch.float64)
    owner = bonds.owner.repeat(2)[order]
    shifts = torch.einsum("ei,eij->ej", images, moved(batch.cells, torch.float64)[owner])
    numbers = moved(batch.numbers)
    return AtomGraphs(
        senders=starts,
        receivers=ends,
        n_node=moved(batch.n_atoms),
        n_edge=torch.bincount(owner, minlength=len(batch)),
        node_features={
            "positions": places.to(dtype),
            "atomic_numbers": numbers,
            "atomic_numbers_embedding": torch.nn.functional.one_hot(numbers, 118).to(dtype),
            "atom_identity": moved(np.arange(len(owners)) - batch.offsets[owners]),
        },
        edge_features={
            "vectors": (places[ends] - places[starts] + shifts).to(dtype),
            "unit_shifts": images.to(dtype),
        },
        system_features={
            "cell": moved(batch.cells, dtype),
            "pbc": torch.ones(len(batch), 3, dtype=torch.bool, device=device),
        },
        node_targets={},
        edge_targets={},
        system_targets={},
        system_id=None,
        fix_atoms=None,
        tags=torch.zeros(len(owners), dtype=dtype, device=device),
        radius=radius,
        max_num_neighbors=torch.full((len(batch),), most, device=device),
    )
