"""Settings of relaxed maximum entropy by SMC, checked."""

from __future__ import annotations

import dataclasses

from dsnlib import _check
from dsnlib.flows import FLOWS

MOVES = ("ensemble", "gradient")
ORDERS = ("together", "in turn")


@dataclasses.dataclass(frozen=True)
class SMCSettings:
    """The fields of `dsnlib.SMC`, where they are explained."""

    particles: int = 10_000
    islands: int = 4
    moves: str = "ensemble"
    order: str = "together"
    density: str | None = None
    precision: str = "float32"

    def __post_init__(self) -> None:
        particles = _check.whole("particles", self.particles, at_least=100)
        if particles % 2:
            raise ValueError(
                f"particles must be even, got {particles}: its halves move in turn; "
                f"pass {particles + 1}"
            )
        checked: dict[str, object] = {
            "particles": particles,
            "islands": _check.whole("islands", self.islands, at_least=2),
            "moves": _check.choice("moves", self.moves, MOVES),
            "order": _check.choice("order", self.order, ORDERS),
            "precision": _check.choice("precision", self.precision, _check.PRECISIONS),
        }
        if self.density is not None:
            checked["density"] = _check.choice("density", self.density, FLOWS)
        for name, value in checked.items():
            object.__setattr__(self, name, value)
