"""What the gallery's circuits do at samples of their answers."""

from __future__ import annotations

from typing import NamedTuple

import jax
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import linalg

from dsnlib import STG, V1, Circuit, Linear2D, RankTwoRNN, SuperiorColliculus
from dsnlib.answer import Regions
from dsnlib.circuits.stg import NEURONS
from dsnlib.circuits.superior_colliculus import CUE_ENDS, DT, LIGHT_ENDS, TASKS, UNITS
from dsnlib.circuits.v1 import DT as V1_DT
from dsnlib.circuits.v1 import POPULATIONS
from dsnlib.methods.smc import SMCRun
from dsnlib.plots.parameters import region_colour

_UNIT_COLOURS = ("#332288", "#88CCEE", "#DDCC77", "#CC6677")  # Tol (2021)


def samples_of_regions(run: SMCRun, regions: Regions, each: int) -> list[np.ndarray]:
    """Some samples of every region, at random: a list of (each, P) in the parameters' units."""
    z = run.z.reshape(-1, run.z.shape[-1])
    rng = np.random.default_rng(run.seed)
    chosen = []
    for region in range(len(regions.table)):
        inside = z[regions.labels.ravel() == region]
        chosen.append(inside[rng.choice(len(inside), min(each, len(inside)), replace=False)])
    return chosen


def plot_traces(run: SMCRun, regions: Regions, each: int = 3, most: int = 4) -> Figure:
    """Activity at samples of the largest regions, a row a region, a panel a sample.

    Args:
        run: from `dsnlib.fit`.
        regions: of its answer.
        each: number of samples of a region.
        most: number of regions.

    Returns:
        The figure.
    """
    circuit = run.circuit
    assert circuit is not None
    chosen = samples_of_regions(run, regions, each)[:most]
    figure, axes = plt.subplots(
        len(chosen),
        each,
        figsize=(7.5, 0.6 + 1.5 * len(chosen)),
        squeeze=False,
        sharex=True,
        sharey=True,
    )
    for region, (row, points) in enumerate(zip(axes, chosen, strict=True)):
        for ax, z in zip(row, points, strict=False):
            label = _draw(ax, circuit, z)
        row[0].set_ylabel(label.y, color=region_colour(region) if len(chosen) > 1 else "black")
    for ax in axes[-1]:
        ax.set_xlabel(label.x)
    handles, names = axes[0, 0].get_legend_handles_labels()
    if names:
        figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False)
    return figure


class _Labels(NamedTuple):
    x: str
    y: str


def _draw(ax: Axes, circuit: Circuit, z: np.ndarray) -> _Labels:
    match circuit:
        case STG():
            observed = [name.removeprefix("f_") for name in circuit.observe]
            time = circuit.dt * np.arange(circuit.T + 1)
            voltages = 1e3 * np.asarray(circuit.voltages(z[None]))[0]
            for k, name in enumerate(observed):
                index = NEURONS.index(name)
                alone = len(observed) == 1
                ax.plot(
                    time,
                    voltages[index],
                    color="black" if alone else _UNIT_COLOURS[k],
                    label=None if alone else name,
                    linewidth=0.9,
                )
            return _Labels("time (s)", "voltage (mV)")
        case Linear2D():
            time = np.linspace(0, 2, 201)
            A = z.reshape(2, 2)
            x = np.array([linalg.expm(A * t) @ [1, 0] for t in time])
            for k, colour in enumerate(_UNIT_COLOURS[::3]):
                ax.plot(time, x[:, k], color=colour, label=f"$x_{k + 1}$")
            return _Labels("time (s)", "x from (1, 0)")
        case RankTwoRNN():
            return _draw_rnn(ax, circuit, z)
        case V1():
            rates = np.asarray(circuit.rates(jax.numpy.asarray(z), jax.random.key(0)))
            time = 1e3 * V1_DT * np.arange(len(rates))
            for k, name in enumerate(POPULATIONS):
                ax.plot(time, rates[:, k], color=_UNIT_COLOURS[k], label=name, linewidth=0.9)
            return _Labels("time (ms)", "rate (Hz)")
        case SuperiorColliculus():
            keys = jax.random.split(jax.random.key(0), circuit.trials)
            trials = jax.vmap(lambda key: circuit.rates(jax.numpy.asarray(z), key))(keys)
            mean = np.asarray(trials).mean(axis=0)
            time = DT * np.arange(len(mean))
            for k, name in enumerate(UNITS):
                for task, dashes in zip(range(len(TASKS)), ("-", ":"), strict=True):
                    ax.plot(
                        time,
                        mean[:, task, k],
                        dashes,
                        color=_UNIT_COLOURS[k],
                        label=name if task == 0 else None,
                    )
            ax.axvspan(CUE_ENDS, LIGHT_ENDS, color="0.93", zorder=0)
            return _Labels("time (s)", "mean rate")
        case _:
            raise TypeError(f"circuit must be one of the gallery, got {circuit!r}")


def _draw_rnn(ax: Axes, circuit: RankTwoRNN, z: np.ndarray) -> _Labels:
    """Length of the activity after a start along the direction that grows fastest at first."""
    U, V = z.reshape(2, circuit.N, 2).astype(float)
    W = U @ V.T
    start = np.linalg.eigh((W + W.T) / 2)[1][:, -1]
    time = np.linspace(0, 8, 161)
    step = linalg.expm((W - np.eye(circuit.N)) * (time[1] - time[0]))
    x, length = start, []
    for _ in time:
        length.append(np.linalg.norm(x))
        x = step @ x
    ax.plot(time, length, color="black")
    ax.axhline(1, color="0.8", zorder=0)
    return _Labels("time (time constants)", "length of activity")
