"""A cell simulated by Jaxley, whose conductances are free and whose rate is given.

One compartment, 10 um long and 1 um in radius, with Jaxley's Hodgkin-Huxley channels and a current
from 20 ms on. Units: ms, mV, S/cm2, nA.

In single precision 0.03 % of the box have no statistics: there the voltage is once exactly -40 or
-55 mV, where Jaxley's rates of the gates are 0 / 0. SMC leaves such points out.

Source: Deistler et al., "Jaxley: differentiable simulation enables large-scale training of detailed
biophysical models of neural dynamics", Nature Methods (2025); the channels are those of Hodgkin and
Huxley (1952).

Needs `pip install -r examples/requirements-jaxley.txt`. After `import dsnlib` it is solved by

    from examples.jaxley_cell import PROPERTY, JaxleyCell
    run = dsnlib.fit(JaxleyCell(), PROPERTY, dsnlib.SMC(), seed=1, out="runs/jaxley-cell")
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import jaxley as jx
from jaxley.channels import HH

import dsnlib

THRESHOLD = -10.0  # mV; a spike is a crossing upwards
CONDUCTANCES = ("HH_gNa", "HH_gK", "HH_gLeak")  # Jaxley's names

#: Of the box, 2.6 % lie within two standard deviations of both means.
PROPERTY = dsnlib.EmergentProperty(mean=[80.0, 30.0], sd=[8.0, 3.0])


def new_cell(quiet: float, driven: float, current: float, dt: float) -> jx.Cell:
    """The cell with its channels, its electrode and its stimulus."""
    cell = jx.Cell()
    cell.insert(HH())
    cell.set("v", -65.0)
    cell.set("length", 10.0)
    cell.set("radius", 1.0)
    cell.init_states(delta_t=dt)
    cell.record(verbose=False)
    cell.stimulate(jx.step_current(quiet, driven, current, dt, quiet + driven), verbose=False)
    return cell


@dataclasses.dataclass(frozen=True)
class JaxleyCell(dsnlib.Circuit):
    """Rate and highest voltage of the cell under the current, from three conductances.

    Args:
        quiet, driven: time without and with the current, in ms.
        current: in nA; the membrane is 6.3e-7 cm2, so 0.01 nA are 16 uA/cm2.
        dt: step, in ms.
    """

    quiet: float = 20.0
    driven: float = 100.0
    current: float = 0.01
    dt: float = 0.025

    parameters: ClassVar = (
        dsnlib.Parameter("g_Na", "S/cm2", 0.04, 0.2),
        dsnlib.Parameter("g_K", "S/cm2", 0.01, 0.08),
        dsnlib.Parameter("g_L", "S/cm2", 0.00005, 0.0006),
    )
    observables: ClassVar = (dsnlib.Statistic("rate", "Hz", low=0), dsnlib.Statistic("peak", "mV"))

    def evaluate(self, z: jax.Array) -> jax.Array:
        """Rate and highest voltage, see `Circuit.evaluate`."""
        V = self.voltage(z)[:, round(self.quiet / self.dt) :]
        spikes = ((V[:, :-1] < THRESHOLD) & (V[:, 1:] >= THRESHOLD)).sum(axis=1)
        return jnp.stack([1_000 * spikes / self.driven, V.max(axis=1)], axis=1)

    def voltage(self, z: jax.Array) -> jax.Array:
        """(n, steps) voltage, in mV; z (n, 3)."""
        # A new cell for each program, since Jaxley keeps arrays of the trace in it. What it looks
        # up while it is built must have values, also while JAX traces.
        with jax.ensure_compile_time_eval():
            cell = new_cell(self.quiet, self.driven, self.current, self.dt)

        def one(conductances: jax.Array) -> jax.Array:
            state = None
            for name, value in zip(CONDUCTANCES, conductances, strict=True):
                state = cell.data_set(name, value, state)
            return jx.integrate(cell, param_state=state, delta_t=self.dt)[0]

        return jax.vmap(one)(z)
