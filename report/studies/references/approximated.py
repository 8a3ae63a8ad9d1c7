"""Larger networks of rank two by Markov chains alone: eta by stochastic approximation, then NUTS.

    python -m report.studies.references.approximated OUT 25

In rounds, chains say by a Newton step how the natural parameters must change; then long ones are
run from scattered starts, and weights of their draws make up for what is still lacking. Samples are
resampled from these, each as an image of a draw at random that has the same statistics
(`closed_forms.rank_two_image`). There is no entropy.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path

import arviz
import jax
import jax.numpy as jnp
import numpy as np
import numpyro
from numpyro.infer import MCMC, NUTS

from report.studies.references.closed_forms import rank_two, rank_two_image
from report.studies.references.long_chains import CHAINS, DEPTH, potential, scattered
from report.studies.references.uniform_references import natural, save, solve, standardised
from report.studies.references.weighing import Box, eta_error, network

# Steps of warm-up, draws of each chain, and the most that theta changes, in sd of the moments.
ROUNDS = ((300, 800, 1.0),)
STORED = {25: 2_400}  # samples
# Where to begin: after eight rounds of 150 to 1,000 draws that themselves began with theta =
# (4.5, -6.5, -1.5, 0), roughly known from importance sampling, and each moved it by 0.5 at most.
ROUGH = {25: (4.044, -5.073, -1.861, -0.316)}


def chains(
    theta: np.ndarray, problem: Box, start: np.ndarray, warmup: int, draws: int, seed: int
) -> tuple[np.ndarray, dict[str, float]]:
    """Draws (CHAINS, draws, d) of z in single precision, and what NUTS says of itself."""
    energy = partial(potential, jnp.asarray(theta, jnp.float32), problem)
    mcmc = MCMC(
        NUTS(potential_fn=energy, max_tree_depth=DEPTH),
        num_warmup=warmup, num_samples=draws, num_chains=CHAINS,
        chain_method="vectorized", progress_bar=False,
    )  # fmt: skip
    mcmc.run(
        jax.random.key(seed),
        init_params=jnp.asarray(start, jnp.float32),
        extra_fields=("diverging", "num_steps"),
    )
    extra = {k: float(np.mean(v)) for k, v in mcmc.get_extra_fields().items()}
    return np.tanh(np.asarray(mcmc.get_samples(group_by_chain=True))), extra


def stepped(theta: np.ndarray, moments: np.ndarray, most: float) -> np.ndarray:
    """Natural parameters after a Newton step, shortened if it is long."""
    spread = np.cov(moments.T) + 0.05 * np.eye(len(theta))  # growth may be 0 in all draws
    step = -np.linalg.solve(spread, moments.mean(axis=0))
    return np.asarray(theta + step * min(1, most / np.sqrt(step @ spread @ step)))


def make(N: int, draws: int, seed: int) -> dict[str, np.ndarray]:
    """The reference of a network: as `weighing.answer`, without entropy, with diagnostics."""
    problem, theta = network(N, 0, STORED[N]), np.array(ROUGH[N])
    generator = np.random.default_rng(seed)
    start = scattered(N, generator)
    for number, (warmup, count, most) in enumerate(ROUNDS):
        z, extra = chains(theta, problem, start, warmup, count, seed + number)
        start = np.arctanh(np.clip(z[:, -1], -0.999999, 0.999999))
        moments = standardised(problem, rank_two(z.reshape(-1, 4 * N)))
        print(N, number, theta, moments.mean(axis=0), extra, flush=True)
        theta = stepped(theta, moments, most)
    z, extra = chains(theta, problem, scattered(N, generator), 600, draws, seed + 100)
    moments = standardised(problem, rank_two(z.reshape(-1, 4 * N)))
    by_chain = arviz.convert_to_dataset({"z": z, "T": moments.reshape(CHAINS, draws, -1)})
    rhat, ess, mcse = (g(by_chain) for g in (arviz.rhat, arviz.ess, arviz.mcse))
    se = np.asarray(mcse["T"])
    # What theta still lacks, the weights of these draws make up.
    change = solve(moments)
    weight = np.exp(moments @ change)
    weight /= weight.sum()
    # The moments' covariance is the slope by which theta answers for an error of the moments.
    slope = np.linalg.inv(np.cov(moments.T, aweights=weight))
    noise = slope @ (np.corrcoef(moments.T) * np.outer(se, se)) @ slope
    ladder = (np.arange(problem.samples) + generator.random()) / problem.samples
    rung = np.minimum(np.searchsorted(np.cumsum(weight), ladder), len(weight) - 1)
    image = rank_two_image(generator.permutation(z.reshape(-1, 4 * N)[rung]), generator)
    found = natural(problem, theta + change, np.nan)
    del found["entropy"], found["log_z"]
    return found | {
        "z": image,
        "statistics": rank_two(image).astype(np.float32),
        "eta_se": eta_error(problem, noise),
        "chain_theta": theta,
        "chain_moments": moments.mean(axis=0),
        "weight_ess": np.asarray(1 / (weight**2).sum()),
        "chain_moments_se": se,
        "rhat": np.array([float(rhat[k].max()) for k in ("z", "T")]),
        "chain_ess": np.array([float(ess[k].min()) for k in ("z", "T")]),
        "draws": np.asarray(CHAINS * draws),
        **{k: np.asarray(v) for k, v in extra.items()},
        "second": np.asarray(weight @ (z**2).mean(axis=2).ravel()),
    }


def main() -> None:
    """Run the chains asked for."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of the results")
    parser.add_argument("neurons", type=int, choices=STORED)
    parser.add_argument("--draws", type=int, default=3_000, help="of each chain")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.monotonic()
    found = make(given.neurons, given.draws, given.seed)
    found |= {
        "seed": np.asarray(given.seed),
        "seconds": np.asarray(time.monotonic() - began),
        "versions": np.asarray(f"numpyro {numpyro.__version__}, JAX {jax.__version__}"),
    }
    save(given.out / f"rnn{given.neurons}.npz", found)
    print({k: v.tolist() for k, v in found.items() if v.size < 5}, flush=True)


if __name__ == "__main__":
    main()
