"""One run in its folder: begun or resumed, checkpointed, written when it is complete."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from dsnlib.runs.checkpoint import (
    CHECKPOINT_FILES,
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    read_meta,
    save_checkpoint,
)
from dsnlib.runs.dataset import attribute, to_dataset, write_dataset
from dsnlib.runs.files import remove_temporaries
from dsnlib.runs.identity import differences, identity, numerics_stamp, provenance
from dsnlib.runs.interruption import Interruption
from dsnlib.runs.lock import locked
from dsnlib.runs.methods import method_of
from dsnlib.runs.progress import Progress, Report
from dsnlib.runs.run import DATA_FILE, Run, load_run
from dsnlib.training.calls import Training
from dsnlib.training.history import History

_CHECKPOINT_SECONDS = 60


def train_in_folder(
    problem: Any, seed: int, folder: Path, company: int, interruption: Interruption
) -> Training[Run]:
    """Train a run from where its folder stands to the end.

    Args:
        problem: circuit, property and settings.
        seed: sets all randomness.
        folder: exists, and can be written.
        company: number of runs that are trained at once, for the record of the time.
        interruption: is told how to write this run's checkpoint.

    Yields:
        Calls of compiled functions, see `dsnlib.training.calls`.

    Returns:
        The complete run.

    Raises:
        RunLockedError, CheckpointError, ValueError, OSError: as `dsnlib.fit`.
    """
    wanted = identity(problem, seed)
    with locked(folder):
        if run := load_complete(folder, wanted):  # another process has been here since
            return run
        checkpoint = load_checkpoint(
            folder,
            lambda: method_of(problem.settings).template(problem),
            lambda meta: _accept(folder, wanted, meta),
        )
        method = method_of(problem.settings)

        def report(state: Any, history: History) -> Report:
            return method.report(problem, state, history)

        done = 0
        if checkpoint:
            done = report(checkpoint.state, checkpoint.history).done
            _note_session(checkpoint.meta)
        with Progress(method.total(problem), report, folder.name, done) as progress:
            saved = checkpoint
            if not checkpoint:
                checkpoint = yield from _begin(problem, seed, company, progress)
            keeper = _Keeper(folder, checkpoint, progress, saved)
            return (yield from _continue(problem, seed, keeper, interruption))


def load_complete(folder: Path, wanted: dict[str, Any]) -> Run | None:
    """The complete run in a folder, or None.

    Args:
        folder: of the run.
        wanted: identity of the run that is asked for.

    Raises:
        ValueError: it is another run, or its data file is damaged.
    """
    if not (folder / DATA_FILE).exists():
        return None
    run = load_run(folder)
    found = {name: attribute(run.data, name) for name in wanted}
    # Settings that came later had their default value before.
    defaults = dataclasses.asdict(type(run.settings)())
    _refuse_others(folder, wanted, found | {"settings": defaults | found["settings"]})
    _remove_leftovers(folder)
    return run


def discard_stale(folder: Path) -> list[Path]:
    """Remove the checkpoints in a folder that other numerics code than today's wrote.

    Training is never resumed from those. Damaged ones are left for `dsnlib.fit` to judge.

    Args:
        folder: of a run; need not exist.

    Returns:
        The files that were removed.

    Raises:
        CheckpointError: a checkpoint is of another format.
    """
    stale = [
        file
        for file in (folder / name for name in CHECKPOINT_FILES)
        if file.exists() and (meta := read_meta(file)) and not _is_ours(meta)
    ]
    for file in stale:
        file.unlink()
    return stale


class _Keeper:
    """Writes the checkpoints of one run: at least every 60 s and at every epoch's end."""

    def __init__(
        self, folder: Path, checkpoint: Checkpoint, progress: Progress, saved: Checkpoint | None
    ) -> None:
        self.folder = folder
        self.checkpoint = checkpoint  # where the run stands
        self._progress = progress
        self._saved = saved  # what is on disk
        self._saved_at = self._kept_at = time.monotonic()
        self._began = self._kept_at - checkpoint.meta["seconds"]
        self._one_at_a_time = threading.Lock()  # the thread of an interruption saves as well

    def keep(self, state: Any, history: History) -> None:
        """Take note of a new state, and save it where that is due."""
        meta = {**self.checkpoint.meta, "seconds": time.monotonic() - self._began}
        # A copy, for training may be broken off half-way through its next entries.
        copy = {name: array.copy() for name, array in history.items()}
        self.checkpoint = Checkpoint(state, copy, meta)
        self._progress.update(state, history)
        now = time.monotonic()
        next_time = now + (now - self._kept_at)
        self._kept_at = now
        if state.iteration == 0 or next_time - self._saved_at > _CHECKPOINT_SECONDS:
            self.save()

    def save(self) -> None:
        """Write where the run stands, unless that is on disk."""
        with self._one_at_a_time:
            checkpoint = self.checkpoint
            if checkpoint is not self._saved:
                save_checkpoint(self.folder, checkpoint)
                self._saved, self._saved_at = checkpoint, time.monotonic()


