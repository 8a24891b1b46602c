"""CHGNet's network on one graph for a whole batch, with a third of the arithmetic.

The weights and the function are the package's. Its layers first put the features of atoms, bonds
and angles side by side, a row for every edge or angle, and multiply that by a matrix. Here each
part is multiplied by its own block of the matrix before it is handed to the edges: once an atom or
a bond rather than once an edge or an angle. The sums differ in the order of their terms only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from symscape.crystal.structures import Structures
from symscape.graphs.angles import Angles, find_angles
from symscape.graphs.neighbors import Bonds, find_bonds


@dataclass(frozen=True, eq=False)
class CrystalGraphs:
    """What CHGNet sees of a batch.

    Parameters
    ----------
    numbers
        Atomic numbers, int64, shape (n_atoms,).
    owners
        Structure of each atom, int64, shape (n_atoms,).
    bonds, angles
        Each once.
    n_structures
        How many structures there are.
    """

    numbers: Any
    owners: Any
    bonds: Bonds
    angles: Angles
    n_structures: int


def crystal_graphs(
    structures: Structures, atom_cutoff: float, bond_cutoff: float, device: str
) -> CrystalGraphs:
    """Make the graphs of a batch on a device, with the cut-offs of bonds and of angles."""
    import torch

    bonds = find_bonds(structures, atom_cutoff, device)
    owners = np.repeat(np.arange(len(structures)), structures.n_atoms)
    return CrystalGraphs(
        torch.as_tensor(structures.numbers.astype(np.int64), device=device),
        torch.as_tensor(owners, device=device),
        bonds,
        find_angles(bonds, bond_cutoff),
        len(structures),
    )


class CHGNetNetwork:
    """The energy of a batch as a function of the vectors of its bonds.

    Parameters
    ----------
    model
        A ``chgnet.model.CHGNet`` in evaluation mode, on the device and in the number format in
        which to compute.
    """

    def __init__(self, model: Any):
        self.model = model
        self.dtype = model.bond_embedding.weight.dtype
        atom, bond = model.atom_fea_dim, model.bond_fea_dim
        around_bond = [atom, bond, atom]
        around_angle = [bond, bond, model.angle_embedding.out_features, atom]
        self.atom_layers = [
            _Layer(layer, layer.twoBody_atom, layer.atom_norm, around_bond)
            for layer in model.atom_conv_layers
        ]
        self.bond_layers = [
            layer and _Layer(layer, layer.twoBody_bond, layer.bond_norm, around_angle)
            for layer in model.bond_conv_layers
        ]
        # nothing reads the angles after the last of these
        self.angle_layers = [
            layer and _Layer(layer, layer.twoBody_bond, layer.angle_norm, around_angle)
            for layer in list(model.angle_layers)[:-1]
        ] + [None]

    def energies(self, graphs: CrystalGraphs, vectors: Any) -> Any:
        """Return total energies in eV, float64, shape (n_structures,), elements' energies left out.

        Parameters
        ----------
        graphs
            Of the batch.
        vectors
            From centre to neighbour of each bond in angstrom, float64, shape (n_bonds, 3).
        """
        model, bonds, angles = self.model, graphs.bonds, graphs.angles
        atom = model.atom_embedding(graphs.numbers - 1)
        length = vectors.norm(dim=1)
        basis = model.bond_basis_expansion.rbf_expansion_ag(length.to(self.dtype))
        bond, weight = model.bond_embedding(basis), model.bond_weights_ag(basis)
        if len(angles):
            angle = self._angles(angles, vectors, length)
            near = model.bond_basis_expansion.rbf_expansion_bg(length[angles.short].to(self.dtype))
            near_weight = model.bond_weights_bg(near)[angles.bond]
            angle_weight = near_weight[angles.left] * near_weight[angles.right]
        for atom_layer, bond_layer, angle_layer in zip(
            self.atom_layers[:-1], self.bond_layers, self.angle_layers, strict=True
        ):
            atom = _update_atoms(atom_layer, atom, bond, weight, bonds)
            if len(angles) and bond_layer is not None:
                bond = _update_bonds(bond_layer, atom, bond, angle, angle_weight, graphs)
                if angle_layer is not None:
                    angle = _update_angles(angle_layer, atom, bond, angle, angles)
        atom = _update_atoms(self.atom_layers[-1], atom, bond, weight, bonds)
        return self._read_out(atom, graphs)

    def _angles(self, angles: Angles, vectors: Any, length: Any) -> Any:
        """Embed the angles, shape (1, n_angles, n): the bonds' order makes no difference yet."""
        import torch

        short = vectors[angles.short] / length[angles.short][:, None]
        spokes = short[angles.bond] * angles.sign[:, None]
        # the package keeps this far from the poles of the arc cosine
        cosines = (spokes[angles.left] * spokes[angles.right]).sum(dim=1) * (1 - 1e-6)
        found = torch.acos(cosines).to(self.dtype)
        basis = self.model.angle_basis_expansion.fourier_expansion(found)
        return self.model.angle_embedding(basis)[None]

    def _read_out(self, atom: Any, graphs: CrystalGraphs) -> Any:
        """Sum over atoms in float64, or over what the package pools where it pools first."""
        import torch

        model = self.model
        if model.readout_norm is not None:
            atom = model.readout_norm(atom)
        counts = torch.bincount(graphs.owners, minlength=graphs.n_structures)
        if not model.mlp_first:
            return (model.mlp(model.pooling(atom, graphs.owners)).view(-1) * counts).double()
        sites = model.mlp(atom).view(-1).double()
        return sites.new_zeros(graphs.n_structures).index_add_(0, graphs.owners, sites)


