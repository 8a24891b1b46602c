"""How much faster is a grid than a loop over the package's own ASE calculator?

One core, one process, nothing else running: ``OMP_NUM_THREADS=1 pytest benchmarks -m speed -s``.
CHGNet and SevenNet have their published weights; the other families have untrained networks of
the size of published ones, which their packages build.
"""

from __future__ import annotations

import contextlib
import io
import time

import numpy as np
import pytest
import small_models as small
from ase import Atoms

from symscape.crystal.structures import Structures
from symscape.models.evaluate import evaluate
from symscape.models.registry import resolve

MODELS = [
    "chgnet",
    "7net-0",
    "mace",
    "matgl-M3GNet",
    "matgl-TensorNet",
    "matgl-CHGNet",
    "orb-conservative",
    "orb-direct",
]
#: structures that the loop over the calculator is timed on; the grid has 225
LOOP = 30


def grid() -> Structures:
    """Return rutile MgO2 on a 15 x 15 grid of c/a and the oxygen's coordinate."""
    images = []
    for u in np.linspace(0.28, 0.33, 15):
        for c in np.linspace(2.8, 3.1, 15):
            oxygen = [[u, u, 0], [-u, -u, 0], [0.5 + u, 0.5 - u, 0.5], [0.5 - u, 0.5 + u, 0.5]]
            images.append(
                Atoms(
                    "Mg2O4",
                    scaled_positions=[[0, 0, 0], [0.5, 0.5, 0.5], *oxygen],
                    cell=[4.6, 4.6, c],
                    pbc=True,
                )
            )
    return Structures.from_atoms(images)


def chgnet(name, folder):
    """Return our model and the package's calculator."""
    pytest.importorskip("chgnet")
    from chgnet.model.dynamics import CHGNetCalculator

    with contextlib.redirect_stdout(io.StringIO()):
        return resolve(name, device="cpu"), CHGNetCalculator(use_device="cpu")


def sevenn(name, folder):
    """Return our model and the package's calculator."""
    pytest.importorskip("sevenn")
    model = resolve(name, device="cpu")
    model.load()
    from sevenn.calculator import SevenNetCalculator

    return model, SevenNetCalculator(name, device="cpu")


def mace(name, folder):
    """Return our model and the package's calculator."""
    pytest.importorskip("mace")
    path = small.save_mace(folder / "mace.model", size="published")
    from mace.calculators import MACECalculator

    model = resolve("mace", checkpoint=path, device="cpu", dtype="float32")
    return model, MACECalculator(model_paths=str(path), device="cpu", default_dtype="float32")


def matgl(name, folder):
    """Return our model and the package's calculator."""
    package = pytest.importorskip("matgl")
    path = small.save_matgl(folder / "potential", name.partition("-")[2], size="published")
    from matgl.ext.ase import PESCalculator

    calculator = PESCalculator(package.load_model(path), stress_unit="eV/A3")
    return resolve("matgl", checkpoint=path, device="cpu"), calculator


def orb(name, folder):
    """Return our model and the package's calculator."""
    pytest.importorskip("orb_models")
    conservative = name.endswith("conservative")
    path = small.save_orb(folder / "orb.ckpt", conservative, size="published")
    from orb_models.forcefield.calculator import ORBCalculator
    from orb_models.forcefield.pretrained import ORB_PRETRAINED_MODELS

    architecture = f"orb-v3-{'conservative' if conservative else 'direct'}-inf-omat"
    network = ORB_PRETRAINED_MODELS[architecture](
        weights_path=str(path), device="cpu", precision="float32-highest", compile=False
    )
    options = {"architecture": architecture}
    model = resolve("orb", checkpoint=path, device="cpu", options=options)
    return model, ORBCalculator(network, device="cpu")


def loop_seconds(calculator, structures) -> float:
    """Seconds a structure in a loop over the calculator, the faster of two."""
    images = list(structures[np.linspace(0, len(structures) - 1, LOOP).astype(int)])
    calculator.get_potential_energy(images[0])
    times = []
    for _ in range(2):
        calculator.reset()
        begin = time.perf_counter()
        for atoms in images:
            calculator.get_potential_energy(atoms)
        times.append((time.perf_counter() - begin) / LOOP)
    return min(times)


@pytest.mark.speed
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODELS)
def test_grid_against_ase_loop(benchmark, name, tmp_path, capsys):
    """Evaluate 225 structures of six atoms, and compare with the loop."""
    make = {"chgnet": chgnet, "7net": sevenn, "mace": mace, "matgl": matgl, "orb": orb}
    model, calculator = make[name.partition("-")[0]](name, tmp_path)
    import torch

    torch.set_num_threads(1)
    structures = grid()
    evaluate(model, structures[:16])
    loop = loop_seconds(calculator, structures)
    said = benchmark.pedantic(evaluate, (model, structures), rounds=3)
    assert not said.failures
    ours = benchmark.stats.stats.min / len(structures)
    benchmark.extra_info.update(
        loop_ms_per_structure=round(1000 * loop, 3),
        grid_ms_per_structure=round(1000 * ours, 3),
        ratio=round(loop / ours, 2),
        threads=torch.get_num_threads(),
    )
    with capsys.disabled():
        print(
            f"\n{name}: loop {1000 * loop:.1f} ms, grid {1000 * ours:.1f} ms a structure, "
            f"ratio {loop / ours:.1f}"
        )
