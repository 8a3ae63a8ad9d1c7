"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


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
        temporary = _new_file(path)
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
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


def write_json(path: Path, content: Any) -> None:
    """Write numbers, strings, lists and mappings of these as JSON, whole or not at all."""
    text = json.dumps(content, indent=1, default=float) + "\n"

    def write(temporary: Path) -> None:
        temporary.write_text(text)

    write_atomically(path, write)


def _new_file(path: Path) -> Path:
    """An empty file beside `path`, with the permissions that the user's umask asks for."""
    while True:
        name = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with contextlib.suppress(FileExistsError):
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            return name


def remove_temporaries(path: Path) -> None:
    """Remove what killed processes left of their attempts to write `path`."""
    for temporary in path.parent.glob(f".{path.name}.*"):
        temporary.unlink(missing_ok=True)


def checked_path(name: str, path: object) -> Path:
    """Return the argument as an absolute path, with `~` expanded.

    It is made absolute once, since a simulator may change the working directory.

    Args:
        name: of the argument, for the error.
        path: of a folder.

    Raises:
        TypeError: it is no path.
        ValueError: its home directory is not known.
    """
    if not isinstance(path, (str, os.PathLike)) or not str(path):
        raise TypeError(
            f"{name} must be the path of a folder, got {path!r}; pass for example 'runs/mine'"
        )
    try:
        return Path(os.path.abspath(Path(path).expanduser()))
    except RuntimeError as error:
        raise ValueError(
            f"{name} must be a path whose home directory is known, got {str(path)!r} ({error}); "
            "write it in full"
        ) from error


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
