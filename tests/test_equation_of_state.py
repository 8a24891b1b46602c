"""Birch-Murnaghan curves, how they are compared, and differences between prototypes."""

from __future__ import annotations

import numpy as np
import pytest
from ase.eos import EquationOfState
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from symscape.models.card import ModelCard
from symscape.models.hubbard import CORRELATED
from symscape.models.registry import load_cards
from symscape.questions.equation_of_state import OF_CURVES
from symscape.questions.measures import measured
from symscape.questions.prototype_differences import OF_DIFFERENCES
from symscape.references.birch_murnaghan import GPA, BirchMurnaghan
from symscape.science.equation_of_state.comparable import (
    MAGNETIC_ELEMENTS,
    why_not_judged,
)
from symscape.science.equation_of_state.compare import (
    CurveErrors,
    delta,
    epsilon,
    relative_difference,
)
from symscape.science.equation_of_state.fit import fit
from symscape.science.equation_of_state.groups import table_place
from symscape.science.equation_of_state.prototypes import (
    PrototypeDifferences,
    asked_differences,
    differences,
    slope_through_zero,
)

curves = st.builds(
    lambda *values: BirchMurnaghan(*(np.array([value]) for value in values)),
    st.floats(-1000, 1000),
    st.floats(3, 150),
    st.floats(0.005, 3),
    st.floats(2, 8),
)
STRAINS = np.linspace(0.94, 1.06, 7)


def one(energy: float, volume: float, bulk_modulus: float, derivative: float) -> BirchMurnaghan:
    """Return a curve in arrays of one."""
    values = (energy, volume, bulk_modulus, derivative)
    return BirchMurnaghan(*(np.array([float(value)]) for value in values))


@given(curves, st.floats(0.96, 1.04))
def test_a_curve_gives_back_its_own_parameters(curve, shift):
    volumes = shift * curve.volume[:, None] * STRAINS
    found = fit(volumes, curve.energies(volumes))
    # energies of a kilo-electronvolt leave ten digits for what the curve does
    noise = 1e-12 * np.abs(curve.energy) / (curve.bulk_modulus * curve.volume)
    assert found.volume == pytest.approx(curve.volume, rel=1e-7 + 100 * noise[0])
    assert found.energy == pytest.approx(curve.energy, abs=1e-9)
    assert found.bulk_modulus == pytest.approx(curve.bulk_modulus, rel=1e-6 + 1e4 * noise[0])
    assert found.derivative == pytest.approx(curve.derivative, rel=1e-4 + 1e6 * noise[0])


def test_a_fit_to_anything_else_agrees_with_ases():
    volumes = 16.0 * STRAINS
    # a Morse potential, with a ripple that no equation of state has
    energies = 3 * (1 - np.exp(-2 * (volumes ** (1 / 3) - 2.53))) ** 2 + 1e-3 * np.cos(volumes)
    ours = fit(volumes[None], energies[None])
    volume, energy, bulk_modulus = EquationOfState(volumes, energies, "birchmurnaghan").fit(
        warn=False
    )
    assert ours.volume[0] == pytest.approx(volume, rel=1e-5)
    assert ours.energy[0] == pytest.approx(energy, abs=1e-6)
    assert ours.bulk_modulus[0] == pytest.approx(bulk_modulus, rel=1e-3)


@pytest.mark.parametrize(
    "energies",
    [STRAINS, -((STRAINS - 1) ** 2), (STRAINS - 1.2) ** 2, np.where(STRAINS == 1, np.nan, 1.0)],
    ids=["line", "maximum", "outside", "missing"],
)
def test_without_a_minimum_among_the_volumes_there_is_no_curve(energies):
    good = (STRAINS - 1) ** 2
    found = fit(np.array([20 * STRAINS, 20 * STRAINS]), np.array([energies, good]))
    assert np.isnan(found.volume).tolist() == [True, False]
    assert np.isnan(found.energy[0])


