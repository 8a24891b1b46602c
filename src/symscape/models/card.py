"""What is known about a potential: the model card."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ModelCard:
    """Facts about one potential, as they stand in ``registry.toml`` or on the command line.

    Parameters
    ----------
    name
        What ``--mlip`` calls it and reports print, unique.
    family
        The adapter that runs it: ``chgnet``, ``sevenn``, ``mace``, ``matgl``, ``orb``, ``ase``.
    checkpoint
        The name that the family's own package knows the weights by, or a path.
    level_of_theory
        Functional of the training energies, e.g. ``PBE``; ``unknown`` where not stated.
    energy_convention
        ``uncorrected`` or ``MP2020`` (targets include the Materials Project's 2020 corrections).
    options
        Extra keyword arguments for the family's loader (a modality, a head, ...).
    """

    name: str
    family: str
    checkpoint: str | None = None
    level_of_theory: str = "unknown"
    energy_convention: str = "uncorrected"
    training_sets: tuple[str, ...] = ()
    reference: str = ""
    licence: str = ""
    description: str = ""
    options: dict[str, object] = field(default_factory=dict)
