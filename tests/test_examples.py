"""Circuits that a user would bring, against second implementations and closed forms."""

import doctest
import itertools
import math

import hypothesis.strategies as st
import jax
import numpy as np
import pytest
import scipy.integrate
from hypothesis import assume, given

import dsnlib
from examples import hodgkin_huxley, silent
from examples.hodgkin_huxley import HodgkinHuxley
from examples.silent import FirstSpike
from quadrature import assert_meets, maxent

# g_Na, g_K, g_L, E_L, current, q: neurons that fire as long as the current flows
FIRING = np.array(
    [
        [120, 36, 0.3, -54.4, 10, 1.0],  # the paper's
        [190, 20, 0.1, -60, 15, 2.0],
        [80, 30, 0.5, -50, 25, 0.7],
        [150, 60, 0.2, -55, 30, 2.8],
    ]
)
SILENT = np.array([[120, 36, 0.3, -54.4, 2, 1.0], [45, 75, 0.55, -68, 5, 2.5]])


def scipy_neuron(z):
    """Rate, rest and height with an adaptive step, and rates of the gates as the paper has them."""
    g_Na, g_K, g_L, E_L, current, q = z

    def alpha_beta(V):
        u = V + 65
        yield (2.5 - 0.1 * u) / math.expm1(2.5 - 0.1 * u), 4 * math.exp(-u / 18)
        yield 0.07 * math.exp(-u / 20), 1 / (math.exp(3 - 0.1 * u) + 1)
        yield (0.1 - 0.01 * u) / math.expm1(1 - 0.1 * u), 0.125 * math.exp(-u / 80)

    def slope(t, state, drive):
        V, m, h, n = state
        membrane = g_Na * m**3 * h * (V - 50) + g_K * n**4 * (V + 77) + g_L * (V - E_L)
        gates = zip((m, h, n), alpha_beta(V), strict=True)
        return [drive - membrane, *(q * (a * (1 - x) - b * x) for x, (a, b) in gates)]

    def threshold(t, state, drive):
        return state[0] + 10

    threshold.direction = 1
    tight = {"rtol": 1e-8, "atol": 1e-8, "method": "LSODA", "dense_output": True}
    start = [-65, *(a / (a + b) for a, b in alpha_beta(-65 + 1e-9))]
    quiet = scipy.integrate.solve_ivp(slope, (0, 50), start, args=(0,), **tight)
    driven = scipy.integrate.solve_ivp(
        slope, (0, 100), quiet.y[:, -1], args=(current,), events=threshold, **tight
    )
    rest = quiet.sol(np.linspace(40, 50, 2_001))[0].mean()
    times = driven.t_events[0]
    rate = 1_000 * (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0
    return rate, rest, driven.sol(np.linspace(0, 100, 100_001))[0].max() - rest


@pytest.mark.parametrize("module", [hodgkin_huxley, silent])
def test_examples_of_docstrings(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


@pytest.fixture(scope="module")
def reference():
    return np.array([scipy_neuron(z) for z in np.concatenate([FIRING, SILENT])])


def test_neuron_against_scipy(reference):
    found = np.asarray(HodgkinHuxley().statistics(np.concatenate([FIRING, SILENT])))
    assert found.dtype == np.float32
    # The step's error is of second order (below); at 0.025 ms it is up to 0.2 % of a rate.
    np.testing.assert_allclose(found[:, 0], reference[:, 0], rtol=2e-3)
    np.testing.assert_allclose(found[:, 1], reference[:, 1], atol=1e-3)
    # The highest sample lies within half a step of a spike's top, where |V''| < 4,000 mV/ms^2, so
    # it misses the top by at most 4,000 dt^2 / 8 = 0.32 mV.
    np.testing.assert_allclose(found[:, 2], reference[:, 2], atol=0.32)
    assert reference[: len(FIRING), 0].min() > 50
    assert (found[len(FIRING) :, 0] == 0).all()


def test_neuron_converges_in_second_order(x64, reference):
    """Half the step, a quarter of the error, until the rest that SciPy's solution leaves."""
    errors = [
        np.abs(HodgkinHuxley(dt=dt).statistics(FIRING) - reference[: len(FIRING)])[:, 0]
        for dt in (0.05, 0.025, 0.0125)
    ]
    for coarse, fine in itertools.pairwise(errors):
        np.testing.assert_allclose(coarse / fine, 4, rtol=0.15)


def test_neuron_is_defined_in_all_corners():
    corners = np.array(list(itertools.product(*HodgkinHuxley().bounds)))
    rate, rest, _ = np.asarray(HodgkinHuxley().statistics(corners)).T
    assert np.isfinite([rate, rest]).all()
    assert (rest >= -77 - 1e-3).all()  # every step ends between V and a mean of the potentials
    assert (rest <= 50).all()


short_voltage = jax.jit(HodgkinHuxley(quiet=10.0, driven=20.0).voltage)


@given(st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_neuron_in_single_precision_stays_between_the_potentials(unit):
    low, high = HodgkinHuxley().bounds.T
    z = (low + (high - low) * np.array(unit)).astype(np.float32)
    V = np.asarray(short_voltage(z[None]))
    assert V.shape == (1_201, 1)
    # The current lifts the upper end by what it drives through the least conductance.
    assert V.min() >= -77 - 1e-3
    assert V.max() <= 50 + z[4] / z[2] + 1e-3


def test_ratio_is_smooth_where_it_is_0_over_0(x64):
    x = np.array([-2e-3, -1e-3, -1e-5, 0, 1e-5, 1e-3, 2e-3, 30, -30])
    safe = np.where(x == 0, 1, x)
    expected = np.where(x == 0, 1, safe / -np.expm1(-safe))
    found, slope = jax.vmap(jax.value_and_grad(hodgkin_huxley.ratio))(x)
    np.testing.assert_allclose(found, expected, rtol=1e-7)  # x^2 / 12 is left out below 1e-3
    np.testing.assert_allclose(slope[:7], 0.5, atol=1e-3)


def share(circuit, prop, n):
    """Share of uniform draws whose statistics all lie within two sd of the means."""
    low, high = circuit.bounds.T
    z = low + (high - low) * np.random.default_rng(0).random((n, len(low)))
    found = np.asarray(circuit.statistics(z.astype(np.float32)))
    return (np.abs(found - prop.mean) <= 2 * np.array(prop.sd)).all(axis=1).mean(), found


def test_property_of_the_neuron_is_rare_but_there():
    found, _ = share(HodgkinHuxley(), hodgkin_huxley.PROPERTY, 10_000)
    assert abs(found - 0.0025) < 4 * math.sqrt(0.0025 / 10_000)


times_of_membranes = st.floats(5, 30)
resistances = st.floats(0, 100)
currents = st.floats(0, 0.255)


@given(times_of_membranes, resistances, currents)
def test_latency_against_an_integration(tau, R, current):
    reached = R * current / silent.THRESHOLD
    # Beside the threshold the last bits decide.
    assume(abs(reached - 1) > 1e-3)

    def crossing(t, V):
        return V[0] - silent.THRESHOLD

    solution = scipy.integrate.solve_ivp(
        lambda t, V: (R * current - V) / tau,
        (0, 10 * tau),  # at 1e-3 above the threshold it comes after 6.9 tau
        [0.0],
        events=crossing,
        rtol=1e-9,
        atol=1e-10,
    )
    with jax.enable_x64(True):
        (found,) = FirstSpike().statistics(np.array([[tau, R, current]]))[0].tolist()
    if reached > 1:
        np.testing.assert_allclose(found, solution.t_events[0], rtol=1e-5)
    else:
        assert math.isnan(found)
        assert not len(solution.t_events[0])


def test_most_of_the_box_has_no_latency():
    n, prop = 200_000, silent.PROPERTY
    within, found = share(FirstSpike(), prop, n)
    c = silent.THRESHOLD / (100 * 0.255)  # P(u v > c) of uniform u and v
    fires = 1 - c + c * math.log(c)
    assert abs(fires - 0.1) < 1e-3
    assert abs(np.isfinite(found).mean() - fires) < 4 * math.sqrt(fires / n)
    assert abs(within - 0.0063) < 4 * math.sqrt(0.0063 / n)


def test_latency_has_a_finite_derivative_where_it_is_defined(x64):
    z = np.array([[10.0, 90.0, 0.2], [10.0, 90.0, 0.1]])
    value, J = FirstSpike().statistics_and_jacobian(z)
    step = 1e-6
    for k in range(3):
        move = step * np.eye(3)[k] * z[0]
        slope = FirstSpike().statistics(z + move) - FirstSpike().statistics(z - move)
        np.testing.assert_allclose(J[0, 0, k], slope[0, 0] / (2 * move[k]), rtol=1e-6)
    assert np.isnan(value[1, 0])


def test_answer_leaves_out_what_is_undefined(tmp_path):
    """SMC against quadrature over the box, where nine points in ten have no statistic."""
    prop = silent.PROPERTY
    run = dsnlib.fit(FirstSpike(), prop, dsnlib.SMC(particles=500), seed=1, out=tmp_path / "run")
    # Of R and I only the product counts: with u and v uniform, u v has density -log(u v).
    c = silent.THRESHOLD / (100 * 0.255)
    tau, s = np.meshgrid(
        5 + 25 * (np.arange(800) + 0.5) / 800, c + (1 - c) * (np.arange(800) + 0.5) / 800
    )
    latency = -tau * np.log1p(-c / s)
    masses = maxent(latency.ravel(), -np.log(s.ravel()), *prop.mean, *prop.sd)
    samples = run.samples
    for found, points in (
        (samples["latency"], latency),
        (samples["tau"], tau),
        (samples["R"] * samples["current"] / (100 * 0.255), s),
    ):
        # Points of equal value are one step of the distribution.
        values, place = np.unique(points, return_inverse=True)
        assert_meets(found, run, values, np.bincount(place.ravel(), masses))
