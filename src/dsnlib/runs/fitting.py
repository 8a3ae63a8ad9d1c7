"""Train runs in folders: start them, resume them, or load them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax

from dsnlib import _check
from dsnlib.circuits import Circuit
from dsnlib.emergent import EmergentProperty
from dsnlib.population import Population
from dsnlib.runs.files import checked_path, make_writable
from dsnlib.runs.identity import identity
from dsnlib.runs.interruption import Interruption
from dsnlib.runs.methods import method_of
from dsnlib.runs.run import Run, load_run
from dsnlib.runs.session import load_complete, train_in_folder
from dsnlib.settings import Settings, checked_seed
from dsnlib.training.calls import alone, together
from dsnlib.training.problem import HOST_SETTINGS


def fit(
    circuit: Circuit,
    prop: EmergentProperty,
    settings: Settings | Population,
    *,
    seed: int,
    out: str | os.PathLike[str],
) -> Run:
    """Train a density network, or go on with it, or load it where it is complete.

    A checkpoint is written after the initial fit (some seconds), at least every 60 s, at the end of
    each epoch, and where SIGTERM or Ctrl-C ends training; the last two are kept. The same seed
    gives the same numbers, bit for bit, on one machine with one set of versions, broken off or not.

    Args:
        circuit: whose parameters are sought.
        prop: what its statistics must be.
        settings: of training; their kind chooses the method, the augmented Lagrangian (`Settings`)
            or population Monte Carlo (`Population`).
        seed: whole number from 0; sets everything random.
        out: folder of the run: `checkpoint.npz` while it trains, `run.nc` when it is complete.

    Returns:
        The complete run.

    Raises:
        TypeError, ValueError: a bad argument, or a folder with a run of other settings.
        OSError: the folder cannot be written.
        CheckpointError: the folder's checkpoints are damaged, or other training code wrote them.
        RunLockedError: another process trains in the folder.
        SimulationError: more than 1 % of the steps or simulations of an epoch are not finite.
    """
    order = _order(circuit, prop, settings, seed, out)
    if order.complete:
        return order.complete
    make_writable("out", order.folder)
    with jax.enable_x64(settings.precision == "float64"), Interruption() as interruption:
        training = train_in_folder(order.problem, order.seed, order.folder, 1, interruption)
        return alone(training, interruption.check)


def fit_many(
    circuit: Circuit,
    prop: EmergentProperty,
    runs: Sequence[tuple[Settings, int]],
    *,
    out: Sequence[str | os.PathLike[str]],
) -> list[Run]:
    """Train many density networks as one vectorised program, spread over all devices.

    Worth it on accelerators, which one run leaves mostly idle; on a CPU a process for each run is
    as fast. Each run is written, resumed and loaded as `fit` does it, alone or in other company.
    Its numbers are those of the run alone but for rounding, which training then amplifies.

    Args:
        circuit: whose parameters are sought.
        prop: what its statistics must be.
        runs: settings and seed of each run; settings may differ in c0, beta, gamma and epochs.
        out: a folder for each run.

    Returns:
        The complete runs, in the order of `runs`.

    Raises:
        TypeError, ValueError, OSError: as `fit`, before anything is computed; settings that differ
            in more; a folder that is named twice.
        ExceptionGroup: some runs failed; the others are complete on disk.

    Example:
        >>> import tempfile
        >>> from dsnlib import EmergentProperty, Linear2D, Settings
        >>> prop = EmergentProperty(mean=[0.0, 1.0], sd=[0.5, 0.2])
        >>> small = dict(epochs=1, iterations=4, batch=10, layers=2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     pairs = [(Settings(c0=c0, **small), 1) for c0 in (1, 100)]
        ...     made = fit_many(Linear2D(), prop, pairs, out=[f"{folder}/a", f"{folder}/b"])
        >>> [run.settings.c0 for run in made]
        [1.0, 100.0]
    """
    runs, out = list(runs), list(out)
    if not runs or len(runs) != len(out):
        raise ValueError(
            f"out must name one folder for each run, got {len(out)} for {len(runs)} runs; "
            "pass lists of one length, with at least one entry"
        )
    for settings, _ in runs:
        _check.instance("settings in runs", settings, Settings)
    orders = [
        _order(circuit, prop, settings, seed, folder)
        for (settings, seed), folder in zip(runs, out, strict=True)
    ]
    _check_company(orders)
    waiting = [order for order in orders if not order.complete]
    for order in waiting:
        make_writable("out", order.folder)
    x64 = runs[0][0].precision == "float64"
    with jax.enable_x64(x64), Interruption() as interruption:
        results = together(
            [
                train_in_folder(order.problem, order.seed, order.folder, len(waiting), interruption)
                for order in waiting
            ],
            interruption.check,
        )
    if errors := [result for result in results if isinstance(result, Exception)]:
        raise ExceptionGroup(f"{len(errors)} of {len(runs)} runs failed", errors)
    return [order.complete or load_run(order.folder) for order in orders]


class _Order(NamedTuple):
    """A run that is asked for, checked."""

    problem: Any  # of the method's kind
    seed: int
    folder: Path
    complete: Run | None  # where the folder holds it already


def _order(
    circuit: Circuit,
    prop: EmergentProperty,
    settings: Settings | Population,
    seed: int,
    out: str | os.PathLike[str],
) -> _Order:
    for name, value, kind in (
        ("circuit", circuit, Circuit),
        ("prop", prop, EmergentProperty),
        ("settings", settings, (Settings, Population)),
    ):
        _check.instance(name, value, kind)
    circuit.check_evaluate()
    prop.check_against(circuit)
    problem = method_of(settings).problem(circuit, prop, settings)
    seed = checked_seed(seed)
    folder = checked_path("out", out)
    return _Order(problem, seed, folder, load_complete(folder, identity(problem, seed)))


def _check_company(orders: Sequence[_Order]) -> None:
    """ValueError unless one program can train all runs, each into a folder of its own."""
    folders = [order.folder.resolve() for order in orders]
    if twice := [str(folder) for folder in folders if folders.count(folder) > 1]:
        raise ValueError(f"out must name each folder once, got {twice[0]!r} twice; rename one")
    first = orders[0].problem.compiled
    for order in orders:
        if order.problem.compiled != first:
            raise ValueError(
                f"runs must have settings that differ in {', '.join(HOST_SETTINGS)} alone, "
                f"got {order.problem.settings} beside {orders[0].problem.settings}; "
                "train the others in another call"
            )
