"""A look at a circuit before a run: does it work, and is it a function of its parameters?"""

from __future__ import annotations

import numpy as np

from dsnlib._xla import numerics
from dsnlib.circuits import Circuit

_ROWS = 32
_MORE = 300  # further ones, where none of these works
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
        ValueError: finite statistics differ beyond rounding, no simulation of 332 works, or a
            simulator outside JAX returns a wrong number of values.

    Example:
        >>> from dsnlib import STG
        >>> probe(STG(T=50), "float32")
    """
    rng = np.random.default_rng(0)
    with numerics(precision):
        z = _drawn(circuit, rng, _ROWS)
        forth = np.asarray(circuit.statistics(z), float)
        back = np.asarray(circuit.statistics(z[::-1]), float)[::-1]
        works = np.isfinite(forth).any()
        if not works:  # it may be defined for few parameters only
            works = np.isfinite(circuit.statistics(_drawn(circuit, rng, _MORE))).any()
        if not works:
            raise ValueError(
                f"circuit must work somewhere, got {_ROWS + _MORE} failures in {_ROWS + _MORE} "
                f"simulations at random parameters, for example: {circuit.failure_at(z[0])}; "
                f"correct {type(circuit).__name__}, or narrow the bounds of its parameters"
            )
    with np.errstate(invalid="ignore"):  # infinite less infinite
        differs = np.abs(forth - back) > _ROUNDING * (np.abs(forth) + _typical(forth))
    differs &= np.isfinite(forth) & np.isfinite(back)
    if differs.any():
        row, column = np.argwhere(differs)[0]
        raise ValueError(
            "circuit must return the same statistics whenever and wherever it meets a row, got "
            f"{circuit.columns[column].name} = {forth[row, column]:.6g} and "
            f"{back[row, column]:.6g} at {circuit.shown(z[row])}; a circuit with noise inherits "
            "from dsnlib.StochasticCircuit or dsnlib.ExternalStochasticCircuit, and draws the same "
            "random numbers for every row"
        )


def _typical(statistics: np.ndarray) -> np.ndarray:
    """(S,) median size of each statistic, 0 where none is finite."""
    sizes = [np.abs(column[np.isfinite(column)]) for column in statistics.T]
    return np.array([np.median(size) if len(size) else 0.0 for size in sizes])


def _drawn(circuit: Circuit, rng: np.random.Generator, n: int) -> np.ndarray:
    """(n, P) uniform parameters."""
    return np.asarray(circuit.box.from_unit(rng.random((n, len(circuit.parameters)))))
