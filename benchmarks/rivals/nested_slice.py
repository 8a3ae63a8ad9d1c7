"""Nested slice sampling of blackjax: hit-and-run slices shaped by the covariance of live points."""

from __future__ import annotations

from typing import Any

import blackjax
import jax
import jax.numpy as jnp
import numpy as np
from blackjax.ns.utils import finalise, log_weights
from problem import Problem, load
from record import Stopwatch, arguments_of, finish

import dsnlib

_REMAINING = 1e-3  # share of the evidence in the live points at which to stop
_VOLUMES = 100  # simulated sequences of prior volumes


def _log_likelihood(problem: Problem, statistics: Any) -> Any:
    """Of one point of the unit box; a batch of them is simulated as one."""
    linear, square = np.split(problem.theta.astype(np.float32), 2)
    upper, mean, sd = (np.float32(v) for v in (problem.upper, problem.mean, problem.sd))

    def batch(u: jax.Array) -> jax.Array:
        x = (statistics(jnp.clip(u, 0, 1) * upper) - mean) / sd
        value = (linear * x + square * (x**2 - 1)).sum(axis=1)
        return jnp.where(((u > 0) & (u < 1)).all(axis=1) & jnp.isfinite(value), value, -jnp.inf)

    one = jax.custom_batching.custom_vmap(lambda u: batch(u[None])[0])
    one.def_vmap(lambda size, batched, u: (batch(u), True))
    return one


def _log_prior(u: jax.Array) -> jax.Array:
    return jnp.where(((u > 0) & (u < 1)).all(), 0.0, -jnp.inf)


def _counts(info: Any) -> np.ndarray:
    """What the slices of one step asked for, and the least that was computed for them.

    Under vmap all slices go on until the slowest has ended. Both ends of a bracket are computed
    once before it grows; that they lie outside of the box is not noticed before.
    """
    grown, shrunk = (np.asarray(n) for n in (info.num_expansions, info.num_shrink))
    asked = (2 + grown + shrunk).sum()
    computed = len(grown) * (2 + grown.max(axis=0) + shrunk.max(axis=0)).sum()
    return np.array([asked, computed])


def main() -> None:
    """Sample once and write the record."""
    parser = arguments_of(__doc__)
    parser.add_argument("--live", type=int, default=2_000)
    parser.add_argument("--delete", type=float, default=0.5, help="share replaced in a step")
    parser.add_argument("--inner", type=int, default=4, help="slices per parameter")
    arguments = parser.parse_args()
    problem = load(arguments.problem)
    d = len(problem.upper)
    settings = {name: getattr(arguments, name) for name in ("live", "delete", "inner")}
    watch = Stopwatch()
    circuit = dsnlib.STG(T=200, free=problem.free, observe=problem.observe)
    algorithm = blackjax.nss(
        logprior_fn=_log_prior,
        loglikelihood_fn=_log_likelihood(problem, circuit.evaluate),
        num_inner_steps=arguments.inner * d,
        num_delete=int(arguments.delete * arguments.live),
    )
    key, start, last = jax.random.split(jax.random.key(arguments.seed), 3)
    state = jax.jit(algorithm.init)(jax.random.uniform(start, (arguments.live, d)))
    step = jax.jit(algorithm.step)
    dead, counts = [], np.array([arguments.live, arguments.live])
    while state.integrator.logZ_live - state.integrator.logZ > np.log(_REMAINING):
        key, now = jax.random.split(key)
        state, info = step(now, state)
        counts += _counts(info.update_info)
        dead.append(info._replace(update_info=None))
    every = finalise(state, dead, update_info=False)
    logs = np.asarray(log_weights(last, every, _VOLUMES), float)
    evidence = np.log(np.exp(logs - logs.max()).sum(axis=0)) + logs.max()
    weight = np.exp(logs.mean(axis=1) - logs.mean(axis=1).max())
    figures = watch.reading() | {
        "simulations": int(counts[0]),
        "simulations_computed": int(counts[1]),
        "steps": len(dead),
        "entropy_se": float(evidence.std()),
    }
    z = np.asarray(every.particles.position * np.float32(problem.upper))
    near = weight > 1e-13
    z, weight = z[near], weight[near]
    finish(
        arguments, problem, z, np.asarray(circuit.statistics(z)), weight,
        packages=["blackjax", "jax", "numpy"],
        settings=settings, figures=figures, log_mean=float(evidence.mean()),
    )  # fmt: skip


if __name__ == "__main__":
    main()
