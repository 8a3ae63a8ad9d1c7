"""Every transform and the network against autodiff, quadrature and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dsnlib.flows import IntervalTransform, PlanarTransform, density_network, initial_weights
from dsnlib.flows.spline import SplineTransform, spline_weights

SEEDS = st.integers(0, 2**32 - 1)


def planar(seed, dimension):
    rng = np.random.default_rng(seed)
    scale = rng.uniform(0.1, 4)
    return PlanarTransform(
        jnp.asarray(rng.normal(size=dimension)),
        jnp.asarray(scale * rng.normal(size=dimension)),
        jnp.asarray(rng.normal()),
    )


def interval(seed, dimension):
    rng = np.random.default_rng(seed)
    low = rng.uniform(-10, 10, dimension)
    return IntervalTransform(jnp.asarray(low), jnp.asarray(low + rng.uniform(0.1, 30, dimension)))


def spline(kind):
    def make(seed, dimension):
        (weights,) = spline_weights(jax.random.key(seed), kind, 1, dimension)
        larger = jax.tree.map(lambda w: 3 * w, weights)  # far from the identity
        return SplineTransform(larger, kind, dimension)

    return make


# Each transform of the library meets all properties below.
TRANSFORMS = pytest.mark.parametrize(
    "make",
    [planar, interval, spline("autoregressive"), spline("coupling")],
    ids=["planar", "interval", "autoregressive", "coupling"],
)
POINTS = arrays(float, (7, 3), elements=st.floats(-5, 5))


@TRANSFORMS
@given(seed=SEEDS, x=POINTS)
@settings(deadline=None, max_examples=25)
def test_round_trip(make, seed, x):
    with jax.enable_x64(True):
        transform = make(seed, 3)
        np.testing.assert_allclose(transform.inv(transform(jnp.asarray(x))), x, atol=1e-6)


@TRANSFORMS
@given(seed=SEEDS, x=POINTS)
@settings(deadline=None, max_examples=25)
def test_log_determinant_equals_that_of_autodiff(make, seed, x):
    assume((np.abs(np.abs(x) - 4) > 1e-9).all())  # the splines' ends, where a slope has two sides
    with jax.enable_x64(True):
        transform = make(seed, 3)
        jacobians = jax.vmap(jax.jacfwd(transform))(jnp.asarray(x))
        sign, expected = np.linalg.slogdet(jacobians)
        y = transform(jnp.asarray(x))
        assert (np.abs(sign) == 1).all()  # a spline layer reverses the order of coordinates
        np.testing.assert_allclose(transform.log_abs_det_jacobian(x, y), expected, atol=1e-5)


@TRANSFORMS
def test_is_a_pytree_and_compares(make):
    transform = make(1, 3)
    leaves, structure = jax.tree.flatten(transform)
    assert jax.tree.unflatten(structure, leaves) == transform
    assert make(2, 3) != transform


@pytest.mark.parametrize("saturated", [-1e3, -30.0, 30.0, 1e3])
def test_interval_stays_strictly_inside_in_single_precision(saturated):
    low, high = jnp.array([-10.0, 0.0]), jnp.array([10.0, 20.0])
    z = IntervalTransform(low, high)(jnp.full(2, saturated, jnp.float32))
    assert (z > low).all()
    assert (z < high).all()


def network(seed, layers=10, dimension=2):
    weights = initial_weights(jax.random.key(seed), "planar", layers, dimension)
    weights["layers"]["u"] *= 4  # a network that is far from the identity
    return density_network(weights, "planar", [0.0] * dimension, [20.0] * dimension)


def spline_network(seed, flow):
    weights = initial_weights(jax.random.key(seed), flow, 3, 2)
    return density_network(weights, flow, [0.0] * 2, [20.0] * 2)


@pytest.mark.parametrize("flow", ["spline", "coupling"])
def test_density_of_splines(x64, flow):
    q = spline_network(4, flow)
    z, intermediates = q.sample_with_intermediates(jax.random.key(9), (500,))
    np.testing.assert_allclose(q.log_prob(z), q.log_prob(z, intermediates), atol=1e-6)
    np.testing.assert_allclose(q.noise(z), intermediates[0][0], atol=1e-6)
    y = np.linspace(-12, 12, 401)
    grid, slope = 10 + 10 * np.tanh(y), 10 / np.cosh(y) ** 2
    points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    density = np.exp(q.log_prob(points))
    total = density @ np.outer(slope, slope).ravel() * (y[1] - y[0]) ** 2
    assert abs(total - 1) < 1e-3


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_density_integrates_to_one(x64, seed):
    # Integrate over y with z = 10 + 10 tanh(y), which spreads the density's ridges at the bounds.
    y = np.linspace(-12, 12, 801)
    z, slope = 10 + 10 * np.tanh(y), 10 / np.cosh(y) ** 2
    grid = np.stack(np.meshgrid(z, z), axis=-1).reshape(-1, 2)
    total = (
        np.exp(network(seed).log_prob(grid)) @ np.outer(slope, slope).ravel() * (y[1] - y[0]) ** 2
    )
    assert abs(total - 1) < 1e-3


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_log_prob_at_samples_equals_their_own_density(x64, seed):
    q = network(seed)
    z, intermediates = q.sample_with_intermediates(jax.random.key(9), (1_000,))
    np.testing.assert_allclose(q.log_prob(z), q.log_prob(z, intermediates), atol=1e-5)
    np.testing.assert_array_equal(z, q.sample(jax.random.key(9), (1_000,)))


def test_log_prob_has_the_right_gradient(x64):
    q = network(3)
    z = np.array([[3.0, 4.0], [10.0, 1.0], [18.0, 19.0]])
    gradient = jax.grad(lambda z: q.log_prob(z).sum())(jnp.asarray(z))
    for k in range(2):
        step = 1e-6 * np.eye(2)[k]
        expected = (q.log_prob(z + step) - q.log_prob(z - step)) / 2e-6
        np.testing.assert_allclose(gradient[:, k], expected, rtol=1e-5)


def test_log_prob_is_minus_infinity_on_and_outside_the_bounds():
    q = network(0)
    outside = jnp.array([[0.0, 5.0], [5.0, 20.0], [-1.0, 5.0], [5.0, 1e9], [jnp.nan, 5.0]])
    assert (q.log_prob(outside) == -jnp.inf).all()
    assert (jax.grad(lambda z: q.log_prob(z).sum())(outside) == 0).all()


def test_network_is_an_ordinary_numpyro_distribution():
    q = network(0, dimension=3)
    assert isinstance(q, dist.Distribution)
    assert q.event_shape == (3,)
    assert q.sample(jax.random.key(0), (4, 2)).shape == (4, 2, 3)
    assert q.support(q.sample(jax.random.key(0), (50,))).all()
    again = jax.jit(lambda q: q.log_prob(jnp.ones((2, 3))))(q)  # passes through JAX as a pytree
    np.testing.assert_allclose(again, q.log_prob(jnp.ones((2, 3))), rtol=1e-5)


def test_unknown_flow():
    with pytest.raises(ValueError, match="one of 'coupling', 'planar', 'spline', got 'affine'"):
        initial_weights(jax.random.key(0), "affine", 1, 2)
    with pytest.raises(ValueError, match="flow must be another than 'coupling' for 1 parameter"):
        initial_weights(jax.random.key(0), "coupling", 1, 1)
