"""The box of a circuit's parameters, on which every method starts uniform."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

if TYPE_CHECKING:
    from dsnlib.circuits.quantities import Parameter


@dataclasses.dataclass(frozen=True)
class Box:
    """The box between the parameters' bounds, with some axes on a logarithmic scale.

    On a logarithmic axis "uniform" is uniform in log(z), densities are per unit of the natural
    log(z), and so entropies are those of log(z).

    Args:
        low, high: (P,) bounds, in the parameters' units.
        log: (P,) which axes are logarithmic.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    log: tuple[bool, ...]

    @classmethod
    def of(cls, parameters: Iterable[Parameter]) -> Box:
        """The box of these parameters."""
        each = tuple(parameters)
        return cls(
            tuple(p.low for p in each),
            tuple(p.high for p in each),
            tuple(p.scale == "log" for p in each),
        )

    @property
    def log_volume(self) -> float:
        """Logarithm of its volume, nats."""
        log = np.array(self.log)
        low, high = np.array(self.low), np.array(self.high)
        if not log.any():
            return float(np.log(high - low).sum())
        ends = (np.where(log, np.log(np.where(log, each, 1)), each) for each in (low, high))
        low, high = ends
        return float(np.log(high - low).sum())

    def from_unit(self, unit: Any) -> jax.Array:
        """(..., P) points of the unit box to parameters."""
        unit = jnp.asarray(unit)
        low, high = jnp.asarray([self.low, self.high], unit.dtype)
        linear = low + (high - low) * unit
        if any(self.log):
            linear = jnp.where(np.array(self.log), self._stretched(unit), linear)
        return jnp.clip(linear, low, high)

    def _stretched(self, unit: jax.Array) -> jax.Array:
        """(..., P) points on logarithmic axes; of the others it says nothing."""
        ends = [
            [
                math.log(value) if is_log else 0.0
                for value, is_log in zip(each, self.log, strict=True)
            ]
            for each in (self.low, self.high)
        ]
        low, high = jnp.asarray(ends, unit.dtype)
        return jnp.exp(low + (high - low) * unit)

    def to_unit(self, z: Any) -> np.ndarray:
        """(..., P) parameters to points of the unit box."""
        z, low, high = np.asarray(z), np.array(self.low), np.array(self.high)
        log = np.array(self.log)
        if log.any():
            z, low, high = (np.where(log, np.log(np.where(log, x, 1)), x) for x in (z, low, high))
        return np.asarray((z - low) / (high - low))
