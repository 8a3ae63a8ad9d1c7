"""Paths within the band of a property: a planner that proves points to be joined.

Two trees of points on the level set f = mean grow towards each other, as in RRT-Connect on
constraint manifolds (Berenson, Srinivasa and Kuffner, 2009): steps follow the level set's tangent
towards a goal, Newton's method brings them back onto it, and points drawn at random lead them round
obstacles. A path is a proof, to the distance at which it is simulated. Its lack proves nothing.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import spatial

from dsnlib import Circuit, EmergentProperty
from report.studies.band import STEP, Band, tangent
from report.studies.roadmap import Roadmap

_SHORTEST = STEP / 64  # steps that fail are halved down to this
_IDLE = 0.04  # share of the walks below which the last ones are given up
_LEAST_PROGRESS = 0.05  # towards the goal, as a share of the step: less is a dead end


@dataclasses.dataclass(frozen=True)
class Connection:
    """What the planner found.

    Args:
        joined: (n,) whether a path joins start and goal of each pair.
        components: number of components to which all starts and goals belong: 1 if all are joined.
        rounds: of the planner until it ended.
        simulations: how many it took.
        band: the band.
        roadmap: all points; first the n starts, then the n goals.
    """

    joined: np.ndarray
    components: int
    rounds: int
    simulations: int
    band: Band
    roadmap: Roadmap

    def path(self, pair: int) -> np.ndarray:
        """(m, P) points of the unit cube from the start to the goal of a pair that is joined."""
        return self.roadmap.points[self.indices(pair)]

    def indices(self, pair: int) -> np.ndarray:
        """(m,) their indices in the roadmap."""
        if not self.joined[pair]:
            raise ValueError(f"pair must be one that is joined, got {pair}; see `joined`")
        goal = len(self.joined) + pair
        self.roadmap.prove(self.band, lambda: self.roadmap.paths(pair, [goal]))
        return self.roadmap.paths(pair, [goal])[0]


@dataclasses.dataclass(frozen=True)
class Planner:
    """Settings of the planner.

    Args:
        walkers: walks at a time.
        steps: of a walk at most.
        rounds: in each, all walkers go to points drawn at random, then on to another tree.
    """

    walkers: int = 250
    steps: int = 100
    rounds: int = 12

    def connect(
        self,
        circuit: Circuit,
        prop: EmergentProperty,
        starts: np.ndarray,
        goals: np.ndarray,
        seed: int,
        guides: np.ndarray | None = None,
    ) -> Connection:
        """Look for paths within the band from starts to goals.

        Args:
            circuit, prop: what the band belongs to.
            starts, goals: (n, P) parameters in their units, all in the planned part of the
                band.
            seed: of the random points.
            guides: (m, P) points, in order along a way that may be one; paths may use them.

        Raises:
            ValueError: shapes that differ, or a start or goal outside the box or the band.
        """
        band = Band(circuit, prop)
        if np.shape(starts) != np.shape(goals):
            raise ValueError(
                f"starts and goals must have one shape, got {np.shape(starts)} and "
                f"{np.shape(goals)}; pass them in pairs"
            )
        ends = band.unit(np.concatenate([starts, goals]))
        if not (outside := band.holds(ends)).all():
            raise ValueError(
                f"starts and goals must lie in the band, got {(~outside).sum()} of {len(ends)} "
                "outside; drop these pairs"
            )
        guide = band.unit(ends[:0] if guides is None else guides)
        guide = guide[band.holds(guide)]
        roadmap = Roadmap(np.concatenate([ends, guide]))
        rng, n = np.random.default_rng(seed), len(starts)
        own, roots = np.arange(2 * n), np.arange(2 * n + len(guide))

        def trees() -> list[np.ndarray]:  # one in each component of the ends
            of = roadmap.components()[own]
            first = np.unique(of, return_index=True)[1].tolist()
            return [path for root in first for path in roadmap.paths(root, own[of == of[root]])]

        self.walk(band, roadmap, own, np.roll(own, n))
        self.walk(band, roadmap, roots[2 * n : -1], roots[2 * n + 1 :])
        done = 0
        while True:
            roadmap.prove(band, trees)
            of = roadmap.components()[own]
            if of.max() == of.min() or done == self.rounds:
                joined = of[:n] == of[n:]
                return Connection(joined, len(np.unique(of)), done, band.simulations, band, roadmap)
            self._grow(band, roadmap, roots, rng)
            done += 1

    def _grow(
        self, band: Band, roadmap: Roadmap, roots: np.ndarray, rng: np.random.Generator
    ) -> None:
        """One round: from trees drawn at random to random points, and on to other trees."""
        component = roadmap.components()
        trees = [np.flatnonzero(component == k) for k in np.unique(component[roots])]
        near = [spatial.KDTree(roadmap.points[tree]) for tree in trees]
        own = rng.integers(len(trees), size=self.walkers)
        other = (own + rng.integers(1, len(trees), size=self.walkers)) % len(trees)
        drawn = rng.random((self.walkers, roadmap.points.shape[1]))
        last = self.walk(band, roadmap, _nearest(trees, near, own, drawn), drawn)
        self.walk(band, roadmap, last, _nearest(trees, near, other, roadmap.points[last]))

    def walk(self, band: Band, roadmap: Roadmap, at: np.ndarray, goals: np.ndarray) -> np.ndarray:
        """Walk along the level set towards goals, as far as that goes straight on.

        Args:
            band: where to stay.
            roadmap: takes the points on the way, and the edges to the goals that are reached.
            at: (n,) indices of the points where the walks begin.
            goals: (n,) indices of points, or (n, P) points anywhere in the unit cube.

        Returns:
            (n,) indices of the points where the walks end, which may be the goals.
        """
        known = goals.ndim == 1
        aim = roadmap.points[goals] if known else goals
        at, x = at.copy(), roadmap.points[at]
        off, slopes = band.off_and_slopes(x)
        size = np.full(len(x), STEP)
        for _ in range(self.steps):
            a = np.flatnonzero(size >= _SHORTEST)
            if len(a) <= _IDLE * len(x):
                break
            towards = aim[a] - x[a]
            straight = x[a] + towards * _scale(towards, size[a])
            y = _stepped(x[a], towards, off[a], slopes[a], size[a])
            # Straight on where the band is wide: the last step always, and where f has no slope.
            bad = ~_nearer(x[a], y, aim[a], size[a]) | (np.abs(towards).max(axis=1) <= size[a])
            bad[~bad] = ~band.holds_edges(x[a][~bad], y[~bad])
            good = ~bad
            y[bad] = straight[bad]
            good[bad] = band.holds_edges(x[a][bad], y[bad])
            new = a[good]
            x[new] = y[good]
            at[new] = roadmap.add(y[good], at[new])
            off[new], slopes[new] = band.off_and_slopes(y[good])
            size[new] = np.minimum(2 * size[new], STEP)
            size[a[~good]] /= 2
            arrived = new[(x[new] == aim[new]).all(axis=1)]
            size[arrived] = 0
            if known:
                roadmap.link(at[arrived], goals[arrived])
        return at


def _scale(move: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(n, 1) factors that make moves (n, P) no longer than sizes (n,)."""
    longest = np.maximum(np.abs(move).max(axis=1), 1e-12)
    return np.minimum(1, size / longest)[:, None]


def _nearer(x: np.ndarray, y: np.ndarray, aim: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(n,) whether steps from x to y lead to the aim and are no dead end."""
    gained = np.linalg.norm(aim - x, axis=1) - np.linalg.norm(aim - y, axis=1)
    return np.asarray(gained > _LEAST_PROGRESS * size)


def _stepped(
    x: np.ndarray, towards: np.ndarray, off: np.ndarray, slopes: np.ndarray, size: np.ndarray
) -> np.ndarray:
    """(n, P) points a step of the given size (n,) along the level set, and nearer to it."""
    along = tangent(towards, np.zeros_like(off), slopes, x)
    move = tangent(along * _scale(along, size), off, slopes, x)
    return np.clip(x + move * _scale(move, size), 0, 1)


def _nearest(
    trees: list[np.ndarray], near: list[spatial.KDTree], which: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """(n,) indices of the points of trees `which` (n,) that are nearest to points (n, P)."""
    found = np.empty(len(points), int)
    for k in np.unique(which):
        of = which == k
        found[of] = trees[k][near[k].query(points[of])[1]]
    return found
