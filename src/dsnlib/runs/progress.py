"""Progress of training, on a terminal or in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple

from tqdm.auto import tqdm

from dsnlib.training.history import History


class Report(NamedTuple):
    """Where a training stands, in words."""

    done: int  # iterations
    title: str
    detail: str = ""
    line: str = ""  # that stays on the screen


class Progress:
    """A bar over all iterations, with rate, time left and what the method of training reports.

    Args:
        total: number of iterations.
        report: words for a state and a history.
        name: of the run.
        done: iterations that earlier sessions did.
    """

    def __init__(
        self, total: int, report: Callable[[Any, History], Report], name: str, done: int = 0
    ) -> None:
        self._report, self._name = report, name
        self._bar = tqdm(total=total, initial=done, unit="it", desc=f"{name}: start")
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
        self._bar.set_description(f"{self._name}: initial fit", refresh=False)
        self._bar.set_postfix_str(f"iteration {iteration}, KL {kl:.4f} nat")

    def update(self, state: Any, history: History) -> None:
        """Report the state after a block of iterations or an epoch's end."""
        if not self._training:  # the rate is that of training, without the fit before it
            self._bar.unpause()
            self._training = True
        report = self._report(state, history)
        if report.line:
            self._bar.write(f"{self._name}: {report.line}", file=sys.stderr)
        self._bar.set_description(f"{self._name}: {report.title}", refresh=False)
        self._bar.set_postfix_str(report.detail, refresh=False)
        self._bar.update(report.done - self._bar.n)
