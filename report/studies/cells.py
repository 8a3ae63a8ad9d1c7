"""Regions of a band on a grid of two or three parameters, and ways through its cells."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from dsnlib.maxent.modes import BAND_SDS
from report.studies.band import Band

_STEEP = 20  # weight of a squared change between cells, in sd, against the length of a way


class Gridded(NamedTuple):
    """What a grid says of pairs of points."""

    counts: dict[str, Any]  # pairs joined by cells' faces, by corners too, and others
    guides: np.ndarray | None  # (m, P) cells on a way of the first pair, in the units of parameters


def gridded(
    band: Band,
    starts: np.ndarray,
    goals: np.ndarray,
    cells: tuple[int, ...],
    window: tuple[float, ...],
) -> Gridded:
    """Whether regions of the band on a grid join pairs of points.

    Cells grow with the square root of the first two parameters: the lower mode is thin. A point
    outside the cells of the band belongs to the nearest one.

    Args:
        band: of one statistic.
        starts, goals: (n, P) parameters in their units.
        cells: of the grid along each parameter.
        window: how far the grid reaches along each, as a share of its range.
    """
    before, d = band.simulations, starts.shape[1]
    power = np.array([2, 2, *[1] * (d - 2)])
    reach = np.array(window)
    axes = [
        r * ((np.arange(n) + 0.5) / n) ** p for r, n, p in zip(reach, cells, power, strict=True)
    ]
    off = np.empty(cells, np.float32)
    for k, first in enumerate(axes[0]):  # slice by slice, for the sake of memory
        u = np.stack(np.meshgrid(first, *axes[1:], indexing="ij"), axis=-1).reshape(-1, d)
        off[k] = band.off(u)[:, 0].reshape(off.shape[1:])
    inside = np.abs(off) < BAND_SDS
    _, nearest = ndimage.distance_transform_edt(~inside, return_indices=True)
    where = []
    for z in (starts, goals):
        share = (band.unit(z) / reach) ** (1 / power)
        cell = np.clip((share * cells).astype(int), 0, np.array(cells) - 1)
        where.append(nearest[(slice(None), *cell.T)])
    found = {}
    for contact, structure in (("faces", None), ("corners", np.ones((3,) * d))):
        labels, _ = ndimage.label(inside, structure)
        start, goal = (labels[tuple(each)] for each in where)
        same = start == goal
        found[contact] = int(same.sum())
    counts = {"cells": list(cells), "reach": reach.tolist(), **found, "band": float(inside.mean())}
    guides = None
    if same.any():
        first = int(same.argmax())
        way = _way(off, inside, *(tuple(each[:, first]) for each in where))
        guides = band.parameters(np.stack([axes[k][way[:, k]] for k in range(d)], axis=1))
    return Gridded({**counts, "simulations": band.simulations - before}, guides)


def _way(
    off: np.ndarray, inside: np.ndarray, start: tuple[int, ...], goal: tuple[int, ...]
) -> np.ndarray:
    """(m, d) cells on a short and smooth way between two cells, by faces, edges or corners."""
    number = np.full(off.shape, -1)
    number[inside] = np.arange(inside.sum())
    ends, costs = [np.empty((0, 2), int)], [np.empty(0)]
    for shift in itertools.product((-1, 0, 1), repeat=off.ndim):
        if shift <= (0,) * off.ndim:  # each pair of neighbours once
            continue
        here = tuple(
            slice(max(-s, 0), n - max(s, 0)) for s, n in zip(shift, off.shape, strict=True)
        )
        there = tuple(
            slice(max(s, 0), n - max(-s, 0)) for s, n in zip(shift, off.shape, strict=True)
        )
        both = inside[here] & inside[there]
        ends.append(np.stack([number[here][both], number[there][both]], axis=1))
        change = (off[here][both] - off[there][both]).astype(float)
        costs.append(np.linalg.norm(shift) + _STEEP * change**2)
    graph = sparse.csr_array(
        (np.concatenate(costs), np.concatenate(ends).T), shape=(inside.sum(),) * 2
    )
    _, before = csgraph.dijkstra(
        graph, directed=False, indices=number[start], return_predecessors=True
    )
    order = [int(number[goal])]
    while order[-1] != number[start]:
        order.append(int(before[order[-1]]))
    return np.argwhere(inside)[order[::-1]]
