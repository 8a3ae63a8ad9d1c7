"""What a circuit is: bounded parameters in, differentiable statistics out."""

from __future__ import annotations

import dataclasses
import json
import math
from abc import ABC, abstractmethod
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from dsnlib import _check
from dsnlib.circuits.differentiation import in_blocks, value_and_jacobian

# What JAX raises where traced arrays are used as NumPy's, as numbers, or in conditions.
_NOT_TRACEABLE = (
    jax.errors.ConcretizationTypeError,
    jax.errors.NonConcreteBooleanIndexError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A free parameter of a circuit, bounded and with a unit.

    Args:
        name: its name in the data and on the axes.
        unit: its unit, "1" where it has none.
        low, high: its bounds, in `unit`, low < high.
        initial_mean, initial_sd: the truncated Gaussian from which training starts, in `unit`;
            by default the middle and a quarter of the width of the bounds.

    Raises:
        TypeError, ValueError: a bound that is no finite number, reversed bounds, an
            initial mean outside them, an initial sd that is not positive.
    """

    name: str
    unit: str
    low: float
    high: float
    initial_mean: float | None = None
    initial_sd: float | None = None

    def __post_init__(self) -> None:
        low = _check.number(f"low of parameter {self.name}", self.low)
        high = _check.number(f"high of parameter {self.name}", self.high)
        if not low < high:
            raise ValueError(
                f"low of parameter {self.name} must be below its high, "
                f"got low={low:g}, high={high:g}; swap or widen the bounds"
            )
        mean = (low + high) / 2 if self.initial_mean is None else self.initial_mean
        sd = (high - low) / 4 if self.initial_sd is None else self.initial_sd
        of = f"of parameter {self.name}"
        mean = _check.number(f"initial_mean {of}", mean, above=low, below=high)
        sd = _check.number(f"initial_sd {of}", sd, above=0)
        for field, value in zip(
            ("low", "high", "initial_mean", "initial_sd"), (low, high, mean, sd), strict=True
        ):
            object.__setattr__(self, field, value)


@dataclasses.dataclass(frozen=True)
class Statistic:
    """A statistic of a circuit's activity.

    Args:
        name: its name in the data and on the axes.
        unit: its unit, "1" where it has none.
        low, high: the range of values that the circuit can report, in `unit`.
    """

    name: str
    unit: str
    low: float = -math.inf
    high: float = math.inf


class Circuit(ABC):
    """A neural circuit as a differentiable map from parameters to statistics.

    To add one, write a frozen dataclass whose fields are the circuit's constants, with
    `parameters`, `observables` and `evaluate`. The fields identify the circuit in saved
    runs, so they must be plain numbers, strings or tuples of these.
    """

    @property
    @abstractmethod
    def parameters(self) -> tuple[Parameter, ...]:
        """The free parameters; a class attribute where they are the same for all constants."""

    @property
    @abstractmethod
    def observables(self) -> tuple[Statistic, ...]:
        """The statistics; a class attribute where they are the same for all constants."""

    @abstractmethod
    def evaluate(self, z: jax.Array) -> jax.Array:
        """Statistics of a batch, traceable by JAX and without checks.

        Args:
            z: (n, P) parameters within their bounds, in the order and units of `parameters`.

        Returns:
            (n, S) statistics in the order of `observables`; row i depends on z[i] alone.
        """

    @property
    def bounds(self) -> np.ndarray:
        """(P, 2) lower and upper bounds of the parameters, in their units."""
        return np.array([(p.low, p.high) for p in self.parameters])

    def configuration(self) -> dict[str, Any]:
        """The circuit's name and constants, as they identify it in a saved run.

        Raises:
            TypeError: the circuit is no frozen dataclass of plain values.
        """
        try:
            hash(self)
            constants = dataclasses.asdict(self)  # type: ignore[call-overload]
            json.dumps(constants)
        except TypeError as error:
            raise TypeError(
                f"circuit must be a frozen dataclass of numbers, strings or tuples of these, "
                f"got {self!r} ({error}); declare it so"
            ) from error
        return {"name": type(self).__name__, **constants}

    def check_evaluate(self) -> None:
        """ValueError where `evaluate` does not map (n, P) to (n, S) in JAX; computes nothing."""
        n, P, S = 2, len(self.parameters), len(self.observables)
        try:
            shape = jax.eval_shape(self.evaluate, jax.ShapeDtypeStruct((n, P), "float32")).shape
        except _NOT_TRACEABLE as error:
            raise ValueError(
                f"circuit.evaluate must be traceable by JAX, got {type(self).__name__} whose "
                f"evaluate needs the numbers in a traced array ({str(error).splitlines()[0]}); "
                "use jax.numpy, or inherit from dsnlib.ExternalCircuit and define `simulate`, "
                "which takes NumPy"
            ) from error
        if shape != (n, S):
            raise ValueError(
                f"circuit.evaluate must return shape (n, {S}) for z of shape (n, {P}), got {shape} "
                f"for n = {n}; return one column for each of `observables`"
            )

    def statistics(self, z: Any) -> jax.Array:
        """Statistics of a batch.

        Args:
            z: (n, P) parameters.

        Returns:
            (n, S) statistics, in float64 where z is and JAX's x64 mode is on, else in float32.

        Raises:
            TypeError, ValueError: z holds no numbers, has another shape or lies outside the bounds.
        """
        return _evaluate(self, self.checked(z))

    def statistics_and_jacobian(self, z: Any) -> tuple[jax.Array, jax.Array]:
        """Statistics of a batch and their derivatives with respect to the parameters.

        Args:
            z: (n, P) parameters.

        Returns:
            (n, S) statistics and (n, S, P) derivatives, in units of statistic per parameter;
            precision as in `statistics`.

        Raises:
            TypeError, ValueError: z holds no numbers, has another shape or lies outside the bounds.
        """
        return _evaluate_with_jacobian(self, self.checked(z))

    def checked(self, z: Any) -> jax.Array:
        """Return z as a float array (n, P); TypeError or ValueError unless it is one in bounds."""
        if isinstance(z, jax.core.Tracer):  # values are unknown while JAX traces
            return z
        try:
            values = np.asarray(z)
        except ValueError as error:
            raise ValueError(
                f"z must be an array of shape (n, P), got {error}; reshape it"
            ) from None
        names = ", ".join(p.name for p in self.parameters)
        if values.dtype.kind not in "fiu":
            raise TypeError(
                f"z must hold numbers, got dtype {values.dtype}; pass an array of ({names})"
            )
        if values.ndim != 2 or values.shape[1] != len(self.parameters):
            raise ValueError(
                f"z must have shape (n, {len(self.parameters)}) with columns ({names}), "
                f"got {values.shape}; reshape it"
            )
        low, high = self.bounds.T
        outside = ~((values >= low) & (values <= high))  # also catches NaN
        if outside.any():
            row, column = np.argwhere(outside)[0]
            p = self.parameters[column]
            raise ValueError(
                f"z[{row}, {column}] ({p.name}) must lie in [{p.low:g}, {p.high:g}] {p.unit}, "
                f"got {values[row, column]} ({outside.any(axis=1).sum()} of {len(values)} rows "
                "are outside); drop or clip such rows"
            )
        dtype = values.dtype if values.dtype == np.float32 else jax.dtypes.canonicalize_dtype(float)
        return jnp.asarray(values, dtype)


@partial(jax.jit, static_argnums=(0,))
def _evaluate(circuit: Circuit, z: jax.Array) -> jax.Array:
    return in_blocks(circuit.evaluate, z)  # type: ignore[no-any-return]


@partial(jax.jit, static_argnums=(0,))
def _evaluate_with_jacobian(circuit: Circuit, z: jax.Array) -> tuple[jax.Array, jax.Array]:
    return value_and_jacobian(circuit.evaluate, z)
