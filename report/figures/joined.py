"""Paths between modes: their course, and which sets of conductances have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from dsnlib import STG
from dsnlib.maxent.modes import BAND_SDS
from dsnlib.plots.style import BAND_COLOUR, TARGET
from dsnlib.property import EmergentProperty
from report.figures.colours import CONDUCTANCE_COLOURS


def plot_paths(
    sets: Sequence[Mapping[str, Any]],
    shown: str,
    prop: EmergentProperty,
    nominal: Mapping[str, float],
) -> Figure:
    """The course of one path, and the share of pairs of points that paths join, by set.

    Args:
        sets: results of `report.studies.joined`, in the order of the axis.
        shown: name of the set whose path is shown.
        prop: its property, of the hub's frequency.
        nominal: nominal values of the conductances that are free beside the plane's, in nS.

    Returns:
        The figure: the path on the left, the sets on the right.
    """
    figure, axes = plt.subplot_mosaic(
        [["plane", "shares"], ["others", "shares"], ["frequency", "shares"]],
        figsize=(7.5, 6.2), width_ratios=(1.2, 1), height_ratios=(1, 1.6, 0.9),
    )  # fmt: skip
    (one,) = (each for each in sets if each["set"] == shown)
    course = [axes[name] for name in ("plane", "others", "frequency")]
    for ax in course[:2]:
        ax.sharex(course[2])
        ax.tick_params(labelbottom=False)
    _plot_course(course, one, prop, nominal)
    _plot_shares(axes["shares"], sets)
    return figure


def _plot_course(
    axes: Sequence[Axes],
    one: Mapping[str, Any],
    prop: EmergentProperty,
    nominal: Mapping[str, float],
) -> None:
    plane, others, frequency = axes
    z = np.array(one["path"]["z"])
    f = np.array(one["path"]["statistics"])[:, one["statistics"].index("f_hub")]
    ranges = np.ptp(STG(free=tuple(one["free"])).bounds, axis=1)
    along = np.cumsum(np.linalg.norm(np.diff(z / ranges, axis=0, prepend=z[:1] / ranges), axis=1))
    along /= along[-1]
    for name, values, style in zip(one["free"][:2], z.T, ("-", "--"), strict=False):
        plane.plot(along, values, style, color="0.15", label=name)
    plane.set(
        ylabel="conductance\n(nS)", ylim=(0, None), title=f"one path, {len(z.T)} free conductances"
    )
    for name, values, colour in zip(one["free"][2:], z.T[2:], CONDUCTANCE_COLOURS, strict=False):
        others.plot(along, 100 * values / nominal[name], color=colour, label=name)
    others.axhline(100, **TARGET)
    others.set(ylabel="conductance\n(% of nominal)")
    mean, sd = prop.mean[0], prop.sd[0]
    frequency.axhspan(
        mean - BAND_SDS * sd, mean + BAND_SDS * sd, color=BAND_COLOUR, alpha=0.2, linewidth=0
    )
    frequency.axhline(mean, **TARGET)
    frequency.plot(along, f, color="0.15")
    frequency.set(ylabel="f_hub (Hz)", xlim=(0, 1))
    frequency.set_xlabel("way from the lower mode (0) to the upper one (1)")
    for ax in (plane, others):
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), handlelength=1.4)


def _plot_shares(ax: Axes, sets: Sequence[Mapping[str, Any]]) -> None:
    rows = np.arange(len(sets))
    share = np.array([each["joined"] / each["pairs"] for each in sets])
    interval = np.array([each["joined_interval"] for each in sets]).T
    ax.errorbar(share, rows, xerr=np.abs(interval - share), fmt="none", ecolor="0.4", linewidth=1.0)
    evidence = np.array([_evidence(each) for each in sets])
    for name, marker, face in (
        ("a path joins them", "o", "#0072B2"),
        ("no path found, not excluded", "o", "white"),
        ("a grid keeps them apart", "s", "0.15"),
    ):
        those = evidence == name
        if those.any():
            ax.plot(share[those], rows[those], marker, color=face, markeredgecolor="0.15",
                    markersize=5.5, label=name, clip_on=False, zorder=3)  # fmt: skip
    ax.set_yticks(rows, [_label(each) for each in sets])
    ax.invert_yaxis()
    ax.grid(axis="y", color="0.92")
    ax.set(xlim=(0, 1), xlabel="pairs joined (%)", title="free beside g_el, g_synA")
    ax.xaxis.set_major_formatter(PercentFormatter(1, symbol=None))
    ax.legend(loc="upper center", bbox_to_anchor=(0.35, -0.1))


def _evidence(one: Mapping[str, Any]) -> str:
    """What decides whether the modes of a set are joined."""
    if one["joined"]:
        return "a path joins them"
    if one["grid"] and not one["grid"]["corners"]:
        return "a grid keeps them apart"
    return "no path found, not excluded"


def _label(one: Mapping[str, Any]) -> str:
    """What the axis calls a set."""
    beside, observed = one["free"][2:], len(one["statistics"])
    if len(beside) < 2:
        return beside[0] if beside else "none"
    return f"{len(beside)} more" + (f",\n{observed} frequencies" if observed > 1 else "")
