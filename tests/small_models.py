"""Small untrained models, built and saved by the families' own packages."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from symscape.models.torchtools import importing_e3nn

ELEMENTS = ("Mg", "O", "Ti", "Si", "Na", "Cl")
NUMBERS = [8, 11, 12, 14, 17, 22]


@contextlib.contextmanager
def quietly():
    """Silence what packages print and warn of when they build models."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def save_mace(path: Path, heads: tuple[str, ...] = ("Default",), size: str = "small") -> Path:
    """Write a MACE model in float64 as training does at its end.

    ``size`` is ``small``, or ``published`` for the network of MACE-MP-0 small.
    """
    shape = {
        "small": {"r_max": 4.5, "bessel": 4, "ell": 2, "hidden": "8x0e + 8x1o", "mlp": "8x0e"},
        "published": {"r_max": 6.0, "bessel": 10, "ell": 3, "hidden": "128x0e", "mlp": "16x0e"},
    }[size]
    with quietly():
        import torch

        with importing_e3nn():
            from e3nn import o3
            from mace import modules

        torch.manual_seed(1)
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        model = modules.ScaleShiftMACE(
            r_max=shape["r_max"],
            num_bessel=shape["bessel"],
            num_polynomial_cutoff=5,
            max_ell=shape["ell"],
            interaction_cls=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
            interaction_cls_first=modules.interaction_classes["RealAgnosticInteractionBlock"],
            num_interactions=2,
            num_elements=len(NUMBERS),
            hidden_irreps=o3.Irreps(shape["hidden"]),
            MLP_irreps=o3.Irreps(shape["mlp"]),
            gate=torch.nn.functional.silu,
            atomic_energies=np.outer(np.ones(len(heads)), np.linspace(-2, -9, len(NUMBERS))),
            avg_num_neighbors=12.0,
            atomic_numbers=NUMBERS,
            correlation=2 if size == "small" else 3,
            radial_type="bessel",
            atomic_inter_scale=[0.8] * len(heads),
            atomic_inter_shift=[0.1] * len(heads),
            heads=list(heads),
        )
        torch.save(model, path)
        torch.set_default_dtype(before)
    return path


def save_matgl(path: Path, architecture: str, size: str = "small") -> Path:
    """Write a matgl Potential as a folder; ``published``: the package's default network."""
    with quietly():
        import torch
        from matgl import models
        from matgl.apps.pes import Potential

        torch.manual_seed(2)
        shapes = {
            "M3GNet": {"dim_node_embedding": 16, "dim_edge_embedding": 16, "units": 16},
            "TensorNet": {"units": 16},
            "CHGNet": {
                "dim_atom_embedding": 16,
                "dim_bond_embedding": 16,
                "dim_angle_embedding": 16,
            },
        }
        shape = shapes[architecture] if size == "small" else {}
        model = getattr(models, architecture)(element_types=ELEMENTS, is_intensive=False, **shape)
        references = np.linspace(-1.0, -6.0, len(ELEMENTS))
        # untrained networks say nearly the same of every structure; the factor makes it eV
        Potential(model, data_std=200.0, element_refs=references).save(path)
    return path


def orb_architecture(conservative: bool, size: str) -> tuple[Any, dict[str, Any]]:
    """Return the package's builder of an ORB v3 network and its arguments."""
    from orb_models.forcefield import pretrained
    from orb_models.forcefield.atomic_system import SystemConfig

    build = (
        pretrained.orb_v3_conservative_architecture
        if conservative
        else pretrained.orb_v3_direct_architecture
    )
    small = {"latent_dim": 32, "base_mlp_hidden_dim": 64, "head_mlp_hidden_dim": 32}
    config = SystemConfig(radius=6.0, max_num_neighbors=120)
    return build, {"device": "cpu", "system_config": config, **(small if size == "small" else {})}


def save_orb(path: Path, conservative: bool, size: str = "small") -> Path:
    """Write the weights of an ORB v3 network; ``published``: of the size of the published ones."""
    with quietly():
        import torch

        torch.manual_seed(3)
        build, arguments = orb_architecture(conservative, size)
        torch.save(build(**arguments).state_dict(), path)
    return path


def register_small_orb(monkeypatch: Any, conservative: bool) -> str:
    """Add the small network to the package's table of models; return its name there."""
    from orb_models.forcefield import pretrained

    def load(weights_path: str, device: str, precision: str, compile: bool) -> Any:
        build, arguments = orb_architecture(conservative, "small")
        return pretrained.load_model(
            build(**arguments), weights_path, device, precision=precision, compile=compile
        )

    name = f"small-{'conservative' if conservative else 'direct'}"
    monkeypatch.setitem(pretrained.ORB_PRETRAINED_MODELS, name, load)
    return name
