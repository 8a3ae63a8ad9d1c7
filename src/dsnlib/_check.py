"""Checks of arguments: each failure names the argument, the value and the remedy."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

PRECISIONS = ("float32", "float64")
_LARGEST = 1e30  # leaves room for products within float32


def _quoted(value: Any) -> str:
    hint = " (a string: remove the quotes)" if isinstance(value, str) else ""
    text = repr(value)
    return f"{text if len(text) <= 80 else text[:77] + '...'}{hint}"


def whole(name: str, value: Any, at_least: int) -> int:
    """Return `value` as an int; TypeError unless it is whole, ValueError below `at_least`."""
    value = _scalar(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(
            f"{name} must be a whole number from {at_least} on, got {_quoted(value)}; pass an int"
        )
    if value < at_least:
        raise ValueError(f"{name} must be at least {at_least}, got {value}; pass a larger number")
    return int(value)


def number(
    name: str,
    value: Any,
    *,
    above: float = -math.inf,
    at_least: float = -math.inf,
    below: float = math.inf,
) -> float:
    """Return `value` as a float; TypeError where it is no number, ValueError outside the range."""
    value = _scalar(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number, got {_quoted(value)}; pass a float")
    if not (above < value < below and at_least <= value) or abs(value) > _LARGEST:  # or NaN
        limits = {"above": above, "at least": at_least, "below": below}
        finite = [f"{word} {limit:g}" for word, limit in limits.items() if math.isfinite(limit)]
        raise ValueError(
            f"{name} must be {' and '.join(['finite', *finite])}, got {_quoted(value)}; "
            "pass a number in that range"
        )
    return float(value)


def _scalar(value: Any) -> Any:
    """The Python number in an array without dimensions, anything else as it is."""
    is_scalar_array = hasattr(value, "item") and getattr(value, "ndim", None) == 0
    return value.item() if is_scalar_array else value


def instance(name: str, value: Any, kind: type) -> None:
    """TypeError unless `value` is an instance of `kind`."""
    if not isinstance(value, kind):
        raise TypeError(
            f"{name} must be a dsnlib.{kind.__name__}, got {_quoted(value)}; pass an instance of "
            "that class"
        )


def choice(name: str, value: Any, options: Collection[str]) -> str:
    """Return `value`; ValueError unless it is one of `options`."""
    if not isinstance(value, str) or value not in options:
        names = ", ".join(repr(option) for option in sorted(options))
        raise ValueError(f"{name} must be one of {names}, got {value!r}; pass one of these names")
    return value


def choices(name: str, values: Any, options: Collection[str]) -> tuple[str, ...]:
    """Return `values` as a tuple of names of `options`; errors where one is unknown or repeated."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(
            f"{name} must be a tuple of names, got {values!r}; "
            f"pass for example {name}=({next(iter(options))!r},)"
        )
    found = tuple(values)
    allowed = ", ".join(options)
    for value in found:
        if not isinstance(value, str) or value not in options:
            raise ValueError(f"{name} must hold names among {allowed}, got {value!r}; correct it")
        if found.count(value) > 1:
            raise ValueError(f"{name} must name each once, got {value!r} twice; drop one of them")
    if not found:
        raise ValueError(f"{name} must hold at least one name of {allowed}, got none; name one")
    return found


def numbers(
    name: str, values: Any, *, above: float = -math.inf, or_none: bool = False
) -> tuple[Any, ...]:
    """Return `values` as a tuple of floats above `above`; errors as in `number`.

    With `or_none` an entry may be None.
    """
    if isinstance(values, str) or not _is_list(values):
        raise TypeError(
            f"{name} must be a list of numbers, one for each statistic, got {_quoted(values)}; "
            f"pass for example {name}=[0.5]"
        )
    found = tuple(
        None if or_none and v is None else number(f"{name}[{i}]", v, above=above)
        for i, v in enumerate(values)
    )
    if not found:
        raise ValueError(
            f"{name} must hold at least one number, got []; pass one for each statistic"
        )
    return found


def intervals(name: str, values: Any) -> tuple[tuple[float, float] | None, ...]:
    """Return `values` as a tuple of intervals (low, high) or None; errors where one is none."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(
            f"{name} must be a list with an interval for each statistic, got {_quoted(values)}; "
            f"pass for example {name}=[(5, 10)]"
        )
    found: list[tuple[float, float] | None] = []
    for i, value in enumerate(values):
        if value is None:
            found.append(None)
            continue
        if isinstance(value, str) or not isinstance(value, Iterable) or len(tuple(value)) != 2:
            raise TypeError(
                f"{name}[{i}] must be an interval (low, high) or None, got {_quoted(value)}; "
                "pass two numbers"
            )
        low, high = (number(f"{name}[{i}]", each) for each in value)
        if not low < high:
            raise ValueError(
                f"{name}[{i}] must be an interval (low, high) with low below high, got "
                f"({low:g}, {high:g}); swap or widen it"
            )
        found.append((low, high))
    return tuple(found)


def _is_list(values: Any) -> bool:
    """Whether it is a list, tuple or array of one dimension."""
    return np.ndim(np.asarray(values, object)) == 1


def seed(value: Any) -> int:
    """Return the seed as an int; TypeError or ValueError unless it is whole, >= 0 and < 2^32."""
    value = whole("seed", value, at_least=0)
    if value >= 2**32:
        raise ValueError(f"seed must be below 2^32, got {value}; pass a smaller number")
    return int(value)
