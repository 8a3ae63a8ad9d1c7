"""Checks of arguments: each failure names the argument, the value and the remedy."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np


def _quoted(value: Any) -> str:
    hint = " (a string: remove the quotes)" if isinstance(value, str) else ""
    return f"{value!r}{hint}"


def whole(name: str, value: Any, at_least: int) -> int:
    """Return `value` as an int; TypeError unless it is whole, ValueError below `at_least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(
            f"{name} must be a whole number from {at_least} on, got {_quoted(value)}; pass an int"
        )
    if value < at_least:
        raise ValueError(f"{name} must be at least {at_least}, got {value}; pass a larger number")
    return int(value)


def number(name: str, value: Any, *, above: float = -math.inf, below: float = math.inf) -> float:
    """Return `value` as a float; TypeError where it is no number, ValueError outside the range."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be a number, got {_quoted(value)}; pass a float")
    if not above < value < below:  # also catches NaN
        raise ValueError(
            f"{name} must be {_range(above, below)}, got {value}; pass a number in that range"
        )
    return float(value)


def _range(above: float, below: float) -> str:
    if below == math.inf:
        return "finite" if above == -math.inf else f"finite and above {above:g}"
    return f"above {above:g} and below {below:g}"


def choice(name: str, value: Any, options: Collection[str]) -> str:
    """Return `value`; ValueError unless it is one of `options`."""
    if value not in options:
        names = ", ".join(repr(option) for option in sorted(options))
        raise ValueError(f"{name} must be one of {names}, got {value!r}; pass one of these names")
    return str(value)


def numbers(name: str, values: Any, *, above: float = -math.inf) -> tuple[float, ...]:
    """Return `values` as a tuple of floats above `above`; errors as in `number`."""
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise TypeError(
            f"{name} must be a list of numbers, one for each statistic, got {_quoted(values)}; "
            f"pass for example {name}=[0.5]"
        )
    found = tuple(number(f"{name}[{i}]", v, above=above) for i, v in enumerate(values))
    if not found:
        raise ValueError(
            f"{name} must hold at least one number, got []; pass one for each statistic"
        )
    return found
