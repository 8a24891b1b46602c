"""How much faster is a grid than a loop over the package's own ASE calculator?

One core, one process, nothing else running: ``OMP_NUM_THREADS=1 pytest benchmarks -m speed -s``.
CHGNet and SevenNet have their published weights; the other families have untrained networks of
the size of published ones, which their packages build. Where TorchSim is installed and knows the
family, its ``static`` is timed too.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import math
import time
from itertools import pairwise

import numpy as np
import pytest
import small_models as small

from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.slice import Slice
from symscape.models.evaluate import Evaluator, evaluate
from symscape.models.registry import resolve
from symscape.science.landscape.slice_energies import evaluate_slice

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
#: in how many rounds
ROUNDS = 6
#: structures in a batch whose matrix products are timed alone
BATCH = 8


def calcium_chloride_slice() -> Slice:
    """MgO2 of the CaCl2 type: x and y of oxygen, 15 x 15 points, equal across the diagonal."""
    sites = [("Mg", (0, 0, 0)), ("O", (0.305, 0.295, 0))]
    crystal = Crystal.from_sites([4.6, 4.6, 2.95, 90, 90, 90], 275, sites)
    x = Axis("O_x", {"O_x": 1.0}, 0.25, 0.35, 15, 0.305)
    y = Axis("O_y", {"O_y": 1.0}, 0.25, 0.35, 15, 0.295)
    return Slice(crystal, (x, y))


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


def in_turn(calculator, structures, ours) -> tuple[float, float]:
    """Seconds of CPU a structure of the loop and of ours, the fastest of rounds in turn.

    What else runs on the machine slows both alike, and CPU time does not count waiting.

    Parameters
    ----------
    calculator
        The package's; it computes forces and stress whatever is asked for.
    structures
        Of which `LOOP` are evaluated, a part of them in each round.
    ours
        Evaluates `Structures`.
    """
    chosen = structures[np.linspace(0, len(structures) - 1, LOOP).astype(int)]
    # not one of the loop's, which the calculator would answer from what it remembers
    calculator.get_potential_energy(structures.atoms(1))
    ours(chosen)
    loop, own = [], []
    for part in np.array_split(np.arange(LOOP), ROUNDS):
        images = list(chosen[part])
        begin = time.process_time()
        for atoms in images:
            calculator.get_potential_energy(atoms)
        middle = time.process_time()
        ours(chosen)
        loop.append((middle - begin) / len(images))
        own.append((time.process_time() - middle) / LOOP)
    return min(loop), min(own)


def torchsim_model(name, folder):
    """Return TorchSim's wrapper of the same network, or None if it has none for the family."""
    torch_sim = pytest.importorskip("torch_sim")
    import torch

    if name == "mace":
        from torch_sim.models.mace import MaceModel

        network = torch.load(folder / "mace.model", weights_only=False, map_location="cpu")
        options = {"compute_forces": False, "compute_stress": False, "dtype": torch.float32}
        return torch_sim, MaceModel(network.float(), device=torch.device("cpu"), **options)
    if name.startswith("7net"):
        network = pytest.importorskip("sevenn.nn.sequential").AtomGraphSequential
        if "modal_map" not in inspect.signature(network).parameters:
            pytest.skip("TorchSim's wrapper needs sevenn 0.11 or later")
        from sevenn.util import model_from_checkpoint, pretrained_name_to_path
        from torch_sim.models import sevennet

        if not hasattr(sevennet, "Collater"):
            pytest.skip("TorchSim's wrapper can't import what it needs of this sevenn")
        network, _ = model_from_checkpoint(pretrained_name_to_path(name))
        return torch_sim, sevennet.SevenNetModel(network, device="cpu")
    pytest.skip("TorchSim has no wrapper of this family")


def static_seconds(torch_sim, network, images, size: int) -> float:
    """Seconds of CPU a structure of TorchSim's ``static`` on batches of one size."""
    begin = time.process_time()
    for k in range(0, len(images), size):
        torch_sim.static(images[k : k + size], network)
    return (time.process_time() - begin) / len(images)


