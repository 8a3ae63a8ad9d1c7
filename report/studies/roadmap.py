"""A graph of points and edges within a band, whose edges are proven where they are needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from report.studies.band import Band


class Roadmap:
    """Points of the band and edges within it, of which some are proven.

    Args:
        points: (n, P) first points, in the unit cube.
    """

    def __init__(self, points: np.ndarray) -> None:
        self._parts, self._count = [points], len(points)
        self._edges, self._proven = [np.empty((0, 2), int)], np.empty(0, int)
        #: edges that a proof removed
        self.refuted = 0

    @property
    def proven(self) -> int:
        """Number of edges that are proven."""
        return len(self._proven)

    @property
    def points(self) -> np.ndarray:
        """(n, P) all points, in the order in which they came."""
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        return self._parts[0]

    def add(self, points: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
        """Add points (n, P), each with an edge to a known one; their indices."""
        new = np.arange(self._count, self._count + len(points))
        self._parts.append(points)
        self._count += len(points)
        self.link(new, neighbours)
        return new

    def link(self, first: np.ndarray, second: np.ndarray) -> None:
        """Add edges between points of these indices (n,)."""
        self._edges.append(np.stack([first, second], axis=1))

    def components(self) -> np.ndarray:
        """(n,) component to which each point belongs."""
        return np.asarray(csgraph.connected_components(self._graph(), directed=False)[1])

    def paths(self, start: int, goals: Sequence[int]) -> list[np.ndarray]:
        """(m,) points' indices on the shortest path to each goal that is joined with the start."""
        length, before = csgraph.dijkstra(
            self._graph(), directed=False, indices=start, return_predecessors=True
        )
        found = []
        for goal in np.asarray(goals)[np.isfinite(length[goals])].tolist():
            order = [goal]
            while order[-1] != start:
                order.append(int(before[order[-1]]))
            found.append(np.array(order[::-1]))
        return found

    def prove(self, band: Band, paths: Callable[[], list[np.ndarray]]) -> None:
        """Simulate edges of paths finely and remove those that fail, until all of a set hold.

        Args:
            band: where edges have to stay.
            paths: gives points' indices along paths, anew after edges are removed.
        """
        while True:
            steps = [np.sort(np.stack([p[:-1], p[1:]], axis=1), axis=1) for p in paths()]
            edges = np.unique(np.concatenate([np.empty((0, 2), int), *steps]), axis=0)
            edges = edges[~np.isin(_key(edges), self._proven)]
            if not len(edges):
                return
            good = band.proves_edges(*self.points[edges.T])
            self._proven = np.concatenate([self._proven, _key(edges[good])])
            self.refuted += int((~good).sum())
            known = np.sort(np.concatenate(self._edges), axis=1)
            self._edges = [known[~np.isin(_key(known), _key(edges[~good]))]]

    def _graph(self) -> sparse.csr_array:
        a, b = np.unique(np.sort(np.concatenate(self._edges), axis=1), axis=0).T
        length = np.linalg.norm(self.points[a] - self.points[b], axis=1) + 1e-12  # 0 is no edge
        return sparse.csr_array((length, (a, b)), shape=(self._count, self._count))


def _key(edges: np.ndarray) -> np.ndarray:
    """(n,) a number for each of (n, 2) sorted edges."""
    return np.asarray((edges[:, 0] << 32) + edges[:, 1])
