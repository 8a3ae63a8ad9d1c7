"""What is left of an answer once one parameter, or several, have their values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dsnlib import _check
from dsnlib.circuits.box import Box
from dsnlib.methods.run import Run
from dsnlib.storage.dataset import attribute

QUANTILES = (0.05, 0.5, 0.95)
ENOUGH = 1_000  # samples, which give a mean to 3 % of a standard deviation
FEW = 400  # samples, which give it to 5 %
LEAST = 50  # samples; fewer say nothing of a 5 % quantile
_REACH = 4.0  # bandwidths; samples farther off do not count
_HALVINGS = 40


@dataclasses.dataclass(frozen=True)
class Conditional:
    """The other parameters of an answer where some have given values.

    Args:
        fixed: the values, by the parameters' names, in their units.
        bandwidth: of the kernel, for each of these, in the same units; of the natural logarithm
            where a parameter's scale is logarithmic.
        weights: (islands, n) weights of the run's samples, which add up to 1; 0 where too few
            samples remain.
        effective: number of samples that the weights are worth, (sum w)^2 / sum w^2.
        table: a row for each other parameter: its `unit`, `mean`, `sd`, `5 %`, `50 %` and `95 %`,
            not a number where too few samples remain.
        note: what to bear in mind, in a sentence; empty where there is nothing.
    """

    fixed: dict[str, float]
    bandwidth: dict[str, float]
    weights: np.ndarray
    effective: float
    table: pd.DataFrame
    note: str


def conditional(run: Run[Any], fixed: Mapping[str, float]) -> Conditional:
    """Fix one parameter, or several: what is left for the others.

    Samples are weighted by a Gaussian kernel around the values, cut off at 4 bandwidths. The
    bandwidth of a parameter is a share of its standard deviation in the answer, the same share for
    all that are fixed: the smallest that leaves 1,000 effective samples, and at most Scott's
    n^(-1 / (k + 4)) for n samples and k fixed parameters. A narrow kernel matters: a wide one would
    blur what a stiff answer leaves. Below 50 effective samples nothing is said.

    Args:
        run: of any method.
        fixed: value of each fixed parameter by name, in its unit, within its bounds.

    Returns:
        Weights, and weighted moments and quantiles of the other parameters.

    Raises:
        TypeError, ValueError: a name that is no parameter, a value that is no number or outside the
            bounds, or no name at all.

    Source: Scott, "Multivariate density estimation" (1992), for the widest kernel.

    Example:
        >>> left = conditional(run, {"g_el": 4.0})  # doctest: +SKIP
        >>> left.table.loc["g_synA", ["5 %", "95 %"]]  # doctest: +SKIP
    """
    described = {p["name"]: p for p in attribute(run.data, "parameters")}
    values = _checked(fixed, described)
    names = list(described)
    z = run.z.reshape(-1, len(names))
    columns = [names.index(name) for name in values]
    box = run.box
    whole = np.array([values.get(name, described[name]["low"]) for name in names])
    off = (box.to_unit(z) - box.to_unit(whole))[:, columns]
    spread = off.std(axis=0)
    # where a parameter does not vary, any width will do
    spread = np.where(spread > 0, spread, 1)
    squared = ((off / spread) ** 2).sum(axis=1)
    share = _share(squared, len(z) ** (-1 / (len(columns) + 4)))
    weights = _kernel(squared, share)
    effective = _effective(weights)
    weights = weights / weights.sum() if effective >= LEAST else np.zeros(len(z))
    rows = {
        name: {"unit": described[name]["unit"], **_summary(z[:, k], weights)}
        for k, name in enumerate(names)
        if name not in values
    }
    return Conditional(
        values,
        dict(zip(values, (share * spread * _widths(box)[columns]).tolist(), strict=True)),
        weights.reshape(run.z.shape[:2]),
        effective,
        pd.DataFrame.from_dict(rows, orient="index", columns=_columns()).rename_axis("parameter"),
        _note(effective),
    )


def _widths(box: Box) -> np.ndarray:
    low, high = np.array(box.low), np.array(box.high)
    return np.where(box.log, np.log(np.where(box.log, high / low, 1)), high - low)


def _checked(fixed: Mapping[str, float], described: Mapping[str, Any]) -> dict[str, float]:
    names = ", ".join(described)
    if not isinstance(fixed, Mapping) or not fixed:
        raise ValueError(
            f"fixed must map names among {names} to values, got {fixed!r}; pass for example "
            f"{{{next(iter(described))!r}: 1.0}}"
        )
    found = {}
    for name, value in fixed.items():
        if name not in described:
            raise ValueError(f"fixed must hold names among {names}, got {name!r}; correct it")
        p, value = described[name], _check.number(name, value)
        if not p["low"] <= value <= p["high"]:
            raise ValueError(
                f"{name} must lie in [{p['low']:g}, {p['high']:g}] {p['unit']}, its bounds, got "
                f"{value:g}; choose a value inside"
            )
        found[name] = value
    return found


def _kernel(squared: np.ndarray, share: float) -> np.ndarray:
    """Weights at squared distances in standard deviations, for a bandwidth in the same."""
    scaled = squared / share**2
    return np.where(scaled <= _REACH**2, np.exp(-scaled / 2), 0)


def _effective(weights: np.ndarray) -> float:
    total = weights.sum()
    return float(total**2 / (weights**2).sum()) if total > 0 else 0.0


def _share(squared: np.ndarray, widest: float) -> float:
    """The bandwidth that leaves enough samples, by bisection, or the widest one."""
    if _effective(_kernel(squared, widest)) <= ENOUGH:
        return widest
    low, high = 0.0, widest
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _effective(_kernel(squared, middle)) < ENOUGH:
            low = middle
        else:
            high = middle
    return high


def _columns() -> list[str]:
    return ["unit", "mean", "sd", *(f"{100 * q:g} %" for q in QUANTILES)]


def _summary(values: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Weighted mean, sd and quantiles; not a number where there are no weights."""
    if not weights.any():
        return dict.fromkeys(_columns()[1:], np.nan)
    mean = weights @ values
    order = np.argsort(values)
    # each sample stands in the middle of its weight
    level = np.cumsum(weights[order]) - weights[order] / 2
    quantiles = np.interp(QUANTILES, level, values[order])
    sd = np.sqrt(weights @ (values - mean) ** 2)
    return dict(zip(_columns()[1:], [mean, sd, *quantiles], strict=True))


def _note(effective: float) -> str:
    if effective < LEAST:
        return (
            f"Too few samples remain ({effective:.0f} effective, {LEAST} are needed): the answer "
            "holds next to nothing there."
        )
    if effective < FEW:
        return (
            f"Few samples remain ({effective:.0f} effective): means are good to "
            f"{100 / np.sqrt(effective):.0f} % of a standard deviation."
        )
    return ""
