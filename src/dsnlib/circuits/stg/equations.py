"""Equations of the circuit of Gutierrez, O'Leary and Marder (2013): Morris-Lecar with an h-current.

Two fast neurons (f1, f2) and two slow ones (s1, s2) inhibit each other and drive a hub.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from dsnlib.circuits.stg.gates import exponential, logistic, reciprocal

NEURONS = ("f1", "f2", "hub", "s1", "s2")
_F1, _F2, _HUB, _S1, _S2 = range(5)

# Membrane constants in nF, nS and V. Currents are then in nA, and nA / nF = V/s.
_C = 1.0
_V_LEAK, _V_CA, _V_K, _V_H, _V_SYN = -0.040, 0.100, -0.080, -0.020, -0.075
_G_LEAK = 0.1

MEMBRANE = {
    "Ca": (19.0, 19.0, 17.0, 8.5, 8.5),
    "K": (39.0, 39.0, 19.0, 15.0, 15.0),
    "H": (25.0, 25.0, 8.0, 10.0, 10.0),
}  # nS, in the order of `NEURONS`

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


class Conductances(NamedTuple):
    """Conductances in nS: each a number, or an array (n,) where it is free."""

    el: Any  # electrical synapses between hub and f2, s2
    synA: Any  # inhibitory synapses from f1 and s1 to the hub
    synB: Any  # inhibitory synapses within the pairs f1-f2 and s1-s2
    Ca: Sequence[Any]  # calcium, of each neuron
    K: Sequence[Any]  # potassium, of each neuron
    H: Sequence[Any]  # h-current, of each neuron


def initial_state(like: jax.Array) -> State:
    """The fixed start of the 2019 note, for as many circuits as `like` (n,) has entries."""
    return State(
        *(
            [jnp.full_like(like, value) for value in values]
            for values in (_INITIAL_V, _INITIAL_N, _INITIAL_H)
        )
    )


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


def vector_field(state: State, g: Conductances) -> State:
    """Time derivative of the state, per s (spec: Morris-Lecar neurons with an h-current)."""
    gates = [_gates(v) for v in state.V]
    release = [g.release for g in gates]
    hub = state.V[_HUB]
    from_f2 = g.el * (state.V[_F2] - hub)
    from_s2 = g.el * (state.V[_S2] - hub)
    electrical = (0.0, from_f2, -(from_f2 + from_s2), 0.0, from_s2)
    inhibition = (
        g.synB * release[_F2],
        g.synB * release[_F1],
        g.synA * (release[_F1] + release[_S1]),
        g.synB * release[_S2],
        g.synB * release[_S1],
    )
    dV, dN, dH = [], [], []
    for i, (v, n, h, gate) in enumerate(zip(*state, gates, strict=True)):
        current = (
            _G_LEAK * (v - _V_LEAK)
            + g.Ca[i] * gate.M_inf * (v - _V_CA)
            + g.K[i] * n * (v - _V_K)
            + g.H[i] * h * (v - _V_H)
            + electrical[i]
            + inhibition[i] * (v - _V_SYN)
        )
        dV.append(current * (-1 / _C))
        dN.append(gate.rate_N * (gate.N_inf - n))
        dH.append(gate.rate_H * (gate.H_inf - h))
    return State(dV, dN, dH)
