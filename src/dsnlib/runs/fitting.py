"""Make a run in a folder: start it, resume it, or load it."""

from __future__ import annotations

import os
import warnings
from typing import Any

from dsnlib import _check
from dsnlib._xla import numerics
from dsnlib.circuits import Circuit
from dsnlib.methods import Method, Problem, Run
from dsnlib.property import EmergentProperty
from dsnlib.runs.folder import RunFolder
from dsnlib.runs.interruption import Interruption
from dsnlib.runs.probing import probe
from dsnlib.runs.progress import Progress
from dsnlib.storage.files import checked_path, make_writable
from dsnlib.storage.lock import locked


def fit(
    circuit: Circuit,
    prop: EmergentProperty,
    method: Method,
    *,
    seed: int,
    out: str | os.PathLike[str],
) -> Run[Any]:
    """Find the parameters with the property, or go on with a run, or load a complete one.

    A checkpoint is written at each milestone of the method (an epoch, a stage), at least every
    60 s, and where SIGTERM or Ctrl-C ends the run; the last two are kept. The same seed gives the
    same numbers, bit for bit, on one machine with one set of versions, resumed or not.

    Args:
        circuit: whose parameters are sought.
        prop: what its statistics must be.
        method: with its settings, for example `AugmentedLagrangian(c0=1)`.
        seed: whole number from 0; sets everything random.
        out: folder of the run: `checkpoint.npz` while it lasts, `run.nc` when it is complete.

    Returns:
        The complete run. The end of the work is told by its verdict, see `Run.verdict`; a warning
        names what in its diagnostics did not pass.

    Raises:
        TypeError, ValueError: a bad argument, or a folder with a different run.
        OSError: the folder cannot be written.
        CheckpointError: the folder's checkpoints are damaged, or other code wrote them.
        RunLockedError: another process works in the folder.
        SimulationError: too many simulations are not finite.
        PropertyError: the circuit has the property nowhere that uniform draws have seen.
    """
    for name, value, kind in (
        ("circuit", circuit, Circuit),
        ("prop", prop, EmergentProperty),
        ("method", method, Method),
    ):
        _check.instance(name, value, kind)
    seed, path = _check.seed(seed), checked_path("out", out)
    prop.check_against(circuit)
    with numerics(method.precision):
        circuit.check_evaluate()
        method.check(circuit, prop)
    folder = RunFolder(path, Problem(circuit, prop, method, seed))
    run = folder.complete()
    if run is None:
        if folder.simulates_outside:  # what JAX computes is the same whenever it is asked
            probe(circuit, method.precision)
        make_writable("out", path)
        with locked(path):
            run = folder.complete() or _run(folder)  # another process may have been here since
    if not run.trusted:
        warnings.warn(f"the run in {out} is {run.verdict}", stacklevel=2)
    return run


def _run(folder: RunFolder) -> Run[Any]:
    """Go from where the folder stands to the end."""
    problem = folder.problem
    method = problem.method
    with numerics(method.precision):
        keeper = folder.keeper()
        state = keeper.checkpoint.state
        report = method.report(problem, state)
        with (
            Interruption(keeper.save) as interruption,
            Progress(folder.path.name, report) as progress,
        ):
            while not report.finished:
                state = method.step(problem, state)
                report = method.report(problem, state)
                keeper.keep(state, milestone=report.milestone or report.finished)
                progress.show(report)
                interruption.check()
            run = folder.finish(keeper.checkpoint)
            progress.end(f"{folder.path.name}: {run.verdict}")
            return run
