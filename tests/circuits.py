"""Circuits of the kind that a user would write, for tests of training."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from dsnlib import Circuit, Parameter, Statistic


@dataclasses.dataclass(frozen=True)
class Product(Circuit):
    """One smooth statistic of two parameters."""

    parameters: ClassVar = (Parameter("a", "1", -1, 1), Parameter("b", "1", -1, 1))
    observables: ClassVar = (Statistic("product", "1"),)

    def evaluate(self, z: jax.Array) -> jax.Array:
        return (jnp.sin(2 * z[:, 0]) * z[:, 1] + z[:, 0])[:, None]


@dataclasses.dataclass(frozen=True)
class Stairs(Product):
    """The same, rounded: its derivative is 0 wherever it has one."""

    def evaluate(self, z: jax.Array) -> jax.Array:
        return jnp.round(2 * super().evaluate(z)) / 2


@dataclasses.dataclass(frozen=True)
class Brittle(Circuit):
    """The identity, which breaks down above a limit."""

    limit: float

    parameters: ClassVar = (Parameter("a", "1", 0, 10, initial_mean=5, initial_sd=1),)
    observables: ClassVar = (Statistic("a", "1"),)

    def evaluate(self, z: jax.Array) -> jax.Array:
        return jnp.where(z > self.limit, jnp.nan, z)
