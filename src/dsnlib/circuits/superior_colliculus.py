"""The superior colliculus in rapid task switching."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from dsnlib.circuits.quantities import Parameter, Statistic
from dsnlib.circuits.stochastic import StochasticCircuit

UNITS = ("LP", "LA", "RA", "RP")  # left and right; Pro and Anti
TASKS = ("pro", "anti")
DT, TAU, DURATION = 0.024, 0.09, 1.8  # s
CUE_ENDS, LIGHT_ENDS = 1.2, 1.5  # s: the delay, then the light on the left, then the choice
CONSTANT, BIAS, RULE, CHOICE, LIGHT = 0.75, 0.5, 0.6, 0.25, 0.5
THETA, BETA, SIGMA = 0.05, 0.5, 0.2
FIRST_RATE, FIRST_SD = 0.1, 0.005
SHARPNESS = 100.0  # of the comparison of two rates, which keeps the choice differentiable
#: Which weight connects two units, row onto, column from.
PATTERN = ((0, 1, 2, 3), (1, 0, 3, 2), (2, 3, 0, 1), (3, 2, 1, 0))


def inputs() -> np.ndarray:
    """(steps, 2, 4) input to each unit in a Pro and in an Anti trial with the light on the left."""
    time = np.arange(0, DURATION, DT)[:, None]
    pro, left = np.array([1, 0, 0, 1]), np.array([1, 1, 0, 0])
    cue, lit = time < CUE_ENDS, (time > CUE_ENDS) & (time < LIGHT_ENDS)
    shared = CONSTANT + BIAS * pro + CHOICE * (time > CUE_ENDS) + LIGHT * lit * left
    return np.stack([shared + RULE * cue * pro, shared + RULE * cue * (1 - pro)], axis=1)


@dataclasses.dataclass(frozen=True)
class SuperiorColliculus(StochasticCircuit):
    """Four units of the superior colliculus that switch between two tasks from trial to trial.

    In a Pro trial the animal turns to the light, in an Anti trial away from it. Left and right each
    have a Pro and an Anti unit (LP, LA, RA, RP), with internal variables u and rates
    v = (1 + tanh((u - theta) / beta)) / 2:

        tau du/dt = -u + W v + I(t) + noise

    A cue tells the rule for 1.2 s (input to the units of the rule), then a light on the left comes
    for 0.3 s (input to the left units), and 0.3 s later the animal turns to the side of the Pro
    unit with the larger rate.

    Its four parameters are the weights, in (-5, 5): of each unit onto itself (sW), between Pro and
    Anti of one side (vW), between the sides of one task (hW), and diagonally (dW). Its statistics
    are the shares of correct trials in both tasks, `accuracy_pro` and `accuracy_anti`. Forward
    Euler, dt = 24 ms; noise of 0.2 on the input of each unit in each step.

    Args:
        trials: number of trials of each task.
        noise: seed of their random numbers.

    Raises:
        TypeError, ValueError: see `StochasticCircuit`.

    Source: Duan et al., "Collicular circuits for flexible sensorimotor routing" (2021), as in
    Bittner et al., "Interrogating theoretical models of neural computation with emergent property
    inference", eLife (2021), whose start u = beta atanh(2 v - 1) - theta is kept.

    Example:
        >>> accuracy = SuperiorColliculus(trials=50).statistics([[1.0, -1.0, 0.5, -1.0]])
        >>> accuracy.shape
        (1, 2)
    """

    trials: int = 200

    parameters: ClassVar = tuple(Parameter(name, "1", -5, 5) for name in ("sW", "vW", "dW", "hW"))
    observables: ClassVar = tuple(
        Statistic(f"accuracy_{task}", "1", low=0, high=1) for task in TASKS
    )

    def trial(self, z: jax.Array, key: jax.Array) -> jax.Array:
        """Whether a Pro and an Anti trial are correct, see `StochasticCircuit.trial`."""
        state, given = _start(z, key)
        step = _step(z)
        end, _ = jax.lax.scan(lambda now, more: (step(now, more), None), state, given)
        v = dict(zip(_ALL, end.v, strict=True))
        pro, anti = (jax.nn.sigmoid(SHARPNESS * (v[task, "LP"] - v[task, "RP"])) for task in TASKS)
        return jnp.stack([pro, 1 - anti])

    def rates(self, z: jax.Array, key: jax.Array) -> jax.Array:
        """(steps, 2, 4) rates of a Pro and an Anti trial, 0 to 1, every 24 ms; z (4,) weights."""
        state, given = _start(z, key)
        step = _step(z)

        def observed(now: _State, more: Given) -> tuple[_State, jax.Array]:
            then = step(now, more)
            return then, jnp.stack(then.v)

        _, later = jax.lax.scan(observed, state, given)
        rates = jnp.concatenate([jnp.stack(state.v)[None], later])
        return rates.reshape(-1, len(TASKS), len(UNITS))


_ALL = tuple(itertools.product(TASKS, UNITS))


class _State(NamedTuple):
    u: list[jax.Array]  # internal variables, of all tasks and units
    v: list[jax.Array]  # rates


Given = tuple[jax.Array, jax.Array]  # inputs (tasks x units,) and the key of a step


def _rate(u: jax.Array) -> jax.Array:
    return (1 + jnp.tanh((u - THETA) / BETA)) / 2


def _start(z: jax.Array, key: jax.Array) -> tuple[_State, Given]:
    """The state at time 0, and what is given in each step."""
    first, later = jax.random.split(key)
    v = FIRST_RATE + FIRST_SD * jax.random.normal(first, (len(_ALL),), z.dtype)
    u = BETA * jnp.arctanh(2 * v - 1) - THETA
    # A zero of the kind of z: where z is one of many, so is the state.
    nothing = 0 * z[0]
    outside = jnp.asarray(inputs()[1:].reshape(-1, len(_ALL)), z.dtype)
    return (
        _State([each + nothing for each in u], [each + nothing for each in v]),
        (outside, jax.random.split(later, len(outside))),
    )


def _step(z: jax.Array) -> Callable[[_State, Given], _State]:
    # Task by task and unit by unit: so small a matrix product is slow.
    def step(now: _State, given: Given) -> _State:
        outside, key = given
        shocks = SIGMA * jax.random.normal(key, (len(_ALL),), z.dtype)
        u = []
        for task in range(len(TASKS)):
            first = task * len(UNITS)
            v = now.v[first : first + len(UNITS)]
            for unit, row in enumerate(PATTERN, start=first):
                within = sum(z[w] * rate for w, rate in zip(row, v, strict=True))
                slope = within - now.u[unit] + outside[unit] + shocks[unit]
                u.append(now.u[unit] + DT / TAU * slope)
        return _State(u, [_rate(each) for each in u])

    return step
