"""What the studies compute, against closed forms, quadrature and JAX's own gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy import stats

from circuits import Product
from dsnlib import STG, AugmentedLagrangian, EmergentProperty
from dsnlib.methods.lagrangian.objective import Objective
from report.studies import truths
from report.studies.contributions import (
    directional,
    drawn,
    hill,
    push,
    sample_gradients,
    summed,
)
from report.studies.external import ExternalSTG, counted_frequency, hub_voltage
from report.studies.families import fitter, mixture, single
from report.studies.problems import CASES

LAM = np.array([0.7, -0.4])


@pytest.fixture
def objective():
    prop = EmergentProperty(mean=[0.8], sd=[0.1])
    return Objective(Product(), prop, AugmentedLagrangian(layers=3))


@pytest.mark.parametrize("alpha", [0.8, 2.5])
def test_hill_finds_the_index_of_a_pareto_tail(alpha):
    values = stats.pareto(alpha).rvs(200_000, random_state=1)
    found, se = hill(values, 2_000)
    assert abs(found - alpha) < 4 * se
    assert se == pytest.approx(alpha / np.sqrt(2_000), rel=0.1)


def test_sample_gradients_average_to_those_of_jax(x64, objective):
    weights = objective.random_weights(jax.random.key(0))
    noise = jax.random.normal(jax.random.key(1), (50, 2))
    z, log_q = jax.jit(push, static_argnums=0)(objective, weights, noise)
    np.testing.assert_allclose(log_q, objective.network(weights).log_prob(z), atol=1e-9)

    def value(z):
        return objective.prop.moments(objective.circuit.evaluate(z)) @ LAM

    slope = jax.vmap(jax.grad(lambda z: value(z[None])[0]))(z)
    advantage = value(z) - 1.0
    found = jax.jit(sample_gradients, static_argnums=0)
    pathwise, score, entropy = found(objective, weights, noise, slope, advantage)
    for each, function in (
        (pathwise, lambda w: value(push(objective, w, noise)[0]).mean()),
        (score, lambda w: (advantage * objective.network(w).log_prob(z)).mean()),
        (entropy, lambda w: push(objective, w, noise)[1].mean()),
    ):
        wanted = ravel_pytree(jax.jit(jax.grad(function))(weights))[0]
        np.testing.assert_allclose(each.mean(axis=0), wanted, atol=1e-9)
    sums = summed(objective, weights, noise[None], slope[None], advantage[None])
    np.testing.assert_allclose(sums["mean"][0, 1], score.mean(axis=0))
    np.testing.assert_allclose(sums["norm"][0, :, 0], np.linalg.norm(pathwise, axis=1))


def test_directional_difference_is_the_pathwise_gradient_of_a_smooth_circuit(x64, objective):
    weights, key, n = objective.random_weights(jax.random.key(2)), jax.random.key(3), 2_000
    noise, _, f, jacobian = drawn(objective, weights, key, n)
    slope = (LAM[0] + 2 * LAM[1] * f) * jacobian[:, :, 0]
    gradient = summed(objective, weights, noise, slope, f[..., 0])["mean"][:, 0].mean(axis=0)
    unit = gradient / np.linalg.norm(gradient)
    found, _ = directional(objective, weights, key, n, LAM, 1e-2 * unit)
    assert found == pytest.approx(float(np.linalg.norm(gradient)), rel=1e-3)


def test_mixture_is_a_density_and_samples_follow_it(x64):
    circuit = STG(T=200)
    centres = np.array([[7.0, 1.0], [0.5, 1.0], [4.0, 12.0]])
    model = mixture(single(circuit, "planar", 2), circuit, centres)
    parameters = model.initial(jax.random.key(4)) | {"logits": jnp.array([0.0, 1.0, -1.0])}
    y = np.linspace(-9, 9, 361)
    grid = np.stack(np.meshgrid(y, y, indexing="ij"), axis=-1).reshape(-1, 2)
    z = 10 + 10 * np.tanh(grid)
    inside = (np.abs(z - 10) < 10).all(axis=1)
    volume = np.prod(10 / np.cosh(grid) ** 2, axis=1) * (y[1] - y[0]) ** 2
    mass = np.where(inside, np.exp(jax.jit(model.log_prob)(parameters, z)) * volume, 0)
    assert mass.sum() == pytest.approx(1, abs=1e-3)
    samples = np.asarray(model.sample(parameters, jax.random.key(5), 20_000))
    se = samples.std(axis=0) / np.sqrt(len(samples))
    assert (np.abs(samples.mean(axis=0) - mass @ z) < 5 * se + 0.01).all()


def test_fitter_finds_the_minimum_of_a_stochastic_loss():
    def loss(x, key):
        value = ((x - 3 + 0.1 * jax.random.normal(key)) ** 2).sum()
        return value, value

    found, curve = fitter(loss, 2_000, 0.1)(jnp.zeros(2), jax.random.key(6))
    np.testing.assert_allclose(found, 3, atol=0.02)
    assert curve.shape == (20,)
    assert curve[-1] < curve[0]


def test_foreign_circuit_has_the_voltages_of_the_library_s():
    z = np.random.default_rng(7).uniform(0, 20, (200, 2))
    circuit = STG(T=60)
    with jax.enable_x64(True):
        ours = np.asarray(circuit.simulate(z), float)
    np.testing.assert_allclose(hub_voltage(z, circuit.T, circuit.dt).T, ours, atol=1e-8)


@pytest.mark.parametrize("frequency", [0.3, 0.525, 1.7])
def test_counted_frequency_of_a_sine(frequency):
    dt, times = 0.025, 0.025 * np.arange(800)
    voltage = 0.03 * np.sin(2 * np.pi * frequency * times)[:, None]
    cycles = np.floor(frequency * times[-1])  # a crossing may be off by a step at either end
    (found,) = counted_frequency(voltage, dt)
    assert abs(found / frequency - 1) < 2 * dt * frequency / (cycles - 1)
    assert counted_frequency(0 * voltage - 0.05, dt) == 0


def test_foreign_circuit_calls_numpy_from_compiled_code():
    z = np.array([[7.5, 1.0], [0.5, 1.0]])
    circuit = ExternalSTG(T=200)
    found = jax.jit(circuit.evaluate)(jnp.asarray(z, "float32"))
    expected = counted_frequency(hub_voltage(z.astype("float32"), 200, circuit.dt), circuit.dt)
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6)
    assert (found > 0).all()


def test_entropy_of_a_shell():
    # With one parameter the shell is two Gaussians at -1 and 1, each with half of the mass.
    shell = truths.ring(1, 1.0, 0.05)
    assert shell.entropy == pytest.approx(stats.norm(1, 0.05).entropy() + np.log(2), abs=1e-9)
    np.testing.assert_allclose(shell.cdf, stats.norm(1, 0.05).cdf(shell.values), atol=1e-3)
    assert shell.squared == pytest.approx(1 / (4 * np.sqrt(np.pi) * 0.05), rel=1e-9)


def test_entropy_of_the_linear_system_by_weighted_uniform_draws():
    case = CASES["linear2d"]
    z = np.random.default_rng(0).uniform(-10, 10, (400_000, 4))
    f = np.asarray(case.circuit.statistics(z), float)
    found, p = truths.solve(
        f,
        np.full(len(z), 4 * np.log(20) - np.log(len(z))),
        *map(np.array, (case.prop.mean, case.prop.sd)),
    )
    # log Z of a weighted mean: its relative error is that of the mean weight.
    error = np.sqrt((p**2).sum())
    exact = truths.linear2d(np.array(case.prop.mean), np.array(case.prop.sd))
    assert abs(found - exact) < 4 * error
    assert error < 0.02