@given(curves)
def test_pressure_is_minus_the_slope_of_the_energy(curve):
    volumes = curve.volume[:, None] * STRAINS
    step = 1e-4 * curve.volume[:, None]
    flat = one(0.0, curve.volume[0], curve.bulk_modulus[0], curve.derivative[0])
    slopes = (flat.energies(volumes + step) - flat.energies(volumes - step)) / (2 * step)
    scale = curve.bulk_modulus[0]
    np.testing.assert_allclose(curve.pressures(volumes), -slopes, atol=1e-6 * scale)
    # B0 is -V dP/dV at the minimum
    inside = curve.volume[:, None] * (1 + np.array([-1e-5, 1e-5]))
    gradient = np.diff(curve.pressures(inside)) / np.diff(inside)
    assert -curve.volume[0] * gradient[0, 0] == pytest.approx(scale, rel=1e-4)


def test_bulk_moduli_are_in_gigapascal():
    from ase.units import GPa

    assert pytest.approx(1 / GPa, rel=1e-6) == GPA


@given(curves)
def test_a_curve_agrees_with_itself(curve):
    assert epsilon(curve, curve) == 0
    assert delta(curve, curve) == 0


@settings(max_examples=20, deadline=None)
@given(curves, st.floats(0.97, 1.03), st.floats(0.8, 1.25), st.floats(-1, 1))
def test_epsilon_and_delta_are_the_integrals_that_define_them(a, stretch, stiffen, more):
    b = BirchMurnaghan(
        a.energy + 7, a.volume * stretch, a.bulk_modulus * stiffen, a.derivative + more
    )
    centre = float(a.volume[0] + b.volume[0]) / 2
    low, high = 0.94 * centre, 1.06 * centre

    def above(curve, volume):
        level = one(0.0, curve.volume[0], curve.bulk_modulus[0], curve.derivative[0])
        return float(level.energies(np.array([[volume]]))[0, 0])

    def mean(function):
        return quad(function, low, high, epsabs=0, epsrel=1e-10)[0] / (high - low)

    square = mean(lambda v: (above(a, v) - above(b, v)) ** 2)
    means = [mean(lambda v, c=c: above(c, v)) for c in (a, b)]
    first, second = (
        mean(lambda v, c=c, m=m: (above(c, v) - m) ** 2) for c, m in zip((a, b), means, strict=True)
    )
    assert delta(a, b)[0] == pytest.approx(1000 * np.sqrt(square), rel=1e-5, abs=1e-7)
    wanted = np.sqrt(square / np.sqrt(first * second))
    assert epsilon(a, b)[0] == pytest.approx(wanted, rel=1e-5, abs=1e-7)
    assert epsilon(b, a)[0] == pytest.approx(epsilon(a, b)[0], abs=1e-6)


@given(curves, st.floats(0.97, 1.03), st.floats(0.01, 100))
def test_epsilon_does_not_depend_on_stiffness_and_delta_does(a, stretch, factor):
    b = BirchMurnaghan(a.energy, a.volume * stretch, a.bulk_modulus, a.derivative)
    stiff_a, stiff_b = (
        BirchMurnaghan(c.energy, c.volume, factor * c.bulk_modulus, c.derivative) for c in (a, b)
    )
    # energies of a kilo-electronvolt leave fewer digits to those above the minimum
    assert epsilon(stiff_a, stiff_b)[0] == pytest.approx(epsilon(a, b)[0], abs=1e-6)
    # stiffness multiplies energies
    assert delta(stiff_a, stiff_b)[0] == pytest.approx(factor * delta(a, b)[0], rel=1e-6, abs=1e-7)


def test_a_curve_without_minimum_has_no_epsilon():
    nothing = one(np.nan, np.nan, np.nan, np.nan)
    assert np.isnan(epsilon(one(0, 20, 1, 4), nothing)).all()