class _Layer:
    """One layer of the package: a gated network, and what is done with its sums.

    Parameters
    ----------
    layer, gated, norm
        The layer, its gated network and its last normalization (or None).
    sizes
        Lengths of the parts that the package puts side by side, in its order.
    """

    def __init__(self, layer: Any, gated: Any, norm: Any, sizes: list[int]):
        import torch

        self.layer, self.gated, self.norm = layer, gated, norm
        core, gate = list(gated.mlp_core.layers), list(gated.mlp_gate.layers)
        first = next(k for k, step in enumerate(core) if isinstance(step, torch.nn.Linear))
        # core and gate in one matrix; what comes before is dropout, which does nothing here
        weight = torch.cat([core[first].weight, gate[first].weight]).detach()
        self.blocks = [block.contiguous() for block in weight.split(sizes, dim=1)]
        self.bias = torch.cat([core[first].bias, gate[first].bias]).detach()
        self.core, self.gate = core[first + 1 :], gate[first + 1 :]

    def block(self, features: Any, place: int) -> Any:
        """Multiply features by the block of the matrix for their place in the row."""
        from torch.nn.functional import linear

        return linear(features, self.blocks[place])

    def messages(self, rows: Any) -> Any:
        """Finish the gated network on the sums of the blocks' products."""
        core, gate = rows.chunk(2, dim=-1)
        for step in self.core:
            core = step(core)
        for step in self.gate:
            gate = step(gate)
        gated = self.gated
        if gated.norm is not None:
            core, gate = gated.bn1(core), gated.bn2(gate)
        return gated.activation(core) * gated.sigmoid(gate)

    def add(self, sums: Any, before: Any) -> Any:
        """Return new features from the sums of messages and the old features."""
        if getattr(self.layer, "use_mlp_out", False):
            sums = self.layer.mlp_out(sums)
        if self.layer.resnet:
            sums = sums + before
        return sums if self.norm is None else self.norm(sums)


def _update_atoms(layer: _Layer, atom: Any, bond: Any, weight: Any, bonds: Bonds) -> Any:
    """Send a message along both directions of each bond."""
    import torch

    ends = torch.cat([bonds.center, bonds.neighbor])
    starts = torch.cat([bonds.neighbor, bonds.center])
    rows = (layer.block(atom, 0) + layer.bias).index_select(0, ends)
    rows += layer.block(atom, 2).index_select(0, starts)
    rows = rows.view(2, len(bonds), rows.shape[1]) + layer.block(bond, 1)
    messages = (layer.messages(rows) * weight).view(len(ends), weight.shape[1])
    return layer.add(torch.zeros_like(atom).index_add_(0, ends, messages), atom)


def _rows_of_angles(layer: _Layer, atom: Any, bond: Any, angle: Any, angles: Angles) -> Any:
    """Return the sums for both orders of each angle, shape (2, n_angles, 2 x hidden)."""
    import torch

    near = bond.index_select(0, angles.short)
    # the centre is the same for all angles of a spoke
    own = layer.block(near, 0).index_select(0, angles.bond)
    own += (layer.block(atom, 3) + layer.bias).index_select(0, angles.center)
    other = layer.block(near, 1).index_select(0, angles.bond)
    rows = own.index_select(0, torch.cat([angles.left, angles.right]))
    rows += other.index_select(0, torch.cat([angles.right, angles.left]))
    return rows.view(2, len(angles), -1) + layer.block(angle, 2)


def _update_bonds(
    layer: _Layer, atom: Any, bond: Any, angle: Any, weight: Any, graphs: CrystalGraphs
) -> Any:
    """Send a message to either bond of each angle."""
    import torch

    angles = graphs.angles
    messages = layer.messages(_rows_of_angles(layer, atom, bond, angle, angles)) * weight
    of_spoke = angles.short[angles.bond]
    targets = of_spoke[torch.cat([angles.left, angles.right])]
    sums = torch.zeros_like(bond).index_add_(0, targets, messages.view(len(targets), -1))
    updated = layer.add(sums, bond)
    # the package leaves this layer out for a crystal without any angle, biases included
    has = torch.zeros(graphs.n_structures, dtype=torch.bool, device=bond.device)
    has[graphs.bonds.owner[of_spoke[angles.left]]] = True
    return torch.where(has[graphs.bonds.owner][:, None], updated, bond)


def _update_angles(layer: _Layer, atom: Any, bond: Any, angle: Any, angles: Angles) -> Any:
    """Update the features of either order of each angle."""
    return layer.add(layer.messages(_rows_of_angles(layer, atom, bond, angle, angles)), angle)
