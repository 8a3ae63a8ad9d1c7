"""What a circuit does in time at samples of an answer, for circuits that can tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax.numpy as jnp
import numpy as np

from dsnlib.answer.regions import Regions
from dsnlib.circuits import Circuit
from dsnlib.circuits.fixed import Fixed
from dsnlib.methods.run import Run


@runtime_checkable
class Traced(Protocol):
    """A circuit that shows its activity against time.

    A circuit opts in by having this method; it need not inherit from here.
    """

    def trace(self, z: Any) -> tuple[Any, Mapping[str, Any]]:
        """Activity against time.

        Args:
            z: (n, P) parameters, in the order and units of the circuit's `parameters`.

        Returns:
            (T,) times in s, and for each label, which names its unit as in "hub (mV)", an array
            (n, T).
        """


def traced(circuit: Circuit | None) -> Traced | None:
    """The circuit where it shows its activity, else None.

    Args:
        circuit: any; where parameters are held, the circuit behind it counts.
    """
    if isinstance(circuit, Fixed) and isinstance(circuit.circuit, Traced):
        return _Held(circuit, circuit.circuit)
    return circuit if isinstance(circuit, Traced) else None


class _Held(NamedTuple):
    """A circuit with parameters held at a value, traced through the whole one."""

    circuit: Fixed
    behind: Traced

    def trace(self, z: Any) -> tuple[Any, Mapping[str, Any]]:
        return self.behind.trace(self.circuit.whole(jnp.asarray(z)))


class Traces(NamedTuple):
    """Activity at some samples of every region."""

    t: np.ndarray  # (T,) s
    regions: list[dict[str, np.ndarray]]  # for each region, by label, (n, T)


def traces(run: Run[Any], regions: Regions, per_region: int = 3) -> Traces:
    """Simulate some samples of every region, drawn at random but the same ones every time.

    Args:
        run: from `dsnlib.fit`, of a circuit that is `Traced`.
        regions: of its answer.
        per_region: number of samples of a region; a region with fewer shows all.

    Raises:
        ValueError: the circuit is not known or not `Traced`, or its arrays do not fit together.
    """
    circuit = traced(run.circuit)
    if circuit is None:
        raise ValueError(
            f"circuit must have a method trace, got {type(run.circuit).__name__}; define it as "
            "dsnlib.answer.Traced says, or get the run from dsnlib.fit"
        )
    z = run.z.reshape(-1, run.z.shape[-1])
    rng = np.random.default_rng(run.seed)
    found = []
    for region in range(len(regions.table)):
        inside = z[regions.labels.ravel() == region]
        chosen = inside[rng.choice(len(inside), min(per_region, len(inside)), replace=False)]
        t, activity = circuit.trace(chosen)
        t = np.asarray(t, float)
        arrays = {label: np.asarray(values, float) for label, values in activity.items()}
        for label, values in arrays.items():
            if t.ndim != 1 or values.shape != (len(chosen), len(t)):
                raise ValueError(
                    f"circuit.trace must return times (T,) and arrays (n, T), got {t.shape} and "
                    f"{values.shape} of {label!r} for n = {len(chosen)}; return one row a sample"
                )
        found.append(arrays)
    return Traces(t, found)
