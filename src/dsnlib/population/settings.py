"""Settings of population Monte Carlo."""

from __future__ import annotations

import dataclasses

from dsnlib import _check
from dsnlib.flows import FLOWS
from dsnlib.settings import PRECISIONS

#: Samples that one compiled call draws and simulates.
CHUNK = 20_000


@dataclasses.dataclass(frozen=True)
class Population:
    """How a network is trained by population Monte Carlo: from simulations, without gradients.

    Args:
        samples: drawn and simulated in each stage, a multiple of 20,000.
        memory: number of stages whose samples are used together.
        ess: share of these samples that the effective number must reach before the target's
            standard deviation is lowered that far, in (0, 1); near 0 there is no tempering.
        uniform: share of the samples drawn uniformly over the box, in (0, 1).
        repeats: stages at the property's own standard deviation.
        iterations: optimiser steps of the flow in each stage.
        final_samples: of the last fit of the flow, a multiple of 20,000.
        final_iterations: optimiser steps of that fit.
        acceptance_samples: from which the acceptance is learned, a multiple of 20,000.
        acceptance_iterations: optimiser steps of that, 0 for a flow without it.
        flow: architecture of the flow, a name in `dsnlib.flows.FLOWS`.
        layers: number of layers of that flow.
        precision: "float32" or "float64".

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of its range.

    Example:
        >>> Population(samples=30_000)
        Traceback (most recent call last):
        ...
        ValueError: samples must be a multiple of 20,000, got 30,000; pass 40,000
    """

    samples: int = 20_000
    memory: int = 4
    ess: float = 0.2
    uniform: float = 0.1
    repeats: int = 4
    iterations: int = 300
    final_samples: int = 400_000
    final_iterations: int = 3_000
    acceptance_samples: int = 1_000_000
    acceptance_iterations: int = 4_000
    flow: str = "spline"
    layers: int = 4
    precision: str = "float32"

    def __post_init__(self) -> None:
        checked: dict[str, object] = {
            **{name: _chunks(name, getattr(self, name)) for name in _SAMPLES},
            **{name: _check.whole(name, getattr(self, name), at_least=1) for name in _COUNTS},
            "acceptance_iterations": _check.whole(
                "acceptance_iterations", self.acceptance_iterations, at_least=0
            ),
            "ess": _check.number("ess", self.ess, above=0, below=1),
            "uniform": _check.number("uniform", self.uniform, above=0, below=1),
            "flow": _check.choice("flow", self.flow, FLOWS),
            "precision": _check.choice("precision", self.precision, PRECISIONS),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)


_SAMPLES = ("samples", "final_samples", "acceptance_samples")
_COUNTS = ("memory", "repeats", "iterations", "final_iterations", "layers")


def _chunks(name: str, value: object) -> int:
    """The value, a positive multiple of CHUNK."""
    number = _check.whole(name, value, at_least=CHUNK)
    if number % CHUNK:
        raise ValueError(
            f"{name} must be a multiple of {CHUNK:,}, got {number:,}; "
            f"pass {number + -number % CHUNK:,}"
        )
    return number
