"""A circuit some of whose parameters are held at a value."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from dsnlib import _check
from dsnlib.circuits.base import Circuit
from dsnlib.circuits.quantities import Parameter, Statistic


@dataclasses.dataclass(frozen=True)
class Fixed(Circuit):
    """A circuit of fewer parameters; made by `Circuit.fix`.

    Args:
        circuit: with all its parameters.
        values: names and values of those that are held, in the parameters' units.
    """

    circuit: Circuit
    values: tuple[tuple[str, float], ...]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Those that are left free."""
        held = dict(self.values)
        return tuple(p for p in self.circuit.parameters if p.name not in held)

    @property
    def observables(self) -> tuple[Statistic, ...]:
        """Those of the circuit."""
        return self.circuit.observables

    @property
    def columns(self) -> tuple[Statistic, ...]:
        """Those of the circuit."""
        return self.circuit.columns

    def evaluate(self, z: jax.Array) -> jax.Array:
        """Statistics, see `Circuit.evaluate`."""
        return self.circuit.evaluate(self.whole(z))

    def allowed(self, z: jax.Array) -> jax.Array:
        """What is allowed, see `Circuit.allowed`."""
        return self.circuit.allowed(self.whole(z))

    def renewed(self, by: int) -> Circuit | None:
        """The same under other random numbers, see `Circuit.renewed`."""
        circuit = self.circuit.renewed(by)
        return None if circuit is None else dataclasses.replace(self, circuit=circuit)

    def configuration(self) -> dict[str, Any]:
        """The circuit's, and what is held."""
        return {**self.circuit.configuration(), "fixed": dict(self.values)}

    def failure_at(self, z: Any) -> str | None:
        """Why the simulation of one set of free parameters fails, see `Circuit.failure_at`."""
        row = self.checked(np.asarray(z)[None])
        return self.circuit.failure_at(np.asarray(self.whole(row))[0])

    def whole(self, z: Any) -> jax.Array:
        """(n, P) free parameters to (n, Q) all of the circuit's, in its order."""
        held, free = dict(self.values), iter(np.arange(len(self.parameters)))
        columns = [
            jnp.full(len(z), held[p.name], z.dtype) if p.name in held else z[:, next(free)]
            for p in self.circuit.parameters
        ]
        return jnp.stack(columns, axis=1)


def fixed(circuit: Circuit, values: Mapping[str, float]) -> Fixed:
    """See `Circuit.fix`."""
    known = {p.name: p for p in circuit.parameters}
    for name, value in values.items():
        if name not in known:
            raise ValueError(
                f"fix must name parameters of {type(circuit).__name__} ({', '.join(known)}), "
                f"got {name!r}; choose one of them"
            )
        p = known[name]
        _check.number(name, value)
        if not p.low <= value <= p.high:
            raise ValueError(
                f"{name} must lie in [{p.low:g}, {p.high:g}] {p.unit}, got {value:g}; "
                "choose a value inside"
            )
    if not values or len(values) == len(known):
        raise ValueError(
            f"fix must hold some parameters of {type(circuit).__name__} ({', '.join(known)}) and "
            f"leave others free, got {', '.join(values) or 'none'}; pass for example "
            f"fix({next(iter(known))}={known[next(iter(known))].low:g})"
        )
    # The order of the names is no matter: the same circuit is the same run.
    return Fixed(circuit, tuple(sorted((n, float(v)) for n, v in values.items())))
