"""The gradient of the augmented Lagrangian against large batches, and its measurements."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from circuits import Product, Stairs
from dsnlib import AugmentedLagrangian, EmergentProperty
from dsnlib.methods.lagrangian.objective import Objective, violation
from dsnlib.methods.lagrangian.programs import optimiser_of

BATCH, BATCHES, HUGE, C = 8, 40_000, 400_000, 50.0
LAM = np.array([0.7, -0.4])


def made(gradient):
    prop = EmergentProperty(mean=[0.8], sd=[0.1])
    settings = AugmentedLagrangian(batch=BATCH, layers=2, precision="float64", gradient=gradient)
    return Objective(Product(), prop, settings)


@pytest.fixture(scope="module")
def objective():
    return made("pathwise")


def lagrangian(objective, weights, key, n):
    """-H + lam.R + c/2 |R|^2 on one batch: as an estimate biased by 1/n."""
    draw = objective.draw(weights, key, n)
    R = draw.moments.mean(axis=0) - objective.prop.mu
    return draw.log_q.mean() + LAM @ R + C / 2 * R @ R


def standardised(samples, reference, reference_se):
    """Deviation of the samples' mean from the reference, in standard errors of the difference."""
    se = np.sqrt(samples.var(axis=0, ddof=1) / len(samples) + reference_se**2)
    return np.abs(samples.mean(axis=0) - reference) / se


def test_half_batch_gradient_is_unbiased(x64, objective):
    weights = objective.random_weights(jax.random.key(0))
    keys = jax.random.split(jax.random.key(1), BATCHES)

    def flat_gradient(function, keys):
        return np.asarray(jax.lax.map(lambda k: ravel_pytree(function(k))[0], keys, batch_size=500))

    ours = flat_gradient(lambda k: objective.gradient(weights, k, LAM, C)[0], keys)
    naive = flat_gradient(
        lambda k: jax.grad(lambda w: lagrangian(objective, w, k, BATCH))(weights), keys
    )
    huge = np.stack(
        [
            ravel_pytree(jax.grad(lambda w, k=k: lagrangian(objective, w, k, HUGE))(weights))[0]
            for k in jax.random.split(jax.random.key(2), 5)
        ]
    )
    reference, se = huge.mean(axis=0), huge.std(axis=0, ddof=1) / np.sqrt(len(huge))
    # 5 standard errors: under normality one of the weights exceeds them with probability 1e-5.
    assert standardised(ours, reference, se).max() < 5
    assert standardised(naive, reference, se).max() > 5, "the test must see the bias it looks for"


def flat_gradients(objective, weights, key, batches):
    """(batches, W) gradients of so many batches."""
    keys = jax.random.split(jax.random.key(key), batches)
    return np.asarray(
        jax.lax.map(
            lambda k: ravel_pytree(objective.gradient(weights, k, LAM, C)[0])[0],
            keys,
            batch_size=500,
        )
    )


@pytest.fixture(scope="module")
def pathwise(objective):
    """Mean pathwise gradient of the smooth product, and its standard error."""
    with jax.enable_x64(True):
        weights = objective.random_weights(jax.random.key(0))
        found = flat_gradients(objective, weights, 7, BATCHES)
    return weights, found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(BATCHES)


