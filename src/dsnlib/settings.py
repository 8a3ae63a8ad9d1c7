"""Settings of one training run."""

from __future__ import annotations

import dataclasses

from dsnlib import _check
from dsnlib.flows import FLOWS

PRECISIONS = ("float32", "float64")
GRADIENTS = ("pathwise", "score")


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a density network is trained by the augmented Lagrangian (AL).

    Args:
        c0: penalty coefficient of the first epoch, above 0.
        beta: factor by which the penalty grows, above 1.
        gamma: fraction to which an epoch should reduce the violation |R|, in (0, 1).
        epochs: number of AL epochs.
        iterations: optimiser steps in each epoch.
        batch: samples in each step, even and at least 4: its halves give an unbiased gradient.
        learning_rate: step size of Adam, above 0.
        flow: architecture of the network, a name in `dsnlib.flows.FLOWS`.
        layers: number of layers of that flow.
        precision: "float32" or "float64".
        gradient: how the gradient of the constraints is estimated: "pathwise", through the
            simulator as in the note, or "score", which only needs the simulator's values.
        clip: norm to which longer gradients are cut before each step, 0 for none.

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of its range.

    Example:
        >>> Settings(c0=0)
        Traceback (most recent call last):
        ...
        ValueError: c0 must be finite and above 0, got 0; pass a number in that range
    """

    c0: float = 1.0
    beta: float = 4.0
    gamma: float = 0.25
    epochs: int = 8
    iterations: int = 10_000
    batch: int = 1_000
    learning_rate: float = 1e-3
    flow: str = "planar"
    layers: int = 10
    precision: str = "float32"
    gradient: str = "pathwise"
    clip: float = 0.0

    def __post_init__(self) -> None:
        checked: dict[str, object] = {
            "c0": _check.number("c0", self.c0, above=0),
            "beta": _check.number("beta", self.beta, above=1),
            "gamma": _check.number("gamma", self.gamma, above=0, below=1),
            "epochs": _check.whole("epochs", self.epochs, at_least=1),
            "iterations": _check.whole("iterations", self.iterations, at_least=1),
            "batch": _check.whole("batch", self.batch, at_least=4),
            "learning_rate": _check.number("learning_rate", self.learning_rate, above=0),
            "flow": _check.choice("flow", self.flow, FLOWS),
            "layers": _check.whole("layers", self.layers, at_least=1),
            "precision": _check.choice("precision", self.precision, PRECISIONS),
            "gradient": _check.choice("gradient", self.gradient, GRADIENTS),
            "clip": _check.number("clip", self.clip, at_least=0),
        }
        if self.batch % 2:
            raise ValueError(
                f"batch must be even, got {self.batch}; its two halves give an unbiased gradient, "
                f"pass {self.batch + 1}"
            )
        for name, value in checked.items():
            object.__setattr__(self, name, value)


def checked_seed(seed: object) -> int:
    """Return the seed as an int; TypeError or ValueError unless it is whole, >= 0 and < 2^32."""
    value = _check.whole("seed", seed, at_least=0)
    if value >= 2**32:
        raise ValueError(f"seed must be below 2^32, got {value}; pass a smaller number")
    return value
