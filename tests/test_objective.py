"""The gradient of the augmented Lagrangian against large batches, and its measurements."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from circuits import Product
from dsnlib import EmergentProperty, Settings
from dsnlib.training.problem import Problem

BATCH, BATCHES, HUGE, C = 8, 40_000, 400_000, 50.0
LAM = np.array([0.7, -0.4])


@pytest.fixture(scope="module")
def problem():
    prop = EmergentProperty(mean=[0.8], sd=[0.1])
    return Problem(Product(), prop, Settings(batch=BATCH, layers=2, precision="float64"))


def lagrangian(problem, weights, key, n):
    """-H + lam.R + c/2 |R|^2 on one batch: as an estimate biased by 1/n."""
    draw = problem.draw(weights, key, n)
    R = draw.moments.mean(axis=0) - problem.prop.mu
    return draw.log_q.mean() + LAM @ R + C / 2 * R @ R


def standardised(samples, reference, reference_se):
    """Deviation of the samples' mean from the reference, in standard errors of the difference."""
    se = np.sqrt(samples.var(axis=0, ddof=1) / len(samples) + reference_se**2)
    return np.abs(samples.mean(axis=0) - reference) / se


def test_half_batch_gradient_is_unbiased(x64, problem):
    weights = problem.random_weights(jax.random.key(0))
    keys = jax.random.split(jax.random.key(1), BATCHES)

    def flat_gradient(function, keys):
        return np.asarray(jax.lax.map(lambda k: ravel_pytree(function(k))[0], keys, batch_size=500))

    ours = flat_gradient(lambda k: problem.gradient(weights, k, LAM, C)[0], keys)
    naive = flat_gradient(
        lambda k: jax.grad(lambda w: lagrangian(problem, w, k, BATCH))(weights), keys
    )
    huge = np.stack(
        [
            ravel_pytree(jax.grad(lambda w, k=k: lagrangian(problem, w, k, HUGE))(weights))[0]
            for k in jax.random.split(jax.random.key(2), 5)
        ]
    )
    reference, se = huge.mean(axis=0), huge.std(axis=0, ddof=1) / np.sqrt(len(huge))
    # 5 standard errors: under normality one of the weights exceeds them with probability 1e-5.
    assert standardised(ours, reference, se).max() < 5
    assert standardised(naive, reference, se).max() > 5, "the test must see the bias it looks for"


def test_measurements_are_those_of_the_batch(x64, problem):
    weights = problem.random_weights(jax.random.key(3))
    key = jax.random.key(4)
    _, measured = problem.gradient(weights, key, LAM, C)
    draw = problem.draw(weights, key, BATCH)
    np.testing.assert_allclose(measured.entropy, -draw.log_q.mean())
    np.testing.assert_allclose(measured.loss, lagrangian(problem, weights, key, BATCH))
    np.testing.assert_allclose(measured.moments, draw.moments.mean(axis=0))
    f = Product().evaluate(draw.z)
    np.testing.assert_allclose(draw.moments, jnp.hstack([f, f**2]))


def test_gradient_against_finite_differences(x64):
    # With both halves equal to the whole in expectation only, use c = 0: the rest is exact.
    problem = Problem(Product(), EmergentProperty([0.8], [0.1]), Settings(batch=50, layers=2))
    weights, unravel = ravel_pytree(problem.random_weights(jax.random.key(5)))
    key = jax.random.key(6)

    def value(flat):
        return problem.gradient(unravel(flat), key, LAM, 0.0)[1].loss

    gradient = ravel_pytree(problem.gradient(unravel(weights), key, LAM, 0.0)[0])[0]
    step = 1e-6 * np.eye(len(weights))
    expected = [(value(weights + d) - value(weights - d)) / 2e-6 for d in step]
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-7)
