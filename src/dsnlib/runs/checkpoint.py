"""Checkpoint of a run in progress: its state and history, bit for bit."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from dsnlib.runs.files import write_atomically
from dsnlib.training.history import History
from dsnlib.training.lagrangian import State

_FORMAT = 1


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be read."""


class Checkpoint(NamedTuple):
    """All that a run needs to go on, and what it is."""

    state: State
    history: History
    meta: dict[str, Any]  # identity of the run, initial fit, seconds so far


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically.

    Args:
        path: of the .npz file.
        checkpoint: to write.

    Raises:
        OSError: it cannot be written; an older checkpoint is then untouched.
    """
    leaves = _leaves(checkpoint.state)
    meta = {"format": _FORMAT, **checkpoint.meta}
    arrays: dict[str, Any] = leaves | {f"history/{k}": v for k, v in checkpoint.history.items()}

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, meta=np.array(json.dumps(meta)), **arrays)

    write_atomically(path, write)


def load_checkpoint(
    path: Path, like: State, accept: Callable[[dict[str, Any]], None]
) -> Checkpoint:
    """Read a checkpoint.

    Args:
        path: of the .npz file.
        like: a state of the same structure.
        accept: is called with the checkpoint's meta before anything else is looked at, and raises
            where it is of another run.

    Returns:
        The checkpoint.

    Raises:
        CheckpointError: the file is damaged, of another format, or of another structure.
    """
    arrays = _read(path)
    meta = json.loads(str(arrays.get("meta", "{}")))
    if meta.get("format") != _FORMAT:
        raise CheckpointError(
            f"{path} has format {meta.get('format')}, this version reads {_FORMAT}; "
            "finish the run with the version that began it, or remove the file to train afresh"
        )
    accept(meta)
    template = _leaves(like)
    if any(k not in arrays or arrays[k].shape != leaf.shape for k, leaf in template.items()):
        raise CheckpointError(
            f"{path} holds a state of another structure; remove it to train afresh"
        )
    state = jax.tree.unflatten(jax.tree.structure(like), [arrays[name] for name in template])
    history = {
        name.removeprefix("history/"): array
        for name, array in arrays.items()
        if name.startswith("history/")
    }
    plain = {"c": float(state.c), "epoch": int(state.epoch), "iteration": int(state.iteration)}
    return Checkpoint(state._replace(**plain), history, meta)


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:  # members carry a CRC
            return dict(file)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise CheckpointError(
            f"{path} cannot be read ({error}); remove it to train afresh"
        ) from error


def _leaves(state: State) -> dict[str, np.ndarray]:
    """Arrays of a state by their path in it."""
    return {
        f"state{jax.tree_util.keystr(path)}": np.asarray(leaf)
        for path, leaf in jax.tree_util.tree_flatten_with_path(state)[0]
    }
