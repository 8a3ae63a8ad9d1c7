"""One process on a run's folder: the second is refused."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import warnings
from collections.abc import Iterator
from pathlib import Path

LOCK_FILE = ".lock"


class RunLockedError(RuntimeError):
    """Another process is training in the folder."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the operating system drops it when its owner dies.

    It is an flock, which network file systems carry from host to host. The lock's file names the
    owner and is removed in the end.

    Args:
        folder: exists, and can be written.

    Raises:
        RunLockedError: another process holds it; the error says its host and process id.
    """
    file = folder / LOCK_FILE
    handle = _acquire(file)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # the folder may have become read-only
            file.unlink(missing_ok=True)
        os.close(handle)


def _acquire(file: Path) -> int:
    """Open the file and lock it."""
    while True:
        handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.read(handle, 1_000).decode(errors="replace") or "another process"
            os.close(handle)
            raise RunLockedError(
                f"out must be a folder that no other process trains in, got {str(file.parent)!r}, "
                f"which {owner} holds; wait for it, stop it, or choose another folder"
            ) from error
        except OSError as error:
            warnings.warn(
                f"{file.parent} lies on a file system without locks ({error.strerror}); "
                "make sure that only one process trains there",
                stacklevel=2,
            )
        if _is_open_at(handle, file):  # else its last owner removed it in between
            os.ftruncate(handle, 0)
            os.write(handle, f"process {os.getpid()} on host {socket.gethostname()}".encode())
            return handle
        os.close(handle)


def _is_open_at(handle: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), file.stat())
    except FileNotFoundError:
        return False
