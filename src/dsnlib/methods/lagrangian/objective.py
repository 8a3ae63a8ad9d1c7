"""The augmented Lagrangian of a network, as pure functions of its weights."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.lax import stop_gradient

from dsnlib.circuits import Circuit
from dsnlib.circuits.differentiation import forward_gradient, in_blocks
from dsnlib.flows import DensityNetwork, density_network, initial_weights
from dsnlib.flows.network import Weights
from dsnlib.methods.base import Problem
from dsnlib.methods.lagrangian.settings import LagrangianSettings
from dsnlib.property import EmergentProperty


class Draw(NamedTuple):
    """Samples of a network with what the circuit makes of them."""

    z: jax.Array  # (n, P) parameters
    log_q: jax.Array  # (n,) log-density, nats per unit volume
    moments: jax.Array  # (n, M) moments of the statistics


class Measured(NamedTuple):
    """What one batch says about the network, before the step that it makes."""

    entropy: jax.Array  # (), nats
    loss: jax.Array  # (), -H + lambda.R + c/2 |R|^2
    moments: jax.Array  # (M,) means of the moments


@dataclasses.dataclass(frozen=True)
class Objective:
    """A circuit, its property and the settings on which compiled functions depend."""

    circuit: Circuit
    prop: EmergentProperty
    settings: LagrangianSettings

    @classmethod
    def of(cls, problem: Problem, settings: LagrangianSettings) -> Objective:
        """The objective of a problem; the same for runs that share a program."""
        return cls(problem.circuit, problem.prop, settings.compiled())

    def random_weights(self, key: jax.Array) -> Weights:
        """Weights of an untrained network."""
        settings = self.settings
        return initial_weights(key, settings.flow, settings.layers, len(self.circuit.parameters))

    def network(self, weights: Weights) -> DensityNetwork:
        """The density network with these weights."""
        low, high = self.circuit.bounds.T
        return density_network(weights, self.settings.flow, low, high)

    def violation(self, moments: jax.Array) -> jax.Array:
        """(.., M) moments less their targets, in the unit of the multipliers."""
        return violation(self.settings, self.prop, moments)  # type: ignore[return-value]

    def draw(self, weights: Weights, key: jax.Array, n: int) -> Draw:
        """n samples of the network, their log-density and moments.

        All is differentiable where the gradient is pathwise, else z and log-density.
        """
        network = self.network(weights)
        z, intermediates = network.sample_with_intermediates(key, (n,))
        log_q = network.log_prob(z, intermediates)
        if self.settings.gradient == "pathwise":
            statistics = forward_gradient(self.circuit.evaluate)(z)
        else:  # JAX never asks the circuit for a derivative, which it may not have
            statistics = in_blocks(self.circuit.evaluate, stop_gradient(z))
        return Draw(z, log_q, self.prop.moments(statistics))

    def gradient(
        self, weights: Weights, key: jax.Array, lam: jax.Array, c: jax.Array
    ) -> tuple[Weights, Measured]:
        """Unbiased gradient of the augmented Lagrangian, from one batch.

        The gradient of c/2 |E[R]|^2 is c E[dR]^T E[R]; estimated from one and the same batch the
        two factors would be correlated, so each half of the batch estimates one of them. How the
        gradient of E[R] is estimated is a setting: through the simulator ("pathwise"), or as
        E[(T - b) grad log q] with the mean of the batch's other samples as baseline b ("score").
        "vargrad" estimates the gradient of the whole Lagrangian in this way.

        Args:
            weights: of the network.
            key: random key of the batch.
            lam: (M,) Lagrange multipliers.
            c: () penalty coefficient.

        Returns:
            The gradient, not a number throughout where a simulation failed, and the measurements.
        """

        def surrogate(weights: Weights) -> tuple[jax.Array, tuple[Measured, jax.Array]]:
            draw = self.draw(weights, key, self.settings.batch)
            moments, log_q = draw.moments, draw.log_q
            if self.settings.gradient != "pathwise":
                score = self.network(weights).log_prob(stop_gradient(draw.z))
                moments = _with_score(moments, score)
            if self.settings.gradient == "vargrad":  # E[grad log q] = 0, so its values are enough
                log_q = _with_score(stop_gradient(log_q)[:, None], score)[:, 0]
            residual = self.violation(moments)
            R = residual.mean(axis=0)
            R_1, R_2 = residual.reshape(2, -1, len(R)).mean(axis=1)
            entropy = -log_q.mean()
            linear = -entropy + lam @ R
            measured = Measured(entropy, linear + c / 2 * (R @ R), draw.moments.mean(axis=0))
            failed = ~jnp.isfinite(draw.moments).all()
            return linear + c * R_1 @ stop_gradient(R_2), (measured, failed)

        gradient, (measured, failed) = jax.grad(surrogate, has_aux=True)(weights)
        gradient = jax.tree.map(lambda g: jnp.where(failed, jnp.nan, g), gradient)
        return gradient, measured


def violation(
    settings: LagrangianSettings, prop: EmergentProperty, moments: jax.Array | np.ndarray
) -> jax.Array | np.ndarray:
    """(.., M) moments less their targets: of f, or of (f - mean) / sd where that is asked for.

    The moments of x = (f - mean) / sd are linear in those of f, so that E[x] and E[x^2] - 1 are
    known from the violations of f and f^2.
    """
    off = moments - np.asarray(prop.mu, moments.dtype)
    if not settings.standardised:
        return off
    mean, sd = np.array(prop.mean, float), np.array(prop.sds, float)
    own = np.concatenate([1 / sd, 1 / sd**2]).astype(moments.dtype)
    cross = np.concatenate([0 * sd, -2 * mean / sd**2]).astype(moments.dtype)
    return off * own + off[..., np.arange(len(cross)) - len(sd)] * cross


def _with_score(values: jax.Array, log_q: jax.Array) -> jax.Array:
    """The same values (n, M), whose mean has the score-function gradient.

    Each value less the mean of the others multiplies the gradient of its log-density log_q (n,),
    which leaves the gradient unbiased and takes away much of its noise.

    Source: Williams (1992); Kool, van Hoof and Welling (2019), for the baseline.
    """
    n = len(values)
    advantage = stop_gradient(values - values.mean(axis=0)) * n / (n - 1)
    return values + advantage * (log_q - stop_gradient(log_q))[:, None]
