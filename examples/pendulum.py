"""The period of a pendulum: a template to copy, fill in and solve.

Units: m, s. Source: Huygens, Horologium Oscillatorium (1673): the period of a small swing is
2 pi sqrt(length / gravity).

After `import dsnlib` it is solved by

    from examples.pendulum import PROPERTY, Pendulum
    run = dsnlib.fit(Pendulum(), PROPERTY, dsnlib.SMC(), seed=1, out="runs/pendulum")
"""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

import dsnlib

# What the model must do: the mean and the standard deviation of each statistic over the answer, in
# the order of `observables`. Here the period is 1.5 +- 0.1 s, which 16 % of all lengths have within
# two standard deviations.
PROPERTY = dsnlib.EmergentProperty(mean=[1.5], sd=[0.1])


# The decorator is needed: a saved run is recognised by the model's name and its constants.
@dataclasses.dataclass(frozen=True)
class Pendulum(dsnlib.Circuit):
    """Period of a pendulum of small swing."""

    # A constant: the same for all parameter sets, and another one with Pendulum(gravity=1.62).
    # Numbers, strings and tuples of these, each with a type and a default.
    gravity: float = 9.81  # m/s^2

    # A parameter: what the answer is a distribution of. Name, unit, lower and upper bound. Within
    # the bounds every value is as good as any other until the property says more, so choose the
    # scale (length, or its logarithm) on which that is true.
    parameters: ClassVar = (dsnlib.Parameter("length", "m", 0.1, 2.0),)

    # A statistic: a number that says what the model does. Name, unit and, where there are any, the
    # lowest and highest value that the model can report.
    observables: ClassVar = (dsnlib.Statistic("period", "s", low=0.0),)

    def evaluate(self, z: jax.Array) -> jax.Array:
        """From parameter sets, one a row, to their statistics, one a row.

        Args:
            z: (n, P) parameters within their bounds; column k is `parameters[k]`.

        Returns:
            (n, S) statistics; column k is `observables[k]`, row i depends on z[i] alone, and NaN
            stands where a statistic is undefined.
        """
        # Write it with jax.numpy, for all rows at once; `jax.vmap` turns a function of one row into
        # such a function.
        length = z[:, 0]
        period = 2 * jnp.pi * jnp.sqrt(length / self.gravity)
        return jnp.stack([period], axis=1)
