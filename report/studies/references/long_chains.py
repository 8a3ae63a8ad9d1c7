"""A check of the networks' references: long chains of numpyro's NUTS at their natural parameters.

    python -m report.studies.references.long_chains rnn5 rnn10

Statistics and their derivatives are written a third time, in JAX; z is the tanh of what the chains
move in. They begin far apart. Means of the moments must be the targets, and the spread of all
parameters, which are exchangeable, that of the reference's samples. Leaves NAME_chains.json here.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from typing import Any

import arviz
import jax
import jax.numpy as jnp
import numpy as np
import numpyro
from jax.typing import ArrayLike
from numpyro.infer import MCMC, NUTS

from report.studies.problems import CASES, REFERENCES
from report.studies.references.closed_forms import rank_two
from report.studies.references.uniform_references import standardised
from report.studies.references.weighing import Box, network

CHAINS = 8
DEPTH = 7  # of a tree: at most 127 steps


@jax.custom_vjp
def amplification(U: jax.Array, V: jax.Array) -> jax.Array:
    """Leading eigenvalue of (U V' + V U') / 2; its derivative is that of the quadratic form."""
    return _leading(U, V)[0]


def _leading(U: jax.Array, V: jax.Array) -> tuple[jax.Array, jax.Array]:
    Q, R = jnp.linalg.qr(jnp.concatenate([U, V], axis=1))
    K = jnp.kron(jnp.array([[0, 0.5], [0.5, 0]], R.dtype), jnp.eye(2, dtype=R.dtype))
    values, vectors = jnp.linalg.eigh(R @ K @ R.T)
    return values[-1], Q @ vectors[:, -1]


def _forward(U: jax.Array, V: jax.Array) -> tuple[jax.Array, Any]:
    value, vector = _leading(U, V)
    return value, (U, V, vector)


def _backward(saved: Any, slope: jax.Array) -> tuple[jax.Array, jax.Array]:
    U, V, x = saved
    return slope * jnp.outer(x, V.T @ x), slope * jnp.outer(x, U.T @ x)


amplification.defvjp(_forward, _backward)


def growth(U: jax.Array, V: jax.Array) -> jax.Array:
    """Largest real part of the eigenvalues of U V', from trace and determinant of V' U, or 0."""
    J = V.T @ U
    half = jnp.trace(J) / 2
    inner = half**2 - (J[0, 0] * J[1, 1] - J[0, 1] * J[1, 0])
    root = jnp.where(inner > 0, jnp.sqrt(jnp.where(inner > 0, inner, 1)), 0)
    return jnp.maximum(half + root, 0)


def potential(theta: ArrayLike, problem: Box, y: jax.Array) -> jax.Array:
    """Negative log-density of y, z = tanh(y)."""
    U, V = jnp.tanh(y).reshape(2, -1, 2)
    f = jnp.stack([growth(U, V), amplification(U, V)])
    u = (f - jnp.array(problem.mean)) / jnp.array(problem.sd)
    log_p = jnp.asarray(theta) @ jnp.concatenate([u, u**2 - 1])
    volume = (2 * (jnp.log(2.0) - jnp.abs(y) - jnp.log1p(jnp.exp(-2 * jnp.abs(y))))).sum()
    return -log_p - volume


def scattered(N: int, generator: np.random.Generator) -> np.ndarray:
    """(CHAINS, 4 N) starts: U and V of all ratios of scale, amplification between 1 and 2."""
    z = generator.uniform(-1, 1, (CHAINS, 4 * N))
    wanted = generator.uniform(1, 2, CHAINS) / rank_two(z)[:, 1]
    most = np.maximum(wanted, 1)  # where the box must be left to reach what is wanted, it is not
    for_U = (wanted / most) ** generator.uniform(0.1, 0.9, CHAINS)
    z[:, : 2 * N] *= for_U[:, None]
    z[:, 2 * N :] *= (wanted / most / for_U)[:, None]
    return np.arctanh(z)


def checked(name: str, warmup: int, draws: int, seed: int) -> dict[str, Any]:
    """Run the chains of a network.

    Returns:
        moments, for growth and amplification the mean of u = (f - target) / sd and that of u^2 - 1,
        each with its Monte-Carlo standard error; their covariance times eta's own error is not in
        these; second, the mean square of a parameter over draws and parameters, with its error, and
        that of the reference's samples with theirs; rhat, the largest, and ess, the smallest, of
        parameters and of moments; what NUTS says of itself; versions and settings.
    """
    exact, began = CASES[name].exact(), time.monotonic()
    N = exact["z"].shape[1] // 4
    problem = network(N, 0, 0)
    energy = partial(potential, jnp.asarray(exact["theta"], jnp.float32), problem)
    mcmc = MCMC(
        NUTS(potential_fn=energy, max_tree_depth=DEPTH),
        num_warmup=warmup, num_samples=draws, num_chains=CHAINS,
        chain_method="vectorized", progress_bar=False,
    )  # fmt: skip
    mcmc.run(
        jax.random.key(seed),
        init_params=jnp.asarray(scattered(N, np.random.default_rng(seed)), jnp.float32),
        extra_fields=("diverging", "num_steps"),
    )
    z = np.tanh(np.asarray(mcmc.get_samples(group_by_chain=True)))
    moments = standardised(problem, rank_two(z.reshape(-1, 4 * N))).reshape(CHAINS, draws, -1)
    square = (z**2).mean(axis=2, keepdims=True)
    kept = arviz.convert_to_dataset({"z": z, "T": np.concatenate([moments, square], axis=2)})
    rhat, ess, mcse = (g(kept) for g in (arviz.rhat, arviz.ess, arviz.mcse))
    of_exact = (exact["z"].astype(float) ** 2).mean(axis=1)
    extra = {k: float(np.mean(v)) for k, v in mcmc.get_extra_fields().items()}
    names = ("growth", "amplification", "growth^2", "amplification^2")
    error = np.asarray(mcse["T"])
    average = moments.mean(axis=(0, 1))
    return {
        "moments": {k: [float(average[i]), float(error[i])] for i, k in enumerate(names)},
        "second": [float(square.mean()), float(error[-1])],
        "second_of_reference": [of_exact.mean(), of_exact.std() / np.sqrt(len(of_exact))],
        "rhat": {"parameters": float(rhat["z"].max()), "moments": float(rhat["T"].max())},
        "ess": {"parameters": float(ess["z"].min()), "moments": float(ess["T"].min())},
        **extra,
        "chains": CHAINS,
        "warmup": warmup,
        "draws": draws,
        "seed": seed,
        "seconds": time.monotonic() - began,
        "versions": f"numpyro {numpyro.__version__}, JAX {jax.__version__}",
    }


def main() -> None:
    """Check the references asked for."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("names", nargs="+", choices=("rnn5", "rnn10"))
    parser.add_argument("--warmup", type=int, default=500)
    parser.add_argument("--draws", type=int, default=2_000, help="of each chain")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for name in given.names:
        found = checked(name, given.warmup, given.draws, given.seed)
        (REFERENCES / f"{name}_chains.json").write_text(json.dumps(found, indent=2) + "\n")
        print(name, found, flush=True)


if __name__ == "__main__":
    main()
