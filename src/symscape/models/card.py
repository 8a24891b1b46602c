"""What is known about a potential: the model card."""

from __future__ import annotations

from dataclasses import dataclass, field

#: what a card's energy_convention may be
CONVENTIONS = ("uncorrected", "MP2020")


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
    weights_file
        Where the family's package keeps the weights: a path inside the installed package, or one
        beginning with ``~`` for a file that the package downloads at first use; empty where the
        checkpoint is itself a path.
    untrained
        Symbols of elements that the network takes but that its training data lack.
    spin_polarized
        Whether the training energies allow magnetic moments.
    hubbard_u
        Whether they contain +U in oxides of the Materials Project's eight transition metals.
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
    weights_file: str = ""
    untrained: tuple[str, ...] = ()
    spin_polarized: bool = False
    hubbard_u: bool = False
