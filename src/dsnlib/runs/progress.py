"""Progress of training, on a terminal or in a notebook."""

from __future__ import annotations

import sys
from types import TracebackType

import numpy as np
from tqdm.auto import tqdm

from dsnlib.training.history import History, record_row
from dsnlib.training.lagrangian import State
from dsnlib.training.problem import Problem


class Progress:
    """A bar over all iterations, with rate, time left, entropy H and violation |R|.

    Args:
        problem: what is trained.
        name: of the run.
        done: iterations that earlier sessions did.
    """

    def __init__(self, problem: Problem, name: str, done: int = 0) -> None:
        self._problem = problem
        self._name = name
        settings = problem.settings
        self._bar = tqdm(
            total=settings.epochs * settings.iterations,
            initial=done,
            unit="it",
            desc=f"{name}: initial fit",
        )
        self._training = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def initial_fit(self, iteration: int, kl: float) -> None:
        """Report a window of the initial fit: iterations done and mean KL in nats."""
        self._bar.set_postfix_str(f"iteration {iteration}, KL {kl:.4f} nat")

    def update(self, state: State, history: History) -> None:
        """Report the state after a block of iterations or an epoch's end."""
        if not self._training:  # the rate is that of training, without the fit before it
            self._bar.unpause()
            self._training = True
        settings = self._problem.settings
        done = state.epoch * settings.iterations + state.iteration
        if state.iteration == 0:
            line = f"{self._name}: {_epoch_line(state.epoch - 1, history)}"
            self._bar.write(line, file=sys.stderr)
        else:
            row = record_row(settings.iterations, state.epoch, state.iteration - 1)
            R = history["statistic_mean"][row] - self._problem.prop.mu
            self._bar.set_description(
                f"{self._name}: epoch {state.epoch + 1}/{settings.epochs}", refresh=False
            )
            self._bar.set_postfix_str(
                f"H {history['entropy'][row]:.3f} nat, |R| {np.linalg.norm(R):.2e}", refresh=False
            )
        self._bar.update(done - self._bar.n)


def _epoch_line(epoch: int, history: History) -> str:
    p = ", ".join(f"{value:.3g}" for value in history["p_value"][epoch])
    return (
        f"epoch {epoch + 1} done: c {history['c'][epoch]:g}, "
        f"H {-history['log_q'][epoch + 1].mean():.3f} nat, "
        f"|R| {history['violation_end'][epoch].mean():.2e}, p ({p}), "
        f"{history['skipped_steps'][epoch]:.0f} steps skipped"
    )
