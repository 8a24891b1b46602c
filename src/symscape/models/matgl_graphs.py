"""Graphs of matgl for a whole batch: made at once for version 4, joined for others."""

from __future__ import annotations

from typing import Any

import numpy as np

from symscape.crystal.structures import Structures
from symscape.graphs.neighbors import find_bonds


def graph_of_batch(
    batch: Structures, cutoff: float, species: np.ndarray, dtype: Any, device: str
) -> Any:
    """Return one graph of torch-geometric for all structures, as matgl 4 wants it.

    Every bond is there in both directions, in the order of the atoms at which they start: the
    package counts through the bonds of an atom to find pairs of them.

    Parameters
    ----------
    batch
        The structures.
    cutoff
        Angstrom.
    species
        The network's number of an element, by atomic number.
    dtype, device
        Of positions, and where the network computes.
    """
    import torch
    from torch_geometric.data import Batch

    def moved(values: np.ndarray, kind: Any = torch.int64) -> Any:
        return torch.as_tensor(np.ascontiguousarray(values), dtype=kind, device=device)

    bonds = find_bonds(batch, cutoff, device)
    starts, order = torch.sort(torch.cat([bonds.center, bonds.neighbor]), stable=True)
    targets = torch.cat([bonds.neighbor, bonds.center])[order]
    owners = np.repeat(np.arange(len(batch)), batch.n_atoms)
    fractional = np.einsum("ai,aij->aj", batch.positions, np.linalg.inv(batch.cells)[owners])
    return Batch(
        edge_index=torch.stack([starts, targets]),
        pbc_offset=torch.cat([bonds.image, -bonds.image])[order].to(dtype),
        frac_coords=moved(fractional, dtype),
        node_type=moved(species[batch.numbers]),
        batch=moved(owners),
        ptr=moved(batch.offsets),
        num_nodes=len(owners),
    )


def join_pyg(graphs: list[Any]) -> Any:
    """Return one graph of torch-geometric that holds several."""
    from torch_geometric.data import Batch

    return Batch.from_data_list(graphs)


def join_dgl(graphs: list[Any]) -> Any:
    """Return one graph of DGL that holds several."""
    import dgl

    return dgl.batch(graphs)
