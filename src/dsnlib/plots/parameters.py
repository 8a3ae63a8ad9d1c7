"""An answer of any number of parameters: pairs, statistics, directions."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from scipy import stats

from dsnlib.answer import Directions, Regions
from dsnlib.methods.run import Run
from dsnlib.plots.style import ISLAND_COLOURS, TARGET, mode_colour, shown
from dsnlib.storage.dataset import attribute

_SHOWN = 3_000  # samples of a pair plot
_BINS = 30
_MARGIN = 0.05
_COLUMNS = 3  # of statistics
_REGION_COLOURS = (*map(mode_colour, ("upper", "lower", "third")), "0.45")


def region_colour(region: int) -> str:
    """Colour of the region with that number, largest first; those beyond the third are grey."""
    return _REGION_COLOURS[min(region, len(_REGION_COLOURS) - 1)]


def plot_pairs(run: Run, regions: Regions, names: Sequence[str] | None = None) -> Figure:  # type: ignore[type-arg]
    """Every parameter against every other, regions in colours, with marginals on the diagonal.

    Args:
        run: of any method.
        regions: of its answer.
        names: of the parameters to show; by default all.

    Returns:
        The figure; axes span the samples.
    """
    import corner  # only this figure needs it

    described = {p["name"]: p for p in attribute(run.data, "parameters")}
    every = list(described)
    names = every if names is None else list(names)
    size = min(9.0, max(3.2, 1.6 * len(names) + 1))
    figure = plt.figure(figsize=(size, size), layout="none")  # corner lays it out
    z = run.z.reshape(-1, len(every))[:, [every.index(name) for name in names]]
    few = np.random.default_rng(0).permutation(len(z))[:_SHOWN]
    labels = regions.labels.ravel()[few]
    log = np.array([described[name].get("scale") == "log" for name in names])
    along = np.where(log, np.log(np.where(log, z, 1)), z)  # as far as an axis shows them apart
    margin = _MARGIN * np.ptp(along, axis=0)
    ends = along.min(axis=0) - margin, along.max(axis=0) + margin
    low, high = (np.where(log, np.exp(np.where(log, end, 0)), end) for end in ends)
    low = np.maximum(low, [described[name]["low"] for name in names])
    high = np.minimum(high, [described[name]["high"] for name in names])
    for region in range(len(regions.table)):
        inside = z[few][labels == region]
        if len(inside) <= len(names):
            continue
        corner.corner(
            inside,
            fig=figure,
            bins=_BINS,
            range=list(zip(low, high, strict=True)),
            axes_scale=["log" if each else "linear" for each in log],
            labels=[_label(described[name]) for name in names],
            color=region_colour(region),
            plot_density=False,
            plot_contours=False,
            no_fill_contours=True,
            data_kwargs={"alpha": 0.35, "ms": 1.5},
            max_n_ticks=3,
            labelpad=0.15 if len(names) > 5 else 0.05,
        )
    for ax in figure.axes:
        ax.tick_params(labelsize=7)
    # corner scales a marginal to the region that came last
    for ax in np.array(figure.axes).reshape(len(names), len(names)).diagonal():
        ax.set_ylim(0, 1.1 * max(patch.get_xy()[:, 1].max() for patch in ax.patches))
    return figure


def _label(described: dict[str, str]) -> str:
    name, unit = described["name"], described["unit"]
    return name if unit == "1" else f"{name}\n({unit})"


def plot_statistics(run: Run) -> Figure:  # type: ignore[type-arg]
    """Every statistic of the samples, island by island, with its target's mean and sd.

    Args:
        run: of any method.

    Returns:
        The figure; the dashed line is the Gaussian with the target's moments, or stands at the
        target's mean where no sd was asked for, or at the ends of an interval.
    """
    observed = attribute(run.data, "observables")
    columns = min(_COLUMNS, len(observed))
    rows = -(-len(observed) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(min(7.5, 3.4 * columns), 2.4 * rows), squeeze=False
    )
    targets = zip(run.prop.mean, run.prop.sds, run.prop.intervals, strict=True)
    for ax, statistic, (mean, sd, interval) in zip(axes.flat, observed, targets, strict=False):
        values = run.samples[statistic["name"]].values
        # there may be a mean alone, an interval, or nothing
        span = _span(values) if mean is None or sd is None else mean + sd * np.linspace(-5, 5, 201)
        for island, drawn in enumerate(values):
            ax.hist(
                drawn[np.isfinite(drawn)],
                span[::5],
                density=True,
                histtype="step",
                color=ISLAND_COLOURS[island % len(ISLAND_COLOURS)],
                alpha=0.8,
                linewidth=1,
            )
        if mean is not None and sd is not None:
            ax.plot(span, stats.norm.pdf(span, mean, sd), **TARGET)
        elif mean is not None:
            ax.axvline(mean, **TARGET)
        for end in interval or ():
            ax.axvline(end, **TARGET)
        unit = statistic["unit"]
        ax.set(xlabel=shown(statistic["name"]) + (f" ({unit})" if unit != "1" else ""))
        ax.set_ylabel(f"density (per {unit})" if unit != "1" else "density")
    for ax in axes.flat[len(observed) :]:
        ax.set_visible(False)
    return figure


def _span(values: np.ndarray) -> np.ndarray:
    """201 points over the finite ones of some values, of which there may be none."""
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 1.0)
    return np.linspace(low, high if high > low else low + 1, 201)


def plot_directions(found: Directions, names: Sequence[str]) -> Figure:
    """How far the answer reaches in each direction, and which parameters make up the directions.

    Args:
        found: the directions.
        names: of the parameters.

    Returns:
        The figure, with two panels.
    """
    P = len(names)
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(7.5, max(2.6, 1.8 + 0.22 * P)), width_ratios=[1, 1.6], sharey=True
    )
    place = np.arange(P)
    bounded = np.minimum(found.sd, 1.0)
    left.barh(place, bounded, color=["0.25" if sd < 1 else "0.75" for sd in found.sd])
    left.set(xscale="log", xlabel="sd in the direction\n(share of the box; light: the box or more)")
    # Over many decades only their ends have room.
    left.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if bounded.min() > 0.01 else (1,)))
    left.xaxis.set_major_formatter("{x:g}")
    left.xaxis.set_minor_formatter(NullFormatter())
    left.set(ylabel="direction, the stiffest first")
    left.set_yticks(place, [str(k + 1) for k in place])
    left.invert_yaxis()
    image = right.imshow(found.vectors, cmap="PuOr", vmin=-1, vmax=1, aspect="auto")
    right.set_xticks(place, names, rotation=60 if P > 4 else 0, ha="right" if P > 4 else "center")
    right.tick_params(labelsize=8)
    figure.colorbar(image, ax=right, label="weight of the parameter")
    return figure
