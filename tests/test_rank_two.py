"""The network of rank two against NumPy's eigenvalues of its whole matrix."""

import numpy as np
import pytest

from dsnlib import RankTwoRNN


@pytest.mark.parametrize("N", [2, 3, 4, 5, 40])
def test_statistics_are_eigenvalues_of_the_whole_matrix(x64, N):
    z = np.random.default_rng(N).uniform(-1, 1, (30, 4 * N))
    U, V = z.reshape(30, 2, N, 2).swapaxes(0, 1)
    W = U @ V.swapaxes(1, 2)
    growth = np.linalg.eigvals(W).real.max(axis=1)
    amplification = np.linalg.eigvalsh((W + W.swapaxes(1, 2)) / 2)[:, -1]
    expected = np.stack([growth, amplification], axis=1)
    np.testing.assert_allclose(RankTwoRNN(N).statistics(z), expected, atol=1e-7)
    single = RankTwoRNN(N).statistics(z.astype(np.float32))
    np.testing.assert_allclose(single, expected, atol=2e-3)


@pytest.mark.parametrize("N", [2, 6])
def test_jacobian_against_finite_differences(x64, N):
    z = np.random.default_rng(1).uniform(-0.9, 0.9, (5, 4 * N))
    circuit = RankTwoRNN(N)
    _, J = circuit.statistics_and_jacobian(z)
    step = 1e-6
    for k in range(4 * N):
        move = step * np.eye(4 * N)[k]
        slope = (circuit.statistics(z + move) - circuit.statistics(z - move)) / (2 * step)
        np.testing.assert_allclose(J[:, :, k], slope, rtol=1e-4, atol=1e-5)


def test_N_is_checked():
    with pytest.raises(ValueError, match="N must be at least 2, got 1"):
        RankTwoRNN(N=1)
