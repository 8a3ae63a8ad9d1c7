"""Circuits with noise, made deterministic by common random numbers."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from dsnlib import _check
from dsnlib.circuits.base import Circuit

_TOGETHER = 2_000  # trials of all rows at a time, whose states stay in a processor's cache


@dataclasses.dataclass(frozen=True)
class StochasticCircuit(Circuit):
    """A circuit with noise, whose statistics are means over trials.

    Every set of parameters meets the same random numbers (common random numbers), so the
    statistics are a deterministic and smooth function of the parameters, and no method can favour
    a lucky draw by trying again. What remains is that the one set of random numbers is itself a
    draw: `SMC` runs check how much their answer depends on it.

    To add one, write a frozen dataclass that inherits from this one, with `parameters`,
    `observables` and `trial`.

    Args:
        trials: number of trials over which the statistics are averaged.
        noise: seed of their random numbers; recorded with the run, as all constants are.

    Raises:
        TypeError, ValueError: trials not whole or below 1, noise not a whole number from 0.

    Example:
        >>> from dsnlib import Parameter, Statistic
        >>> @dataclasses.dataclass(frozen=True)
        ... class Noisy(StochasticCircuit):
        ...     parameters = (Parameter("drive", "Hz", 0, 10),)
        ...     observables = (Statistic("rate", "Hz"),)
        ...     def trial(self, z, key):
        ...         return z + jax.random.normal(key, z.shape)
        >>> rates = Noisy(trials=400).statistics([[2.0], [5.0]]).ravel()
        >>> bool(abs(rates[0] - 2) < 0.2), round(float(rates[1] - rates[0]), 4)
        (True, 3.0)
    """

    trials: int = 100
    noise: int = 0

    #: Whether `evaluate` returns (n, 2 S): after the means over trials their variances (ddof=0).
    single_trials: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "trials", _check.whole("trials", self.trials, at_least=1))
        object.__setattr__(self, "noise", _check.whole("noise", self.noise, at_least=0))

    @abstractmethod
    def trial(self, z: jax.Array, key: jax.Array) -> Any:
        """Outcome of one trial, traceable by JAX and without checks.

        Args:
            z: (P,) parameters within their bounds, in the order and units of `parameters`.
            key: of the trial's random numbers, which must not depend on z.

        Returns:
            (S,) the trial's contribution to the statistics, in the order of `observables`.
        """

    def evaluate(self, z: jax.Array) -> jax.Array:
        """Means over the trials, see `Circuit.evaluate`."""
        keys = jax.random.split(jax.random.key(self.noise), self.trials)
        # A key carries no axis of z: random numbers are drawn once for all rows.
        over_rows = jax.vmap(self.trial, in_axes=(0, None))
        together = max(1, _TOGETHER // max(len(z), 1))
        outcomes = jax.lax.map(lambda key: over_rows(z, key), keys, batch_size=together)
        return jnp.asarray(outcomes.mean(axis=0))