@pytest.mark.parametrize("kind", ["score", "vargrad"])
def test_score_gradients_are_unbiased_and_need_no_derivative_of_the_circuit(x64, pathwise, kind):
    # The product is smooth, so all estimators have the same mean, here that of many batches.
    weights, reference, se = pathwise
    found = flat_gradients(made(kind), weights, 8, BATCHES // 4)
    assert standardised(found, reference, se).max() < 5
    # A circuit of stairs has no derivative; its mean still has one, which only the score sees.
    prop = EmergentProperty(mean=[0.8], sd=[0.1])
    stairs = {
        each: Objective(Stairs(), prop, AugmentedLagrangian(batch=BATCH, layers=2, gradient=each))
        for each in ("pathwise", kind)
    }
    from_entropy = flat_gradients(stairs["pathwise"], weights, 9, 2_000).mean(axis=0)
    with_property = flat_gradients(stairs[kind], weights, 9, 2_000).mean(axis=0)
    assert np.abs(with_property - from_entropy).max() > 1


def test_clipped_steps_are_short(x64):
    prop = EmergentProperty(mean=[0.8], sd=[0.1])
    lengths = {}
    for clip in (0.0, 1e-9):
        objective = Objective(
            Product(), prop, AugmentedLagrangian(batch=BATCH, layers=2, clip=clip)
        )
        optimiser = optimiser_of(objective.settings)
        weights = objective.random_weights(jax.random.key(0))
        gradient = jax.tree.map(jnp.ones_like, weights)
        # Adam forgets the length of a gradient that stays the same, not of one that is cut to 0.
        updates, _ = optimiser.update(gradient, optimiser.init(weights), weights)
        lengths[clip] = np.linalg.norm(ravel_pytree(updates)[0])
    assert lengths[1e-9] < 0.1 * lengths[0.0]


def test_measurements_are_those_of_the_batch(x64, objective):
    weights = objective.random_weights(jax.random.key(3))
    key = jax.random.key(4)
    _, measured = objective.gradient(weights, key, LAM, C)
    draw = objective.draw(weights, key, BATCH)
    np.testing.assert_allclose(measured.entropy, -draw.log_q.mean())
    np.testing.assert_allclose(measured.loss, lagrangian(objective, weights, key, BATCH))
    np.testing.assert_allclose(measured.moments, draw.moments.mean(axis=0))
    f = Product().evaluate(draw.z)
    np.testing.assert_allclose(draw.moments, jnp.hstack([f, f**2]))


def test_gradient_against_finite_differences(x64):
    # With both halves equal to the whole in expectation only, use c = 0: the rest is exact.
    objective = Objective(
        Product(), EmergentProperty([0.8], [0.1]), AugmentedLagrangian(batch=50, layers=2)
    )
    weights, unravel = ravel_pytree(objective.random_weights(jax.random.key(5)))
    key = jax.random.key(6)

    def value(flat):
        return objective.gradient(unravel(flat), key, LAM, 0.0)[1].loss

    gradient = ravel_pytree(objective.gradient(unravel(weights), key, LAM, 0.0)[0])[0]
    step = 1e-6 * np.eye(len(weights))
    expected = [(value(weights + d) - value(weights - d)) / 2e-6 for d in step]
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", ["pathwise", "vargrad"])
def test_standardised_violations_are_those_of_the_standardised_statistic(x64, kind):
    prop = EmergentProperty(mean=[0.8], sd=[0.1])
    settings = AugmentedLagrangian(batch=BATCH, layers=2, gradient=kind, standardised=True)
    objective = Objective(Product(), prop, settings)
    weights = objective.random_weights(jax.random.key(0))
    draw = objective.draw(weights, jax.random.key(1), 50)
    x = (np.asarray(Product().evaluate(draw.z)) - 0.8) / 0.1
    expected = np.hstack([x, x**2 - 1])
    np.testing.assert_allclose(objective.violation(draw.moments), expected, atol=1e-10)
    np.testing.assert_allclose(  # on the host, of NumPy's arrays
        violation(settings, prop, np.asarray(draw.moments).mean(axis=0)), expected.mean(axis=0)
    )

    # The same Lagrangian as of a circuit whose statistic is x.
    class Standardised(Product):
        def evaluate(self, z):
            return (super().evaluate(z) - 0.8) / 0.1

    other = Objective(
        Standardised(),
        EmergentProperty(mean=[0.0], sd=[1.0]),
        dataclasses.replace(settings, standardised=False),
    )
    key = jax.random.key(2)
    for a, b in zip(
        jax.tree.leaves(objective.gradient(weights, key, LAM, C)[0]),
        jax.tree.leaves(other.gradient(weights, key, LAM, C)[0]),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8)


def test_learning_rate_falls_along_half_a_cosine_in_each_epoch(x64):
    prop = EmergentProperty(mean=[0.8], sd=[0.1])
    n, rate = 8, 1e-3
    settings = AugmentedLagrangian(layers=2, iterations=n, learning_rate=rate, decay=0.9)
    optimiser = optimiser_of(settings)
    weights = Objective(Product(), prop, settings).random_weights(jax.random.key(0))
    state, gradient = optimiser.init(weights), jax.tree.map(jnp.ones_like, weights)
    for k in range(n):  # of a constant gradient, Adam's step is the rate
        updates, state = optimiser.update(gradient, state, weights)
        expected = rate * (0.1 + 0.9 * (1 + np.cos(np.pi * k / n)) / 2)
        np.testing.assert_allclose(-ravel_pytree(updates)[0], expected, rtol=1e-6)
