"""Networks of rank two by long Markov chains: numpyro's NUTS, with statistics written in JAX.

    python -m report.studies.references.long_chains OUT rnn10 rnn25

The density is exp(theta.moments) on the part of the box where amplification is below `LIMIT`; z is
the tanh of what the chains move in. In rounds, chains say how the natural parameters must change;
then long ones are run from scattered starts. The draws that are stored are thinned, and each is
replaced by an image of it at random with the same statistics (`closed_forms.rank_two_image`).
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path
from typing import Any

import arviz
import jax
import jax.numpy as jnp
import numpy as np
import numpyro
from jax.typing import ArrayLike
from numpyro.infer import MCMC, NUTS

from report.studies.references.closed_forms import rank_two, rank_two_image
from report.studies.references.uniform_references import natural, save, standardised
from report.studies.references.weighing import Box, eta_error, network

LIMIT = 3.5  # of amplification, eight target sd above its target
CHAINS = 8
DEPTH = 7  # of a tree: at most 127 steps
ROUNDS = ((300, 150), (100, 200), (100, 400), (100, 600))  # steps of warm-up, draws
STORED = {10: 5_500, 25: 2_400}  # samples
# Natural parameters to begin with, by importance sampling with few effective draws.
ROUGH = {10: (0.6, -0.9, -0.6, -0.3), 25: (4.6, -6.8, -1.35, 0.2)}


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
    return jnp.where(f[1] < LIMIT, -log_p - volume, jnp.inf)


def scattered(N: int, generator: np.random.Generator) -> np.ndarray:
    """(CHAINS, 4 N) starts: U and V of all ratios of scale, amplification between 1 and 2."""
    z = generator.uniform(-1, 1, (CHAINS, 4 * N))
    wanted = generator.uniform(1, 2, CHAINS) / rank_two(z)[:, 1]
    most = np.maximum(wanted, 1)  # where the box must be left to reach what is wanted, it is not
    for_U = (wanted / most) ** generator.uniform(0.1, 0.9, CHAINS)
    z[:, : 2 * N] *= for_U[:, None]
    z[:, 2 * N :] *= (wanted / most / for_U)[:, None]
    return np.arctanh(z)


def chains(
    theta: np.ndarray,
    problem: Box,
    start: np.ndarray,
    warmup: int,
    draws: int,
    thin: int,
    seed: int,
) -> tuple[np.ndarray, dict[str, float]]:
    """Draws (CHAINS, draws / thin, d) of z in single precision, and what NUTS says of itself."""
    kernel = NUTS(
        potential_fn=partial(potential, jnp.asarray(theta, jnp.float32), problem),
        max_tree_depth=DEPTH,
    )
    mcmc = MCMC(
        kernel, num_warmup=warmup, num_samples=draws, thinning=thin, num_chains=CHAINS,
        chain_method="vectorized", progress_bar=False,
    )  # fmt: skip
    mcmc.run(
        jax.random.key(seed),
        init_params=jnp.asarray(start, jnp.float32),
        extra_fields=("diverging", "num_steps", "accept_prob"),
    )
    extra = {k: float(np.mean(v)) for k, v in mcmc.get_extra_fields(group_by_chain=True).items()}
    return np.tanh(np.asarray(mcmc.get_samples(group_by_chain=True))), extra


def stepped(theta: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Natural parameters after a Newton step, of at most 1 in units of the moments' spread."""
    spread = np.cov(moments.T) + 1e-3 * np.eye(len(theta))  # growth may be 0 in all draws
    step = -np.linalg.solve(spread, moments.mean(axis=0))
    size = np.sqrt(step @ spread @ step)
    return np.asarray(theta + step * min(1, 1 / size))


def make(N: int, draws: int, thin: int, seed: int) -> dict[str, np.ndarray]:
    """The reference of a network: as `weighing.answer`, but without entropy, and diagnostics."""
    problem = network(N, 0, STORED[N])
    generator = np.random.default_rng(seed)
    theta = np.array(ROUGH[N])
    start = scattered(N, generator)
    for number, (warmup, count) in enumerate(ROUNDS):
        z, extra = chains(theta, problem, start, warmup, count, 1, seed + number)
        start = np.arctanh(z[:, -1])
        moments = standardised(problem, rank_two(z.reshape(-1, 4 * N)))
        theta = stepped(theta, moments)
        print(N, number, theta, moments.mean(axis=0), extra, flush=True)
    z, extra = chains(theta, problem, scattered(N, generator), 500, draws, thin, seed + 100)
    f = rank_two(z.reshape(-1, 4 * N))
    moments = standardised(problem, f)
    by_chain = arviz.convert_to_dataset({"z": z, "T": moments.reshape(*z.shape[:2], -1)})
    rhat, ess, mcse = (g(by_chain) for g in (arviz.rhat, arviz.ess, arviz.mcse))
    se = np.asarray(mcse["T"])
    chosen = np.linspace(0, len(f) - 1, min(len(f), problem.samples)).round().astype(int)
    flat = generator.permutation(z.reshape(-1, 4 * N)[chosen])
    image = rank_two_image(flat, generator)
    # The moments' covariance is the slope by which theta answers for an error of the moments.
    slope = np.linalg.inv(np.cov(moments.T))
    noise = slope @ (np.corrcoef(moments.T) * np.outer(se, se)) @ slope
    found = natural(problem, theta, np.nan)
    del found["entropy"], found["log_z"]
    return found | {
        "z": image,
        "statistics": rank_two(image).astype(np.float32),
        "eta_se": eta_error(problem, noise),
        "limit": np.asarray(LIMIT),
        "moments": moments.mean(axis=0),
        "moments_se": se,
        "rhat": np.array([float(rhat[k].max()) for k in ("z", "T")]),
        "ess": np.array([float(ess[k].min()) for k in ("z", "T")]),
        "draws": np.asarray(CHAINS * draws),
        "diverging": np.asarray(extra["diverging"]),
        "steps": np.asarray(extra["num_steps"]),
        "mean": z.reshape(-1, 4 * N).mean(axis=0),
        "sd": z.reshape(-1, 4 * N).std(axis=0),
        "highest": np.asarray(f[:, 1].max()),
    }


def main() -> None:
    """Run the chains asked for."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of the results")
    parser.add_argument("neurons", type=int, choices=STORED)
    parser.add_argument("--draws", type=int, default=10_000, help="of each chain")
    parser.add_argument("--thin", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.monotonic()
    found = make(given.neurons, given.draws, given.thin, given.seed)
    found |= {
        "seed": np.asarray(given.seed),
        "seconds": np.asarray(time.monotonic() - began),
        "versions": np.asarray(f"numpyro {numpyro.__version__}, JAX {jax.__version__}"),
    }
    save(given.out / f"rnn{given.neurons}_chains.npz", found)
    print({k: v.tolist() for k, v in found.items() if v.size < 5}, flush=True)


if __name__ == "__main__":
    main()
