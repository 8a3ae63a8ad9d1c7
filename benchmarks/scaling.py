"""How cost grows with batch, Euler steps and parameters; single against double precision."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from measure import exponent, paired, write

import dsnlib
from dsnlib.circuits.differentiation import _forward, _reverse, prefers_forward
from dsnlib.circuits.integration import euler
from dsnlib.maxent import statistics_grid
from dsnlib.methods.lagrangian.objective import Objective
from dsnlib.methods.lagrangian.programs import block as train
from dsnlib.methods.lagrangian.programs import optimiser_of

PROPERTY = dsnlib.EmergentProperty([0.525], [0.025])
STEPS = 2


def block(T: int, batch: int) -> Any:
    """A call that makes two training steps."""
    settings = dsnlib.AugmentedLagrangian(batch=batch).compiled()
    objective = Objective(dsnlib.STG(T=T), PROPERTY, settings)
    weights = objective.random_weights(jax.random.key(0))
    optimiser = optimiser_of(settings).init(weights)
    rest = (jnp.zeros(2), jnp.float32(1), jax.random.key(1), 0)
    return lambda: train(objective, STEPS, weights, optimiser, *rest)


def growth(sizes: list[int], **calls: Any) -> dict[str, Any]:
    """Times of a step over sizes, and the fitted exponent."""
    times = paired(calls, seconds=25)
    steps = [times[str(size)]["median"] / STEPS for size in sizes]
    return {"sizes": sizes, "ms_two_steps": times, **exponent(sizes, steps)}


@dataclasses.dataclass(frozen=True)
class Chain(dsnlib.Circuit):
    """A chain of `size` units whose couplings are free: any number of parameters.

    As in the five-neuron circuit the state is a list of arrays (n,), one a unit.
    """

    size: int

    observables: ClassVar = (dsnlib.Statistic("energy", "1"),)

    @property
    def parameters(self) -> tuple[dsnlib.Parameter, ...]:  # type: ignore[override]
        """One coupling a unit."""
        return tuple(dsnlib.Parameter(f"k{i}", "1", 0, 1) for i in range(self.size))

    def evaluate(self, z: jax.Array) -> jax.Array:
        """Mean energy of the chain over 200 Euler steps."""
        k = list(z.T)
        signal = euler(
            lambda x: [k[i] * (x[i - 1] - x[i]) - 0.1 * jnp.tanh(x[i]) for i in range(len(x))],
            [jnp.full_like(k[0], 2.0 if i == 0 else 1.0) for i in range(len(k))],
            0.05, 200, lambda x: sum((unit * unit for unit in x), jnp.zeros_like(k[0])),
        )  # fmt: skip
        return signal.mean(axis=0)[:, None]


def modes(sizes: list[int]) -> dict[str, Any]:
    """Forward against reverse mode over the number of parameters, one statistic; and the STG."""
    circuits = {str(size): Chain(size) for size in sizes} | {"STG": dsnlib.STG(T=200)}
    rows = {}
    for name, circuit in circuits.items():
        low, high = circuit.bounds.T
        z = jax.random.uniform(jax.random.key(0), (1_000, len(low)), minval=low, maxval=high)
        both = {
            mode.__name__[1:]: partial(jax.jit(partial(mode, circuit.evaluate)), z)
            for mode in (_forward, _reverse)
        }
        times = paired(both, seconds=4)
        picked = "forward" if prefers_forward(circuit.evaluate, z) else "reverse"
        faster = min(times, key=lambda mode: times[mode]["median"])
        rows[name] = {"ms": times, "picked": picked, "faster": faster}
    return rows


def precision() -> dict[str, Any]:
    """Speed of single and double precision, and how far the map of the frequency moves."""
    with jax.enable_x64(True):
        stg = dsnlib.STG(T=200)
        z = np.random.default_rng(0).uniform(0, 20, (1_000, 2))
        times = paired(
            {
                name: partial(stg.statistics_and_jacobian, z.astype(name))
                for name in ("float32", "float64")
            },
            seconds=10,
        )
        cells = 200
        double = statistics_grid(stg, cells)
        axes = [double[p.name].values for p in stg.parameters]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
        single = np.asarray(stg.statistics(points.astype("float32")))[:, 0]
        moved = np.abs(single - double.values.ravel()) > 1e-3
    n = cells**2
    share = float(moved.mean())
    return {
        "ms": times,
        "share_moved_by_more_than_1_mHz": share,
        "share_se": float(np.sqrt(share * (1 - share) / n)),
        "grid_points": n,
    }


def main() -> None:
    """Measure and write."""
    batches, lengths = [250, 500, 1_000, 2_000, 4_000, 8_000], [100, 200, 400, 800, 1_600]
    write(
        "scaling",
        {
            "batch": growth(batches, **{str(n): block(200, n) for n in batches}),
            "T": growth(lengths, **{str(T): block(T, 1_000) for T in lengths}),
            "parameters": modes([1, 2, 4, 8, 16, 32]),
            "precision": precision(),
        },
    )


if __name__ == "__main__":
    main()
