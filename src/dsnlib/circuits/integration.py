"""Fixed-step integration of ordinary differential equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp

State = TypeVar("State")


def euler(
    field: Callable[[State], State],
    initial: State,
    dt: float,
    steps: int,
    observe: Callable[[State], jax.Array],
) -> jax.Array:
    """Integrate dx/dt = field(x) by forward Euler.

    The derivatives of the signal come from `dsnlib.circuits.differentiation`: pushing tangents
    through this scan integrates the sensitivity equations of the same Euler scheme.

    Args:
        field: right-hand side; a state is any pytree of arrays.
        initial: the state at time 0.
        dt: step, in s.
        steps: number of steps.
        observe: what to keep of a state, an array.

    Returns:
        (steps + 1, ...) observations at times 0, dt, .. steps * dt.

    Example:
        >>> import jax.numpy as jnp
        >>> decay = euler(lambda x: -x, jnp.ones(1), dt=0.5, steps=2, observe=lambda x: x)
        >>> decay.ravel().tolist()
        [1.0, 0.5, 0.25]
    """

    def step(state: State, _: None) -> tuple[State, jax.Array]:
        slope = field(state)
        state = jax.tree.map(lambda x, dx: x + dt * dx, state, slope)
        return state, observe(state)

    _, observed = jax.lax.scan(step, initial, length=steps)
    return jnp.concatenate([observe(initial)[None], observed])
