"""What names of runs say: c0-100_seed-2 varies c0 and seed."""

from __future__ import annotations

import re

_VARIED = re.compile(r"(?:^|_)([A-Za-z][A-Za-z0-9]*)-([\d.]+)")


def varied(name: str) -> dict[str, float]:
    """Values that a run's name holds.

    Example:
        >>> varied("c0-100_seed-2")
        {'c0': 100.0, 'seed': 2.0}
    """
    return {key: float(value) for key, value in _VARIED.findall(name)}


def order(name: str) -> list[float]:
    """Key by which names sort as their numbers do: c0-2 stands before c0-10."""
    return list(varied(name).values())


def title(name: str) -> str:
    """A run's name as figures and tables write it.

    Example:
        >>> title("c0-100_seed-2")
        'c0 = 100, seed 2'
    """
    joined = {"seed": " "}
    return ", ".join(f"{key}{joined.get(key, ' = ')}{v:g}" for key, v in varied(name).items())
