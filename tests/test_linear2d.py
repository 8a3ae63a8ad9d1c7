"""The linear circuit against eigenvalues from numpy."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dsnlib import Linear2D

ENTRIES = st.lists(st.floats(-10, 10), min_size=4, max_size=4)


@given(ENTRIES)
@settings(deadline=None)
def test_statistics_are_those_of_the_leading_eigenvalue(entries):
    z = np.array([entries], np.float32)
    leading = max(np.linalg.eigvals(z.reshape(2, 2).astype(float)), key=lambda v: v.real)
    growth, frequency = np.asarray(Linear2D().statistics(z)[0], float)
    # A root of a rounded discriminant: its error is the root of the rounding, 10 sqrt(1e-7).
    assert abs(growth - leading.real) < 5e-3
    assert abs(frequency - abs(leading.imag) / (2 * np.pi)) < 5e-3


def test_jacobian_against_finite_differences(x64):
    rng = np.random.default_rng(0)
    z = rng.uniform(-9, 9, (50, 4))
    circuit = Linear2D()
    _, J = circuit.statistics_and_jacobian(z)
    assert J.shape == (50, 2, 4)
    assert np.isfinite(J).all()
    step = 1e-6
    for k in range(4):
        up, down = (circuit.statistics(z + sign * step * np.eye(4)[k]) for sign in (1, -1))
        np.testing.assert_allclose(J[:, :, k], (up - down) / (2 * step), rtol=1e-5, atol=1e-6)


def test_jacobian_is_finite_at_a_double_eigenvalue():
    _, J = Linear2D().statistics_and_jacobian([[1.0, 0.0, 0.0, 1.0]])
    assert np.isfinite(J).all()
