"""Numbers as the report's text and tables write them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike


def per_cent(share: float) -> str:
    """A share in per cent, with one decimal where it is below 10 %."""
    return f"{100 * share:.1f}" if 0 < share < 0.0995 else f"{100 * share:.0f}"


def count(number: int, noun: str) -> str:
    """A number of things: 1 run, 2 runs."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals; -1 rounds to tens, -2 to hundreds.

    Example:
        >>> fixed(1234.5, 0), fixed(1234.5, -2)
        ('1,234', '1,200')
    """
    rounded = round(float(value), decimals) + 0.0  # no -0
    return f"{rounded:,.{max(decimals, 0)}f}"


def rough(value: float, significant: int = 2) -> str:
    """A number with so many significant digits.

    Example:
        >>> rough(0.01234), rough(1234.5)
        ('0.012', '1,200')
    """
    return fixed(value, _decimals(value, significant))


def _decimals(value: float, significant: int) -> int:
    """Decimals that show so many significant digits; negative where the last is a ten or more."""
    exponent = int(f"{value:.{significant - 1}e}".split("e")[1])
    return significant - 1 - exponent


def plus_minus(value: float, se: float, decimals: int | None = None) -> str:
    """A value and its standard error.

    Args:
        value, se: in the same unit.
        decimals: of both; by default the error has two significant digits.

    Example:
        >>> plus_minus(3.14159, 0.0123)
        '3.142 ± 0.012'
    """
    places = _decimals(se, 2) if decimals is None else decimals
    return f"{fixed(value, places)} ± {fixed(se, places)}"


def spread(values: ArrayLike, decimals: int = 2) -> str:
    """Median and range of numbers, those that are missing left out.

    Example:
        >>> spread([1.0, 2.0, 4.0], 1)
        '2.0 [1.0, 4.0]'
    """
    return _with_range(values, lambda value: fixed(value, decimals))


def rough_spread(values: ArrayLike) -> str:
    """Median and range of numbers, each with two significant digits."""
    return _with_range(values, rough)


def _with_range(values: ArrayLike, write: Callable[[float], str]) -> str:
    low, middle, high = map(write, np.nanquantile(np.asarray(values, float), [0, 0.5, 1]))
    return bracketed(middle, low, high)


def bracketed(middle: str, low: str, high: str) -> str:
    """A number and its range as they are written; one number where the ends agree."""
    return middle if low == high else f"{middle} [{low}, {high}]"


def from_to(values: Sequence[float], decimals: int) -> str:
    """The range of numbers: 0.3 to 0.5, or 0.3 where the ends agree."""
    low, high = fixed(min(values), decimals), fixed(max(values), decimals)
    return low if low == high else f"{low} to {high}"