def load(name, folder):
    """Return our model and the package's calculator, on one thread."""
    make = {"chgnet": chgnet, "7net": sevenn, "mace": mace, "matgl": matgl, "orb": orb}
    model, calculator = make[name.partition("-")[0]](name, folder)
    import torch

    torch.set_num_threads(1)
    return model, calculator


@pytest.mark.speed
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODELS)
def test_grid_against_ase_loop(benchmark, name, tmp_path, capsys):
    """Evaluate the grid as the suite does, and every point of it, and compare with the loop."""
    model, calculator = load(name, tmp_path)
    the_slice = calcium_chloride_slice()
    structures = the_slice.structures()
    evaluate(model, structures[:32])
    loop, every = in_turn(calculator, structures, Evaluator(model).evaluate)
    spent = []

    def evaluate_grid():
        begin = time.process_time()
        said = evaluate_slice(model, the_slice)
        spent.append(time.process_time() - begin)
        return said

    said = benchmark.pedantic(evaluate_grid, rounds=3)
    assert not said.failures
    grid = min(spent)
    benchmark.extra_info.update(
        loop_ms_per_structure=round(1000 * loop, 3),
        ours_ms_per_structure=round(1000 * every, 3),
        ratio_per_structure=round(loop / every, 2),
        ratio_of_the_grid=round(loop * len(structures) / grid, 2),
        evaluated=said.n_evaluated,
    )
    with capsys.disabled():
        print(
            f"\n{name}: loop {1000 * loop:.1f} ms, ours {1000 * every:.1f} ms a structure, ratio "
            f"{loop / every:.1f}; with symmetry ({said.n_evaluated} of {len(structures)} points) "
            f"ratio {loop * len(structures) / grid:.1f}"
        )


@pytest.mark.speed
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["chgnet", "7net-0", "mace"])
def test_forces_and_stress_against_ase_loop(benchmark, name, tmp_path, capsys):
    """Ask for forces and stress of some points as relaxations do, and compare with the loop."""
    model, calculator = load(name, tmp_path)
    structures = calcium_chloride_slice().structures()
    asked = Evaluator(model)
    options = {"forces": True, "stresses": True}
    loop, ours = in_turn(calculator, structures, lambda chosen: asked.evaluate(chosen, **options))
    benchmark.pedantic(asked.evaluate, (structures[:LOOP],), options, rounds=2)
    benchmark.extra_info.update(
        loop_ms_per_structure=round(1000 * loop, 3),
        ours_ms_per_structure=round(1000 * ours, 3),
        ratio=round(loop / ours, 2),
    )
    with capsys.disabled():
        print(
            f"\n{name}, forces and stress: loop {1000 * loop:.1f} ms, ours {1000 * ours:.1f} ms a "
            f"structure, ratio {loop / ours:.1f}"
        )


@pytest.mark.speed
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["7net-0", "mace"])
def test_grid_against_torchsim(benchmark, name, tmp_path, capsys):
    """Evaluate points of the grid, and compare with TorchSim's ``static`` at its best.

    TorchSim's wrapper of SevenNet computes forces and stress whatever is asked for; with both asked
    for, ours is timed too. All are timed in turn, in CPU time, the fastest of three rounds.
    """
    model, _ = load(name, tmp_path)
    torch_sim, network = torchsim_model(name, tmp_path)
    every = calcium_chloride_slice().structures()
    structures = every[np.linspace(0, len(every) - 1, 2 * LOOP).astype(int)]
    images = list(structures)
    asked = Evaluator(model)
    torch_sim.static(images[:4], network)
    sizes = (4, 8, 32, len(images))
    static: dict[int, list[float]] = {n: [] for n in sizes}
    own: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(3):
        for n in sizes:
            static[n].append(static_seconds(torch_sim, network, images, n))
        for gradients, spent in own.items():
            begin = time.process_time()
            asked.evaluate(structures, forces=gradients, stresses=gradients)
            spent.append((time.process_time() - begin) / len(images))
    benchmark.pedantic(asked.evaluate, (structures,), rounds=1)
    best = {n: min(times) for n, times in static.items()}
    size = min(best, key=lambda n: best[n])
    ours, with_gradients = min(own[False]), min(own[True])
    benchmark.extra_info.update(
        torchsim_ms_per_structure={n: round(1000 * t, 3) for n, t in best.items()},
        ours_ms_per_structure=round(1000 * ours, 3),
        ours_with_gradients_ms_per_structure=round(1000 * with_gradients, 3),
        ratio=round(best[size] / ours, 2),
    )
    with capsys.disabled():
        print(
            f"\n{name}: TorchSim {1000 * best[size]:.1f} ms (batches of {size}), ours "
            f"{1000 * ours:.1f} ms a structure, ratio {best[size] / ours:.1f}; with forces and "
            f"stress {1000 * with_gradients:.1f} ms, ratio {best[size] / with_gradients:.1f}"
        )


