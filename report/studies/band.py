"""The in-band set of a property, in coordinates in which the circuit's box is the unit cube."""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np

from dsnlib import Circuit, EmergentProperty
from dsnlib.maxent.modes import BAND_SDS

STEP = 0.01  # longest edge, as a share of each parameter's range
CHECK = 0.001  # points of an edge are simulated at this distance
_POINTS = round(STEP / CHECK)
_LARGEST_CHANGE = 1.0  # sd, between points that follow each other: more would hide a way out
_ROWS, _SLOPE_ROWS = 1_000, 250  # of a simulated batch: few shapes, so that little is compiled


class Band:
    """All parameters whose statistics lie within 2 target sds of their target means.

    Args:
        circuit, prop: what it is the band of.
    """

    def __init__(self, circuit: Circuit, prop: EmergentProperty) -> None:
        prop.check_against(circuit)
        self._circuit = circuit
        self._mean, self._sd = np.array(prop.mean), np.array(prop.sd)
        self._low, self._high = circuit.bounds.T
        #: simulations so far; one with its Jacobian counts as one
        self.simulations = 0

    def unit(self, z: np.ndarray) -> np.ndarray:
        """(n, P) parameters in their units as points of the unit cube."""
        return (np.asarray(z, float) - self._low) / (self._high - self._low)

    def parameters(self, u: np.ndarray) -> np.ndarray:
        """(n, P) points of the unit cube as parameters in their units."""
        return np.clip(self._low + u * (self._high - self._low), self._low, self._high)

    def off(self, u: np.ndarray) -> np.ndarray:
        """(n, S) statistics less their targets at points u (n, P), in target sds."""
        (f,) = self._in_batches(lambda z: (self._circuit.statistics(z),), u, _ROWS)
        return (f - self._mean) / self._sd

    def off_and_slopes(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same and (n, S, P) derivatives, in target sds per range of a parameter."""
        f, slopes = self._in_batches(self._circuit.statistics_and_jacobian, u, _SLOPE_ROWS)
        return (
            (f - self._mean) / self._sd,
            slopes * (self._high - self._low) / self._sd[:, None],
        )

    def holds(self, u: np.ndarray) -> np.ndarray:
        """(n,) whether points u (n, P) belong to the band."""
        return self._within(self.off(u))

    def holds_edges(self, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """(n,) whether straight edges between points (n, P), at most `STEP` long, stay within it.

        Points at most `CHECK` apart are simulated; their statistics may not jump.
        """
        along = np.linspace(0, 1, _POINTS + 1)[:, None, None]
        points = start + along * (end - start)
        off = self.off(points.reshape(-1, start.shape[1])).reshape(
            *points.shape[:2], len(self._mean)
        )
        smooth = (np.abs(np.diff(off, axis=0)) < _LARGEST_CHANGE).all(axis=(0, 2))
        return np.asarray(self._within(off).all(axis=0) & smooth)

    def _within(self, off: np.ndarray) -> np.ndarray:
        return np.asarray((np.abs(off) < BAND_SDS).all(axis=-1))

    def _in_batches(
        self, function: Callable[..., tuple[jax.Array, ...]], u: np.ndarray, rows: int
    ) -> list[np.ndarray]:
        self.simulations += len(u)
        found = []
        for first in range(0, max(len(u), 1), rows):
            z = self.parameters(u[first : first + rows])
            padded = np.concatenate([z, np.tile(self._low, (rows - len(z), 1))])
            found.append([np.asarray(each, float)[: len(z)] for each in function(padded)])
        return [np.concatenate(each) for each in zip(*found, strict=True)]


def tangent(v: np.ndarray, off: np.ndarray, slopes: np.ndarray, u: np.ndarray) -> np.ndarray:
    """(n, P) the part of steps v along the level sets, plus Newton's step onto the target.

    No component leads out of the cube from a face of it.

    Args:
        v: (n, P) wished steps.
        off: (n, S) what Newton's step has to remove, 0 for none.
        slopes: (n, S, P) derivatives.
        u: (n, P) where the steps begin.
    """
    free = np.ones_like(v)
    move = v
    for _ in range(3):  # a component that the projection turns outwards is held, and the rest again
        held = slopes * free[:, None]
        excess = np.einsum("nsp,np->ns", held, v * free) + off
        move = v * free - np.einsum("nps,ns->np", np.linalg.pinv(held, rcond=1e-6), excess)
        free = free * ~(((u <= 0) & (move < 0)) | ((u >= 1) & (move > 0)))
    return move * free
