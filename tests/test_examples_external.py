"""Simulators in NumPy that a user would bring, against second implementations and closed forms."""

import dataclasses
import math

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
import scipy.optimize

import dsnlib
from examples import brittle, fitzhugh_nagumo
from examples.brittle import Brittle, steady_rate
from examples.fitzhugh_nagumo import DT, SEEN, SETTLED, FitzHughNagumo, simulate
from quadrature import assert_meets, maxent

STEPS = round((SETTLED + SEEN) / DT)
NOISY = np.array([[0.7, 0.8, 0.3, 0.2], [0.5, 0.3, 0.8, 0.1], [0.9, 0.6, 0.1, 0.05]])


def one_row(a, b, current, sigma, shocks):
    """Rate and spread of v, number by number, from the list of all v."""
    v, w, seen = -1.2, -0.6, []
    for shock in shocks:
        v, w = (
            v + DT * (v - v**3 / 3 - w + current) + sigma * math.sqrt(DT) * shock,
            w + DT * (v + a - b * w) / 12.5,
        )
        seen.append(v)
    spikes, armed = [], False
    for k, v in enumerate(seen):
        if armed and v > 1:
            spikes.append(k)
            armed = False
        elif v < -0.5:
            armed = True
    late = seen[round(SETTLED / DT) :]
    count = sum(k >= round(SETTLED / DT) for k in spikes)
    return 1_000 * count / SEEN, np.std(late)


def test_noisy_neuron_against_plain_python():
    shocks = np.random.default_rng(1).standard_normal((STEPS, 1))
    expected = [one_row(*row, shocks[:, 0].tolist()) for row in NOISY]
    np.testing.assert_allclose(simulate(NOISY, shocks), expected, rtol=1e-8)
    assert len({rate for rate, _ in expected}) == 3


@pytest.mark.parametrize(("a", "b", "current"), [(0.7, 0.8, 0.5), (0.5, 0.3, 0.8), (0.7, 0.8, 0.1)])
def test_neuron_without_noise_against_scipy(a, b, current):
    """The cycle of the differential equations: Euler's scheme is off by the order of its step."""

    def upstroke(t, state):
        return state[0] - 1

    upstroke.direction = 1
    solution = scipy.integrate.solve_ivp(
        lambda t, s: [s[0] - s[0] ** 3 / 3 - s[1] + current, (s[0] + a - b * s[1]) / 12.5],
        (0, SETTLED + SEEN),
        [-1.2, -0.6],
        events=upstroke,
        dense_output=True,
        rtol=1e-9,
        atol=1e-9,
    )
    rate, swing = simulate(np.array([[a, b, current, 0.0]]), np.zeros((STEPS, 1)))[0]
    late = solution.sol(np.linspace(SETTLED, SETTLED + SEEN, 30_001))[0]
    assert abs(swing - late.std()) < 0.005
    times = solution.t_events[0]
    if current == 0.1:
        assert rate == len(times) == 0
    else:
        # A count within a window is off by less than one.
        period = np.diff(times)[-1]
        assert abs(rate - 1_000 / period) < 1_000 / SEEN


def test_small_noise_against_the_linear_theory():
    """Beside its rest a neuron is linear: the variance of v follows from Lyapunov's equation."""
    a, b, current, sigma, trials = 0.7, 0.8, 0.1, 1e-3, 400
    v = scipy.optimize.brentq(lambda v: v - v**3 / 3 - (v + a) / b + current, -2, 0)
    jacobian = np.array([[1 - v**2, -1], [1 / 12.5, -b / 12.5]])
    step = np.eye(2) + DT * jacobian
    P = scipy.linalg.solve_discrete_lyapunov(step, np.diag([DT * sigma**2, 0]))
    # The variance about the mean of the window lacks the variance of that mean.
    n = round(SEEN / DT)
    power, covariances = P, []
    for _ in range(n):
        covariances.append(power[0, 0])
        power = step @ power
    lags = np.arange(n)
    of_mean = (np.array(covariances) * (n - lags) * np.where(lags, 2, 1)).sum() / n**2
    # Other shocks in each column: as many trials of one row.
    shocks = np.random.default_rng(2).standard_normal((STEPS, trials))
    _, swing = simulate(np.tile([a, b, current, sigma], (trials, 1)), shocks).T
    error = (swing**2).std(ddof=1) / math.sqrt(trials)
    assert error < 0.03 * P[0, 0]
    assert abs((swing**2).mean() - (P[0, 0] - of_mean)) < 4 * error


def test_rows_meet_the_same_noise_whatever_stands_beside_them():
    circuit = FitzHughNagumo(trials=3)
    together = np.asarray(circuit.statistics(NOISY))
    for row, expected in zip(NOISY, together, strict=True):
        np.testing.assert_array_equal(circuit.statistics(row[None])[0], expected)
    other = dataclasses.replace(circuit, noise=1).statistics(NOISY)
    assert not np.allclose(other, together, rtol=1e-3)


def test_property_of_the_noisy_neuron_is_there():
    circuit, prop, n = FitzHughNagumo(), fitzhugh_nagumo.PROPERTY, 2_000
    low, high = circuit.bounds.T
    z = low + (high - low) * np.random.default_rng(0).random((n, 4))
    found = np.asarray(circuit.statistics(z))
    share = (np.abs(found - prop.mean) <= 2 * np.array(prop.sd)).all(axis=1).mean()
    assert abs(share - 0.05) < 4 * math.sqrt(0.05 / n)


def test_brittle_simulator_raises_for_three_tenths_of_its_box():
    assert steady_rate(0.5, 4.0) == 8.0
    with pytest.raises(ArithmeticError, match="runs away with a weight of 1"):
        steady_rate(1.0, 4.0)
    circuit, n = Brittle(), 10_000
    low, high = circuit.bounds.T
    z = low + (high - low) * np.random.default_rng(0).random((n, 2))
    found = np.asarray(circuit.statistics(z))[:, 0]
    assert (np.isnan(found) == (z[:, 0] >= 1)).all()
    assert abs(np.isnan(found).mean() - 0.3) < 4 * math.sqrt(0.21 / n)
    # The formula's rates, r = drive + weight r, in single precision.
    r, (weight, drive) = found[z[:, 0] < 0.99], z[z[:, 0] < 0.99].T
    np.testing.assert_allclose(r, drive + weight * r, rtol=1e-5)


def test_brittle_answer_against_its_closed_form(tmp_path):
    prop = brittle.PROPERTY
    run = dsnlib.fit(Brittle(), prop, dsnlib.SMC(particles=500), seed=1, out=tmp_path / "run")
    low, high = 1.0, 10.0
    r = low + (np.arange(40_000) + 0.5) / 40_000 * 59  # Hz; 13 sd above the mean it ends
    base = (np.minimum(r, high) ** 2 - low**2) / r**2
    masses = maxent(r, base, *prop.mean, *prop.sd)
    assert_meets(run.samples["rate"], run, r, masses)
    # Of the drive d, given r: density d / ((min(r, high)^2 - low^2) / 2) up to min(r, high).
    edges = np.linspace(low, high, 1_001)
    up_to = np.minimum(edges[:, None], r) ** 2 - low**2
    cumulative = (up_to / (np.minimum(r, high) ** 2 - low**2)) @ masses
    assert_meets(run.samples["drive"], run, (edges[1:] + edges[:-1]) / 2, np.diff(cumulative))
