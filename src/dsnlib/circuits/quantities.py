"""The quantities of a circuit: parameters and statistics, with bounds and units."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from dsnlib import _check

SCALES = ("linear", "log")


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A free parameter of a circuit, bounded and with a unit.

    Args:
        name: its name in the data and on the axes.
        unit: its unit, "1" where it has none.
        low, high: its bounds, in `unit`, low < high.
        initial_mean, initial_sd: the truncated Gaussian from which training starts, in `unit`;
            by default the middle and a quarter of the width of the bounds.
        scale: "linear"; or "log", where the parameter ranges over orders of magnitude: methods
            then start uniform in log(z), see `dsnlib.circuits.box.Box` for what entropy means.

    Raises:
        TypeError, ValueError: a bound that is no finite number, reversed bounds, bounds of a
            logarithmic parameter that are not above 0, an initial mean outside the bounds, an
            initial sd that is not positive.
    """

    name: str
    unit: str
    low: float
    high: float
    initial_mean: float | None = None
    initial_sd: float | None = None
    scale: str = "linear"

    def __post_init__(self) -> None:
        low = _check.number(f"low of parameter {self.name}", self.low)
        high = _check.number(f"high of parameter {self.name}", self.high)
        if not low < high:
            raise ValueError(
                f"low of parameter {self.name} must be below its high, "
                f"got low={low:g}, high={high:g}; swap or widen the bounds"
            )
        if _check.choice(f"scale of parameter {self.name}", self.scale, SCALES) == "log":
            _check.number(f"low of parameter {self.name}, whose scale is log,", low, above=0)
        mean = (low + high) / 2 if self.initial_mean is None else self.initial_mean
        sd = (high - low) / 4 if self.initial_sd is None else self.initial_sd
        of = f"of parameter {self.name}"
        mean = _check.number(f"initial_mean {of}", mean, above=low, below=high)
        sd = _check.number(f"initial_sd {of}", sd, above=0)
        for field, value in zip(
            ("low", "high", "initial_mean", "initial_sd"), (low, high, mean, sd), strict=True
        ):
            object.__setattr__(self, field, value)

    def described(self) -> dict[str, Any]:
        """Its fields, as they identify it in a saved run; files before 0.3 knew no scale."""
        fields = dataclasses.asdict(self)
        if self.scale == "linear":
            del fields["scale"]
        return fields


@dataclasses.dataclass(frozen=True)
class Statistic:
    """A statistic of a circuit's activity.

    Args:
        name: its name in the data and on the axes.
        unit: its unit, "1" where it has none.
        low, high: the range of values that the circuit can report, in `unit`.
    """

    name: str
    unit: str
    low: float = -math.inf
    high: float = math.inf
