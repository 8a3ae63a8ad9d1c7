"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_atomically(
    path: Path, write: Callable[[Path], None], previous: Path | None = None
) -> None:
    """Let `write` fill a temporary file beside `path`, flush it to disk, then rename it to `path`.

    Args:
        path: final name.
        write: is called with the temporary name.
        previous: name under which the file that is replaced is kept.

    Raises:
        OSError: the file cannot be written; `path` is then as it was.
    """
    temporary = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        temporary = Path(name)
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp lets only the owner read
        if previous and path.exists():
            path.replace(previous)
        temporary.replace(path)
    except (OSError, RuntimeError) as error:  # netCDF4 raises either
        raise OSError(
            f"{path} cannot be written ({getattr(error, 'strerror', None) or error}); what was "
            "there before is intact: free space or make the folder writable, then start again"
        ) from error
    finally:
        if temporary:
            with contextlib.suppress(OSError):  # the folder may have become read-only
                temporary.unlink(missing_ok=True)


def remove_temporaries(path: Path) -> None:
    """Remove what killed processes left of their attempts to write `path`."""
    for temporary in path.parent.glob(f".{path.name}.*"):
        temporary.unlink(missing_ok=True)


def checked_path(name: str, path: object) -> Path:
    """Return the argument as a path; TypeError unless it is a non-empty string or a path."""
    if not isinstance(path, (str, os.PathLike)) or not str(path):
        raise TypeError(
            f"{name} must be the path of a folder, got {path!r}; pass for example 'runs/mine'"
        )
    return Path(path)


def make_writable(name: str, folder: Path) -> None:
    """Make the folder where it is missing and make sure that it takes files.

    Args:
        name: of the argument, for the error.
        folder: to make.

    Raises:
        OSError: the folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(
            f"{name} must be a folder that can be written, got {str(folder)!r} "
            f"({error.strerror or error}); choose another folder or free this one"
        ) from error
