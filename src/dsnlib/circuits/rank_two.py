"""A recurrent network of rank two, with a closed form for its statistics."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from dsnlib import _check
from dsnlib.circuits.base import Circuit
from dsnlib.circuits.quantities import Parameter, Statistic

_RANK = 2


@dataclasses.dataclass(frozen=True)
class RankTwoRNN(Circuit):
    """A linear recurrent network dx/dt = -x + W x with W = U V', U and V of shape (N, 2).

    Its 4 N parameters are the entries of U and V, each in (-1, 1). Its statistics are the real part
    of the leading eigenvalue of W, `growth`, and the leading eigenvalue of its symmetric part
    (W + W') / 2, `amplification`. The network is stable where the first is below 1, and amplifies
    some inputs for a while where the second is above 1.

    Bittner et al. add 0.01 times a fixed random matrix to W; here there is none, so both
    statistics follow from the 4 x 4 matrix of scalar products of the columns of U and V.

    Args:
        N: number of neurons, at least 2.

    Raises:
        TypeError, ValueError: N is not whole or below 2.

    Source: Bittner et al., "Interrogating theoretical models of neural computation with emergent
    property inference", eLife (2021).

    Example:
        >>> growth, amplification = RankTwoRNN(N=2).statistics([[0.5, 0, 0, 0, 1, 0, 0, 0]])[0]
        >>> round(float(growth), 3), round(float(amplification), 3)
        (0.5, 0.5)
    """

    N: int = 50

    observables: ClassVar = (Statistic("growth", "1"), Statistic("amplification", "1"))

    def __post_init__(self) -> None:
        object.__setattr__(self, "N", _check.whole("N", self.N, at_least=2))

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Entries of U, row by row, then those of V."""
        return tuple(
            Parameter(f"{matrix}{row}{column}", "1", -1, 1)
            for matrix in "uv"
            for row in range(1, self.N + 1)
            for column in range(1, _RANK + 1)
        )

    def evaluate(self, z: jax.Array) -> jax.Array:
        """Growth and amplification, see `Circuit.evaluate`."""
        U, V = jnp.moveaxis(z.reshape(-1, 2, self.N, _RANK), 1, 0)
        return jnp.stack([self._growth(U, V), self._amplification(U, V)], axis=1)

    def _growth(self, U: jax.Array, V: jax.Array) -> jax.Array:
        """The eigenvalues of U V' are those of V' U and, for N > 2, zeros."""
        J = jnp.einsum("ijk,ijl->ikl", V, U)
        half_trace = (J[:, 0, 0] + J[:, 1, 1]) / 2
        discriminant = ((J[:, 0, 0] - J[:, 1, 1]) / 2) ** 2 + J[:, 0, 1] * J[:, 1, 0]
        positive = discriminant > 0
        root = jnp.where(positive, jnp.sqrt(jnp.where(positive, discriminant, 1)), 0)
        growth = half_trace + root
        return growth if self.N == _RANK else jnp.maximum(growth, 0)

    def _amplification(self, U: jax.Array, V: jax.Array) -> jax.Array:
        """With M = (U, V) the symmetric part is M K M', whose eigenvalues are those of L' K L.

        L is the Cholesky factor of M' M, which is singular where N < 4: there the N x N matrix
        itself is small.
        """
        if self.N < 2 * _RANK:
            W = jnp.einsum("ijk,ilk->ijl", U, V)
            return jnp.linalg.eigvalsh((W + jnp.swapaxes(W, 1, 2)) / 2)[:, -1]
        M = jnp.concatenate([U, V], axis=2)
        L = jnp.linalg.cholesky(jnp.einsum("ijk,ijl->ikl", M, M))
        K = jnp.kron(jnp.array([[0, 0.5], [0.5, 0]], M.dtype), jnp.eye(_RANK, dtype=M.dtype))
        return jnp.linalg.eigvalsh(jnp.swapaxes(L, 1, 2) @ K @ L)[:, -1]
