"""NPE, TSNPE and FMPE of sbi with data clipped about the observation, trained until sbi stops.

Parameters are y = probit((z - low) / (high - low)), in which the uniform prior is the standard
Gaussian: a network has no mass outside of the box then. Data are u = (x - observed) / noise sd,
clipped. Without that most of the box, which is silent, lies far from what was observed, and the
network spends itself on the difference.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch
import xarray as xr
from record import Stopwatch, read_target, write_record
from sbi.inference import FMPE, NPE
from sbi.neural_nets import posterior_nn
from sbi.utils import RestrictedPrior, get_density_thresholder
from scipy.special import ndtr, ndtri
from simulator import Simulator
from torch.distributions import MultivariateNormal

_SAMPLES = 10_000
_QUANTILE = 1e-4  # TSNPE: mass of the estimate that truncation cuts off, the paper's choice
_SUPPORT = 100_000  # samples from which that threshold is taken


class _Task:
    """Prior and simulations in the network's coordinates."""

    def __init__(self, simulator: Simulator, target: xr.Dataset, clip: float) -> None:
        self._simulator, self._target, self._clip = simulator, target, clip
        self._low, self._high = target.bounds.values.T
        self.prior = MultivariateNormal(torch.zeros(2), torch.eye(2))
        self.observed = torch.zeros(1, 1)

    def z(self, y: torch.Tensor) -> np.ndarray:
        """(n, 2) conductances in nS, as the record keeps them."""
        z = self._low + (self._high - self._low) * ndtr(y.numpy().astype(float))
        return z.astype(np.float32)

    def y(self, z: np.ndarray) -> torch.Tensor:
        """The coordinates of conductances."""
        share = (np.asarray(z, float) - self._low) / (self._high - self._low)
        return torch.tensor(ndtri(share), dtype=torch.float32)

    def data(self, y: torch.Tensor) -> torch.Tensor:
        """(n, 1) clipped frequencies with noise; what was observed is 0."""
        u = (self._simulator(self.z(y)) - self._target.observed) / self._target.noise_sd
        u = torch.tensor(u, dtype=torch.float32)[:, None]
        return (u + torch.randn_like(u)).clip(-self._clip, self._clip)

    def log_density(self, posterior: Any, y: torch.Tensor) -> np.ndarray:
        """(n,) of the network as a density of z, nats per nS^2."""
        log_volume = float(np.log(self._high - self._low).sum())
        with torch.no_grad():
            log_q = posterior.log_prob(y) - self.prior.log_prob(y)
        return log_q.numpy().astype(float) - log_volume


def _limited(trainer: type, limit: float) -> type:
    """The trainer, which also stops, with its best weights, after `limit` seconds of processor."""

    class Limited(trainer):  # type: ignore[misc]
        stopped_by_limit = False

        def _converged(self, epoch: int, stop_after_epochs: int) -> bool:
            own = bool(super()._converged(epoch, stop_after_epochs))
            late = time.process_time() > limit
            if late and not own:
                self.stopped_by_limit = True
                self._neural_net.load_state_dict(self._best_model_state_dict)
            return own or late

    return Limited


def _trained(task: _Task, settings: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The posterior after the last round, and how the training ended."""
    trainer = FMPE if settings["algorithm"] == "fmpe" else NPE
    limited = _limited(trainer, time.process_time() + settings["limit_s"])
    if settings["algorithm"] == "fmpe":
        inference = limited(task.prior, show_progress_bars=False)
    else:
        network = posterior_nn("nsf")
        inference = limited(task.prior, density_estimator=network, show_progress_bars=False)
    proposal: Any = task.prior
    for _ in range(settings["rounds"]):
        y = proposal.sample((settings["simulations"],))
        inference.append_simulations(y, task.data(y))
        inference.train(
            training_batch_size=settings["batch"],
            learning_rate=settings["rate"],
            force_first_round_loss=settings["rounds"] > 1,
        )
        posterior = inference.build_posterior().set_default_x(task.observed)
        if settings["rounds"] > 1:
            accept = get_density_thresholder(posterior, _QUANTILE, _SUPPORT)
            proposal = RestrictedPrior(task.prior, accept, sample_with="rejection")
    epochs = inference.summary["epochs_trained"]
    return posterior, {"epochs": epochs, "stopped_by_limit": int(inference.stopped_by_limit)}


def main() -> None:
    """Train once and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="of the record")
    parser.add_argument("--algorithm", choices=["npe", "tsnpe", "fmpe"], default="npe")
    parser.add_argument("--rounds", type=int, default=1, help="of TSNPE")
    parser.add_argument("--simulations", type=int, default=20_000, help="in each round")
    parser.add_argument("--batch", type=int, default=200)
    parser.add_argument("--rate", type=float, default=5e-4, help="of learning; sbi's own")
    parser.add_argument("--clip", type=float, default=5.0, help="of the data, noise sd")
    parser.add_argument("--limit-s", type=float, default=1e6, help="of training, processor time")
    parser.add_argument("--seed", type=int, default=1)
    settings = vars(parser.parse_args())
    name, seed = settings.pop("name"), settings.pop("seed")
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    np.random.seed(seed)
    simulator, target = Simulator(), read_target()
    task = _Task(simulator, target, settings["clip"])
    watch = Stopwatch()
    posterior, ended = _trained(task, settings)
    y = posterior.sample((_SAMPLES,), show_progress_bars=False)
    reading = watch.reading()
    counted = {"simulations": simulator.simulations, "simulation_s": simulator.seconds}
    z = task.z(y)
    write_record(
        name, seed, z, simulator(z),
        packages=["sbi", "torch", "numpy"],
        attributes=counted | reading | ended, settings=settings,
        extra={
            "log_q": ("sample", task.log_density(posterior, y)),
            "log_q_exact": ("exact", task.log_density(posterior, task.y(target.z.values))),
        },
    )  # fmt: skip


if __name__ == "__main__":
    main()
