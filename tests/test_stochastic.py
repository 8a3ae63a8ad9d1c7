"""Circuits with noise, against second implementations in NumPy that draw the same numbers."""

import dataclasses

import jax
import numpy as np
import pytest

import dsnlib
from dsnlib import V1, EmergentProperty, Parameter, Statistic, StochasticCircuit, SuperiorColliculus
from dsnlib.maxent.features import Features
from dsnlib.methods import Problem
from dsnlib.methods.smc import noise

V1_WEIGHTS = np.array(
    [
        [0.218, -0.119, -0.0594, -0.0229],
        [0.166, -0.0651, -0.068, -0.0242],
        [0.0895, -0.000522, -0.0000151, -0.0761],
        [0.334, -0.231, -0.0254, -0.0000252],
    ]
)


@dataclasses.dataclass(frozen=True)
class Shifted(StochasticCircuit):
    """A parameter plus noise of sd 1: other random numbers shift the answer as a whole."""

    parameters = (Parameter("x", "1", -4, 4),)
    observables = (Statistic("y", "1"),)

    def trial(self, z, key):
        return z + jax.random.normal(key, z.shape)


def trial_keys(circuit):
    return jax.random.split(jax.random.key(circuit.noise), circuit.trials)


def numpy_v1(sigma, contrast, keys):
    """Means over trials of the E rate's standard deviation, with matrices, trials side by side."""
    tau, tau_n, dt = 1e-3, 5e-3, 5e-4
    h = np.array([4.16, 4.29, 4.91, 4.86]) + contrast * np.array([3.59, 4.03, 0, 0])
    x, shocks = [], []
    for key in keys:
        first, later = jax.random.split(key)
        x.append(np.asarray(jax.random.uniform(first, (4,), float, 10, 25)))
        steps = jax.random.split(later, 200)
        shocks.append(np.asarray(jax.vmap(lambda k: jax.random.normal(k, (4,), float))(steps)))
    x, shocks, e, seen = np.array(x), np.array(shocks), np.zeros((len(keys), 4)), []
    for t in range(200):
        if t >= 150:
            seen.append(x[:, 0])
        dB = np.sqrt(dt) * shocks[:, t]
        dx = (-x + np.maximum(x @ V1_WEIGHTS.T + h + e, 0) ** 2) / tau * dt
        de = (-e * dt + np.sqrt(2 * tau_n) * sigma * np.sqrt(1 + tau / tau_n) * dB) / tau_n
        x, e = x + dx, e + de
    return np.std([*seen, x[:, 0]], axis=0).mean()


def test_v1_against_numpy(x64):
    circuit = V1(trials=7, noise=3, contrast=0.3)
    z = np.random.default_rng(1).uniform(0, 0.1, (5, 4))
    expected = [numpy_v1(sigma, 0.3, trial_keys(circuit)) for sigma in z]
    np.testing.assert_allclose(circuit.statistics(z)[:, 0], expected, rtol=1e-9)


def test_v1_rates_are_those_of_its_statistic(x64):
    circuit = V1(trials=1)
    z = np.array([0.03, 0.02, 0.1, 0.2])
    rates = np.asarray(circuit.rates(jax.numpy.asarray(z), trial_keys(circuit)[0]))
    assert rates.shape == (201, 4)
    np.testing.assert_allclose(rates[150:, 0].std(), circuit.statistics(z[None])[0, 0], rtol=1e-9)


def test_v1_settles_where_nothing_fluctuates(x64):
    """Without noise the rates end where x = [W x + h]^2."""
    rates = np.asarray(V1(contrast=1.0).rates(jax.numpy.zeros(4), jax.random.key(0)))
    h = np.array([4.16, 4.29, 4.91, 4.86]) + np.array([3.59, 4.03, 0, 0])
    np.testing.assert_allclose(rates[-1], np.maximum(V1_WEIGHTS @ rates[-1] + h, 0) ** 2, rtol=1e-6)


def test_v1_variability_comes_from_E_and_P():
    """Bittner et al.: it is sensitive to noise in E and P, and hardly to that in S and V."""
    sd = V1().statistics(0.05 * np.eye(4, dtype=np.float32))[:, 0]
    assert sd[:2].min() > 8 * sd[2:].max()


def numpy_sc(weights, keys):
    """Accuracies in both tasks, with the matrix of weights, trials side by side."""
    s, v, d, h = weights
    W = np.array([[s, v, d, h], [v, s, h, d], [d, h, s, v], [h, d, v, s]])
    time = np.arange(0, 1.8, 0.024)
    assert len(time) == 75
    x, shocks = [], []
    for key in keys:
        first, later = jax.random.split(key)
        x.append(0.1 + 0.005 * np.asarray(jax.random.normal(first, (8,), float)))
        steps = jax.random.split(later, 74)
        shocks.append(np.asarray(jax.vmap(lambda k: jax.random.normal(k, (8,), float))(steps)))
    x, shocks = np.array(x).reshape(-1, 2, 4), np.array(shocks).reshape(-1, 74, 2, 4)
    u = 0.5 * np.arctanh(2 * x - 1) - 0.05
    for i in range(1, 75):
        drive = np.full((2, 4), 0.75)
        drive[:, [0, 3]] += 0.5
        if time[i] < 1.2:
            drive[0, [0, 3]] += 0.6
            drive[1, [1, 2]] += 0.6
        if time[i] > 1.2:  # in the step at 1.2 s there is neither
            drive += 0.25
        if 1.2 < time[i] < 1.5:
            drive[:, [0, 1]] += 0.5
        u = u + 0.024 / 0.09 * (-u + x @ W.T + drive + 0.2 * shocks[:, i - 1])
        x = 0.5 * np.tanh((u - 0.05) / 0.5) + 0.5
    left = (1 / (1 + np.exp(-100 * (x[..., 0] - x[..., 3])))).mean(axis=0)
    return left[0], 1 - left[1]


