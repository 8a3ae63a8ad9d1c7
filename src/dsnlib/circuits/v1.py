"""A column of primary visual cortex: the stochastic stabilised supralinear network."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from dsnlib import _check
from dsnlib.circuits.quantities import Parameter, Statistic
from dsnlib.circuits.stochastic import StochasticCircuit

POPULATIONS = ("E", "P", "S", "V")
# Onto (rows) and from (columns) each population.
WEIGHTS = (
    (0.218, -0.119, -0.0594, -0.0229),
    (0.166, -0.0651, -0.068, -0.0242),
    (0.0895, -5.22e-4, -1.51e-5, -0.0761),
    (0.334, -0.231, -0.0254, -2.52e-5),
)
BASELINE = (4.16, 4.29, 4.91, 4.86)
PER_CONTRAST = (3.59, 4.03, 0.0, 0.0)
DT, TAU, TAU_NOISE = 0.0005, 0.001, 0.005  # s
FIRST_RATES = (10.0, 25.0)  # Hz, between which every population starts
STEPS, SETTLED = 200, 150  # the statistic is taken from step SETTLED on


@dataclasses.dataclass(frozen=True)
class V1(StochasticCircuit):
    """Excitatory (E) and parvalbumin, somatostatin and VIP (P, S, V) populations of visual cortex.

    Rates x, in Hz, follow tau dx/dt = -x + [W x + h + e]^2 with [.] the positive part, weights W
    and input h = baseline + contrast * gain as fitted to mouse cortex. The noise e of each
    population is an Ornstein-Uhlenbeck process of 5 ms,

        tau_n de = -e dt + sigma sqrt(2 tau_n (1 + tau / tau_n)) dB.

    Its four parameters are the noise levels sigma of the populations, 0 to 0.5 in units of the
    input. Its statistic is the standard deviation of the excitatory rate over the last 25 ms of
    100 ms, in Hz, averaged over the trials. Forward Euler, dt = 0.5 ms; rates start uniform between
    10 and 25 Hz, noise at 0.

    Args:
        trials: number of trials.
        noise: seed of their random numbers.
        contrast: of the stimulus; 1 is the full one.

    Raises:
        TypeError, ValueError: see `StochasticCircuit`; contrast below 0.

    Source: Bittner et al., "Interrogating theoretical models of neural computation with emergent
    property inference", eLife (2021), after Palmigiano et al. (2020).

    Example:
        >>> sd = V1(trials=20).statistics([[0.1, 0.1, 0.1, 0.1], [0.4, 0.4, 0.4, 0.4]]).ravel()
        >>> bool(0 < sd[0] < sd[1])
        True
    """

    contrast: float = 0.5

    parameters: ClassVar = tuple(
        Parameter(f"sigma_{population}", "1", 0, 0.5) for population in POPULATIONS
    )
    observables: ClassVar = (Statistic("sd_E", "Hz", low=0),)

    def __post_init__(self) -> None:
        super().__post_init__()
        contrast = _check.number("contrast", self.contrast, at_least=0)
        object.__setattr__(self, "contrast", contrast)

    def trial(self, z: jax.Array, key: jax.Array) -> jax.Array:
        """The excitatory rate's standard deviation of one trial, see `StochasticCircuit.trial`."""
        state, keys = _start(z, key)
        step = self._step(z)
        state, _ = jax.lax.scan(lambda now, key: (step(now, key), None), state, keys[:SETTLED])
        _, later = jax.lax.scan(_observed(step, lambda x: x[0]), state, keys[SETTLED:])
        rate = jnp.concatenate([state.x[0][None], later])
        # Where nothing fluctuates the root has no derivative; so small a variance changes nothing.
        return jnp.sqrt(rate.var() + 1e-12)[None]

    def rates(self, z: jax.Array, key: jax.Array) -> jax.Array:
        """(STEPS + 1, 4) rates of one trial, in Hz, at times 0, dt, ..; z (4,) noise levels."""
        state, keys = _start(z, key)
        _, later = jax.lax.scan(_observed(self._step(z), jnp.stack), state, keys)
        return jnp.concatenate([jnp.stack(state.x)[None], later])

    def _step(self, z: jax.Array) -> Step:
        inputs = np.array(BASELINE) + self.contrast * np.array(PER_CONTRAST)
        strength = np.sqrt(2 * DT * (1 + TAU / TAU_NOISE) / TAU_NOISE).item()

        # Population by population: so small a matrix product is slow.
        def step(now: _State, key: jax.Array) -> _State:
            shocks = jax.random.normal(key, (len(POPULATIONS),), z.dtype)
            drives = [
                sum(w * x for w, x in zip(row, now.x, strict=True)) + h + e
                for row, h, e in zip(WEIGHTS, inputs.tolist(), now.e, strict=True)
            ]
            x = [
                x + DT / TAU * (jax.nn.relu(drive) ** 2 - x)
                for x, drive in zip(now.x, drives, strict=True)
            ]
            e = [
                e - DT / TAU_NOISE * e + strength * sigma * shock
                for e, sigma, shock in zip(now.e, z, shocks, strict=True)
            ]
            return _State(x, e)

        return step


class _State(NamedTuple):
    x: list[jax.Array]  # rates of the populations, Hz
    e: list[jax.Array]  # their noise


Step = Callable[[_State, jax.Array], _State]


def _start(z: jax.Array, key: jax.Array) -> tuple[_State, jax.Array]:
    """The state at time 0, and a key for each step."""
    first, later = jax.random.split(key)
    x = jax.random.uniform(first, (len(POPULATIONS),), z.dtype, *FIRST_RATES)
    # Zeros of the kind of z: where z is one of many, so are they.
    return _State(list(x), list(0 * z)), jax.random.split(later, STEPS)


def _observed(step: Step, observe: Callable[[list[jax.Array]], jax.Array]) -> Any:
    def observed(now: _State, key: jax.Array) -> tuple[_State, jax.Array]:
        then = step(now, key)
        return then, observe(then.x)

    return observed
