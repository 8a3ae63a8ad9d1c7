"""Checkpoint of a run in progress: its state and history, bit for bit."""

from __future__ import annotations

import json
import zipfile
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


def load_checkpoint(path: Path, like: State) -> Checkpoint:
    """Read a checkpoint.

    Args:
        path: of the .npz file.
        like: a state of the same structure.

    Returns:
        The checkpoint.

    Raises:
        CheckpointError: the file is damaged, of another format, or of another structure.
    """
    arrays = _read(path)
    template = _leaves(like)
    missing = template.keys() - arrays.keys()
    if missing or any(arrays[k].shape != template[k].shape for k in template):
        raise CheckpointError(
            f"{path} holds a state of another structure; remove it to train afresh"
        )
    structure = jax.tree.structure(like)
    state = jax.tree.unflatten(structure, [arrays[name] for name in template])
    history = {
        name.removeprefix("history/"): array
        for name, array in arrays.items()
        if name.startswith("history/")
    }
    return Checkpoint(
        state._replace(c=float(state.c), epoch=int(state.epoch), iteration=int(state.iteration)),
        history,
        read_meta(path),
    )


def read_meta(path: Path) -> dict[str, Any]:
    """What the checkpoint says of its run; CheckpointError where it cannot be read."""
    meta = json.loads(str(_read(path)["meta"]))
    if meta.get("format") != _FORMAT:
        raise CheckpointError(
            f"{path} has format {meta.get('format')}, this version reads {_FORMAT}; "
            "finish the run with the version that began it, or remove the file to train afresh"
        )
    return meta


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