def products_of(function) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return the shapes of both matrices of all products that a function lets torch compute."""
    from torch.utils._python_dispatch import TorchDispatchMode

    found = []

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, called, types, args=(), kwargs=None):
            if called.name().partition(".")[0] in ("aten::addmm", "aten::mm", "aten::bmm"):
                left, right = args[-2:]
                found.append((tuple(left.shape), tuple(right.shape)))
            return called(*args, **(kwargs or {}))

    with Watch():
        function()
    return found


@pytest.mark.speed
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["orb-conservative", "orb-direct"])
def test_orb_against_its_matrix_products(benchmark, name, tmp_path, capsys):
    """Energies of a batch, the products of the same sizes, and the package's loop, in turn.

    CPU time, the fastest of some rounds each.
    """
    model, calculator = load(name, tmp_path)
    import torch

    structures = calcium_chloride_slice().structures()[: BATCH * ROUNDS]
    # not one of the loop's, which the calculator would answer from what it remembers
    calculator.get_potential_energy(structures.atoms(BATCH - 1))
    model.predict_batch(structures[:BATCH])
    sizes = products_of(lambda: model.predict_batch(structures[:BATCH]))
    # as layers hold them: the second is a transposed matrix of weights
    pairs = [
        (torch.randn(*left), torch.randn(*right[:-2], *reversed(right[-2:])).mT)
        for left, right in sizes
    ]
    operations = sum(2 * math.prod(left) * right[-1] for left, right in sizes) / BATCH

    def multiply():
        for left, right in pairs:
            left @ right

    loop, own, bare = [], [], []
    for k in range(ROUNDS):
        batch = structures[k * BATCH : (k + 1) * BATCH]
        moments = [time.process_time()]
        for atoms in batch[:2]:
            calculator.get_potential_energy(atoms)
        moments.append(time.process_time())
        model.predict_batch(batch)
        moments.append(time.process_time())
        multiply()
        moments.append(time.process_time())
        spent = [late - early for early, late in pairwise(moments)]
        loop.append(spent[0] / 2)
        own.append(spent[1] / BATCH)
        bare.append(spent[2] / BATCH)
    benchmark.pedantic(model.predict_batch, (structures[:BATCH],), rounds=1)
    ours, products = min(own), min(bare)
    benchmark.extra_info.update(
        loop_ms_per_structure=round(1000 * min(loop), 3),
        ours_ms_per_structure=round(1000 * ours, 3),
        products_ms_per_structure=round(1000 * products, 3),
        ratio_to_the_products=round(ours / products, 3),
    )
    with capsys.disabled():
        print(
            f"\n{name}: loop {1000 * min(loop):.1f} ms, ours {1000 * ours:.1f} ms a structure, its "
            f"matrix products alone {1000 * products:.1f} ms ({operations / 1e9:.1f} GFLOP, "
            f"{operations / products / 1e9:.0f} GFLOP/s), ratio {ours / products:.2f}"
        )
