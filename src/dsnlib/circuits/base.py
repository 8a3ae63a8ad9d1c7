"""What a circuit is: bounded parameters in, differentiable statistics out."""

from __future__ import annotations

import dataclasses
import json
from abc import ABC, abstractmethod
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from dsnlib.circuits.box import Box
from dsnlib.circuits.differentiation import in_blocks, value_and_jacobian
from dsnlib.circuits.quantities import Parameter, Statistic

# What JAX raises where traced arrays are used as NumPy's, as numbers, or in conditions.
_NOT_TRACEABLE = (
    jax.errors.ConcretizationTypeError,
    jax.errors.NonConcreteBooleanIndexError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)
_CONDITION_DRAWS = 1_000  # uniform parameters by which conditions are noticed


class Circuit(ABC):
    """A neural circuit as a differentiable map from parameters to statistics.

    To add one, write a frozen dataclass whose fields are the circuit's constants, with
    `parameters`, `observables` and `evaluate`. The fields identify the circuit in saved
    runs, so they must be plain numbers, strings or tuples of these; arrays and lists become tuples.
    """

    def __post_init__(self) -> None:
        """Turn arrays among the constants into tuples, which can be compared, hashed and saved."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if isinstance(value, (list, np.ndarray, np.generic, jax.Array)):
                object.__setattr__(self, field.name, _plain(value))

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

    def allowed(self, z: jax.Array) -> jax.Array:
        """Which parameters are allowed beside their bounds, for example g1 < g2; all by default.

        Parameters that are not allowed have no statistics and do not count as failed simulations.
        The answer has maximum entropy on what is allowed.

        Args:
            z: (n, P) parameters within their bounds, in the order and units of `parameters`.

        Returns:
            (n,) booleans, traceable by JAX.
        """
        return jnp.ones(len(z), bool)

    def permitted(self, z: jax.Array) -> jax.Array:
        """`evaluate`, not a number where the parameters are not `allowed`."""
        return jnp.where(self.allowed(z)[:, None], self.evaluate(z), jnp.nan)

    def failure_at(self, z: Any) -> str | None:
        """Why the simulation of one set of parameters fails.

        Args:
            z: (P,) parameters, in the order and units of `parameters`.

        Returns:
            The first statistic that is not finite, and where that was; None where there is none.

        Raises:
            TypeError, ValueError: z holds no numbers, has another shape or lies outside the bounds.
        """
        row = np.asarray(self.checked(np.asarray(z)[None]), float)[0]
        for column, value in zip(
            self.columns, np.asarray(self.statistics(row[None]))[0], strict=True
        ):
            if not np.isfinite(value):
                return f"returned {value:g} for {column.name} at {self.shown(row)}"
        return None

    def shown(self, z: Any) -> str:
        """Parameters z (P,) in words: their names and values."""
        named = zip(self.parameters, np.asarray(z), strict=True)
        return ", ".join(f"{p.name}={value:.9g}" for p, value in named)

    def fix(self, **values: float) -> Circuit:
        """The same circuit with some parameters held at a value, for example `fix(g_el=3.0)`.

        Args:
            values: of the parameters to hold, by name, within their bounds and in their units.

        Raises:
            TypeError, ValueError: no such parameter, a value outside its bounds, or none left.
        """
        from dsnlib.circuits.fixed import fixed  # which builds on this module

        return fixed(self, values)

    def renewed(self, by: int) -> Circuit | None:
        """The circuit under other random numbers, the `by`-th; None where it has no noise."""
        return None

    @property
    def columns(self) -> tuple[Statistic, ...]:
        """What the columns of `evaluate` are: `observables`, for some circuits with noise more."""
        return self.observables

    @property
    def box(self) -> Box:
        """The box of the parameters."""
        return Box.of(self.parameters)

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
        n, P, S = 2, len(self.parameters), len(self.columns)
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

    def check_plain(self, who: str) -> None:
        """ValueError, in the name of `who`, where the circuit is more than statistics over a box.

        That is where a parameter is on a logarithmic scale, where not all parameters within the
        bounds are allowed, or where the property is about single trials.
        """
        remedy = "use dsnlib.SMC() or dsnlib.Uniform()"
        for p in self.parameters:
            if p.scale != "linear":
                raise ValueError(
                    f"scale of parameter {p.name} must be linear for {who}, got {p.scale!r}; "
                    f"{remedy}, or make log10({p.name}) the parameter"
                )
        unit = np.random.default_rng(0).random((_CONDITION_DRAWS, len(self.parameters)))
        if not np.asarray(self.allowed(self.box.from_unit(jnp.asarray(unit, "float32")))).all():
            raise ValueError(
                f"circuit must allow all parameters within its bounds for {who}, got "
                f"{type(self).__name__}, which does not; {remedy}"
            )
        if self.columns != self.observables:
            raise ValueError(
                f"circuit must have statistics that are means over trials for {who}, got "
                f"{type(self).__name__}, whose property is about single trials; {remedy}"
            )

    def statistics(self, z: Any) -> jax.Array:
        """Statistics of a batch.

        Args:
            z: (n, P) parameters.

        Returns:
            (n, C) statistics, one for each of `columns`, in float64 where z is and JAX's x64 mode
            is on, else in float32.

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
    return in_blocks(circuit.permitted, z)  # type: ignore[no-any-return]


@partial(jax.jit, static_argnums=(0,))
def _evaluate_with_jacobian(circuit: Circuit, z: jax.Array) -> tuple[jax.Array, jax.Array]:
    return value_and_jacobian(circuit.permitted, z)


def _plain(value: Any) -> Any:
    """Arrays and lists as nested tuples, their numbers as Python's."""
    if isinstance(value, (np.ndarray, np.generic, jax.Array)):
        value = np.asarray(value).tolist()
    return tuple(map(_plain, value)) if isinstance(value, list) else value