def _remove_leftovers(folder: Path) -> None:
    """Remove what a process that was killed near the end may have left beside a complete run."""
    with contextlib.suppress(OSError):  # a complete run may lie on storage that is only read
        for name in CHECKPOINT_FILES:
            (folder / name).unlink(missing_ok=True)
        for name in (*CHECKPOINT_FILES, DATA_FILE):
            remove_temporaries(folder / name)


def _accept(folder: Path, wanted: dict[str, Any], meta: dict[str, Any]) -> None:
    """Raise where a checkpoint is of another run, or of code that computes other numbers."""
    _refuse_others(folder, wanted, meta["identity"])
    if not _is_ours(meta):
        raise CheckpointError(
            f"{folder} holds a checkpoint that other training code wrote (git commit "
            f"{meta['git_commit']}); go on with that code, or remove the checkpoint to train afresh"
        )


def _is_ours(meta: dict[str, Any]) -> bool:
    """Whether a checkpoint was written by the code that computes today's numbers."""
    return bool(meta["numerics"] == numerics_stamp(meta["identity"]["settings"]))


def _refuse_others(folder: Path, wanted: dict[str, Any], found: dict[str, Any]) -> None:
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


def _begin(problem: Any, seed: int, company: int, progress: Progress) -> Training[Checkpoint]:
    began = time.monotonic()
    begin = method_of(problem.settings).begin
    state, history, attributes = yield from begin(problem, seed, progress.initial_fit)
    meta = {
        "identity": identity(problem, seed),
        "numerics": numerics_stamp(dataclasses.asdict(problem.settings)),
        "company": company,
        **attributes,
        "seconds": time.monotonic() - began,
        **provenance(),
    }
    return Checkpoint(state, history, meta)


def _continue(
    problem: Any, seed: int, keeper: _Keeper, interruption: Interruption
) -> Training[Run]:
    """Train from a checkpoint to the end, write the data, drop the checkpoints."""
    state, history, _ = keeper.checkpoint
    method = method_of(problem.settings)
    interruption.saves.append(keeper.save)
    try:
        keeper.save()
        yield from method.train(
            problem, seed, state, history, lambda state: keeper.keep(state, history)
        )
    except (KeyboardInterrupt, SystemExit, GeneratorExit):  # the last: a call was interrupted
        keeper.save()
        raise
    finally:
        interruption.saves.remove(keeper.save)
    attributes = {**keeper.checkpoint.meta}
    attributes |= attributes.pop("identity")
    arrays, coordinates = method.finished(problem, history)
    dataset = to_dataset(problem, method.variables, arrays, coordinates, attributes)
    write_dataset(keeper.folder / DATA_FILE, dataset)
    _remove_leftovers(keeper.folder)
    return load_run(keeper.folder)
