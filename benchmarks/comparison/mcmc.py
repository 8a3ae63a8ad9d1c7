"""Markov chains with numpyro's samplers on `exact.model`."""

from __future__ import annotations

import argparse
from typing import Any

import jax
import numpy as np
from numpyro.infer import AIES, MCMC, NUTS, SA, init_to_sample
from record import Stopwatch, write_record
from target import exact_answer

KERNELS = {"nuts": NUTS, "aies": AIES, "sa": SA}
_POINTS = 50  # of each chain's state in sample adaptive MCMC


def simulations(kernel: str, chains: int, steps: int, leapfrogs: int) -> int:
    """How many simulations the sampler asked for; one with both its tangents counts as one.

    Every chain evaluates its start once. Then NUTS evaluates every leapfrog step; AIES evaluates
    the proposal and, once more, the present point; SA the points of its state, then a proposal.
    """
    each = {"nuts": 0, "aies": 2 * steps, "sa": _POINTS + steps}[kernel]
    return chains * (1 + each) + leapfrogs


def main() -> None:
    """Sample once and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="of the record")
    parser.add_argument("--kernel", choices=KERNELS, default="nuts")
    parser.add_argument("--chains", type=int, default=200)
    parser.add_argument("--warmup", type=int, default=150)
    parser.add_argument("--kept", type=int, default=50, help="of each chain")
    parser.add_argument("--thinning", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    settings = vars(parser.parse_args())
    name, seed = settings.pop("name"), settings.pop("seed")
    jax.config.update("jax_enable_x64", True)
    exact = exact_answer()
    watch = Stopwatch()
    z, leapfrogs = _sampled(exact.model, seed, **settings)
    steps = settings["warmup"] + settings["kept"] * settings["thinning"]
    count = simulations(settings["kernel"], settings["chains"], steps, leapfrogs)
    chain = np.repeat(np.arange(settings["chains"], dtype=np.int16), settings["kept"])
    attributes = {"simulations": count, **watch.reading()}
    write_record(
        name, seed, z, exact.moments(z)[:, 0],
        packages=["dsnlib", "numpyro", "jax", "jaxlib", "numpy"],
        attributes=attributes, settings=settings, extra={"chain": ("sample", chain)},
    )  # fmt: skip


def _sampled(
    model: Any, seed: int, kernel: str, chains: int, warmup: int, kept: int, thinning: int
) -> tuple[np.ndarray, int]:
    """(chains kept, 2) samples, chain by chain, and NUTS' leapfrog steps, those of warm-up too."""
    options = {"adapt_state_size": _POINTS} if kernel == "sa" else {}
    sampler = MCMC(
        KERNELS[kernel](model, init_strategy=init_to_sample, **options),
        num_warmup=warmup, num_samples=kept * thinning, thinning=thinning, num_chains=chains,
        # SA of numpyro 0.22 gives all chains of one program the same start, and fails.
        chain_method="sequential" if kernel == "sa" else "vectorized", progress_bar=False,
    )  # fmt: skip
    fields = ("num_steps",) if kernel == "nuts" else ()
    sampler.warmup(jax.random.key(seed), collect_warmup=True, extra_fields=fields)
    leapfrogs = _leapfrogs(sampler)
    sampler.run(sampler.post_warmup_state.rng_key, extra_fields=fields)
    z = np.asarray(sampler.get_samples(group_by_chain=True)["z"]).reshape(-1, 2)
    return z, leapfrogs + _leapfrogs(sampler)


def _leapfrogs(sampler: MCMC) -> int:
    return int(sum(np.sum(field) for field in sampler.get_extra_fields().values()))


if __name__ == "__main__":
    main()
