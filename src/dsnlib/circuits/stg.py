"""The five-neuron stomatogastric circuit of Gutierrez, O'Leary and Marder (2013)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from dsnlib import _check
from dsnlib.circuits.base import Circuit, Parameter, Statistic
from dsnlib.circuits.gates import exponential, logistic, reciprocal
from dsnlib.frequency import FREQUENCIES, dominant_frequency
from dsnlib.integration import euler

NEURONS = ("f1", "f2", "hub", "s1", "s2")
_F1, _F2, _HUB, _S1, _S2 = range(5)

# Membrane constants in nF, nS and V. Currents are then in nA, and nA / nF = V/s.
_C = 1.0
_V_LEAK, _V_CA, _V_K, _V_H, _V_SYN = -0.040, 0.100, -0.080, -0.020, -0.075
_G_LEAK = 0.1
_G_CA = (19.0, 19.0, 17.0, 8.5, 8.5)
_G_K = (39.0, 39.0, 19.0, 15.0, 15.0)
_G_H = (25.0, 25.0, 8.0, 10.0, 10.0)

_INITIAL_V = (-0.04169771, -0.04319491, 0.00883992, -0.06879824, 0.03048103)
_INITIAL_N = (0.00151316, 0.19784773, 0.56514935, 0.12214069, 0.35290397)
_INITIAL_H = (0.08614699, 0.04938177, 0.05568701, 0.07007949, 0.05790969)


class State(NamedTuple):
    """State of the circuit: for each of the five neurons an array (n,).

    Separate arrays rather than one of shape (5, n): XLA then fuses a whole Euler step.
    """

    V: list[jax.Array]  # membrane potential, V
    N: list[jax.Array]  # gate of the potassium current
    H: list[jax.Array]  # gate of the h-current


@dataclasses.dataclass(frozen=True)
class STG(Circuit):
    """The five-neuron stomatogastric (STG) circuit; its statistic is the hub neuron's frequency.

    Free parameters are the conductances of the electrical synapses between hub and f2, s2 (g_el)
    and of the inhibitory synapses from f1 and s1 to the hub (g_synA), each in (0, 20) nS.

    Args:
        T: number of Euler steps, at least 1.
        dt: step, in s.
        window: moving average of the frequency readout, in samples, at most T.
        g_synB: conductance of the inhibitory synapses within the pairs f1-f2 and s1-s2, in nS.

    Raises:
        TypeError, ValueError: T or window not whole or out of range, dt <= 0, g_synB < 0.

    Source: Gutierrez, O'Leary and Marder, Neuron 77 (2013), with the fixed start of the 2019 note.

    Example:
        >>> stg = STG(T=200)
        >>> f = stg.hub_frequency([[4.0, 4.0]])
        >>> f.shape
        (1,)
    """

    T: int = 200
    dt: float = 0.025
    window: int = 20
    g_synB: float = 5.0

    parameters: ClassVar = (
        Parameter("g_el", "nS", 0, 20, initial_mean=4, initial_sd=3),
        Parameter("g_synA", "nS", 0, 20, initial_mean=4, initial_sd=3),
    )
    observables: ClassVar = (
        Statistic("f_hub", "Hz", low=float(FREQUENCIES[0]), high=float(FREQUENCIES[-1])),
    )

    def __post_init__(self) -> None:
        T = _check.whole("T", self.T, at_least=1)
        window = _check.whole("window", self.window, at_least=1)
        if window > T:
            raise ValueError(
                f"window must be at most T = {T} samples, got {window}; shorten it or raise T"
            )
        object.__setattr__(self, "T", T)
        object.__setattr__(self, "window", window)
        object.__setattr__(self, "dt", _check.number("dt", self.dt, above=0))
        object.__setattr__(self, "g_synB", _check.number("g_synB", self.g_synB, at_least=0))

    def simulate(self, z: Any) -> jax.Array:
        """Voltage of the hub neuron.

        Args:
            z: (n, 2) conductances (g_el, g_synA), in nS.

        Returns:
            (n, T + 1) voltage at times 0, dt, .. T dt, in V.

        Raises:
            ValueError: z has another shape or lies outside the bounds.
        """
        return self._trajectory(self.checked(z), _hub_voltage).T

    def voltages(self, z: Any) -> jax.Array:
        """Voltages of all neurons, in the order of `NEURONS`.

        Args:
            z: (n, 2) conductances (g_el, g_synA), in nS.

        Returns:
            (n, 5, T + 1) voltages at times 0, dt, .. T dt, in V.

        Raises:
            ValueError: z has another shape or lies outside the bounds.
        """
        trajectory = self._trajectory(self.checked(z), _all_voltages)
        return jnp.moveaxis(trajectory, (2, 1, 0), (0, 1, 2))

    def hub_frequency(self, z: Any) -> jax.Array:
        """Frequency of the hub neuron: (n, 2) conductances in nS to (n,) frequencies in Hz."""
        return self.statistics(z)[:, 0]

    def evaluate(self, z: jax.Array) -> jax.Array:
        """The hub's frequency, see `Circuit.evaluate`."""
        voltage = self._trajectory(z, _hub_voltage)
        return dominant_frequency(voltage, self.dt, self.window)[:, None]

    @partial(jax.jit, static_argnums=(0, 2))
    def _trajectory(self, z: jax.Array, observe: Callable[[State], jax.Array]) -> jax.Array:
        g_el, g_synA = z[:, 0], z[:, 1]
        initial = State(
            *(
                [jnp.full_like(g_el, value) for value in values]
                for values in (_INITIAL_V, _INITIAL_N, _INITIAL_H)
            )
        )
        return euler(
            lambda state: _vector_field(state, g_el, g_synA, self.g_synB),
            initial,
            self.dt,
            self.T,
            observe,
        )


