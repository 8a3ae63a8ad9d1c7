"""Files of the repository, without what editors and operating systems leave beside them."""

from __future__ import annotations

import re
from pathlib import Path

_DATA = re.compile(r"\w[\w.+-]*")  # names of runs and of results


def found(*patterns: str, data: bool = False) -> list[str]:
    """Files whose names are proper, sorted: `._x.py`, `.#x.py`, `x copy.py`, `x.css~` are left out.

    Args:
        patterns: globs, relative to the working directory.
        data: whether names are those of data, which may hold more than an identifier does.

    Returns:
        Paths, relative to the working directory.

    Example:
        >>> import contextlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        ...     for name in ("stg.py", "._stg.py", "stg copy.py", "c0-0.1.nc", "c0-0.1.nc~"):
        ...         Path(name).touch()
        ...     found("*.py"), found("*", data=True)
        (['stg.py'], ['c0-0.1.nc', 'stg.py'])
    """
    proper = _DATA.fullmatch if data else _is_code
    return sorted(
        str(path)
        for pattern in patterns
        for path in Path().glob(pattern)
        if all(proper(part) for part in path.parts)
    )


def _is_code(name: str) -> bool:
    stem, dot, suffix = name.rpartition(".")
    return stem.isidentifier() and suffix.isalnum() if dot else name.isidentifier()
