"""The in-band set of a property, in coordinates in which the circuit's box is the unit cube."""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np

from dsnlib import Circuit, EmergentProperty
from dsnlib.maxent.modes import BAND_SDS

STEP = 0.01  # longest edge, as a share of each parameter's range
CHECK = 0.001  # points of an edge are simulated at this distance
FINER = 10  # times, of a proof
PLANNED = 0.9  # share of the band in which paths are planned: rounding differs in a proof
_POINTS = round(STEP / CHECK)
# Changes in sd between points that follow each other, in a plan and in a proof: more would be a
# jump, or might hide a way out of the band and back.
_PLANNED_CHANGE, PROVEN_CHANGE = 1.0, 0.2
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
        """(n,) whether points u (n, P) belong to the part of the band where paths are planned."""
        return _within(self.off(u), PLANNED * BAND_SDS)

    def holds_edges(self, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """(n,) whether straight edges between points (n, P), at most `STEP` long, stay in it.

        Points at most `CHECK` apart are simulated; their statistics may not jump.
        """
        off = self._along(start, end, _POINTS)
        return _within(off, PLANNED * BAND_SDS).all(axis=0) & _smooth(off, _PLANNED_CHANGE)

    def proves_edges(self, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """(n,) the same for the whole band, `FINER` and in double precision."""
        with jax.enable_x64(True):
            off = self._along(start, end, FINER * _POINTS)
        return _within(off, BAND_SDS).all(axis=0) & _smooth(off, PROVEN_CHANGE)

    def _along(self, start: np.ndarray, end: np.ndarray, points: int) -> np.ndarray:
        """(points + 1, n, S) what `off` is along edges."""
        share = np.linspace(0, 1, points + 1)[:, None, None]
        u = start + share * (end - start)
        return self.off(u.reshape(-1, start.shape[1])).reshape(*u.shape[:2], len(self._mean))

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


def _within(off: np.ndarray, most: float) -> np.ndarray:
    return np.asarray((np.abs(off) < most).all(axis=-1))


def _smooth(off: np.ndarray, most: float) -> np.ndarray:
    return np.asarray((np.abs(np.diff(off, axis=0)) < most).all(axis=(0, 2)))


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
