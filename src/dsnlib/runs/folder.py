"""The folder of a run: what it holds, its checkpoints, and the finished run."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from dsnlib.methods import Problem, Result, Run
from dsnlib.methods.base import METHODS, State
from dsnlib.runs.identity import differences, identity, recomputes
from dsnlib.runs.labelling import to_dataset
from dsnlib.runs.loading import DATA_FILE, load_run
from dsnlib.runs.provenance import numerics_stamp, provenance
from dsnlib.storage.checkpoint import (
    CHECKPOINT_FILES,
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    read_meta,
    save_checkpoint,
)
from dsnlib.storage.dataset import attribute, write_dataset
from dsnlib.storage.files import remove_temporaries

_CHECKPOINT_SECONDS = 60
_LOOKED_AT = 32  # uniform parameters, for an example of a failure


class RunFolder:
    """One run in its folder.

    Args:
        path: of the folder.
        problem: what the run is asked to do.
    """

    def __init__(self, path: Path, problem: Problem) -> None:
        self.path, self.problem = path, problem
        self._identity = identity(problem)

    @property
    def simulates_outside(self) -> bool:
        """Whether the circuit calls a simulator that is not written in JAX."""
        return "probes" in self._identity["program"]

    def complete(self) -> Run[Any] | None:
        """The complete run, or None.

        Raises:
            ValueError: it is another run, or its data file is damaged.
        """
        if not (self.path / DATA_FILE).exists():
            return None
        run = load_run(self.path)
        found = {
            name: attribute(run.data, name) for name in self._identity if name in run.data.attrs
        }
        # Settings that came later had their default value before.
        settings = dataclasses.fields(run.method)
        defaults = {s.name: s.default for s in settings if s.default is not dataclasses.MISSING}
        self._refuse_others(
            found | {"settings": defaults | found["settings"]},
            lambda: recomputes(self.problem, run),
        )
        self._remove_leftovers()
        return dataclasses.replace(run, circuit=self.problem.circuit)

    def keeper(self) -> Keeper:
        """Where the run stands, to be kept in checkpoints.

        Raises:
            CheckpointError, ValueError: the checkpoint is damaged, or not of this run and code.
        """
        method = self.problem.method
        found = load_checkpoint(self.path, lambda: method.start(self.problem), self._accept)
        if found:
            _note_session(found.meta)
        return Keeper(self.path, found or self._first(), saved=bool(found))

    def finish(self, checkpoint: Checkpoint) -> Run[Any]:
        """Write the data of the finished run, remove its checkpoints, and load it."""
        result: Result = self.problem.method.result(self.problem, checkpoint.state)
        attributes = {**checkpoint.meta}
        attributes |= attributes.pop("identity")
        counts = [n for name, n in result.records.items() if name.startswith("failed")]
        if any(np.nansum(n) > 0 for n in counts) and (failure := self._failure()):
            attributes["failure"] = failure
        write_dataset(self.path / DATA_FILE, to_dataset(self.problem, result, attributes))
        run = self.complete()
        if run is None:
            raise FileNotFoundError(f"{self.path / DATA_FILE} vanished as soon as it was written")
        return run

    def _failure(self) -> str | None:
        """How a simulation at random parameters fails, for example, or None where few do."""
        circuit, rng = self.problem.circuit, np.random.default_rng(0)
        z = np.asarray(circuit.box.from_unit(rng.random((_LOOKED_AT, len(circuit.parameters)))))
        allowed = z[np.asarray(circuit.allowed(jnp.asarray(z)))]
        broken = ~np.isfinite(circuit.statistics(allowed)).all(axis=1)
        return circuit.failure_at(allowed[broken][0]) if broken.any() else None

    def _first(self) -> Checkpoint:
        meta = {
            "identity": self._identity,
            "numerics": numerics_stamp(type(self.problem.method)),
            "seconds": 0.0,
            **provenance(),
        }
        return Checkpoint(self.problem.method.start(self.problem), meta)

    def _accept(self, meta: dict[str, Any]) -> None:
        """Raise where a checkpoint is of another run, or of code that computes other numbers."""
        self._refuse_others(meta["identity"])
        if not _is_ours(meta):
            raise CheckpointError(
                f"{self.path} holds a checkpoint that other code wrote (git commit "
                f"{meta['git_commit']}); resume with that code, or remove the checkpoint to "
                "train afresh"
            )

    def _refuse_others(
        self, found: dict[str, Any], recomputed: Callable[[], bool] = lambda: False
    ) -> None:
        """ValueError where the folder's run is not the one that is asked for."""
        if lines := differences(self._identity, found, recomputed):
            raise ValueError(
                f"out must be a new folder or one of the same run, got {str(self.path)!r}, whose "
                f"run differs ({'; '.join(lines)}); choose another folder, or remove this one"
            )

    def _remove_leftovers(self) -> None:
        """Remove what a process that was killed near the end may have left beside the run."""
        with contextlib.suppress(OSError):  # a complete run may lie on storage that is only read
            for name in CHECKPOINT_FILES:
                (self.path / name).unlink(missing_ok=True)
            for name in (*CHECKPOINT_FILES, DATA_FILE):
                remove_temporaries(self.path / name)


class Keeper:
    """Writes the checkpoints of one run: at milestones and at least every 60 s.

    Args:
        folder: of the run.
        checkpoint: where the run stands.
        saved: whether that is on disk.
    """

    def __init__(self, folder: Path, checkpoint: Checkpoint, saved: bool) -> None:
        self.checkpoint = checkpoint
        self._folder = folder
        self._saved = checkpoint if saved else None
        self._saved_at = self._kept_at = time.monotonic()
        self._began = self._kept_at - checkpoint.meta["seconds"]
        self._one_at_a_time = threading.Lock()  # the thread of an interruption saves as well

    def keep(self, state: State, milestone: bool) -> None:
        """Take note of a new state, and save it where that is due."""
        now = time.monotonic()
        self.checkpoint = Checkpoint(state, {**self.checkpoint.meta, "seconds": now - self._began})
        next_time = now + (now - self._kept_at)
        self._kept_at = now
        if milestone or next_time - self._saved_at > _CHECKPOINT_SECONDS:
            self.save()

    def save(self) -> None:
        """Write where the run stands, unless that is on disk."""
        with self._one_at_a_time:
            checkpoint = self.checkpoint
            if checkpoint is not self._saved:
                save_checkpoint(self._folder, checkpoint)
                self._saved, self._saved_at = checkpoint, time.monotonic()


def discard_stale(folder: Path) -> list[Path]:
    """Remove the checkpoints in a folder that other code than today's wrote.

    No run is ever resumed from those. Damaged ones are left for `dsnlib.fit` to judge.

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


def _is_ours(meta: dict[str, Any]) -> bool:
    """Whether a checkpoint was written by the code that computes today's numbers."""
    method = METHODS.get(meta["identity"]["method"])
    return method is not None and bool(meta["numerics"] == numerics_stamp(method))


def _note_session(meta: dict[str, Any]) -> None:
    """Where a run resumes under other versions, code or device: say so, and record both."""
    now = provenance()
    before = {name: meta[name] for name in now}
    if now != before:
        changed = ", ".join(name for name in now if now[name] != before[name])
        warnings.warn(
            f"the run resumes under another {changed} than it began with; "
            "its numbers may differ from those of an undisturbed run",
            stacklevel=2,
        )
        meta["earlier_sessions"] = [*meta.get("earlier_sessions", []), before]
        meta.update(now)
