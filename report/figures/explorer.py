"""An explorer of the circuit: conductances to voltages and the hub's spectrum."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.figure import Figure

from dsnlib.circuits import STG
from dsnlib.circuits.frequency import FREQUENCIES, spectrum
from dsnlib.circuits.stg import NEURONS
from dsnlib.plots.frames import embedded, small_png

_HUB = "#D55E00"
_START = (8.0, 1.0)  # g_el and g_synA in nS, in the upper mode


def plot_activity(circuit: STG, z: np.ndarray) -> Figure:
    """Voltages of the five neurons and the spectrum of the hub, from which its frequency is read.

    Args:
        circuit: to simulate.
        z: (2,) conductances (g_el, g_synA), in nS.

    Returns:
        The figure.
    """
    voltages = 1e3 * np.asarray(circuit.voltages(z[None])[0])  # mV
    time = circuit.dt * np.arange(circuit.T + 1)
    figure = plt.figure(figsize=(7.5, 3.6))
    grid = figure.add_gridspec(len(NEURONS), 2, width_ratios=[3, 2], wspace=0.1)
    for row, (name, voltage) in enumerate(zip(NEURONS, voltages, strict=True)):
        ax = figure.add_subplot(grid[row, 0])
        ax.plot(time, voltage, color=_HUB if name == "hub" else "0.3")
        ax.set(ylim=(-80, 60), yticks=[-50, 0, 50])
        ax.set_ylabel(name, rotation=0, ha="right", va="center")
        ax.tick_params(labelsize=7, labelbottom=row == len(NEURONS) - 1)
    ax.set_xlabel("time (s); voltages in mV")
    right = figure.add_subplot(grid[:, 1])
    modulus = np.asarray(spectrum(circuit.simulate(z[None]).T, circuit.dt, circuit.window))[:, 0]
    frequency = float(circuit.hub_frequency(z[None])[0])
    right.plot(FREQUENCIES, modulus / modulus.max(), color=_HUB)
    right.axvline(frequency, color="0.4", linestyle=":")
    right.set(xlabel="frequency (Hz)", ylabel="modulus of the hub (of the largest)", ylim=(0, 1.05))
    right.set_title(f"g_el {z[0]:g}, g_synA {z[1]:g} nS: {frequency:.3f} Hz")
    return figure


def circuit_explorer(circuit: STG, values: Sequence[float]) -> widgets.Widget:
    """Two sliders over precomputed points, linked in the browser: no kernel is needed.

    Args:
        circuit: to simulate.
        values: conductances in nS that each slider offers.

    Returns:
        The widget, which starts at the values nearest to (8, 1) nS, in the upper mode.
    """
    at = [int(np.argmin(np.abs(np.array(values) - start))) for start in _START]
    rows = [
        widgets.Stack([_activity(circuit, g_el, g_synA) for g_synA in values], selected_index=at[1])
        for g_el in values
    ]
    stack = widgets.Stack(rows, selected_index=at[0])
    options = [f"{value:g} nS" for value in values]
    g_el, g_synA = (
        widgets.SelectionSlider(options=options, index=index, description=name, tooltip=name)
        for name, index in zip(("g_el", "g_synA"), at, strict=True)
    )
    widgets.jslink((g_el, "index"), (stack, "selected_index"))
    for row in rows:
        widgets.jslink((g_synA, "index"), (row, "selected_index"))
    return widgets.VBox([widgets.HBox([g_el, g_synA]), stack])


def _activity(circuit: STG, g_el: float, g_synA: float) -> widgets.HTML:
    z = np.array([g_el, g_synA])
    frequency = float(circuit.hub_frequency(z[None])[0])
    alt = (
        f"Voltages of the five neurons and spectrum of the hub at g_el = {g_el:g} nS and "
        f"g_synA = {g_synA:g} nS. The hub's frequency is {frequency:.3f} Hz."
    )
    return widgets.HTML(embedded(small_png(plot_activity(circuit, z), dpi=90), alt))


def live_explorer(circuit: STG) -> widgets.Widget:
    """Two sliders over the whole plane, for a running kernel: each point is simulated.

    Args:
        circuit: to simulate.

    Returns:
        The widget, which starts at (8, 1) nS, in the upper mode.
    """

    def show(g_el: float, g_synA: float) -> None:
        figure = plot_activity(circuit, np.array([g_el, g_synA]))
        display(figure)
        plt.close(figure)

    sliders = {
        p.name: widgets.FloatSlider(
            value=start,
            min=p.low,
            max=p.high,
            step=0.05,
            description=f"{p.name} (nS)",
            continuous_update=False,
        )
        for p, start in zip(circuit.parameters, _START, strict=True)
    }
    return widgets.interactive(show, **sliders)
