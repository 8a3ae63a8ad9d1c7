"""Settings of weighted uniform draws, checked."""

from __future__ import annotations

import dataclasses

from dsnlib import _check

ISLANDS = 4  # parts of the draws, each with an answer of its own


@dataclasses.dataclass(frozen=True)
class UniformSettings:
    """The fields of `dsnlib.Uniform`, where they are explained."""

    samples: int = 400_000
    precision: str = "float32"

    def __post_init__(self) -> None:
        samples = _check.whole("samples", self.samples, at_least=400)
        if samples % ISLANDS:
            raise ValueError(
                f"samples must be a multiple of {ISLANDS}, got {samples}: they are cut into "
                f"{ISLANDS} parts; pass {samples + ISLANDS - samples % ISLANDS}"
            )
        object.__setattr__(self, "samples", samples)
        _check.choice("precision", self.precision, _check.PRECISIONS)
