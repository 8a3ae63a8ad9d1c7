"""Pictures of the gallery's circuits: who acts on whom."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch

from report.figures.circuit import draw_circuit

_RADIUS = 0.3
_EXCITATORY, _INHIBITORY, _EITHER = "#117733", "#332288", "0.35"
_SIGNS = {"+": (_EXCITATORY, "-|>"), "-": (_INHIBITORY, "-["), "?": (_EITHER, "-|>")}

Place = tuple[float, float]


def plot_circuit(system: str) -> Figure:
    """The picture of a system of the gallery.

    Args:
        system: its name among `report.gallery.SYSTEMS`.

    Returns:
        The figure. Green arrows excite, blue ends inhibit, grey arrows may do either.
    """
    figure, ax = plt.subplots(figsize=(6.0, 2.9))
    {
        "stg": draw_circuit,
        "linear2d": _draw_linear2d,
        "rnn": _draw_rnn,
        "v1": _draw_v1,
        "sc": _draw_sc,
    }[system](ax)
    ax.set_aspect("equal")
    ax.axis("off")
    return figure


def _point(at: np.ndarray) -> Place:
    return float(at[0]), float(at[1])


def _cells(ax: Axes, places: Mapping[str, Place]) -> None:
    for name, place in places.items():
        ax.add_patch(Circle(place, _RADIUS, facecolor="white", edgecolor="0.2", zorder=3))
        ax.text(*place, name, ha="center", va="center", zorder=4)


def _arrow(
    ax: Axes, start: Place, end: Place, sign: str, label: str = "", bend: float = 0.0
) -> None:
    """From the rim of one cell to that of another; `bend` as in matplotlib's arc3."""
    colour, head = _SIGNS[sign]
    a, b = np.array(start, float), np.array(end, float)
    along = (b - a) / np.linalg.norm(b - a)
    across = np.array([along[1], -along[0]])
    rim = _RADIUS * 1.15
    ax.add_patch(
        FancyArrowPatch(
            _point(a + rim * along),
            _point(b - rim * along),
            arrowstyle=f"{head}, widthB=0.35, lengthB=0.1" if head == "-[" else head,
            connectionstyle=f"arc3,rad={bend}",
            mutation_scale=11,
            color=colour,
            linewidth=1.2,
        )
    )
    if label:
        middle = (a + b) / 2 + across * (bend * np.linalg.norm(b - a) / 2 + 0.16 * np.sign(bend))
        ax.text(*_point(middle), label, color=colour, ha="center", va="center", fontsize=9)


def _loop(ax: Axes, place: Place, sign: str, label: str, side: Place) -> None:
    """From a cell onto itself, on the side where `side` points."""
    colour, head = _SIGNS[sign]
    towards = np.arctan2(side[1], side[0])
    ends = [
        np.array(place) + _RADIUS * 1.1 * np.array([np.cos(towards + t), np.sin(towards + t)])
        for t in (-0.6, 0.6)
    ]
    ax.add_patch(
        FancyArrowPatch(
            _point(ends[0]),
            _point(ends[1]),
            arrowstyle=f"{head}, widthB=0.3, lengthB=0.1" if head == "-[" else head,
            connectionstyle="arc3,rad=1.6",
            mutation_scale=10,
            color=colour,
            linewidth=1.2,
        )
    )
    at = np.array(place) + 2.6 * _RADIUS * np.array([np.cos(towards), np.sin(towards)])
    ax.text(*_point(at), label, color=colour, ha="center", va="center", fontsize=9)


def _draw_linear2d(ax: Axes) -> None:
    places = {"$x_1$": (0.0, 0.0), "$x_2$": (3.0, 0.0)}
    one, two = places.values()
    _arrow(ax, two, one, "?", "a12", bend=0.3)
    _arrow(ax, one, two, "?", "a21", bend=0.3)
    _loop(ax, one, "?", "a11", (-1, 0))
    _loop(ax, two, "?", "a22", (1, 0))
    _cells(ax, places)
    ax.set(xlim=(-1.5, 4.5), ylim=(-1.1, 1.1))


def _draw_rnn(ax: Axes) -> None:
    neurons = [(0.0, y) for y in (1.6, 0.8, 0.0, -0.8, -1.6)]
    latent = {"1": (3.6, 0.7), "2": (3.6, -0.7)}
    for neuron in neurons:
        for place in latent.values():
            _arrow(ax, neuron, place, "?", bend=0.08)
            _arrow(ax, place, neuron, "?", bend=0.08)
    for neuron in neurons:
        ax.add_patch(Circle(neuron, _RADIUS, facecolor="white", edgecolor="0.2", zorder=3))
    _cells(ax, latent)
    ax.text(0, 2.15, "N neurons", ha="center", color="0.4")
    ax.text(3.6, 2.15, "two patterns", ha="center", color="0.4")
    ax.text(1.8, 1.75, "V: read", ha="center", color="0.35")
    ax.text(1.8, -1.85, "U: written back", ha="center", color="0.35")
    ax.set(xlim=(-1, 4.6), ylim=(-2.2, 2.5))


def _draw_v1(ax: Axes) -> None:
    places = {"E": (0.0, 0.9), "P": (0.0, -0.9), "S": (2.6, -0.9), "V": (2.6, 0.9)}
    E, P, S, V = places.values()
    for target, bend in ((P, 0.2), (S, 0.12), (V, 0.2)):
        _arrow(ax, E, target, "+", bend=bend)
    for source, target, bend in (
        (P, E, 0.2),
        (S, E, 0.12),
        (V, E, 0.2),
        (S, P, 0.2),
        (V, S, 0.2),
        (P, V, 0.12),
    ):
        _arrow(ax, source, target, "-", bend=bend)
    _loop(ax, E, "+", "", (0, 1))
    _loop(ax, P, "-", "", (0, -1))
    for name, place, side in (("E", E, -1), ("P", P, -1), ("S", S, 1), ("V", V, 1)):
        ax.text(
            place[0] + side * 1.25,
            place[1] + (0.35 if place[1] > 0 else -0.35),
            f"noise, sigma_{name}",
            ha="right" if side < 0 else "left",
            va="center",
            color="0.35",
            fontsize=9,
        )
        start = (place[0] + side * 1.2, place[1] + (0.33 if place[1] > 0 else -0.33))
        _arrow(ax, start, place, "?")
    _cells(ax, places)
    ax.set(xlim=(-3.4, 6.0), ylim=(-1.7, 1.7))


def _draw_sc(ax: Axes) -> None:
    places = {"LP": (0.0, 1.0), "LA": (0.0, -1.0), "RA": (3.2, -1.0), "RP": (3.2, 1.0)}
    LP, LA, RA, RP = places.values()
    for one, other, label in ((LP, LA, "vW"), (RA, RP, "vW"), (RP, LP, "hW"), (LA, RA, "hW")):
        _arrow(ax, one, other, "?", label, bend=0.18)
        _arrow(ax, other, one, "?", bend=0.18)
    for one, other in ((LP, RA), (LA, RP)):
        _arrow(ax, one, other, "?", bend=0.08)
        _arrow(ax, other, one, "?", bend=0.08)
    ax.text(1.6, 0.3, "dW", ha="center", color=_EITHER, fontsize=9)
    for place, side in ((LP, -1), (LA, -1), (RA, 1), (RP, 1)):
        _loop(ax, place, "?", "sW", (side, 0))
    _cells(ax, places)
    ax.text(0, 1.65, "left", ha="center", color="0.4")
    ax.text(3.2, 1.65, "right", ha="center", color="0.4")
    ax.set(xlim=(-1.5, 4.7), ylim=(-1.8, 2.0))
