"""One run in its folder: begun or resumed, checkpointed, written when it is complete."""

from __future__ import annotations

import contextlib
import time
import warnings
from pathlib import Path
from typing import Any

import jax
from jax.flatten_util import ravel_pytree

from dsnlib.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from dsnlib.runs.dataset import to_dataset, write_dataset
from dsnlib.runs.files import remove_temporaries
from dsnlib.runs.identity import differences, identity, provenance
from dsnlib.runs.progress import Progress
from dsnlib.runs.run import DATA_FILE, Run, load_run
from dsnlib.training.calls import Training
from dsnlib.training.history import empty_history
from dsnlib.training.initial import fit_initial
from dsnlib.training.lagrangian import INITIAL, State, initial_state, stream, train
from dsnlib.training.problem import Problem

CHECKPOINT_FILE = "checkpoint.npz"
_CHECKPOINT_SECONDS = 60


def train_in_folder(problem: Problem, seed: int, folder: Path, company: int) -> Training[Run]:
    """Train a run from where its folder stands to the end.

    Args:
        problem: circuit, property and settings.
        seed: sets all randomness.
        folder: exists, and holds no complete run.
        company: number of runs that are trained at once, for the record of the time.

    Yields:
        Calls of compiled functions, see `dsnlib.training.calls`.

    Returns:
        The complete run.
    """
    file = folder / CHECKPOINT_FILE
    if file.exists():
        wanted = identity(problem, seed)
        checkpoint = load_checkpoint(
            file,
            like=_template(problem),
            accept=lambda meta: refuse_others(folder, wanted, meta["identity"]),
        )
        done = checkpoint.state.epoch * problem.settings.iterations + checkpoint.state.iteration
        _note_session(checkpoint.meta)
        with Progress(problem, folder.name, done) as progress:
            return (yield from _continue(problem, seed, folder, checkpoint, progress))
    with Progress(problem, folder.name) as progress:
        checkpoint = yield from _begin(problem, seed, company, progress)
        return (yield from _continue(problem, seed, folder, checkpoint, progress))


def remove_leftovers(folder: Path) -> None:
    """Remove what a process that was killed near the end may have left beside a complete run."""
    with contextlib.suppress(OSError):  # a complete run may lie on storage that is only read
        (folder / CHECKPOINT_FILE).unlink(missing_ok=True)
        for name in (CHECKPOINT_FILE, DATA_FILE):
            remove_temporaries(folder / name)


def refuse_others(folder: Path, wanted: dict[str, Any], found: dict[str, Any]) -> None:
    """ValueError where the folder's run is not the one that is asked for."""
    lines = differences(wanted, found)
    if lines:
        raise ValueError(
            f"out must be a new folder or one of the same run, got {str(folder)!r}, whose run "
            f"differs ({'; '.join(lines)}); choose another folder, or remove this one"
        )


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


def _begin(problem: Problem, seed: int, company: int, progress: Progress) -> Training[Checkpoint]:
    began = time.monotonic()
    fitted = yield from fit_initial(problem, stream(seed, INITIAL), progress.initial_fit)
    history = empty_history(problem, ravel_pytree(fitted.weights)[0].size)
    meta = {
        "identity": identity(problem, seed),
        "company": company,
        "initial_kl": fitted.kl,
        "initial_kl_se": fitted.kl_se,
        "initial_iterations": fitted.iterations,
        "seconds": time.monotonic() - began,
        **provenance(),
    }
    return Checkpoint(initial_state(problem, fitted.weights), history, meta)


def _continue(
    problem: Problem, seed: int, folder: Path, checkpoint: Checkpoint, progress: Progress
) -> Training[Run]:
    """Train from a checkpoint to the end, write the data, drop the checkpoint."""
    state, history, meta = checkpoint
    began, saved = time.monotonic(), -float("inf")
    spent = meta["seconds"]

    def keep(state: State) -> None:
        nonlocal saved
        meta["seconds"] = spent + time.monotonic() - began
        progress.update(state, history)
        if state.iteration == 0 or time.monotonic() - saved > _CHECKPOINT_SECONDS:
            save_checkpoint(folder / CHECKPOINT_FILE, Checkpoint(state, history, meta))
            saved = time.monotonic()

    yield from train(problem, seed, state, history, keep)
    attributes = {**meta.pop("identity"), **meta}
    write_dataset(folder / DATA_FILE, to_dataset(problem, history, attributes))
    remove_leftovers(folder)
    return load_run(folder)
