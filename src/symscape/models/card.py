"""What is known about a potential: the model card."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from symscape.errors import ModelError

#: what a card's energy_convention may be
CONVENTIONS = ("uncorrected", "MP2020")


@dataclass(frozen=True)
class PublishedValue:
    """A number published of a potential, by which loaded weights are known to be right.

    By its authors, or by others who computed it with the same weights; ``source`` says which.

    Parameters
    ----------
    structure
        Name of a file in ``published/`` beside this module, without its ending.
    quantity
        ``energy``: of that cell in eV; ``lattice_parameter``: edge in angstrom of the cubic cell
        at which its energy is lowest; ``lowest_energy``: in eV/atom at that edge;
        ``bulk_modulus``: in GPa there.
    value
        What was published.
    tolerance
        Largest difference that still counts as the same.
    source
        Where it stands.
    options
        Of the loader, where they differ from the card's: another head of the same weights.
    """

    structure: str
    quantity: str
    value: float
    tolerance: float
    source: str
    options: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelCard:
    """Facts about one potential, as they stand in ``registry.toml`` or on the command line.

    Parameters
    ----------
    name
        What ``--mlip`` calls it and reports print, unique.
    family
        The adapter that runs it, as `symscape.models.families` lists them.
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
    parameters
        Number of trained parameters, 0 where not known.
    date
        Day, month or year in which the weights were published, as ISO 8601 writes it.
    elements
        Elements that the network takes, as runs of the periodic table: ``H-Bi, Ac-Pu``; of one
        that takes all, those of its training sets.
    links
        Addresses of the weights and of their documentation.
    package_version
        Versions of the family's package that load the weights rightly, as in ``<3`` (PEP 440);
        empty for any.
    digest
        SHA-256 of the weights' file, of matgl's and diep's folders that of ``state.pt``; another
        file in the package's folder is refused. Empty where not known: then the first file that
        is used on a machine is the one that counts there (`symscape.models.fetched`).
    published
        Published numbers, for ``symscape models --check``.
    not_published
        Where ``published`` is empty: what was looked for, and what is known instead.
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
    parameters: int = 0
    date: str = ""
    elements: str = ""
    links: tuple[str, ...] = ()
    package_version: str = ""
    digest: str = ""
    published: tuple[PublishedValue, ...] = ()
    not_published: str = ""

    def untrained_of(self, numbers: Iterable[int]) -> tuple[str, ...]:
        """Return the elements that the potential was not trained on, as far as the card tells.

        Parameters
        ----------
        numbers
            Atomic numbers.
        """
        from ase.data import atomic_numbers, chemical_symbols

        runs = [run.strip().split("-") for run in self.elements.split(",") if run.strip()]
        ends = [(atomic_numbers[run[0]], atomic_numbers[run[-1]]) for run in runs]
        return tuple(
            chemical_symbols[z]
            for z in sorted(set(numbers))
            if chemical_symbols[z] in self.untrained
            or (ends and not any(first <= z <= last for first, last in ends))
        )


def not_trained(name: str, symbols: Iterable[str]) -> ModelError:
    """Return the error of a potential that is asked for elements it was not trained on."""
    return ModelError(f"{name} was not trained on {', '.join(symbols)}.")
