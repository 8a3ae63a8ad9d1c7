"""Progress of a run, on a terminal or in a notebook."""

from __future__ import annotations

import sys
from types import TracebackType

from tqdm.auto import tqdm

from dsnlib.methods import Report


class Progress:
    """A bar with rate, time left and what the method reports.

    Args:
        name: of the run.
        report: where it stands.
    """

    def __init__(self, name: str, report: Report) -> None:
        self._name = name
        title = f"{name}: {report.title}"
        self._bar = tqdm(total=report.total, initial=report.done, unit="it", desc=title)
        self._moved = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def show(self, report: Report) -> None:
        """Show where the run stands."""
        if report.done > self._bar.n and not self._moved:  # the rate is that of the bar's steps
            self._bar.unpause()
            self._moved = True
        if report.line:
            self._bar.write(f"{self._name}: {report.line}", file=sys.stderr)
        self._bar.set_description(f"{self._name}: {report.title}", refresh=False)
        self._bar.set_postfix_str(report.detail, refresh=False)
        self._bar.update(report.done - self._bar.n)

    def end(self, text: str) -> None:
        """Show the last words, which stay on the screen."""
        self._bar.write(text, file=sys.stderr)
