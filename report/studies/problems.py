"""Problems with known answers, on which methods are tried: circuit, property, and the truth."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from dsnlib import (
    SMC,
    STG,
    V1,
    Circuit,
    EmergentProperty,
    Linear2D,
    Parameter,
    RankTwoRNN,
    Statistic,
    SuperiorColliculus,
)

REFERENCES = Path(__file__).parent / "references"
_HUB = EmergentProperty([0.525], [0.025])
_NETWORK = EmergentProperty([0.5, 1.5], [0.25, 0.25])
_SOLVED = (2, 5, 10)  # neurons of the networks that have references
_RING_MEAN, _RING_SD = 1.0, 0.05
RARE_D, RARE_SD = 6, 0.1  # parameters, and sd over mean, of the problems of falling rarity
RARITIES = range(2, 9)  # of these, as powers of ten


@dataclasses.dataclass(frozen=True)
class Ring(Circuit):
    """The distance of d parameters, each in (-2, 2), from the origin: its answer is a shell."""

    d: int

    observables: ClassVar = (Statistic("radius", "1", low=0),)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """x1, .., xd."""
        return tuple(Parameter(f"x{k}", "1", -2, 2) for k in range(1, self.d + 1))

    def evaluate(self, z: jax.Array) -> jax.Array:
        """The radius."""
        return jnp.sqrt((z**2).sum(axis=1, keepdims=True) + 1e-12)


@dataclasses.dataclass(frozen=True)
class Case:
    """A problem and what is known of its answer.

    Args:
        circuit, prop: the problem.
        reference: file of exact samples in `references/`, where there is one.
        method: with which the gallery solves it.
    """

    circuit: Circuit
    prop: EmergentProperty
    reference: str | None = None
    method: SMC = dataclasses.field(default_factory=SMC)

    def exact(self) -> dict[str, Any]:
        """The reference's arrays: `z` (n, P) exact samples, `entropy`, `entropy_se` and others."""
        assert self.reference is not None
        with np.load(REFERENCES / self.reference) as file:
            return {name: file[name] for name in file.files}


def _stg(reference: str, observe: tuple[str, ...], prop: EmergentProperty) -> Case:
    with np.load(REFERENCES / reference) as file:
        names = tuple(f"g_{name}".replace("g_g_", "g_") for name in file["names"])
    return Case(STG(free=names, observe=observe), prop, reference)


def rare_radius(rarity: float) -> float:
    """Radius at which a share `rarity` of the box lies within two sd of a `Ring`'s target."""
    ball = math.pi ** (RARE_D / 2) / math.gamma(RARE_D / 2 + 1) / 4**RARE_D
    shell = (1 + 2 * RARE_SD) ** RARE_D - (1 - 2 * RARE_SD) ** RARE_D
    return float((rarity / (ball * shell)) ** (1 / RARE_D))


def _rare(rarity: float) -> Case:
    radius = rare_radius(rarity)
    return Case(Ring(RARE_D), EmergentProperty([radius], [RARE_SD * radius]))


def _network_method(N: int) -> SMC:
    """Moves along the gradient where parameters are many; from 50 neurons statistics in turn."""
    if N < 25:
        return SMC()
    if N == 25:
        return SMC(moves="gradient")
    return SMC(moves="gradient", order="in turn", particles=4_000)


# Simulations of the noisy circuits are slow, and networks of many parameters have many stages.
CASES = {
    "d2": Case(STG(), _HUB, "d2.npz"),
    "v1": Case(V1(), EmergentProperty([5.0], [1.0]), "v1.npz", method=SMC(particles=4_000)),
    "sc": Case(
        SuperiorColliculus(),
        EmergentProperty([0.75, 0.75], [0.075, 0.075]),
        "sc.npz",
        method=SMC(particles=2_000),
    ),
    "d3": _stg("d3.npz", ("f_hub",), _HUB),
    "d5": _stg("d5.npz", ("f_hub",), _HUB),
    "d8": _stg("d8.npz", ("f_hub",), _HUB),
    "d12": _stg(
        "d12.npz",
        ("f_f1", "f_hub", "f_s1"),
        EmergentProperty([0.6, 0.525, 0.35], [0.025, 0.025, 0.025]),
    ),
    "linear2d": Case(Linear2D(), EmergentProperty([0.0, 1.0], [0.5, 0.1]), "linear2d.npz"),
} | {
    f"ring{d}": Case(Ring(d), EmergentProperty([_RING_MEAN], [_RING_SD])) for d in (2, 10, 30)
} | {
    f"rnn{N}": Case(
        RankTwoRNN(N), _NETWORK, f"rnn{N}.npz" if N in _SOLVED else None, _network_method(N)
    )
    for N in (2, 5, 10, 25, 50, 100, 250)
} | {f"rare{k}": _rare(10.0**-k) for k in RARITIES}  # fmt: skip
#: The same problems with the other order of relaxation.
OTHER_ORDER = {
    f"{name}-{order.replace(' ', '-')}": dataclasses.replace(
        CASES[name], method=dataclasses.replace(CASES[name].method, order=order)
    )
    for name, order in (("d12", "in turn"), ("rnn25", "in turn"), ("rnn50", "together"))
}
