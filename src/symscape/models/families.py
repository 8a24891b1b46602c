"""The model families: symscape's own, and those that other installed packages add."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from symscape.errors import ModelError
from symscape.models.weights import reason_of

#: where another package names the adapter of a family: ``name = "package.module:Class"``
GROUP = "symscape.families"

#: family -> module and class of its adapter; the one place where a family of symscape is added
OWN: dict[str, str] = {
    "chgnet": "symscape.models.chgnet:CHGNetModel",
    "sevenn": "symscape.models.sevenn:SevenNetModel",
    "mace": "symscape.models.mace:MACEModel",
    "matgl": "symscape.models.matgl:MatGLModel",
    "orb": "symscape.models.orb:ORBModel",
    "nequix": "symscape.models.nequix:NequixModel",
    "diep": "symscape.models.diep:DIEPModel",
    "ase": "symscape.models.ase:ASEModel",
}


@cache
def families() -> Mapping[str, tuple[EntryPoint, ...]]:
    """Return who offers a family, by its name: symscape's own first, then other packages'.

    Reads the metadata of installed packages; imports none of them.
    """
    found = {name: (EntryPoint(name, value, GROUP),) for name, value in OWN.items()}
    for point in entry_points(group=GROUP):
        found[point.name] = (*found.get(point.name, ()), point)
    return found


def families_of_others() -> dict[str, str]:
    """Return the families that other packages offer, each with the package and its version."""
    return {
        name: " and ".join(map(_offered_by, offered))
        for name, offered in families().items()
        if name not in OWN
    }


def adapter_of(family: str) -> Any:
    """Return the adapter class of a family, imported now.

    Raises
    ------
    ModelError
        If no package or more than one offers the family, or its module can't be imported.
    """
    offered = families().get(family, ())
    if not offered:
        known = ", ".join(families())
        raise ModelError(f"There is no model family '{family}': the known ones are {known}.")
    if len(offered) > 1:
        by = " and ".join(map(_offered_by, offered))
        raise ModelError(f"The model family '{family}' is offered by {by}: uninstall one of them.")
    (point,) = offered
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise ModelError(
            f"{_offered_by(point)} offers the model family '{family}', but {point.value} can't be "
            f"imported ({type(error).__name__}: {reason_of(error)}): correct or uninstall it."
        ) from error


def _offered_by(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "symscape"
