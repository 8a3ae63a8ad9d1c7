"""Train a run in a folder: start it, resume it, or load it."""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from pathlib import Path
from typing import Any

import jax
from jax.flatten_util import ravel_pytree

from dsnlib import _check
from dsnlib.circuits import Circuit
from dsnlib.emergent import EmergentProperty
from dsnlib.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from dsnlib.runs.dataset import attribute, to_dataset, write_dataset
from dsnlib.runs.files import checked_path, make_writable, remove_temporaries
from dsnlib.runs.identity import differences, identity, provenance
from dsnlib.runs.progress import Progress
from dsnlib.runs.run import DATA_FILE, Run, load_run
from dsnlib.settings import Settings, checked_seed
from dsnlib.training.history import empty_history
from dsnlib.training.initial import fit_initial
from dsnlib.training.lagrangian import INITIAL, State, initial_state, stream, train
from dsnlib.training.problem import Problem

CHECKPOINT_FILE = "checkpoint.npz"
_CHECKPOINT_SECONDS = 60


def fit(
    circuit: Circuit,
    prop: EmergentProperty,
    settings: Settings,
    *,
    seed: int,
    out: str | os.PathLike[str],
) -> Run:
    """Train a density network, or go on with it, or load it where it is complete.

    A checkpoint is written at the end of each epoch and after the first block of 100 iterations
    that ends 60 s after the last one; the initial fit, some seconds, has none. The same seed gives
    the same numbers, bit for bit, on one machine with one set of versions, broken off or not.

    Args:
        circuit: whose parameters are sought.
        prop: what its statistics must be.
        settings: of training.
        seed: whole number from 0; sets everything random.
        out: folder of the run: `checkpoint.npz` while it trains, `run.nc` when it is complete.

    Returns:
        The complete run.

    Raises:
        TypeError, ValueError: a bad argument, or a folder with a run of other settings.
        OSError: the folder cannot be written.
        CheckpointError: the folder's checkpoint is damaged.
        SimulationError: more than 1 % of the steps or simulations of an epoch are not finite.
    """
    for name, value, kind in (
        ("circuit", circuit, Circuit),
        ("prop", prop, EmergentProperty),
        ("settings", settings, Settings),
    ):
        _check.instance(name, value, kind)
    circuit.check_evaluate()
    prop.check_against(circuit)
    problem = Problem(circuit, prop, settings)
    seed = checked_seed(seed)
    wanted = identity(problem, seed)
    folder = checked_path("out", out)
    if (folder / DATA_FILE).exists():
        run = load_run(folder)
        _refuse_others(folder, wanted, {name: attribute(run.data, name) for name in wanted})
        _remove_leftovers(folder)
        return run
    make_writable("out", folder)
    with jax.enable_x64(settings.precision == "float64"):
        return _train(problem, seed, folder, wanted)


def _remove_leftovers(folder: Path) -> None:
    """Remove what a process that was killed near the end may have left beside a complete run."""
    with contextlib.suppress(OSError):  # a complete run may lie on storage that is only read
        (folder / CHECKPOINT_FILE).unlink(missing_ok=True)
        for name in (CHECKPOINT_FILE, DATA_FILE):
            remove_temporaries(folder / name)


def _refuse_others(folder: Path, wanted: dict[str, Any], found: dict[str, Any]) -> None:
    lines = differences(wanted, found)
    if lines:
        raise ValueError(
            f"out must be a new folder or one of the same run, got {str(folder)!r}, whose run "
            f"differs ({'; '.join(lines)}); choose another folder, or remove this one"
        )


def _train(problem: Problem, seed: int, folder: Path, wanted: dict[str, Any]) -> Run:
    file = folder / CHECKPOINT_FILE
    if file.exists():
        checkpoint = load_checkpoint(
            file,
            like=_template(problem),
            accept=lambda meta: _refuse_others(folder, wanted, meta["identity"]),
        )
        done = checkpoint.state.epoch * problem.settings.iterations + checkpoint.state.iteration
        _note_session(checkpoint.meta)
        with Progress(problem, done) as progress:
            return _continue(problem, seed, folder, checkpoint, progress)
    with Progress(problem) as progress:
        return _continue(problem, seed, folder, _begin(problem, seed, wanted, progress), progress)


def _note_session(meta: dict[str, Any]) -> None:
    """Where a run goes on under other versions, code or device: say so, and record both."""
    now = provenance()
    before = {name: meta[name] for name in now}
    if now != before:
        changed = ", ".join(name for name in now if now[name] != before[name])
        warnings.warn(
            f"the run goes on under another {changed} than it began with; "
            "its numbers may differ from those of an undisturbed run",
            stacklevel=2,
        )
        meta["earlier_sessions"] = [*meta.get("earlier_sessions", []), before]
        meta.update(now)


def _template(problem: Problem) -> State:
    """A state of the run's structure, for reading its checkpoint."""
    return initial_state(problem, problem.random_weights(jax.random.key(0)))


def _begin(problem: Problem, seed: int, wanted: dict[str, Any], progress: Progress) -> Checkpoint:
    began = time.monotonic()
    fitted = fit_initial(problem, stream(seed, INITIAL), progress.initial_fit)
    history = empty_history(problem, ravel_pytree(fitted.weights)[0].size)
    meta = {
        "identity": wanted,
        "initial_kl": fitted.kl,
        "initial_kl_se": fitted.kl_se,
        "initial_iterations": fitted.iterations,
        "seconds": time.monotonic() - began,
        **provenance(),
    }
    return Checkpoint(initial_state(problem, fitted.weights), history, meta)


def _continue(
    problem: Problem, seed: int, folder: Path, checkpoint: Checkpoint, progress: Progress
) -> Run:
    """Train from a checkpoint to the end, write the data, drop the checkpoint."""
    state, history, meta = checkpoint
    file = folder / CHECKPOINT_FILE
    began, saved = time.monotonic(), -float("inf")
    spent = meta["seconds"]
    for state in train(problem, seed, state, history):  # noqa: B020 (the last state is the result)
        meta["seconds"] = spent + time.monotonic() - began
        progress.update(state, history)
        if state.iteration == 0 or time.monotonic() - saved > _CHECKPOINT_SECONDS:
            save_checkpoint(file, Checkpoint(state, history, meta))
            saved = time.monotonic()
    attributes = {**meta.pop("identity"), **meta}
    write_dataset(folder / DATA_FILE, to_dataset(problem, history, attributes))
    _remove_leftovers(folder)
    return load_run(folder)
