"""The five-neuron circuit: its diagram and its voltages."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from dsnlib.circuits import STG
from dsnlib.circuits.stg import NEURONS

_PLACES = {"f1": (0, 2), "f2": (0, 0), "hub": (2.6, 1), "s1": (5.2, 2), "s2": (5.2, 0)}
_RADIUS = 0.34
_INHIBITORY, _ELECTRICAL = "#332288", "#117733"  # not those of modes, seeds or gradients


def draw_circuit(ax: Axes) -> None:
    """Draw the circuit: a filled circle ends an inhibitory synapse, a zigzag is an electrical one.

    Args:
        ax: where to.
    """
    for fast, slow in (("f1", "f2"), ("s1", "s2")):
        _inhibition(ax, fast, slow, "g_synB", shift=-0.14)
        _inhibition(ax, slow, fast, "", shift=-0.14)
    _inhibition(ax, "f1", "hub", "g_synA")
    _inhibition(ax, "s1", "hub", "g_synA")
    _electrical(ax, "f2", "hub")
    _electrical(ax, "s2", "hub")
    for name, place in _PLACES.items():
        ax.add_patch(Circle(place, _RADIUS, facecolor="white", edgecolor="0.2", zorder=3))
        ax.text(*place, name, ha="center", va="center", zorder=4)
    ax.text(0, 2.65, "fast pair", ha="center", color="0.4")
    ax.text(5.2, 2.65, "slow pair", ha="center", color="0.4")
    ax.set(xlim=(-1.2, 6.4), ylim=(-0.7, 3), aspect="equal")
    ax.axis("off")


def _ends(pre: str, post: str, shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where a connection leaves and enters the cells, and the unit vector across it."""
    a, b = np.array(_PLACES[pre], float), np.array(_PLACES[post], float)
    along = (b - a) / np.linalg.norm(b - a)
    across = np.array([-along[1], along[0]])
    return a + _RADIUS * along + shift * across, b - _RADIUS * along + shift * across, across


def _inhibition(ax: Axes, pre: str, post: str, label: str, shift: float = 0.0) -> None:
    start, end, _ = _ends(pre, post, shift)
    end = end + (start - end) / np.linalg.norm(start - end) * 0.08
    ax.plot(*np.stack([start, end]).T, color=_INHIBITORY)
    ax.plot(*end, "o", color=_INHIBITORY, markersize=7)
    if shift:  # the label of a pair stands outside it
        left = _PLACES[pre][0] == 0
        anchor = "right" if left else "left"
        place = np.array([-0.34 if left else _PLACES[pre][0] + 0.34, (start + end)[1] / 2])
    else:
        anchor, place = "center", (start + end) / 2 + np.array([0, 0.28])
    ax.text(float(place[0]), float(place[1]), label, color=_INHIBITORY, ha=anchor, va="center")


def _electrical(ax: Axes, one: str, other: str) -> None:
    start, end, across = _ends(one, other, 0.0)
    along = np.linspace(0, 1, 201)[:, None]
    triangle = 2 * np.abs((along * 14) % 1 - 0.5) - 0.5
    inner = (along > 0.25) & (along < 0.75)
    path = start + along * (end - start) + np.where(inner, 0.2 * triangle, 0) * across
    ax.plot(*path.T, color=_ELECTRICAL)
    x, y = (start + end) / 2
    ax.text(x, y - 0.3, "g_el", color=_ELECTRICAL, ha="center", va="center")


def neuron_colour(name: str) -> str:
    """Colour of a neuron: the hub, whose frequency matters, stands out, in no mode's colour."""
    return "black" if name == "hub" else "0.5"


def plot_voltages(circuit: STG, z: np.ndarray) -> Figure:
    """Voltage of all five neurons against time, one panel a neuron.

    Args:
        circuit: to simulate.
        z: (2,) conductances (g_el, g_synA), in nS.

    Returns:
        The figure.
    """
    voltages = 1e3 * np.asarray(circuit.voltages(z[None])[0])  # mV
    time = circuit.dt * np.arange(circuit.T + 1)
    figure, axes = plt.subplots(len(NEURONS), 1, figsize=(7.5, 5), sharex=True, sharey=True)
    for ax, name, voltage in zip(axes, NEURONS, voltages, strict=True):
        ax.plot(time, voltage, color=neuron_colour(name))
        ax.set_ylabel(f"{name}\n(mV)")
        ax.margins(x=0.01)
    axes[-1].set_xlabel("time (s)")
    return figure
