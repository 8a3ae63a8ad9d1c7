"""Forward and reverse mode agree, whatever the library picks; Euler against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dsnlib.circuits.differentiation import (
    forward_gradient,
    in_blocks,
    one_row,
    prefers_forward,
    shared_gradient,
    value_and_jacobian,
)
from dsnlib.circuits.integration import euler


def chain(z):
    """A row-wise map (n, P) to (n, 2) through a simulation."""

    def field(x):
        return jnp.sin(z.sum(axis=1)) - x * z[:, 0]

    signal = euler(field, jnp.zeros(len(z), z.dtype), 0.1, 20, lambda x: x)
    return jnp.stack([signal[-1], (signal**2).mean(axis=0)], axis=1)


@pytest.mark.parametrize("inputs", [2, 40])
def test_jacobian_equals_row_by_row_autodiff(x64, inputs):
    z = jnp.asarray(np.random.default_rng(0).normal(size=(5, inputs)))
    assert prefers_forward(chain, z) == (inputs == 2)  # both branches are tested
    value, J = value_and_jacobian(chain, z)
    rows = jax.vmap(jax.jacrev(lambda row: chain(row[None])[0]))(z)
    np.testing.assert_allclose(value, chain(z))
    np.testing.assert_allclose(J, rows, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("inputs", [2, 40])
def test_forward_gradient_in_a_reverse_pass(x64, inputs):
    z = jnp.asarray(np.random.default_rng(1).normal(size=(5, inputs)))
    weight = jnp.asarray(np.random.default_rng(2).normal(size=(5, 2)))
    cheap = forward_gradient(chain)
    gradients = [jax.grad(lambda z, f=f: (weight * f(z) ** 2).sum())(z) for f in (chain, cheap)]
    np.testing.assert_allclose(*gradients, rtol=1e-10)


def test_the_choice_depends_on_what_reverse_mode_stores():
    few, many = (jax.ShapeDtypeStruct((n, 20), "float32") for n in (10, 10_000_000))
    assert not prefers_forward(chain, few)  # 20 parameters for 2 statistics, stored in the cache
    assert prefers_forward(chain, many)  # the same, but what is stored would fill the memory


@pytest.mark.parametrize("rows", [2_000, 2_345])
def test_blocks_change_nothing(x64, rows):
    z = jnp.asarray(np.random.default_rng(4).normal(size=(rows, 3)))
    np.testing.assert_allclose(in_blocks(chain, z), chain(z), rtol=1e-12)
    assert prefers_forward(chain, z)
    value, J = value_and_jacobian(chain, z)
    np.testing.assert_allclose(value, chain(z), rtol=1e-12)
    ends = jnp.array([0, -1])
    np.testing.assert_allclose(J[ends], value_and_jacobian(chain, z[ends])[1])


def test_one_row_alone_and_vectorised(x64):
    z = jnp.asarray(np.random.default_rng(5).normal(size=(4, 3)))
    row = one_row(chain)
    plain = jax.jacrev(lambda z: chain(z[None])[0])
    np.testing.assert_allclose(row(z[0]), chain(z)[0], rtol=1e-12)
    np.testing.assert_allclose(jax.vmap(row)(z), chain(z), rtol=1e-12)
    nested = jax.vmap(jax.vmap(row))(z.reshape(2, 2, 3)).reshape(4, 2)
    np.testing.assert_allclose(nested, chain(z), rtol=1e-12)
    for mode in (jax.jacrev, jax.jacfwd):
        np.testing.assert_allclose(mode(row)(z[0]), plain(z[0]), rtol=1e-10)
        np.testing.assert_allclose(jax.vmap(mode(row))(z), jax.vmap(plain)(z), rtol=1e-10)


def test_shared_gradient_in_both_modes(x64):
    def readout(signal):
        return jnp.tanh(signal).prod(axis=0)

    signal, direction = np.random.default_rng(3).normal(size=(2, 6, 4))
    shared = shared_gradient(readout)
    for mode in (jax.jvp, lambda f, x, v: jax.vjp(f, *x)[1](jnp.ones(4))):
        plain, ours = (mode(f, (signal,), (direction,)) for f in (readout, shared))
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10), plain, ours)


def test_euler_converges_with_order_one_to_scipy(x64):
    exact = solve_ivp(lambda t, x: [x[1], -x[0]], (0, 1), [1.0, 0.0], rtol=1e-11, atol=1e-12)
    errors = []
    for steps in (100, 200, 400):
        end = euler(
            lambda x: (x[1], -x[0]),
            (jnp.ones(()), jnp.zeros(())),
            1 / steps,
            steps,
            lambda x: jnp.stack(x),
        )[-1]
        errors.append(np.abs(end - exact.y[:, -1]).max())
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 1, atol=0.05)


def test_sensitivities_are_those_of_the_same_euler_scheme(x64):
    # x_n = (1 - k dt)^n, so dx_n/dk = -n dt (1 - k dt)^(n - 1)
    dt, n, k = 0.05, 30, 0.7
    f = lambda z: euler(lambda x: -z[:, 0] * x, jnp.ones(1), dt, n, lambda x: x)[-1:].T  # noqa: E731
    value, J = value_and_jacobian(f, jnp.array([[k]]))
    assert abs(value[0, 0] - (1 - k * dt) ** n) < 1e-14
    assert abs(J[0, 0, 0] + n * dt * (1 - k * dt) ** (n - 1)) < 1e-13
