"""The numbers that a panel draws, artist by artist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import Collection, LineCollection, PathCollection, QuadMesh
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.contour import ContourSet
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon, StepPatch

MAP = "map"


class Drawn(NamedTuple):
    """One artist's numbers.

    Attributes:
        kind: line, points, bars, errorbars, or map.
        label: of the legend, or what matplotlib puts there.
        columns: of equal size, by name: x, y, value, low, high.
    """

    kind: str
    label: object
    columns: dict[str, Any]


def drawn_in(ax: Axes) -> Iterator[Drawn]:
    """What a panel shows: kind after kind, each in the order in which it was drawn.

    Args:
        ax: the panel.

    Yields:
        The numbers of each artist that is visible; those of maps have two dimensions.
    """
    parts: set[int] = set()  # of error bars
    for container in ax.containers:
        if isinstance(container, ErrorbarContainer):
            line, caps, bars = container.lines
            parts |= {id(artist) for artist in (line, *caps, *bars)}
            yield from _error_bars(container)
        elif isinstance(container, BarContainer):
            yield _bars(container)
    for patch in ax.patches:
        if patch.get_visible():
            yield from _patch(ax, patch)
    for line in ax.lines:
        if id(line) not in parts and line.get_visible():
            yield from _line(ax, line)
    for collection in ax.collections:
        if id(collection) not in parts and collection.get_visible():
            yield from _collection(ax, collection)
    for image in ax.images:
        values = image.get_array()
        if image.get_visible() and values is not None and values.ndim == 2:
            yield _image(image, np.ma.asarray(values))


def _error_bars(container: ErrorbarContainer) -> Iterator[Drawn]:
    line, _, bars = container.lines
    given = iter(bars)
    for along, other, has in (("x", "y", container.has_xerr), ("y", "x", container.has_yerr)):
        if not has:
            continue
        ends = [np.asarray(path.vertices) for path in next(given).get_paths()]
        low, high = np.array([[v[0], v[-1]] for v in ends]).reshape(-1, 2, 2).transpose(1, 2, 0)
        k = "xy".index(along)
        columns = {other: low[1 - k], "low": low[k], "high": high[k]}
        if line is not None and np.size(line.get_xdata()) == len(ends):
            columns |= _data(line)
        kind = "errorbars" if along == "y" else "x errorbars"
        yield Drawn(kind, container.get_label(), columns)


def _bars(container: BarContainer) -> Drawn:
    corners = np.array([p.get_bbox().get_points() for p in container.patches]).reshape(-1, 2, 2)
    if container.orientation == "horizontal":
        along, across = 0, 1
    else:
        along, across = 1, 0
    centre = corners[:, :, across].mean(axis=1)
    start, end = corners[:, 0, along], corners[:, 1, along]
    columns = {"xy"[across]: centre, "xy"[along]: end - start}
    # Stacked bars begin where others end.
    stacked = {"low": start, "high": end} if (start * end > 0).any() else {}
    return Drawn("bars", container.get_label(), columns | stacked)


def _patch(ax: Axes, patch: Patch) -> Iterator[Drawn]:
    if isinstance(patch, StepPatch):
        values, edges, _ = patch.get_data()
        centres = (np.asarray(edges)[1:] + np.asarray(edges)[:-1]) / 2
        across, along = ("x", "y") if patch.orientation == "vertical" else ("y", "x")
        yield Drawn("bars", patch.get_label(), {across: centres, along: np.asarray(values)})
    # The outline of a histogram; arrows are polygons of a type of their own.
    elif type(patch) is Polygon and patch.get_transform().contains_branch(ax.transData):
        yield Drawn("line", patch.get_label(), _joined([patch.get_xy()]))


def _data(line: Line2D) -> dict[str, Any]:
    return {
        "x": np.asarray(line.get_xdata(orig=False)),
        "y": np.asarray(line.get_ydata(orig=False)),
    }


def _line(ax: Axes, line: Line2D) -> Iterator[Drawn]:
    measured = line.get_transform().contains_branch_seperately(ax.transData)
    columns = {key: v for (key, v), own in zip(_data(line).items(), measured, strict=True) if own}
    if len(columns) == 1:  # it spans the panel along the other axis, as axhline does
        columns = {key: np.unique(v) for key, v in columns.items()}
    if columns and any(map(np.size, columns.values())):
        dotted = line.get_linestyle() in ("None", "none", " ", "")
        yield Drawn("points" if dotted else "line", line.get_label(), columns)


def _collection(ax: Axes, collection: Collection) -> Iterator[Drawn]:
    label, values = collection.get_label(), collection.get_array()
    columns: dict[str, Any]
    if isinstance(collection, QuadMesh):
        if values is not None and np.ndim(values) == 2:
            yield _mesh(collection, np.ma.asarray(values))
    elif isinstance(collection, PathCollection):
        points: np.ndarray = np.ma.asarray(collection.get_offsets())
        if len(points) and collection.get_offset_transform().contains_branch(ax.transData):
            columns = {"x": points[:, 0], "y": points[:, 1]}
            shown = values is not None and np.size(values) == len(points)
            yield Drawn("points", label, columns | ({"value": values} if shown else {}))
    elif isinstance(collection, ContourSet):
        for level, path in zip(collection.levels, collection.get_paths(), strict=False):
            if pieces := path.to_polygons(closed_only=False):
                columns = _joined(pieces)
                yield Drawn("line", label, columns | {"value": np.full(len(columns["x"]), level)})
    elif isinstance(collection, LineCollection):
        pieces = [piece for piece in collection.get_segments() if len(piece)]
        if pieces and collection.get_transform().contains_branch(ax.transData):
            yield Drawn("line", label, _joined(pieces))


def _joined(pieces: Iterable[Any]) -> dict[str, np.ndarray]:
    """Pieces of a line, with a gap after each but the last."""
    gap = np.full((1, 2), np.nan)
    points = np.concatenate([part for piece in pieces for part in (np.asarray(piece), gap)])[:-1]
    return {"x": points[:, 0], "y": points[:, 1]}


def _mesh(mesh: QuadMesh, values: np.ndarray) -> Drawn:
    at = np.asarray(mesh.get_coordinates())
    if at.shape[:2] != values.shape:  # corners of cells; a smoothly shaded mesh has its points
        at = (at[1:, 1:] + at[1:, :-1] + at[:-1, 1:] + at[:-1, :-1]) / 4
    columns = {"x": at[..., 0], "y": at[..., 1], "value": values}
    return Drawn(MAP, mesh.get_label(), columns)


def _image(image: AxesImage, values: np.ndarray) -> Drawn:
    left, right, first, last = image.get_extent()
    if image.origin == "upper":
        first, last = last, first
    rows, cells = values.shape
    x = left + (np.arange(cells) + 0.5) / cells * (right - left)
    y = first + (np.arange(rows) + 0.5) / rows * (last - first)
    columns = dict(zip(("x", "y"), np.meshgrid(x, y), strict=True)) | {"value": values}
    return Drawn(MAP, image.get_label(), columns)
