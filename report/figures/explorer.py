"""An explorer of the circuit: conductances to a place on the map, voltages and a spectrum."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from IPython.display import display
from matplotlib.figure import Figure

from dsnlib.circuits import STG
from dsnlib.circuits.frequency import FREQUENCIES, spectrum
from dsnlib.circuits.stg import NEURONS
from dsnlib.maxent import ExactMaxEnt
from dsnlib.plots import draw_plane, embedded, small_png
from report.figures.circuit import neuron_colour

_START = (8.0, 1.0)  # g_el and g_synA in nS, in the upper mode
_HEIGHT = 4.6  # inches
_DPI = 100


def plot_activity(circuit: STG, z: np.ndarray) -> Figure:
    """Voltages of the five neurons.

    Args:
        circuit: to simulate.
        z: (2,) conductances (g_el, g_synA), in nS.

    Returns:
        The figure.
    """
    voltages = 1e3 * np.asarray(circuit.voltages(z[None])[0])  # mV
    time = circuit.dt * np.arange(circuit.T + 1)
    figure, axes = plt.subplots(len(NEURONS), 1, figsize=(4, _HEIGHT), sharex=True, sharey=True)
    for ax, name, voltage in zip(axes, NEURONS, voltages, strict=True):
        ax.plot(time, voltage, color=neuron_colour(name))
        ax.set(ylim=(-80, 60), yticks=[-50, 0, 50])
        ax.set_ylabel(f"{name}\n(mV)")
    axes[0].set_title(f"g_el {z[0]:g} nS, g_synA {z[1]:g} nS")
    axes[-1].set_xlabel("time (s)")
    return figure


def plot_place(circuit: STG, exact: ExactMaxEnt, z: np.ndarray) -> Figure:
    """Where a point lies on the map, above the spectrum of the hub, which gives its frequency.

    Args:
        circuit: to simulate.
        exact: its exact answer, for the map.
        z: (2,) conductances (g_el, g_synA), in nS.

    Returns:
        The figure.
    """
    figure, (above, below) = plt.subplots(2, 1, figsize=(3.2, _HEIGHT), height_ratios=[1.6, 1])
    draw_plane(above, exact)
    above.plot(*z, "o", markersize=9, color="black", markeredgecolor="white", markeredgewidth=1.5)
    modulus = np.asarray(spectrum(circuit.simulate(z[None]).T, circuit.dt, circuit.window))[:, 0]
    frequency = float(circuit.hub_frequency(z[None])[0])
    below.plot(FREQUENCIES, modulus / modulus.max(), color=neuron_colour("hub"))
    below.axvline(frequency, color="0.4", linestyle=":")
    below.set(xlabel="frequency of the hub (Hz)", ylabel="modulus\n(of the largest)")
    below.set(ylim=(0, 1.05), title=f"{frequency:.3f} Hz")
    return figure


def circuit_explorer(circuit: STG, exact: ExactMaxEnt, values: Sequence[float]) -> widgets.Widget:
    """Two sliders over precomputed points, linked in the browser: no kernel is needed.

    Args:
        circuit: to simulate.
        exact: its exact answer, for the map.
        values: conductances in nS that each slider offers.

    Returns:
        The widget, which starts at the values nearest to (8, 1) nS, in the upper mode.
    """
    at = [int(np.argmin(np.abs(np.array(values) - start))) for start in _START]
    rows = [
        widgets.Stack(
            [_point(circuit, exact, g_el, g_synA) for g_synA in values], selected_index=at[1]
        )
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


def explorer_table(circuit: STG, values: Sequence[float]) -> pd.DataFrame:
    """What `circuit_explorer` shows: voltages and the hub's frequency at every point.

    Args:
        circuit: to simulate.
        values: as there.

    Returns:
        A row for each point and time.
    """
    z = np.array([(g_el, g_synA) for g_el in values for g_synA in values])
    voltages = 1e3 * np.asarray(circuit.voltages(z))  # (points, neurons, times) in mV
    time = circuit.dt * np.arange(circuit.T + 1)
    axes = {"point": np.arange(len(z)), "neuron": list(NEURONS), "time": time}
    table = xr.DataArray(voltages, axes, tuple(axes)).to_series().unstack("neuron").reset_index()
    place = table.pop("point").to_numpy()
    columns = {
        "g_el (nS)": z[place, 0],
        "g_synA (nS)": z[place, 1],
        "frequency of the hub (Hz)": np.asarray(circuit.hub_frequency(z))[place],
        "time (s)": table.time,
    }
    return pd.DataFrame(columns | {f"{name} (mV)": table[name] for name in NEURONS})


def _point(circuit: STG, exact: ExactMaxEnt, g_el: float, g_synA: float) -> widgets.HTML:
    """Both figures of a point, side by side where there is room."""
    z = np.array([g_el, g_synA])
    where = f"at g_el = {g_el:g} nS and g_synA = {g_synA:g} nS"
    frequency = float(circuit.hub_frequency(z[None])[0])
    figures = (
        (plot_activity(circuit, z), f"Voltages of the five neurons against time {where}."),
        (
            plot_place(circuit, exact, z),
            f"Map with a marker {where}, in {_region(exact, z)}, above the spectrum of the hub, "
            f"whose frequency is {frequency:.3f} Hz.",
        ),
    )
    images = [
        f'<div style="flex:{size:g} 1 {80 * size:g}px;max-width:{100 * size:g}px">'
        f"{embedded(small_png(figure, _DPI), alt)}</div>"
        for figure, alt in figures
        for size in [figure.get_figwidth()]
    ]
    return widgets.HTML(f'<div style="display:flex;flex-wrap:wrap">{"".join(images)}</div>')


def _region(exact: ExactMaxEnt, z: np.ndarray) -> str:
    k = int(exact.assign(z[None])[0])
    return "no region" if k < 0 else f"the {exact.modes[k].name} region"


def live_explorer(circuit: STG, exact: ExactMaxEnt) -> widgets.Widget:
    """Two sliders over the whole plane, for a running kernel: each point is simulated.

    Args:
        circuit: to simulate.
        exact: its exact answer, for the map.

    Returns:
        The widget, which starts at (8, 1) nS, in the upper mode.
    """

    def show(g_el: float, g_synA: float) -> None:
        z = np.array([g_el, g_synA])
        for figure in (plot_activity(circuit, z), plot_place(circuit, exact, z)):
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
