"""What a circuit produces over its box, beside what was asked for."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from dsnlib.circuits import Circuit
from dsnlib.plots.style import BAND_COLOUR, TARGET, shown
from dsnlib.property import EmergentProperty

_DRAWS = 2_000
_COLUMNS = 3


def plot_produced(circuit: Circuit, prop: EmergentProperty) -> Figure:
    """Every statistic at 2,000 uniform parameters, with its target: where a property is not met.

    Args:
        circuit: whose statistics are meant.
        prop: what was asked for: a dashed line is a mean, green one sd about it, or the interval.

    Returns:
        The figure; a panel a statistic, with the share of draws that have none in its title.
    """
    unit = np.random.default_rng(0).random((_DRAWS, len(circuit.parameters)))
    z = np.asarray(circuit.box.from_unit(unit))
    f = np.asarray(circuit.statistics(z), float)[:, : len(circuit.observables)]
    columns = min(_COLUMNS, f.shape[1])
    rows = -(-f.shape[1] // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(min(7.5, 3.4 * columns), 2.5 * rows), squeeze=False
    )
    for ax in axes.flat[f.shape[1] :]:
        ax.set_visible(False)
    for i, (ax, o) in enumerate(zip(axes.flat, circuit.observables, strict=False)):
        finite = f[np.isfinite(f[:, i]), i]
        if len(finite):
            ax.hist(finite, 40, color="0.6")
        mean, sd, interval = prop.mean[i], prop.sds[i], prop.intervals[i]
        if mean is not None:
            ax.axvline(mean, **TARGET)
            interval = (mean - sd, mean + sd) if sd is not None else None
        if interval is not None:
            ax.axvspan(*interval, color=BAND_COLOUR, alpha=0.45)
        ax.set(xlabel=shown(o.name) + (f" ({o.unit})" if o.unit != "1" else ""))
        if i % columns == 0:
            ax.set_ylabel("uniform draws")
        if len(finite) < len(f):
            ax.set_title(f"{1 - len(finite) / len(f):.0%} have none", fontsize=9)
    return figure
