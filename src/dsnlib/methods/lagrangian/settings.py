"""Settings of the augmented Lagrangian, checked."""

from __future__ import annotations

import dataclasses
from typing import Self

from dsnlib import _check
from dsnlib.flows import FLOWS

GRADIENTS = ("pathwise", "score", "vargrad")
# What only the host uses, between the calls of compiled functions.
_HOST_SETTINGS = ("c0", "beta", "gamma", "epochs")


@dataclasses.dataclass(frozen=True)
class LagrangianSettings:
    """The fields of `dsnlib.AugmentedLagrangian`, where they are explained."""

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
    decay: float = 0.0
    standardised: bool = False

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
            "precision": _check.choice("precision", self.precision, _check.PRECISIONS),
            "gradient": _check.choice("gradient", self.gradient, GRADIENTS),
            "clip": _check.number("clip", self.clip, at_least=0),
            "decay": _check.number("decay", self.decay, at_least=0, below=1),
        }
        _check.instance("standardised", self.standardised, bool)
        if self.batch % 2:
            raise ValueError(
                f"batch must be even, got {self.batch}; its two halves give an unbiased gradient, "
                f"pass {self.batch + 1}"
            )
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def compiled(self) -> Self:
        """The same with defaults for what compiled functions do not depend on.

        Runs that differ only in these settings share one program.
        """
        return dataclasses.replace(
            self, **{name: getattr(LagrangianSettings, name) for name in _HOST_SETTINGS}
        )
