"""The five-neuron stomatogastric circuit of Gutierrez, O'Leary and Marder (2013)."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from dsnlib import _check
from dsnlib.circuits.base import Circuit
from dsnlib.circuits.frequency import FREQUENCIES, dominant_frequency
from dsnlib.circuits.integration import euler
from dsnlib.circuits.quantities import Parameter, Statistic
from dsnlib.circuits.stg.equations import (
    MEMBRANE,
    NEURONS,
    Conductances,
    initial_state,
    vector_field,
)

__all__ = ["NEURONS", "STG"]

_INITIAL_MEAN, _INITIAL_SD = 4, 3  # nS, of g_el and g_synA: where the 2019 note starts
_HIGHEST_SYNAPTIC = 20  # nS
_SYNAPTIC = {
    "g_el": Parameter("g_el", "nS", 0, _HIGHEST_SYNAPTIC, _INITIAL_MEAN, _INITIAL_SD),
    "g_synA": Parameter("g_synA", "nS", 0, _HIGHEST_SYNAPTIC, _INITIAL_MEAN, _INITIAL_SD),
    "g_synB": Parameter("g_synB", "nS", 0, _HIGHEST_SYNAPTIC),
}
_NOMINAL = {
    f"g_{current}_{neuron}": value
    for current, values in MEMBRANE.items()
    for neuron, value in zip(NEURONS, values, strict=True)
}  # nS
_CONDUCTANCES = _SYNAPTIC | {
    name: Parameter(name, "nS", 0, 2 * value) for name, value in _NOMINAL.items()
}
_FREQUENCIES = {
    f"f_{neuron}": Statistic(
        f"f_{neuron}", "Hz", low=float(FREQUENCIES[0]), high=float(FREQUENCIES[-1])
    )
    for neuron in NEURONS
}
_ADDED_LATER = ("free", "observe")  # fields, see `STG.configuration`


@dataclasses.dataclass(frozen=True)
class STG(Circuit):
    """The five-neuron stomatogastric (STG) circuit; its statistics are its neurons' frequencies.

    By default two conductances are free, those of the electrical synapses between hub and f2, s2
    (g_el) and of the inhibitory synapses from f1 and s1 to the hub (g_synA), and the statistic is
    the frequency of the hub.

    Args:
        T: number of Euler steps, at least 1.
        dt: step, in s.
        window: moving average of the frequency readout, in samples, at most T.
        g_synB: conductance of the inhibitory synapses within the pairs f1-f2 and s1-s2, in nS,
            where "g_synB" is not free.
        free: names of the free conductances, in the order of the parameters: g_el, g_synA, g_synB,
            each in (0, 20) nS, and g_Ca_n, g_K_n, g_H_n of neurons n = f1, f2, hub, s1, s2, each
            between 0 and twice its published value. Those not named are fixed: g_el and g_synA at
            4 nS, where the 2019 note starts, the neurons' own at their published values.
        observe: names of the statistics, in order: f_f1, f_f2, f_hub, f_s1, f_s2.

    Raises:
        TypeError, ValueError: T or window not whole or out of range, dt <= 0, g_synB < 0, names in
            free or observe that are unknown, repeated or missing.

    Source: Gutierrez, O'Leary and Marder, Neuron 77 (2013), with the fixed start of the 2019 note.

    Example:
        >>> stg = STG(T=200)
        >>> f = stg.hub_frequency([[4.0, 4.0]])
        >>> f.shape
        (1,)
        >>> wider = STG(free=("g_el", "g_synA", "g_K_hub"), observe=("f_f1", "f_hub"))
        >>> wider.statistics([[4.0, 4.0, 19.0]]).shape
        (1, 2)
    """

    T: int = 200
    dt: float = 0.025
    window: int = 20
    g_synB: float = 5.0
    free: tuple[str, ...] = ("g_el", "g_synA")
    observe: tuple[str, ...] = ("f_hub",)

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
        object.__setattr__(self, "free", _check.choices("free", self.free, _CONDUCTANCES))
        object.__setattr__(self, "observe", _check.choices("observe", self.observe, _FREQUENCIES))

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The free conductances, in the order of `free`."""
        return tuple(_CONDUCTANCES[name] for name in self.free)

    @property
    def observables(self) -> tuple[Statistic, ...]:
        """The frequencies observed, in the order of `observe`."""
        return tuple(_FREQUENCIES[name] for name in self.observe)

    def configuration(self) -> dict[str, Any]:
        """The circuit's name and constants, as they identify it in a saved run.

        `free` and `observe` are left out where they have their defaults: runs saved before these
        fields existed keep their identity.
        """
        added = {f.name: f.default for f in dataclasses.fields(self) if f.name in _ADDED_LATER}
        return {
            name: value
            for name, value in super().configuration().items()
            if name not in added or value != added[name]
        }

    def simulate(self, z: Any) -> jax.Array:
        """Voltage of the hub neuron.

        Args:
            z: (n, P) free conductances, in nS.

        Returns:
            (n, T + 1) voltage at times 0, dt, .. T dt, in V.

        Raises:
            ValueError: z has another shape or lies outside the bounds.
        """
        return self._trajectory(self.checked(z), ("hub",))[:, 0].T

    def voltages(self, z: Any) -> jax.Array:
        """Voltages of all neurons, in the order of `NEURONS`.

        Args:
            z: (n, P) free conductances, in nS.

        Returns:
            (n, 5, T + 1) voltages at times 0, dt, .. T dt, in V.

        Raises:
            ValueError: z has another shape or lies outside the bounds.
        """
        return jnp.moveaxis(self._trajectory(self.checked(z), NEURONS), (2, 1, 0), (0, 1, 2))

    def trace(self, z: Any) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Voltages of all neurons against time, see `dsnlib.answer.Traced`.

        Args:
            z: (n, P) free conductances, in nS.

        Returns:
            (T + 1,) times in s, and for each neuron (n, T + 1) voltages in mV.

        Raises:
            ValueError: z has another shape or lies outside the bounds.
        """
        voltages = 1e3 * jnp.moveaxis(self.voltages(z), 1, 0)
        labels = [f"{neuron} (mV)" for neuron in NEURONS]
        return self.dt * jnp.arange(self.T + 1), dict(zip(labels, voltages, strict=True))

    def hub_frequency(self, z: Any) -> jax.Array:
        """Frequency of the hub: (n, P) free conductances in nS to (n,) Hz, whatever is observed."""
        return dataclasses.replace(self, observe=("f_hub",)).statistics(z)[:, 0]

    def evaluate(self, z: jax.Array) -> jax.Array:
        """The observed frequencies, see `Circuit.evaluate`."""
        voltage = self._trajectory(z, tuple(name.removeprefix("f_") for name in self.observe))
        signals = voltage.reshape(len(voltage), -1)  # neuron by neuron
        return dominant_frequency(signals, self.dt, self.window).reshape(-1, len(z)).T

    @partial(jax.jit, static_argnums=(0, 2))
    def _trajectory(self, z: jax.Array, neurons: tuple[str, ...]) -> jax.Array:
        """(T + 1, len(neurons), n) membrane potentials, in V."""
        conductances = self._conductances(z)
        observed = [NEURONS.index(neuron) for neuron in neurons]
        return euler(
            lambda state: vector_field(state, conductances),
            initial_state(z[:, 0]),
            self.dt,
            self.T,
            lambda state: jnp.stack([state.V[i] for i in observed]),
        )

    def _conductances(self, z: jax.Array) -> Conductances:
        fixed = {"g_el": _INITIAL_MEAN, "g_synA": _INITIAL_MEAN, "g_synB": self.g_synB, **_NOMINAL}
        g = {**fixed, **{name: z[:, column] for column, name in enumerate(self.free)}}
        return Conductances(
            g["g_el"],
            g["g_synA"],
            g["g_synB"],
            *([g[f"g_{current}_{neuron}"] for neuron in NEURONS] for current in MEMBRANE),
        )
