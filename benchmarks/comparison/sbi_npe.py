"""Neural posterior estimation with sbi: NPE in one round, TSNPE and SNPE-C in several."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import torch
from record import Stopwatch, read_target, write_record
from sbi.inference import NPE
from sbi.neural_nets import posterior_nn
from sbi.utils import BoxUniform, RestrictedPrior, get_density_thresholder
from simulator import Simulator

_SAMPLES = 10_000
_LEAKAGE_SAMPLES = 100_000  # for the share of the network's mass within the prior's bounds
_QUANTILE = 1e-4  # TSNPE: mass of the estimate that truncation cuts off, the paper's choice


def main() -> None:
    """Train once and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="of the record")
    parser.add_argument("--algorithm", choices=["npe", "tsnpe", "snpe_c"], default="npe")
    parser.add_argument("--estimator", default="nsf", help="sbi's name of the density estimator")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--simulations", type=int, default=20_000, help="in each round")
    parser.add_argument("--batch", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=100, help="at most, in each round")
    parser.add_argument("--seed", type=int, default=1)
    settings = vars(parser.parse_args())
    name, seed = settings.pop("name"), settings.pop("seed")
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    simulator, target = Simulator(), read_target()
    watch = Stopwatch()
    posterior, epochs = _trained(simulator, target, **settings)
    draws = posterior.sample((_SAMPLES,), show_progress_bars=False)
    reading = watch.reading()
    exact = torch.tensor(target.z.values)
    leakage = {"num_rejection_samples": _LEAKAGE_SAMPLES}
    log_q = posterior.log_prob(torch.cat([draws, exact]), leakage_correction_params=leakage).numpy()
    inside = posterior.leakage_correction(posterior.default_x, _LEAKAGE_SAMPLES)
    attributes = {
        "simulations": simulator.simulations,
        **reading,
        "simulation_s": simulator.seconds,
        "epochs": epochs,
        "acceptance": float(inside),
    }
    write_record(
        name, seed, draws.numpy(), simulator(draws.numpy()),
        packages=["sbi", "torch", "numpy"],
        attributes=attributes, settings=settings,
        extra={"log_q": ("sample", log_q[:_SAMPLES]), "log_q_exact": ("exact", log_q[_SAMPLES:])},
    )  # fmt: skip


def _trained(
    simulator: Simulator,
    target: Any,
    algorithm: str,
    estimator: str,
    rounds: int,
    simulations: int,
    batch: int,
    epochs: int,
) -> tuple[Any, list[int]]:
    """The posterior after the last round, and how many epochs each round was trained."""
    low, high = torch.tensor(target.bounds.values.T, dtype=torch.float32)
    prior = BoxUniform(low, high)
    network = posterior_nn(estimator)
    inference = NPE(prior, density_estimator=network, show_progress_bars=False)
    observed = torch.tensor([[target.observed]], dtype=torch.float32)
    proposal: Any = prior
    for _ in range(rounds):
        theta = proposal.sample((simulations,))
        x = torch.tensor(np.array(simulator(theta.numpy())), dtype=torch.float32)[:, None]
        x += target.noise_sd * torch.randn_like(x)
        if algorithm == "snpe_c":
            inference.append_simulations(theta, x, proposal=proposal)
        else:
            inference.append_simulations(theta, x)
        inference.train(
            training_batch_size=batch,
            max_num_epochs=epochs,
            force_first_round_loss=algorithm == "tsnpe",
        )
        posterior = inference.build_posterior().set_default_x(observed)
        if algorithm == "tsnpe":
            accept = get_density_thresholder(
                posterior, quantile=_QUANTILE, num_samples_to_estimate_support=_LEAKAGE_SAMPLES
            )
            proposal = RestrictedPrior(prior, accept, sample_with="rejection")
        else:
            proposal = posterior
    return posterior, inference.summary["epochs_trained"]


if __name__ == "__main__":
    main()
