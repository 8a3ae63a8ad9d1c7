"""Execute a notebook with papermill: on a device of its own, stopped in order.

Execute a page or a chapter, whole or not at all: execute.py SOURCE SCRATCH TARGET PARAMETERS, the
last in JSON.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import nbformat
import papermill
import psutil

from notebooks import defects

_PR_SET_PDEATHSIG = 1


def execute(notebook: nbformat.NotebookNode, scratch: Path, parameters: dict[str, Any]) -> None:
    """Execute a notebook in the working directory; its outputs are logged on standard error.

    SIGTERM and Ctrl-C go on to the kernel as SIGTERM, which lets `dsnlib.fit` write a checkpoint.
    Where the process that started this one dies, SIGTERM comes as well (on Linux).

    Args:
        notebook: source.
        scratch: path of the executed notebook, which stays where a cell fails.
        parameters: for the notebook.

    Raises:
        papermill.PapermillExecutionError: a cell failed.
        KeyboardInterrupt: a signal came.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop_children)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(os.environ.get("SWEEP_HEAD", os.getppid())):
        sys.exit("the head of the sweep died before the notebook was started")
    scratch.parent.mkdir(parents=True, exist_ok=True)
    papermill.execute_notebook(
        notebook, str(scratch), parameters, progress_bar=False, log_output=True
    )


def stop_children(number: int, frame: FrameType | None) -> None:
    """Handler of a signal: end all processes below this one with SIGTERM, then interrupt it."""
    signal.signal(number, signal.SIG_IGN)
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.terminate()
    raise KeyboardInterrupt


@contextlib.contextmanager
def device(names: Sequence[str]) -> Iterator[None]:
    """Hold the first GPU that no other run of this user holds, and show no other to the kernel.

    Args:
        names: of the devices, as CUDA_VISIBLE_DEVICES takes them; none: the environment stays.

    Raises:
        RuntimeError: all are held.
    """
    if not names:
        yield
        return
    for name in names:
        file = Path(tempfile.gettempdir()) / f"dsnlib-{os.getuid()}-device-{name}.lock"
        with file.open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            os.environ["CUDA_VISIBLE_DEVICES"] = name
            yield
            return
    raise RuntimeError(
        f"devices must name one for each run at a time, got {','.join(names)}, all of which are "
        "held; set gpu in the profile to their number"
    )


def main(source: str, scratch: str, target: str, parameters: str) -> None:
    """Execute a notebook and move it to its place where it is complete."""
    executed = Path(scratch)
    os.environ["TQDM_DISABLE"] = "1"  # a page would keep the progress bar of a slow machine
    execute(nbformat.read(source, as_version=4), executed, json.loads(parameters))
    if found := defects(executed):
        sys.exit(f"{source} did not execute completely: {'; '.join(found)}; see {scratch}")
    with executed.open("rb+") as file:
        os.fsync(file.fileno())
    executed.replace(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
