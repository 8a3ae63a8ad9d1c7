"""NPE and TSNPE of sbi, with their samples simulated again and weighted by p*/q.

Parameters are y = probit(z / upper), in which the uniform prior is the standard Gaussian: a network
has no mass outside of the box then. Data are u = (f - observed) / noise sd, clipped. Without that
the silent circuits, most of the box, are outliers that the network spends itself on.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from problem import Problem, load
from record import Stopwatch, arguments_of, finish
from sbi.inference import NPE
from sbi.neural_nets import posterior_nn
from sbi.utils import RestrictedPrior, get_density_thresholder
from scipy.special import logsumexp, ndtr
from simulator import Simulator
from torch.distributions import Categorical, MultivariateNormal

_QUANTILE = 1e-4  # TSNPE: mass of the estimate that truncation cuts off, the paper's choice
_SUPPORT = 20_000  # samples from which that threshold is taken
_REJECTION = 0.01  # share of the prior's draws in the region from which on rejection is used
_GROUPS, _OVERSAMPLING = 1_000, 32  # importance resampling takes one of so many


class _Task:
    """Simulations in the network's coordinates."""

    def __init__(self, problem: Problem, clip: float) -> None:
        self.simulator, self.problem, self._clip = Simulator(problem), problem, clip
        d = len(problem.upper)
        self.prior = MultivariateNormal(torch.zeros(d), torch.eye(d))

    def z(self, y: torch.Tensor) -> np.ndarray:
        """(n, d) conductances in nS."""
        return np.asarray(ndtr(y.numpy().astype(float)) * self.problem.upper, np.float32)

    def data(self, y: torch.Tensor) -> torch.Tensor:
        """(n, S) clipped statistics with noise; what was observed is 0."""
        observed, sd = self.problem.observed
        u = torch.tensor((self.simulator(self.z(y)) - observed) / sd, dtype=torch.float32)
        return (u + torch.randn_like(u)).clip(-self._clip, self._clip)


class _Timed(NPE):  # type: ignore[misc]
    """NPE whose training ends, with its best weights, when the time that it has is over."""

    deadline = np.inf

    def _converged(self, epoch: int, stop_after_epochs: int) -> bool:
        late = time.perf_counter() > self.deadline
        return bool(super()._converged(epoch, 0 if late else stop_after_epochs))


def _trained(task: _Task, settings: dict[str, Any]) -> tuple[Any, list[int]]:
    """The posterior after the last round, and how many epochs each round was trained."""
    network = posterior_nn("nsf", hidden_features=settings["hidden"])
    inference = _Timed(task.prior, density_estimator=network, show_progress_bars=False)
    observed = torch.zeros(1, len(task.problem.observe))
    y, counts = task.prior.sample((settings["simulations"][0],)), settings["simulations"]
    for last, count in enumerate(np.cumsum(counts)):
        inference.append_simulations(y, task.data(y))
        share = count / np.cumsum(counts).sum()
        inference.deadline = time.perf_counter() + settings["budget_s"] * share
        inference.train(
            training_batch_size=settings["batch"],
            learning_rate=settings["rate"],
            stop_after_epochs=settings["patience"],
            max_num_epochs=settings["epochs"],
            force_first_round_loss=len(counts) > 1,
        )
        posterior = inference.build_posterior().set_default_x(observed)
        if last + 1 < len(counts):
            y = _restricted(task, posterior, counts[last + 1])
    return posterior, inference.summary["epochs_trained"]


def _restricted(task: _Task, posterior: Any, count: int) -> torch.Tensor:
    """Draws of the prior within the estimate's region of highest density.

    By rejection where a hundredth of the prior's draws lie there, else by importance resampling
    of the estimate's own draws, as TSNPE's authors do.
    """
    accept = get_density_thresholder(posterior, _QUANTILE, _SUPPORT)
    with torch.no_grad():
        share = float(accept(task.prior.sample((_SUPPORT,))).float().mean())
        print("the region holds", share, "of the prior", flush=True)
        if share > _REJECTION:
            proposal = RestrictedPrior(task.prior, accept, sample_with="rejection")
            return proposal.sample((count,))
        # sbi's own resampling would take the prior to be flat.
        chosen = []
        for _ in range(0, count, _GROUPS):
            y = posterior.sample((_GROUPS * _OVERSAMPLING,), show_progress_bars=False)
            log_weight = task.prior.log_prob(y) - posterior.log_prob(y)
            log_weight[~accept(y)] = -torch.inf
            pick = Categorical(logits=log_weight.reshape(_GROUPS, _OVERSAMPLING)).sample()
            chosen.append(y.reshape(_GROUPS, _OVERSAMPLING, -1)[torch.arange(_GROUPS), pick])
    return torch.cat(chosen)[:count]


def main() -> None:
    """Train once, draw, weight and write the record."""
    parser = arguments_of(__doc__)
    parser.add_argument("--simulations", type=int, nargs="+", default=[200_000], help="by round")
    parser.add_argument("--draws", type=int, default=200_000, help="of the network at the end")
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--epochs", type=int, default=200, help="at most, in each round")
    parser.add_argument("--patience", type=int, default=20, help="epochs without gain")
    parser.add_argument("--hidden", type=int, default=50)
    parser.add_argument("--clip", type=float, default=20.0, help="of the data, noise sd")
    parser.add_argument("--budget-s", type=float, default=480, help="of training in all rounds")
    arguments = parser.parse_args()
    settings = vars(arguments).copy()
    for name in ("problem", "name", "seed", "out"):
        settings.pop(name)
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    np.random.seed(arguments.seed)
    task = _Task(load(arguments.problem), arguments.clip)
    watch = Stopwatch()
    posterior, epochs = _trained(task, settings)
    trained = watch.reading(task.simulator)
    parts = [posterior.sample((10_000,), show_progress_bars=False)
             for _ in range(arguments.draws // 10_000)]  # fmt: skip
    y = torch.cat(parts)
    with torch.no_grad():
        log_q = torch.cat([posterior.log_prob(part) for part in parts]).numpy().astype(float)
    z = task.z(y)
    statistics = task.simulator(z)
    log_p = task.problem.log_likelihood(statistics) + task.prior.log_prob(y).numpy()
    log_weight = log_p - log_q
    figures = watch.reading(task.simulator) | {
        "epochs": epochs,
        "training_wall_s": trained["wall_s"],
        "training_simulations": trained["simulations"],
    }
    finish(
        arguments, task.problem, z, statistics, np.exp(log_weight - log_weight.max()),
        packages=["sbi", "torch", "numpy"], settings=settings, figures=figures,
        log_mean=logsumexp(log_weight) - np.log(len(log_weight)),
    )  # fmt: skip


if __name__ == "__main__":
    main()
