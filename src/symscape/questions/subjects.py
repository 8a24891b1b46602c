"""What a question is asked about.

In results files, tolerance files and names of tests a subject is two strings, ``material`` and
``slice``. Every subject says its own; `subject_of` is the one place that reads them back.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

from symscape.crystal.labels import axis_label, symbol_label
from symscape.references.library import formula_of
from symscape.science.hull.systems import elements_of_system

#: column of symmetry degrees of freedom, and what it counts
FREEDOMS = {"n_wyckoff": "free Wyckoff coordinate", "n_lattice": "free lattice parameter"}
_ELEMENT = re.compile("[A-Z][a-z]?")


class Subject(ABC):
    """One thing that a model is judged on.

    Parameters
    ----------
    about
        What kind of reference it is taken from.
    """

    about: Literal["slices", "crystals", "curves"] = "crystals"

    @property
    @abstractmethod
    def material(self) -> str:
        """First part of its name."""

    @property
    @abstractmethod
    def slice(self) -> str:
        """Second part of its name: that of the slice, or what stands for it."""

    @property
    def id(self) -> str:
        """Both parts: ``PbTiO3-P4mm-Ti_z-O_z``, ``Mg-Si-hull``."""
        return f"{self.material}-{self.slice}"

    @property
    def elements(self) -> tuple[str, ...]:
        """Chemical symbols, as far as the name tells them."""
        return ()

    @property
    def words(self) -> str:
        """What the second part of the name says, for people."""
        return self.slice

    @property
    def title(self) -> str:
        """Both parts, for people: ``PbTiO3-P4mm z(Ti), z(O)``, ``Mg-Si hull``."""
        return f"{symbol_label(self.material)} {self.words}".rstrip()


@dataclass(frozen=True)
class MaterialSlice(Subject):
    """A slice of a material's landscape.

    Parameters
    ----------
    of
        The material: ``PbTiO3-P4mm``.
    axes
        What its name says of the axes: ``Ti_z``, ``O_z``.
    """

    of: str
    axes: tuple[str, ...]
    about = "slices"

    @classmethod
    def named(cls, material: str, slice: str) -> MaterialSlice:
        """Return the slice that goes by two names: ``PbTiO3-P4mm`` and ``Ti_z-O_z``."""
        return cls(material, tuple(slice.split("-")))

    @property
    def material(self) -> str:
        """The material."""
        return self.of

    @property
    def slice(self) -> str:
        """``Ti_z-O_z``."""
        return "-".join(self.axes)

    @property
    def words(self) -> str:
        """``z(Ti), z(O)``."""
        return ", ".join(axis_label(name) for name in self.axes)

    @property
    def elements(self) -> tuple[str, ...]:
        """Those of the formula, in its order."""
        return tuple(dict.fromkeys(_ELEMENT.findall(formula_of(self.of))))


@dataclass(frozen=True)
class _OfSystem(Subject):
    """Crystals of a chemical system.

    Parameters
    ----------
    system
        ``Mg-Si``.
    """

    system: str

    @property
    def material(self) -> str:
        """The system."""
        return self.system

    @property
    def elements(self) -> tuple[str, ...]:
        """The system's."""
        return elements_of_system(self.system)


@dataclass(frozen=True)
class HullSystem(_OfSystem):
    """A chemical system with its elements and subsystems: all that decides its hull."""

    slice = "hull"


@dataclass(frozen=True)
class SystemCrystals(_OfSystem):
    """The crystals of a chemical system alone, each of which is asked by itself."""

    slice = "contracts"


@dataclass(frozen=True)
class AllCrystals(Subject):
    """The crystals of all systems."""

    material = "crystals"
    slice = "all"
    title = "all crystals"


@dataclass(frozen=True)
class SymmetryClass(Subject):
    """The crystals, of any system, that have as many symmetry degrees of freedom.

    Parameters
    ----------
    freedom
        Which: a key of `FREEDOMS`.
    number
        The class: ``3-4`` (`symscape.science.hull.classes`).
    """

    freedom: str
    number: str
    material = AllCrystals.material

    @property
    def slice(self) -> str:
        """``n_wyckoff-3-4``."""
        return f"{self.freedom}-{self.number}"

    @property
    def words(self) -> str:
        """``3–4 free Wyckoff coordinates``."""
        plural = "" if self.number == "1" else "s"
        return f"{self.number.replace('-', '–')} {FREEDOMS[self.freedom]}{plural}"

    @property
    def title(self) -> str:
        """``crystals with 3–4 free Wyckoff coordinates``."""
        return f"{self.material} with {self.words}"


@dataclass(frozen=True)
class ElementGroup(Subject):
    """Rigid crystals of the elements of a group of the periodic table, and of their oxides.

    Parameters
    ----------
    group
        ``group-4``.
    symbols
        ``Ti``, ``Zr``, ``Hf``.
    """

    group: str
    symbols: tuple[str, ...]
    about = "curves"

    @property
    def material(self) -> str:
        """The group."""
        return self.group

    @property
    def slice(self) -> str:
        """``Ti-Zr-Hf``."""
        return "-".join(self.symbols)

    @property
    def title(self) -> str:
        """``group 4: Ti, Zr, Hf``."""
        return f"{self.group.replace('-', ' ')}: {', '.join(self.symbols)}"

    @property
    def elements(self) -> tuple[str, ...]:
        """The group's."""
        return self.symbols


@dataclass(frozen=True)
class ElementalPrototype(Subject):
    """A prototype of the elements: ``BCC``."""

    prototype: str
    slice = "prototype"
    about = "curves"

    @property
    def material(self) -> str:
        """The prototype."""
        return self.prototype


def subject_of(material: str, slice: str) -> Subject:
    """Return the subject that two strings name.

    The name of a slice of a landscape has two axes and a hyphen between them, which the words that
    stand for a slice do not have.
    """
    if slice == HullSystem.slice:
        return HullSystem(material)
    if slice == SystemCrystals.slice:
        return SystemCrystals(material)
    if slice == ElementalPrototype.slice:
        return ElementalPrototype(material)
    if material == AllCrystals.material:
        freedom, _, number = slice.partition("-")
        return SymmetryClass(freedom, number) if freedom in FREEDOMS else AllCrystals()
    if re.fullmatch(r"group-\d+", material):
        return ElementGroup(material, tuple(slice.split("-")))
    return MaterialSlice.named(material, slice)


def subject_of_id(text: str) -> Subject:
    """Return the subject whose two names a hyphen joins: the last two parts are a slice's axes."""
    *parts, last = text.split("-")
    if last in (HullSystem.slice, SystemCrystals.slice, ElementalPrototype.slice):
        return subject_of("-".join(parts), last)
    if found := re.fullmatch(rf"(group-\d+|{AllCrystals.material})-(.+)", text):
        return subject_of(*found.groups())
    if len(parts) < 2:
        return MaterialSlice(text, ())
    return MaterialSlice.named("-".join(parts[:-1]), f"{parts[-1]}-{last}")
