"""A look at a circuit before a run: does it work, and is it a function of its parameters?"""

from __future__ import annotations

import numpy as np

from dsnlib._xla import numerics
from dsnlib.circuits import Circuit
from dsnlib.circuits.outside import Outside

_ROWS = 32
# Of a value, and of the statistic's typical value: far above what the order of summation does in
# single precision, far below any noise that would matter.
_ROUNDING = 1e-4


def probe(circuit: Circuit, precision: str) -> None:
    """ValueError where a circuit works nowhere, or answers the same question in two ways.

    It is evaluated at 32 uniform draws within its bounds, the same in each call, and at these in
    reversed order. Random numbers that change from call to call show so, and those that depend on
    a row's position.

    Args:
        circuit: to be looked at.
        precision: "float32" or "float64".

    Raises:
        ValueError: finite statistics differ beyond rounding, all 32 simulations fail, or a
            simulator outside JAX returns a wrong number of values.

    Example:
        >>> from dsnlib import STG
        >>> probe(STG(T=50), "float32")
    """
    low, high = circuit.bounds.T
    z = low + (high - low) * np.random.default_rng(0).random((_ROWS, len(low)))
    with numerics(precision):
        forth = np.asarray(circuit.statistics(z), float)
        back = np.asarray(circuit.statistics(z[::-1]), float)[::-1]
        if not np.isfinite(forth).all(axis=1).any():
            raise ValueError(
                f"circuit must work somewhere, got {_ROWS} failures in {_ROWS} simulations at "
                f"random parameters, for example: {_failure(circuit, z[0], forth[0])}; correct "
                f"{type(circuit).__name__}, or narrow the bounds of its parameters"
            )
    with np.errstate(invalid="ignore"):  # infinite less infinite
        differs = np.abs(forth - back) > _ROUNDING * (np.abs(forth) + _typical(forth))
    differs &= np.isfinite(forth) & np.isfinite(back)
    if differs.any():
        row, column = np.argwhere(differs)[0]
        raise ValueError(
            "circuit must return the same statistics whenever and wherever it meets a row, got "
            f"{_name(circuit, column)} = {forth[row, column]:.6g} and "
            f"{back[row, column]:.6g} at {_where(circuit, z[row])}; a circuit with noise inherits "
            "from dsnlib.StochasticCircuit or dsnlib.ExternalStochasticCircuit, and draws the same "
            "random numbers for every row"
        )


def _typical(statistics: np.ndarray) -> np.ndarray:
    """(S,) median size of each statistic, 0 where none is finite."""
    sizes = [np.abs(column[np.isfinite(column)]) for column in statistics.T]
    return np.array([np.median(size) if len(size) else 0.0 for size in sizes])


def _failure(circuit: Circuit, z: np.ndarray, statistics: np.ndarray) -> str:
    reason = circuit.failure_at(z) if isinstance(circuit, Outside) else None
    if reason is not None:
        return reason
    column = int(np.argmin(np.isfinite(statistics)))
    return f"{statistics[column]:g} for {_name(circuit, column)} at {_where(circuit, z)}"


def _name(circuit: Circuit, column: int) -> str:
    # Where trials are single, the variances of the statistics follow their means.
    S = len(circuit.observables)
    return circuit.observables[column % S].name + (" (variance)" if column >= S else "")


def _where(circuit: Circuit, z: np.ndarray) -> str:
    named = zip(circuit.parameters, z, strict=True)
    return ", ".join(f"{p.name}={value:.9g}" for p, value in named)