@given(st.floats(0.01, 10.0), st.floats(0.01, 10.0), st.floats(-0.99, 50.0))
def test_errors_of_bulk_moduli_below_10_gpa_are_absolute(first, second, share):
    """The same difference is the same error in soft crystals, the same share in stiff ones."""

    def error(dft, model):
        pair = (one(0.0, 20.0, modulus / GPA, 4.0) for modulus in (model, dft))
        return float(CurveErrors.of(*pair).bulk_modulus[0])

    change = abs(share) * 10
    soft = error(first, first + change)
    assert soft == pytest.approx(error(second, second + change))
    assert soft == pytest.approx(error(10.0, 10.0 + change))
    stiff = [error(10 * (1 + b), 10 * (1 + b) * (1 + share)) for b in (first, second)]
    assert stiff == pytest.approx([100 * share] * 2, abs=1e-9)


def test_relative_differences_are_signed_per_cent():
    assert relative_difference(np.array([22.0]), np.array([20.0])) == pytest.approx(10)


def test_differences_count_from_the_prototype_that_is_lowest_in_dft():
    # two codes with different zeros agree, a third is 1 and 2 meV/atom off
    codes = np.array([[[-1.0, -1.2, -1.1]], [[-9.0, -9.2, -9.1]], [[0.001, -0.2, -0.102]]])
    model = np.array([[-3.0, -3.1, -3.15]])
    found = differences(codes, model)
    np.testing.assert_allclose(found.dft, [[200, np.nan, 100]])
    np.testing.assert_allclose(found.model, [[100, np.nan, -50]])
    np.testing.assert_allclose(found.errors, [[-100, np.nan, -150]])
    np.testing.assert_allclose(found.spread, [[1 / np.sqrt(3), np.nan, 2 / np.sqrt(3)]])


def test_a_prototype_is_summed_up_over_the_elements_that_resolve_it():
    dft = np.array([[100.0, np.nan], [300, np.nan], [2000, np.nan], [5, np.nan], [50, np.nan]])
    model = np.array([[80.0, 0], [-30, 0], [0, 0], [500, 0], [np.nan, 0]])
    found = PrototypeDifferences(dft, np.full(dft.shape, 6.0), model)
    asked = asked_differences(found, 0, window=1000)
    said = measured(OF_DIFFERENCES, dft[asked, 0], model[asked, 0])
    # the third lies beyond the window, the fourth is not resolved, the fifth has no minimum
    assert said == pytest.approx(
        {
            "mae": (20 + 330) / 2,
            "mean_signed_error": -(20 + 330) / 2,
            "softening_scale": (80 * 100 - 30 * 300) / (100**2 + 300**2),
            "wrong_order_share": 0.5,
            "without_minimum": 1,
            "n_differences": 3,
        }
    )
    asked = asked_differences(found, 1, window=1000)
    nothing = measured(OF_DIFFERENCES, dft[asked, 1], model[asked, 1])
    assert nothing.pop("n_differences") == nothing.pop("without_minimum") == 0
    assert np.isnan(list(nothing.values())).all()


def test_a_difference_below_the_spread_of_the_codes_is_not_judged():
    codes = np.array([[[0.0, 0.001]], [[0.0, 0.001]], [[0.0, 0.011]]])
    found = differences(codes, np.array([[0.0, 0.5]]))
    assert found.spread[0, 1] > found.dft[0, 1]
    assert not found.resolved.any()
    assert np.isnan(found.errors).all()


@given(st.floats(-2, 2), st.lists(st.floats(1, 1000), min_size=1, max_size=9))
def test_the_slope_of_scaled_differences_is_the_scale(scale, dft):
    values = np.array([*dft, np.nan])
    assert slope_through_zero(values, scale * values) == pytest.approx(scale, abs=1e-9)


def test_no_differences_have_no_slope():
    assert np.isnan(slope_through_zero(np.array([np.nan]), np.array([1.0])))


