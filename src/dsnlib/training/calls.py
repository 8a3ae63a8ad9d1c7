"""Who computes: training asks for compiled functions, a driver calls them for one run or for many.

A training is a generator that yields a `Call` wherever it needs a compiled function and is sent the
outcome. So what happens between the calls is written once, whether a run is alone or in company.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence
from functools import cache, partial
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

Result = TypeVar("Result")


class Call(NamedTuple):
    """A request: the outcome of `function(*static, *arguments)`."""

    function: Callable[..., Any]
    static: tuple[Any, ...]  # hashable, the same for all runs that are computed together
    arguments: tuple[Any, ...]  # pytrees of arrays and numbers


Training = Generator[Call, Any, Result]


def alone(training: Training[Result], check: Callable[[], None]) -> Result:
    """Drive one training: each call is made as it comes.

    Args:
        training: yields calls; is closed where a call fails.
        check: is called before each call, and raises where training is to end.

    Returns:
        What the training returns.
    """
    outcome = None
    with contextlib.closing(training):
        while True:
            try:
                call = training.send(outcome)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            check()
            outcome = _compiled(call.function, call.static)(*call.arguments)


def together(
    trainings: Sequence[Training[Result]], check: Callable[[], None]
) -> list[Result | Exception]:
    """Drive many trainings at once, in one vectorised program over all devices.

    Calls of one function wait for each other: in every round the function that most runs ask for
    goes last, so that runs which are ahead wait at the common one. Every function is compiled
    once, for all runs; the places of runs that do not ask for it are filled and thrown away.

    Args:
        trainings: yield calls whose static arguments agree; are closed where a call fails.
        check: is called before each call, and raises where training is to end.

    Returns:
        For each training what it returns, or the exception that ended it.
    """
    results: dict[int, Result | Exception] = {}
    pending: dict[int, Call] = {}

    def advance(run: int, outcome: Any) -> None:
        pending.pop(run, None)
        try:
            pending[run] = trainings[run].send(outcome)
        except StopIteration as end:
            results[run] = end.value
        except Exception as error:  # one run's failure is not the others'
            results[run] = error

    with contextlib.ExitStack() as stack:
        for training in trainings:
            stack.enter_context(contextlib.closing(training))
        for run in range(len(trainings)):
            advance(run, None)
        while pending:
            check()
            groups: dict[tuple[Any, ...], list[int]] = {}
            for run, call in pending.items():
                groups.setdefault((call.function, call.static), []).append(run)
            rarest = min(groups, key=lambda group: len(groups[group]))
            runs = groups[rarest]
            outcomes = _vectorised_call([pending[run] for run in runs], len(trainings))
            for run, outcome in zip(runs, outcomes, strict=True):
                advance(run, outcome)
    return [results[run] for run in range(len(trainings))]


def _vectorised_call(calls: list[Call], places: int) -> list[Any]:
    """Outcomes of calls of one function, made in as many places as there are runs."""
    devices = len(jax.devices())
    places += -places % devices
    filled = calls + [calls[0]] * (places - len(calls))
    stacked = jax.tree.map(_stack, *[call.arguments for call in filled])
    outcome = jax.device_get(_vectorised(calls[0].function, calls[0].static)(*stacked))
    return [jax.tree.map(lambda leaf, i=i: leaf[i], outcome) for i in range(len(calls))]


def _stack(*leaves: Any) -> Any:
    """Stack the same argument of all runs; on the host where it lies there."""
    if isinstance(leaves[0], jax.Array) and jnp.issubdtype(leaves[0].dtype, jax.dtypes.prng_key):
        return jnp.stack(leaves)
    return np.stack([np.asarray(leaf) for leaf in leaves])


@cache
def _compiled(function: Callable[..., Any], static: tuple[Any, ...]) -> Callable[..., Any]:
    return jax.jit(partial(function, *static))


@cache
def _vectorised(function: Callable[..., Any], static: tuple[Any, ...]) -> Callable[..., Any]:
    """The function over a leading axis of runs, which is spread over all devices."""
    mesh = Mesh(np.array(jax.devices()), ("run",))
    spread = PartitionSpec("run")
    return jax.jit(
        jax.shard_map(
            jax.vmap(partial(function, *static)),
            mesh=mesh,
            in_specs=spread,
            out_specs=spread,
            check_vma=False,
        )
    )
