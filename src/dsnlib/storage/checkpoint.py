"""Checkpoints of a run in progress: its state, bit for bit."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from dsnlib.storage.files import write_atomically

#: The newest checkpoint and the one before it, in a run's folder.
CHECKPOINT_FILES = ("checkpoint.npz", "checkpoint.previous.npz")
_FORMAT = 3


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be read."""


State = Any  # a pytree of arrays and numbers


class Checkpoint(NamedTuple):
    """All that a run needs to go on, and what it is."""

    state: State
    meta: dict[str, Any]  # identity of the run, where it comes from, seconds so far


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically, and keep the one before it.

    Args:
        folder: of the run.
        checkpoint: to write.

    Raises:
        OSError: it cannot be written; older checkpoints are then untouched.
    """
    meta = {"format": _FORMAT, **checkpoint.meta}
    arrays: dict[str, Any] = _leaves(checkpoint.state)
    arrays["meta"] = np.array(json.dumps(meta))
    arrays["sha256"] = np.array(_digest(arrays))

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    newest, previous = (folder / name for name in CHECKPOINT_FILES)
    write_atomically(newest, write, previous)


def load_checkpoint(
    folder: Path, like: Callable[[], State], accept: Callable[[dict[str, Any]], None]
) -> Checkpoint | None:
    """Read the newest checkpoint, or with a warning the one before where the newest is damaged.

    Args:
        folder: of the run.
        like: makes a state of the same structure.
        accept: is called with the checkpoint's meta before the state is looked at, and raises
            where it is of another run.

    Returns:
        The checkpoint, or None where there is none.

    Raises:
        CheckpointError: all are damaged, or the newest that is not is of another format or
            structure.
    """
    damage: list[str] = []
    for file in (folder / name for name in CHECKPOINT_FILES):
        if not file.exists():
            continue
        try:
            arrays, meta = _read(file)
        except _DamagedError as error:
            damage.append(f"{file} cannot be read ({error})")
            continue
        accept(meta)
        checkpoint = _assemble(file, arrays, meta, like())
        if damage:
            warnings.warn(f"{damage[0]}; the run resumes from {file}, the one before", stacklevel=2)
            (folder / CHECKPOINT_FILES[0]).unlink()  # or it would replace the good one
        return checkpoint
    if damage:
        files = "both" if len(damage) > 1 else "it"
        raise CheckpointError(f"{'; '.join(damage)}; remove {files} to train afresh")
    return None


def read_meta(file: Path) -> dict[str, Any] | None:
    """The meta of the checkpoint in a file, or None where it is damaged."""
    try:
        return _read(file)[1]
    except _DamagedError:
        return None


class _DamagedError(Exception):
    """The file is not as it was written."""


def _read(file: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and meta of a checkpoint, verified."""
    try:
        with np.load(file, allow_pickle=False) as members:
            arrays = dict(members)
        meta = dict(json.loads(str(arrays.get("meta", "{}"))))
    except Exception as error:  # of whatever kind: damage may strike the headers too
        raise _DamagedError(str(error) or type(error).__name__) from error
    if meta.get("format") != _FORMAT:
        raise CheckpointError(
            f"{file} has format {meta.get('format')}, this version reads {_FORMAT}; "
            "finish the run with the version that began it, or remove the file to train afresh"
        )
    if str(arrays.pop("sha256", "")) != _digest(arrays):
        raise _DamagedError("its checksum is wrong")
    return arrays, meta


def _assemble(
    file: Path, arrays: dict[str, np.ndarray], meta: dict[str, Any], like: State
) -> Checkpoint:
    template = _leaves(like)
    if any(k not in arrays or arrays[k].shape != leaf.shape for k, leaf in template.items()):
        raise CheckpointError(
            f"{file} holds a state of another structure; remove it to train afresh"
        )
    kinds = [type(leaf) for leaf in jax.tree.leaves(like)]
    leaves = [
        kind(arrays[name]) if kind in (int, float) else arrays[name]
        for kind, name in zip(kinds, template, strict=True)
    ]
    return Checkpoint(jax.tree.unflatten(jax.tree.structure(like), leaves), meta)


def _digest(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of all names, types, shapes and values."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _leaves(state: State) -> dict[str, np.ndarray]:
    """Arrays of a state by their path in it."""
    return {
        f"state{jax.tree_util.keystr(path)}": np.asarray(leaf)
        for path, leaf in jax.tree_util.tree_flatten_with_path(state)[0]
    }
