"""Paths that a planner found: made shorter, verified again, brought onto the level set."""

from __future__ import annotations

import itertools

import jax
import numpy as np

from report.studies.band import CHECK, FINER, STEP, Band, tangent
from report.studies.connection import Connection, Planner

_NEWTON = 8  # steps onto the level set


def shortened(
    connection: Connection, planner: Planner, pairs: list[int], rounds: int, seed: int
) -> list[np.ndarray]:
    """Shorter paths of pairs that are joined: short cuts are walked between points drawn on them.

    Args:
        connection: whose roadmap takes the short cuts.
        planner: whose walkers walk.
        pairs: indices of the pairs.
        rounds: of walks by all walkers.
        seed: of the points drawn.

    Returns:
        For each pair (m, P) points of the unit cube.
    """
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        paths = [connection.indices(pair) for pair in pairs]
        drawn = [rng.choice(paths[k % len(paths)], 2) for k in range(planner.walkers)]
        planner.walk(connection.band, connection.roadmap, *np.transpose(drawn))
    return [connection.path(pair) for pair in pairs]


def resampled(path: np.ndarray, distance: float) -> np.ndarray:
    """The same path through more points: none farther than a distance from the last, in any axis.

    Args:
        path: (m, P) points of the unit cube.
        distance: as a share of each parameter's range.
    """
    parts = [path[:1]]
    for a, b in itertools.pairwise(path):
        n = max(int(np.ceil(np.abs(b - a).max() / distance - 1e-9)), 1)
        parts.append(a + np.arange(1, n + 1)[:, None] / n * (b - a))
    return np.concatenate(parts)


def verified(band: Band, paths: list[np.ndarray], distance: float) -> tuple[float, float]:
    """Simulate paths in double precision.

    Args:
        band: that of the paths.
        paths: each (m, P) points of the unit cube.
        distance: between simulated points, as a share of each parameter's range.

    Returns:
        Largest distance from the target and largest change between neighbours, both in sd.
    """
    off, change = 0.0, 0.0
    for path in paths:
        with jax.enable_x64(True):
            found = band.off(resampled(path, distance))
        off = max(off, float(np.abs(found).max()))
        change = max(change, float(np.abs(np.diff(found, axis=0)).max()))
    return off, change


def on_level(band: Band, path: np.ndarray) -> tuple[np.ndarray, float]:
    """A path brought onto the level set f = mean where Newton's method does not tear it.

    Args:
        band: that of the path.
        path: (m, P) points of the unit cube.

    Returns:
        (m, P) points, their ends moved too, and the largest distance from the target along it, in
        sd.
    """
    original = resampled(path, CHECK)
    u = original
    for _ in range(_NEWTON):
        off, slopes = band.off_and_slopes(u)
        move = tangent(np.zeros_like(u), off, slopes, u)
        longest = np.maximum(np.abs(move).max(axis=1, keepdims=True), 1e-12)
        u = np.clip(u + move * np.minimum(1, CHECK / longest), 0, 1)
    left = np.zeros(len(u), bool)  # points that stay where they were
    changed = np.ones(len(u) - 1, bool)  # edges to be looked at
    while changed.any():
        edges = np.flatnonzero(changed)
        short = np.abs(u[edges + 1] - u[edges]).max(axis=1) <= STEP
        torn = edges[~short]
        good = band.proves_edges(u[edges[short]], u[edges[short] + 1])
        torn = np.concatenate([torn, edges[short][~good]])
        back = np.setdiff1d(np.concatenate([torn, torn + 1]), np.flatnonzero(left))
        left[back] = True
        u[back] = original[back]
        changed[:] = False
        changed[np.clip(np.concatenate([back - 1, back]), 0, len(changed) - 1)] = True
    return u, verified(band, [u], CHECK / FINER)[0]
