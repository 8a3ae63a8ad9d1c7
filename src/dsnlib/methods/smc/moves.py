"""What a kind of moves is, for the sampler: how particles move, and how that is tuned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np


class Swept(NamedTuple):
    """What a number of sweeps made of the particles."""

    z: jax.Array  # (islands, n, P) on the unit box
    statistics: jax.Array  # (islands, n, S)
    tried: jax.Array  # (islands, kinds) proposals
    accepted: jax.Array  # (islands, kinds)
    distance: jax.Array  # (islands, kinds) sum of squared moves, each in variances a parameter
    simulations: jax.Array  # () of all islands
    failed: jax.Array  # () of them


class Moves(NamedTuple):
    """Functions that the sampler calls, see `dsnlib.methods.smc.ensemble` for their arguments."""

    first_tuning: Callable[[int, int], np.ndarray]  # of islands and P
    prepare: Callable[[jax.Array, jax.Array], Any]  # of particles and a key, once a stage
    sweeps: Callable[..., Swept]
    least_sweeps: Callable[[int, int], int]  # between two states that are kept, of P and S
    next_tuning: Callable[[Swept, np.ndarray], np.ndarray]
