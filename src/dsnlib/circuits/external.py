"""Circuits whose simulators are not written in JAX: NumPy in, numbers out."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from dsnlib.circuits.outside import Outside
from dsnlib.circuits.stochastic import StochasticCircuit


@dataclasses.dataclass(frozen=True)
class ExternalCircuit(Outside):
    """A circuit whose simulator is not written in JAX: any code that takes NumPy.

    To add one, write a frozen dataclass that inherits from this one, with `parameters`,
    `observables` and either `simulate` or, for vectorised code, `simulate_batch` (which counts
    where there are both). A simulation that raises an exception, or returns something that is not
    finite, has failed: its statistics are NaN, and the run goes on and counts it. Methods that need
    a derivative refuse such a circuit.

    The simulator must be deterministic; one with noise inherits from `ExternalStochasticCircuit`.

    Args:
        processes: over which simulations are spread; numbers do not depend on it. Other processes
            import the circuit's module anew, and do not see what was changed in it since.

    Raises:
        TypeError, ValueError: processes not whole or below 1, neither function defined.

    Example:
        >>> from dsnlib import Parameter, Statistic
        >>> @dataclasses.dataclass(frozen=True)
        ... class Pendulum(ExternalCircuit):
        ...     parameters = (Parameter("length", "m", 0, 2),)
        ...     observables = (Statistic("frequency", "Hz"),)
        ...     def simulate(self, z):
        ...         return np.sqrt(9.81 / float(z[0])) / (2 * np.pi)
        >>> np.asarray(Pendulum().statistics([[1.0], [0.0]])).round(3)
        array([[0.498],
               [  nan]], dtype=float32)
        >>> Pendulum().failure_at([0.0])
        'ZeroDivisionError: float division by zero at length=0'
    """

    processes: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_fields()

    def simulate(self, z: np.ndarray) -> Any:
        """Statistics of one set of parameters.

        Args:
            z: (P,) parameters within their bounds, in the order and units of `parameters`; float64.

        Returns:
            (S,) statistics in the order of `observables`, or a float where there is one.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no simulate")

    def simulate_batch(self, z: np.ndarray) -> Any:
        """Statistics of several sets of parameters; by default one after the other.

        Args:
            z: (n, P) parameters, as in `simulate`; n is at most `most_rows`.

        Returns:
            (n, S) statistics, row i depending on z[i] alone.
        """
        return np.array([self._numbers(self.simulate(row), ()) for row in z])

    _defaults = (simulate, simulate_batch)

    def _draws(self) -> Iterator[tuple[Any, ...]]:
        yield ()

    def _summary(self, outcomes: np.ndarray) -> np.ndarray:
        return outcomes[0]


@dataclasses.dataclass(frozen=True)
class ExternalStochasticCircuit(Outside, StochasticCircuit):
    """A circuit with noise whose simulator is not written in JAX.

    As `ExternalCircuit`, but `simulate` and `simulate_batch` are also given the random numbers of
    the trial, and the statistics are means over the trials. In trial k every set of parameters
    meets the same ones, numpy.random.default_rng([noise, k]), as `StochasticCircuit` explains; so
    the simulator must draw nothing from elsewhere. A row fails where one of its trials does.

    Args:
        trials: number of trials over which the statistics are averaged.
        noise: seed of their random numbers; recorded with the run, as all constants are.
        processes: as in `ExternalCircuit`.

    Raises:
        TypeError, ValueError: trials or processes not whole or below 1, noise not a whole number
            from 0, neither function defined.

    Example:
        >>> from dsnlib import Parameter, Statistic
        >>> @dataclasses.dataclass(frozen=True)
        ... class Spikes(ExternalStochasticCircuit):
        ...     parameters = (Parameter("rate", "Hz", 0, 10),)
        ...     observables = (Statistic("count", "1"),)
        ...     def simulate(self, z, rng):
        ...         return rng.poisson(z[0])
        >>> count = Spikes(trials=400).statistics([[2.0]])[0, 0]
        >>> bool(abs(count - 2) < 4 * (2 / 400) ** 0.5)
        True
    """

    processes: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_fields()

    def simulate(self, z: np.ndarray, rng: np.random.Generator) -> Any:
        """Outcome of one trial with one set of parameters.

        Args:
            z: (P,) parameters within their bounds, in the order and units of `parameters`; float64.
            rng: the trial's random numbers.

        Returns:
            (S,) the trial's contribution to the statistics, in the order of `observables`, or a
            float where there is one.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no simulate")

    def simulate_batch(self, z: np.ndarray, rng: np.random.Generator) -> Any:
        """Outcomes of one trial with several sets of parameters; by default one after the other.

        Args:
            z: (n, P) parameters, as in `simulate`; n is at most `most_rows`.
            rng: the trial's random numbers. What is drawn must not depend on n: one draw for all
                rows.

        Returns:
            (n, S) outcomes, row i depending on z[i] and the random numbers alone.
        """
        return np.array([self._numbers(self.simulate(row, copy.deepcopy(rng)), ()) for row in z])

    _defaults = (simulate, simulate_batch)

    def trial(self, z: jax.Array, key: jax.Array) -> Any:
        """Not there: JAX cannot trace the simulator, and `evaluate` calls it for all trials."""
        raise NotImplementedError(f"{type(self).__name__} simulates outside JAX; call `simulate`")

    def _draws(self) -> Iterator[tuple[Any, ...]]:
        for k in range(self.trials):
            yield (np.random.default_rng([self.noise, k]),)

    def _summary(self, outcomes: np.ndarray) -> np.ndarray:
        mean = outcomes.mean(axis=0)
        return np.concatenate([mean, outcomes.var(axis=0)], 1) if self.single_trials else mean