def test_correlated_oxides_are_those_that_the_materials_project_treats_with_u():
    from ase.data import atomic_numbers
    from pymatgen.io.vasp.sets import MPRelaxSet

    config = MPRelaxSet.CONFIG["INCAR"]
    for anion in ("O", "F"):
        assert {symbol for symbol, u in config["LDAUU"][anion].items() if u} == CORRELATED
    assert set(config["LDAUU"]) == {"O", "F"}
    with_u = {atomic_numbers[symbol] for symbol in CORRELATED}
    neutral = {atomic_numbers.get(symbol) for symbol in config["MAGMOM"]} - {None}
    # what else starts from a large moment there are lanthanides
    assert with_u <= neutral <= with_u | set(range(57, 72))
    assert MAGNETIC_ELEMENTS - {8} <= with_u


def test_what_is_judged_follows_from_the_card():
    spin = ModelCard("spin", "ase", spin_polarized=True)
    with_u = ModelCard("u", "ase", spin_polarized=True, hubbard_u=True)
    plain = ModelCard("plain", "ase", untrained=("Po",))
    titanium, vanadium, iron, oxygen, polonium, cerium = 22, 23, 26, 8, 84, 58
    for card in (spin, with_u, plain):
        assert not why_not_judged(card, titanium, oxide=True)
        assert not why_not_judged(card, vanadium, oxide=False)
        assert "f electrons" in why_not_judged(card, cerium, oxide=False)
        assert "oxygen itself" in why_not_judged(card, oxygen, oxide=True)
    assert "spin-polarized" in why_not_judged(spin, iron, oxide=False)
    assert "spin-polarized" in why_not_judged(spin, vanadium, oxide=True)
    assert "spin-polarized" in why_not_judged(spin, oxygen, oxide=False)
    assert "+U" in why_not_judged(with_u, vanadium, oxide=True)
    assert not why_not_judged(plain, iron, oxide=True)
    assert "no Po" in why_not_judged(plain, polonium, oxide=False)


def test_matpes_and_r2scan_are_without_u():
    cards = load_cards()
    assert cards["chgnet"].hubbard_u
    assert not cards["TensorNet-PES-MatPES-PBE-2025.2"].hubbard_u
    assert not cards["chgnet-r2scan"].hubbard_u
    assert all(card.spin_polarized for card in cards.values())


def test_the_materials_project_has_89_elements():
    card = load_cards()["7net-0"]
    missing = {z for z in range(1, 95) if "have no" in why_not_judged(card, z, oxide=False)}
    assert len(missing) == 94 - 89
    assert not why_not_judged(ModelCard("own", "ase"), 84, oxide=False)


def test_a_summary_counts_what_has_no_minimum():
    dft = BirchMurnaghan(*np.array([[0.0] * 3, [20.0] * 3, [1.0] * 3, [4.0] * 3]))
    model = BirchMurnaghan(
        np.array([0.0, 0.0, np.nan]),
        np.array([20.0, 22.0, np.nan]),
        np.array([1.0, 0.5, np.nan]),
        np.array([4.0, 4.0, np.nan]),
    )
    said = measured(OF_CURVES, CurveErrors.of(model, dft))
    assert said["good_share"] == pytest.approx(1 / 3)
    assert said["volume_error"] == said["volume_bias"] == pytest.approx(5)
    assert said["bulk_modulus_error"] == pytest.approx(25)
    assert (said["without_minimum"], said["n_crystals"]) == (1, 3)
    assert said["epsilon"] == pytest.approx(epsilon(model, dft)[1] / 2)
    nothing = measured(OF_CURVES, CurveErrors.of(model[[2]], dft[[2]]))
    assert np.isnan(nothing["epsilon"])
    assert nothing["without_minimum"] == 1


def test_periods_and_groups_are_pymatgens():
    from pymatgen.core import Element

    for number in range(1, 104):
        element = Element.from_Z(number)
        f_element = element.is_lanthanoid or element.is_actinoid
        assert table_place(number) == (element.row, 0 if f_element else element.group)