def test_superior_colliculus_against_numpy(x64):
    circuit = SuperiorColliculus(trials=9, noise=2)
    z = np.random.default_rng(1).uniform(-3, 3, (6, 4))
    expected = [numpy_sc(weights, trial_keys(circuit)) for weights in z]
    np.testing.assert_allclose(circuit.statistics(z), expected, atol=1e-9)
    assert np.ptp(expected) > 0.2


def test_superior_colliculus_rates_end_in_its_choice(x64):
    circuit = SuperiorColliculus(trials=1)
    z = jax.numpy.asarray([0.4, -2.6, -1.1, -1.3])
    rates = np.asarray(circuit.rates(z, trial_keys(circuit)[0]))
    assert rates.shape == (75, 2, 4)
    assert ((rates > 0) & (rates < 1)).all()
    left = 1 / (1 + np.exp(-100 * (rates[-1, :, 0] - rates[-1, :, 3])))
    expected = [left[0], 1 - left[1]]
    np.testing.assert_allclose(circuit.statistics(z[None])[0], expected, atol=1e-9)


def test_rows_meet_the_same_noise_whatever_stands_beside_them():
    circuit = SuperiorColliculus(trials=4)
    low, high = circuit.bounds.T
    z = (low + (high - low) * np.random.default_rng(0).random((1_100, 4))).astype(np.float32)
    together = np.asarray(circuit.statistics(z))
    for row in (0, 1_099):
        one = np.asarray(circuit.statistics(z[row : row + 1]))
        np.testing.assert_allclose(one[0], together[row], rtol=1e-3, atol=1e-4)
    other = dataclasses.replace(circuit, noise=1).statistics(z)
    assert not np.allclose(other, together, rtol=1e-3)


def test_jacobian_against_finite_differences(x64):
    for circuit, z in (
        (V1(trials=2), np.array([[0.05, 0.04, 0.2, 0.3]])),
        (SuperiorColliculus(trials=2), np.array([[0.3, -1.2, -0.4, 0.2]])),
    ):
        _, J = circuit.statistics_and_jacobian(z)
        step = 1e-6
        for k in range(4):
            move = step * np.eye(4)[k]
            slope = (circuit.statistics(z + move) - circuit.statistics(z - move)) / (2 * step)
            np.testing.assert_allclose(J[:, :, k], slope, rtol=1e-5, atol=1e-6)


def test_constants_are_part_of_the_identity_and_checked():
    assert V1(trials=3, noise=5).configuration() == {
        "name": "V1",
        "trials": 3,
        "noise": 5,
        "contrast": 0.5,
    }
    with pytest.raises(ValueError, match="trials must be at least 1, got 0"):
        SuperiorColliculus(trials=0)
    with pytest.raises(ValueError, match="noise must be at least 0, got -1"):
        V1(noise=-1)
    with pytest.raises(ValueError, match="contrast must be finite and at least 0, got -1"):
        V1(contrast=-1)


@pytest.mark.filterwarnings("ignore:the run in")
def test_dependence_on_the_noise_is_measured_and_not_trusted_where_it_is_large(tmp_path):
    circuit, prop = Shifted(trials=16), EmergentProperty([0.0], [0.5])
    run = dsnlib.fit(circuit, prop, dsnlib.SMC(particles=1_000), seed=1, out=tmp_path / "run")
    means = [
        np.mean(jax.vmap(lambda key: jax.random.normal(key, (1,)))(trial_keys(each)))
        for each in (dataclasses.replace(circuit, noise=k) for k in range(noise.OTHERS + 1))
    ]
    shifts = (means[0] - np.array(means[1:])) / 0.5
    # 2,000 weighted samples: a standard error of about 0.03 for a paired shift.
    np.testing.assert_allclose(run.data.noise_shift.values[:, 0], shifts, atol=0.1)
    spread = np.sqrt((shifts**2).mean())
    assert spread > noise.MOST_SHIFT
    row = run.diagnostics.loc["largest shift of a parameter's mean under other random numbers, sd"]
    assert row.value == pytest.approx(spread, abs=0.1)
    assert not row.passed
    assert not run.trusted


def test_dependence_is_small_where_trials_are_many():
    circuit, prop = Shifted(trials=10_000), EmergentProperty([0.0], [0.5])
    problem = Problem(circuit, prop, dsnlib.SMC(), seed=1)
    z = np.random.default_rng(0).normal(0, 0.5, (2_000, 1)).astype(np.float32)
    # Of N(0, 0.5^2): exp(-x^2 / 2) in x = (f - mean) / sd.
    features, f = Features(prop, prop.sd), np.asarray(circuit.statistics(z))
    found = noise.dependence(problem, features, z, f, np.array([0, -0.5]))
    checks = noise.check_noise(found.shift, found.share)
    assert [check.passed for check in checks] == [True, True]
    assert checks[0].value < 0.05


def test_circuits_without_noise_have_no_such_check():
    prop = EmergentProperty([0, 1], [1, 1])
    problem, features = (
        Problem(dsnlib.Linear2D(), prop, dsnlib.SMC(), seed=1),
        Features(prop, prop.sd),
    )
    found = noise.dependence(problem, features, np.zeros((5, 4)), np.zeros((5, 2)), np.zeros(4))
    assert noise.check_noise(found.shift, found.share) == []
