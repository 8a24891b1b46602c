"""Contracts that an earlier run checked: what it found is kept beside the energies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.decode import decode, encode
from symscape.digest import code_digest
from symscape.models.evaluate import Evaluator
from symscape.science.contracts.catalogue import Checked, CrystalContract
from symscape.science.contracts.potential import Potential
from symscape.science.contracts.result import DEFAULT_SETTINGS, ContractResult, ContractSettings

#: packages whose code decides what a contract finds
_PACKAGES = ("symscape.science.contracts", "symscape.crystal")


def check_crystal_once(
    potential: Potential,
    crystal: Crystal,
    contracts: Iterable[CrystalContract],
    settings: ContractSettings = DEFAULT_SETTINGS,
) -> tuple[Checked, ...]:
    """Check contracts about a crystal, as far as no earlier run has with the same code.

    Parameters
    ----------
    potential
        An `Evaluator` keeps results in its cache, if it has one.
    crystal
        Any crystal.
    contracts
        From `ENERGY_CONTRACTS` or `FORCE_CONTRACTS`.
    settings
        How thoroughly.

    Returns
    -------
    tuple of Checked
        What each contract found, in their order.

    Raises
    ------
    ModelError
        As the potential does; nothing is kept of a contract that could not be checked.
    """
    if not isinstance(potential, Evaluator) or potential.cache is None:
        return tuple(Checked(check, check(potential, crystal, settings)) for check in contracts)
    model, store = potential.model, potential.cache
    found = []
    for check in contracts:
        # a function has a name, as `Callable` does not know
        name: str = check.__name__
        question = _question(crystal, name, settings)
        known = store.get_outcome(model.fingerprint, question)
        if known is None:
            known = json.dumps(encode(check(potential, crystal, settings)))
            store.put_outcome(model.fingerprint, model.card.name, question, known)
        found.append(Checked(check, decode(ContractResult, json.loads(known), name)))
    return tuple(found)


def _question(crystal: Crystal, name: str, settings: ContractSettings) -> bytes:
    """Return a hash of all that decides what a contract finds, the model apart."""
    content = hashlib.blake2b(digest_size=16)
    # adding zero makes -0.0 and 0.0 the same bytes
    for array in (crystal.lattice + 0.0, crystal.positions + 0.0, crystal.numbers):
        content.update(np.ascontiguousarray(array).tobytes())
    how = [crystal.hall_number, name, asdict(settings), code_digest(_PACKAGES, ("numpy",))]
    content.update(json.dumps(how).encode())
    return content.digest()
