"""What is left of an answer once a parameter is fixed: small multiples, and a slider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import ipywidgets as widgets
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from dsnlib.answer import conditional
from dsnlib.answer.tables import in_unit
from dsnlib.methods.run import Run
from dsnlib.storage.dataset import attribute

_LEVELS = (0.1, 0.5, 0.9)
_BINS = 18
_COLUMNS = 4
_DASHES: tuple[Literal["-", "--", "-.", ":"], ...] = ("-", "--", "-.", ":")


def plot_conditionals(run: Run[Any], name: str, values: Sequence[float] | None = None) -> Figure:
    """Marginals of the other parameters where one has given values, over those of the whole answer.

    Args:
        run: of any method, of a circuit with two parameters or more.
        name: of the fixed parameter.
        values: of it, in its unit; by default its 10 %, 50 % and 90 % quantiles in the answer.

    Returns:
        The figure, a panel for each other parameter; grey: all samples. A value where too few
        samples remain has a legend entry that says so, and no line.

    Raises:
        TypeError, ValueError: as `dsnlib.answer.conditional`; a circuit with one parameter.
    """
    described = {p["name"]: p for p in attribute(run.data, "parameters")}
    others = [other for other in described if other != name]
    if not others:
        raise ValueError("run must have two parameters or more, got one; there is nothing to show")
    if values is None and name in described:
        values = np.quantile(run.samples[name].values, _LEVELS).tolist()
    # the name is checked there too
    found = [conditional(run, {name: value}) for value in (values if values is not None else [0])]
    columns = min(_COLUMNS, len(others))
    rows = -(-len(others) // columns)
    stacked = columns <= 2  # the legend, which is wider than one or two panels
    height = 0.7 + 1.5 * rows + (0.22 * len(found) if stacked else 0)
    figure, axes = plt.subplots(
        rows, columns, figsize=(max(3.6, 1.9 * columns), height), squeeze=False
    )
    unit = "" if described[name]["unit"] == "1" else f" {described[name]['unit']}"
    colours = mpl.colormaps["viridis"](np.linspace(0, 0.75, len(found)))
    for ax, other in zip(axes.flat, others, strict=False):
        pooled = run.samples[other].values.ravel()
        edges = np.histogram_bin_edges(pooled, _BINS)
        ax.hist(pooled, edges, density=True, color="0.85")
        for k, (left, colour) in enumerate(zip(found, colours, strict=True)):
            if not left.weights.any():
                continue
            density, _ = np.histogram(pooled, edges, weights=left.weights.ravel(), density=True)
            ax.stairs(density, edges, color=colour, linestyle=_DASHES[k % len(_DASHES)])
        ax.set_xlabel(in_unit(other, described[other]["unit"]), fontsize=9)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.locator_params(axis="x", nbins=4)
        ax.tick_params(labelsize=8)
    for ax in axes.flat[len(others) :]:
        ax.set_visible(False)
    handles: list[Artist] = [Patch(color="0.85")]
    labels = ["all"]
    for k, (left, colour) in enumerate(zip(found, colours, strict=True)):
        handles.append(Line2D([], [], color=colour, linestyle=_DASHES[k % len(_DASHES)]))
        few = "" if left.weights.any() else " (too few samples)"
        labels.append(f"{name} = {left.fixed[name]:.3g}{unit}{few}")
    figure.legend(handles, labels, loc="outside upper center", ncols=1 if stacked else len(labels))
    return figure


def conditional_widget(run: Run[Any]) -> widgets.Widget:
    """A choice of the parameter and a slider of its value, for a running kernel.

    Args:
        run: of any method, of a circuit with two parameters or more.

    Returns:
        The widget, which starts at the median of the first parameter. The slider spans the samples.

    Raises:
        ValueError: a circuit with one parameter.
    """
    described = {p["name"]: p for p in attribute(run.data, "parameters")}
    if len(described) < 2:
        raise ValueError("run must have two parameters or more, got one; there is nothing to fix")
    choice = widgets.Dropdown(options=list(described), description="fixed", tooltip="fixed")
    slider = widgets.FloatSlider(
        description="value", tooltip="value", continuous_update=False, readout_format=".3g"
    )
    shown, note = widgets.Output(), widgets.HTML()

    def draw(_: Any = None) -> None:
        shown.clear_output(wait=True)
        with shown:
            figure = plot_conditionals(run, choice.value, [slider.value])
            display(figure)
            plt.close(figure)
        left = conditional(run, {choice.value: slider.value})
        note.value = left.note or f"{left.effective:.0f} effective samples remain."

    def choose(_: Any = None) -> None:
        values = run.samples[choice.value].values
        low, high = float(values.min()), float(values.max())
        slider.unobserve(draw, "value")  # one drawing, not one for each change
        slider.max = max(high, slider.min)  # bounds must never cross
        slider.min, slider.max = low, high
        slider.step = (high - low) / 100
        slider.value = float(np.median(values))
        slider.description = in_unit(choice.value, described[choice.value]["unit"])
        slider.observe(draw, "value")
        draw()

    choice.observe(choose, "value")
    choose()
    return widgets.VBox([widgets.HBox([choice, slider]), note, shown])
