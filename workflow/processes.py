"""Processes of a sweep: their signals, their head, and the device that each has to itself."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

import psutil

_PR_SET_PDEATHSIG = 1


def follow_head() -> None:
    """Have SIGTERM sent to this process when the head of the sweep dies (on Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(os.environ.get("SWEEP_HEAD", os.getppid())):
        sys.exit("the head of the sweep died before this job began")


def stop_children(number: int, frame: FrameType | None) -> None:
    """Handler of a signal: end all processes below this one with SIGTERM, then interrupt it."""
    signal.signal(number, signal.SIG_IGN)
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.terminate()
    raise KeyboardInterrupt


def handle_signals() -> None:
    """On SIGTERM and Ctrl-C, end the processes below this one as well, at once."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop_children)


@contextlib.contextmanager
def device(names: Sequence[str]) -> Iterator[None]:
    """Hold the first GPU that no other run of this user holds, and show no other to JAX.

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