def _all_voltages(state: State) -> jax.Array:
    return jnp.stack(state.V)


def _hub_voltage(state: State) -> jax.Array:
    return state.V[_HUB]


class _Gates(NamedTuple):
    """What the membrane potential of one neuron sets."""

    M_inf: jax.Array  # steady state of the calcium gate
    N_inf: jax.Array  # steady state of the potassium gate
    rate_N: jax.Array  # its rate, per s
    H_inf: jax.Array  # steady state of the h-current's gate
    rate_H: jax.Array  # its rate, per s
    release: jax.Array  # S_inf, activation of the synapses that the neuron drives


def _gates(V: jax.Array) -> _Gates:
    """Gating functions of one neuron at membrane potential V, in volt.

    (1 + tanh(u)) / 2 is written as logistic(2 u), which is the same function; the gates of calcium,
    potassium and synapse, and the cosh of the potassium rate, share x = exp(-V / 30 mV). Slopes are
    factors, since XLA does not turn a division by a constant into a product.
    """
    x = exponential(V * (-1 / 0.030))
    x3 = x * x * x
    M_inf = logistic(V * (2 / 0.020), x3)
    N_inf = logistic(V * (2 / 0.015), x3 * x)
    release = logistic((V + 0.025) * (1 / 0.005), math.exp(-5) * x3 * x3)
    h = (V + 0.0783) * (1 / 0.0105)
    slow = (V + 0.0422) * (1 / 0.0873)
    tau_H = 0.272 + 1.499 * logistic(slow, exponential(-slow))
    return _Gates(
        M_inf=M_inf,
        N_inf=N_inf,
        rate_N=x + reciprocal(x),  # 2 cosh(V / 30 mV)
        H_inf=logistic(-h, exponential(h)),
        rate_H=reciprocal(tau_H),
        release=release,
    )


def _vector_field(state: State, g_el: jax.Array, g_synA: jax.Array, g_synB: float) -> State:
    """Time derivative of the state, per s (spec: Morris-Lecar neurons with an h-current)."""
    gates = [_gates(v) for v in state.V]
    release = [g.release for g in gates]
    hub = state.V[_HUB]
    from_f2 = g_el * (state.V[_F2] - hub)
    from_s2 = g_el * (state.V[_S2] - hub)
    electrical = (0.0, from_f2, -(from_f2 + from_s2), 0.0, from_s2)
    inhibition = (
        g_synB * release[_F2],
        g_synB * release[_F1],
        g_synA * (release[_F1] + release[_S1]),
        g_synB * release[_S2],
        g_synB * release[_S1],
    )
    dV, dN, dH = [], [], []
    for i, (v, n, h, gate) in enumerate(zip(*state, gates, strict=True)):
        current = (
            _G_LEAK * (v - _V_LEAK)
            + _G_CA[i] * gate.M_inf * (v - _V_CA)
            + _G_K[i] * n * (v - _V_K)
            + _G_H[i] * h * (v - _V_H)
            + electrical[i]
            + inhibition[i] * (v - _V_SYN)
        )
        dV.append(current * (-1 / _C))
        dN.append(gate.rate_N * (gate.N_inf - n))
        dH.append(gate.rate_H * (gate.H_inf - h))
    return State(dV, dN, dH)
