"""What contracts found is kept, and asked again where anything that decides it has changed."""

from __future__ import annotations

from dataclasses import replace
from functools import wraps

import pytest
from contracts_models import PairModel

from symscape.crystal.crystal import Crystal
from symscape.crystal.spacegroup import standard_hall_number
from symscape.errors import ModelError
from symscape.models.cache import EnergyCache
from symscape.models.evaluate import Evaluator
from symscape.science.contracts import checked_once
from symscape.science.contracts.catalogue import ENERGY_CONTRACTS, FORCE_CONTRACTS
from symscape.science.contracts.checked_once import check_crystal_once
from symscape.science.contracts.invariance import under_rotations
from symscape.science.contracts.result import DEFAULT_SETTINGS
from symscape.science.contracts.scan import smoothness

CONTRACTS = (*(c for c in ENERGY_CONTRACTS if c is not smoothness), *FORCE_CONTRACTS)
QUICK = replace(DEFAULT_SETTINGS, samples=2)


@pytest.fixture
def crystal():
    """Rutile's type: one free coordinate."""
    sites = [("Mg", (0, 0, 0)), ("F", (0.3, 0.3, 0))]
    return Crystal.from_sites([4.6, 4.6, 3, 90, 90, 90], standard_hall_number(136), sites)


class Another(PairModel):
    """The same under another fingerprint."""


def counting(contracts, asked):
    def counted(contract):
        @wraps(contract)
        def ask(*arguments):
            asked.append(contract)
            return contract(*arguments)

        return ask

    return [counted(contract) for contract in contracts]


def test_nothing_is_asked_twice_and_answers_are_the_same(crystal, tmp_path):
    asked = []
    potential = Evaluator(PairModel(), EnergyCache(tmp_path))
    plain = [check(PairModel(), crystal, QUICK) for check in CONTRACTS]
    watched = counting(CONTRACTS, asked)
    first = check_crystal_once(potential, crystal, watched, QUICK)
    assert asked == list(CONTRACTS)
    second = check_crystal_once(potential, crystal, watched, QUICK)
    assert asked == list(CONTRACTS)
    assert [c.contract for c in first] == [c.contract for c in second] == watched
    for result, one, other in zip(
        plain, (c.result for c in first), (c.result for c in second), strict=True
    ):
        assert one.unit == other.unit == result.unit
        assert one.applies == other.applies == result.applies
        assert other.value == pytest.approx(result.value, abs=1e-9, nan_ok=True)
        assert one.detail == other.detail


def test_another_crystal_model_setting_or_code_is_asked(crystal, tmp_path, monkeypatch):
    asked = []
    cache = EnergyCache(tmp_path)
    watched = counting([under_rotations], asked)
    model, other = PairModel(), Another()
    moved = Crystal(crystal.lattice * 1.01, crystal.positions, crystal.numbers, crystal.hall_number)
    check_crystal_once(Evaluator(model, cache), crystal, watched, QUICK)
    check_crystal_once(Evaluator(model, cache), moved, watched, QUICK)
    check_crystal_once(Evaluator(other, cache), crystal, watched, QUICK)
    check_crystal_once(Evaluator(model, cache), crystal, watched, replace(QUICK, seed=1))
    assert len(asked) == 4
    monkeypatch.setattr(checked_once, "code_digest", lambda *_: "other code")
    check_crystal_once(Evaluator(model, cache), crystal, watched, QUICK)
    assert len(asked) == 5
    check_crystal_once(Evaluator(model, None), crystal, watched, QUICK)
    assert len(asked) == 6
    for _ in range(2):
        check_crystal_once(Evaluator(other, cache), crystal, watched, QUICK)
    assert len(asked) == 7


def test_what_could_not_be_asked_is_not_kept(crystal, tmp_path):
    potential = Evaluator(PairModel(), EnergyCache(tmp_path))

    @wraps(under_rotations)
    def failing(*arguments):
        raise ModelError("no answer")

    with pytest.raises(ModelError):
        check_crystal_once(potential, crystal, [failing], QUICK)
    (found,) = check_crystal_once(potential, crystal, [under_rotations], QUICK)
    assert found.contract is under_rotations
    assert found.result.value < 1e-6
