"""Statistics of the circuits with a closed form, a second time: NumPy's general eigenvalues.

Nothing is shared with the library, whose circuits solve quadratics and factorise Gram matrices.
"""

from __future__ import annotations

import numpy as np


def linear2d(z: np.ndarray) -> np.ndarray:
    """(n, 4) entries of A in 1/s to (n, 2) growth rate in 1/s and frequency in Hz."""
    values = np.linalg.eigvals(z.reshape(-1, 2, 2).astype(float))
    growth = values.real.max(axis=1)
    return np.stack([growth, np.abs(values.imag[:, 0]) / (2 * np.pi)], axis=1)


def rank_two(z: np.ndarray) -> np.ndarray:
    """(n, 4 N) entries of U, then of V, to (n, 2) growth and amplification of W = U V'.

    The eigenvalues of U V' are those of V' U and zeros. With M = (U, V) the symmetric part of W is
    M K M', K swapping U and V over 2, and its eigenvalues are those of K M' M and zeros.
    """
    U, V = np.moveaxis(z.reshape(len(z), 2, -1, 2).astype(float), 1, 0)
    growth = np.linalg.eigvals(V.swapaxes(1, 2) @ U).real.max(axis=1)
    N = U.shape[1]
    if N == 2:
        W = U @ V.swapaxes(1, 2)
        amplification = np.linalg.eigvalsh((W + W.swapaxes(1, 2)) / 2)[:, -1]
        return np.stack([growth, amplification], axis=1)
    M = np.concatenate([U, V], axis=2)
    K = np.kron([[0, 0.5], [0.5, 0]], np.eye(2))
    amplification = np.linalg.eigvals(K @ (M.swapaxes(1, 2) @ M)).real.max(axis=1)
    return np.stack([np.maximum(growth, 0), amplification], axis=1)


def rank_two_image(z: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """An image of each of (n, 4 N) networks, at random, with the same statistics.

    Signs and order of the rows of (U, V), signs and order of the columns of both, and which of
    them is U: all leave the box and the eigenvalues as they are, so an answer is invariant.
    """
    n, N = len(z), z.shape[1] // 4
    UV = z.reshape(n, 2, N, 2) * generator.choice([-1, 1], (n, 1, N, 1)).astype(z.dtype)
    UV = UV * generator.choice([-1, 1], (n, 1, 1, 2)).astype(z.dtype)
    for axis in (1, 2, 3):
        shape = [n if each == 0 else UV.shape[axis] if each == axis else 1 for each in range(4)]
        UV = np.take_along_axis(UV, generator.random(shape).argsort(axis=axis), axis)
    return UV.reshape(z.shape)
