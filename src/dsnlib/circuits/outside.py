"""Calls of simulators that are not written in JAX: rows, batches, processes, failures."""

from __future__ import annotations

import os
import signal
import threading
import time
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import joblib
import numpy as np

from dsnlib import _check
from dsnlib.circuits.base import Circuit

_PARTS = 4  # of the rows, for each process: one that is done early takes another part


class Outside(Circuit):
    """What circuits with and without noise share: rows in, statistics or NaN out."""

    simulate: Any
    simulate_batch: Any
    processes: int
    _defaults: ClassVar[tuple[Any, Any]]  # simulate and simulate_batch as they are undefined
    #: Rows that one call of `simulate_batch` is given at most. Whatever the number of processes,
    #: it is the same: last bits of vectorised code may depend on how many rows there are.
    most_rows: ClassVar[int] = 125

    @abstractmethod
    def _draws(self) -> Iterator[tuple[Any, ...]]:
        """For each time that a row is simulated, what the simulator is given beside z."""

    @abstractmethod
    def _summary(self, outcomes: np.ndarray) -> np.ndarray:
        """Statistics (n, columns) of the outcomes (draws, n, S)."""

    def configuration(self) -> dict[str, Any]:
        """The circuit's name and constants but for `processes`, which changes no number."""
        return {k: v for k, v in super().configuration().items() if k != "processes"}

    def evaluate(self, z: jax.Array) -> jax.Array:
        """Statistics of a batch, by a call of the simulator; see `Circuit.evaluate`."""
        # Where x64 mode is a context, JAX takes only single precision from a foreign function.
        shape = jax.ShapeDtypeStruct((len(z), len(self.columns)), np.float32)
        found = jax.pure_callback(self._computed, shape, z, vmap_method="expand_dims")
        return found.astype(z.dtype)  # type: ignore[no-any-return]

    def statistics(self, z: Any) -> jax.Array:
        """Statistics of a batch; see `Circuit.statistics`."""
        z = self.checked(z)
        if isinstance(z, jax.core.Tracer):
            return super().statistics(z)
        # Not through JAX, which turns Ctrl-C, and what is raised here, into an error of its own.
        found = jnp.asarray(self._computed(z), z.dtype)
        return jnp.where(self.allowed(z)[:, None], found, jnp.nan)

    def failure_at(self, z: Any) -> str | None:
        """Why the simulation of one set of parameters fails.

        Args:
            z: (P,) parameters, in the order and units of `parameters`.

        Returns:
            The exception, or the first statistic that is not finite, and where that was; None
            where the simulation works.

        Raises:
            TypeError, ValueError: z holds no numbers, has another shape or lies outside the bounds,
                or the simulator returns a wrong number of values.
        """
        row = np.asarray(self.checked(np.asarray(z)[None]), float)[0]
        with np.errstate(all="ignore"):
            reason = self._row(row)[1]
        return reason and f"{reason} at {self.shown(row)}"

    def _check_fields(self) -> None:
        object.__setattr__(self, "processes", _check.whole("processes", self.processes, at_least=1))
        if self._row_by_row and type(self).simulate is self._defaults[0]:
            raise TypeError(
                f"circuit must define simulate or simulate_batch, got {type(self).__name__} with "
                "neither; define one of them"
            )

    @property
    def _row_by_row(self) -> bool:
        return type(self).simulate_batch is self._defaults[1]

    def _computed(self, z: Any) -> np.ndarray:
        """Statistics (..., columns) in single precision of z (..., P)."""
        rows = np.array(z, float).reshape(-1, len(self.parameters))
        most = -(-len(rows) // (_PARTS * self.processes)) if self._row_by_row else self.most_rows
        parts = [rows[i : i + most] for i in range(0, len(rows), max(most, 1))] or [rows]
        if self.processes == 1 or len(parts) == 1:
            found = [self._part(part) for part in parts]
        else:
            workers = joblib.Parallel(
                self.processes,
                "loky",
                max_nbytes=None,
                initializer=_begin_worker,
                initargs=(os.getpid(),),
            )
            found = workers(joblib.delayed(self._part)(part) for part in parts)
        return np.concatenate(found).reshape(*np.shape(z)[:-1], len(self.columns))

    # What is not finite counts as failed. NumPy neither warns of it nor raises, whatever its
    # settings are in this process.
    @np.errstate(all="ignore")
    def _part(self, z: np.ndarray) -> np.ndarray:
        """Statistics (n, columns) in single precision of z (n, P), NaN where they fail."""
        found = None if self._row_by_row else self._together(z)
        if found is None:
            found = np.array([self._row(row)[0] for row in z]).reshape(len(z), len(self.columns))
        found = found.astype(np.float32)
        return np.where(np.isfinite(found), found, np.float32(np.nan))

    def _together(self, z: np.ndarray) -> np.ndarray | None:
        """Statistics (n, columns) from `simulate_batch`, or None where it raises an exception."""
        outcomes = []
        for draw in self._draws():
            try:
                result = self.simulate_batch(z.copy(), *draw)
            except Exception:
                return None
            outcomes.append(self._numbers(result, (len(z),)))
        return self._summary(np.array(outcomes))

    def _row(self, z: np.ndarray) -> tuple[np.ndarray, str | None]:
        """Statistics (columns,) of one row z (P,), and why it failed."""
        outcomes: list[np.ndarray] = []
        reason = None
        failed = np.full(len(self.columns), np.nan)
        simulate, rows = (self.simulate, ()) if self._row_by_row else (self.simulate_batch, (1,))
        for draw in self._draws():
            try:
                # A copy, for the next trial must meet the same z whatever this one writes into it.
                result = simulate(z.reshape(*rows, -1).copy(), *draw)
            except Exception as error:
                return failed, f"{type(error).__name__}: {error}"
            if result is None:
                return failed, "returned None"
            values = self._numbers(result, rows).reshape(1, -1)
            for statistic, value in zip(self.observables, values[0], strict=True):
                if reason is None and not np.isfinite(np.float32(value)):
                    reason = f"returned {value:g} for {statistic.name}"
            outcomes.append(values)
        return self._summary(np.array(outcomes))[0], reason

    def _numbers(self, result: Any, rows: tuple[int, ...]) -> np.ndarray:
        """What the simulator returned, as floats (*rows, S); ValueError where it is not that."""
        names = ", ".join(statistic.name for statistic in self.observables)
        S = len(self.observables)
        try:
            values = np.asarray(result)
            found = f"shape {values.shape}"
            if values.dtype.kind == "c":
                raise TypeError("complex numbers")
            values = values.astype(float)
        except (TypeError, ValueError) as error:  # words, a ragged list ...
            values, found = np.zeros((0, 0, 0)), f"{error}"
        if S == 1 and values.shape == rows:
            values = values[..., None]
        if values.shape != (*rows, S):
            text = " ".join(repr(result).split())
            raise ValueError(
                f"{type(self).__name__}.{'simulate_batch' if rows else 'simulate'} must return "
                f"shape {(*rows, S)}, a number for each of ({names}), got "
                f"{text if len(text) <= 80 else text[:77] + '...'} ({found}); return what "
                "`observables` lists"
            )
        return values


def _begin_worker(parent: int) -> None:
    # Ctrl-C reaches all processes of a terminal: what happens then, the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process soon after its parent, which may be killed and can tell nobody."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
