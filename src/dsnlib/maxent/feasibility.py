"""Why a property cannot be had: what the circuit produces beside what was asked for."""

from __future__ import annotations

import numpy as np

from dsnlib.circuits import Circuit
from dsnlib.maxent.features import Features
from dsnlib.property import EmergentProperty

_FEWEST = 5  # draws of an island on which a weight can rest


class PropertyError(ValueError):
    """The circuit does not have the property anywhere that the draws have seen."""


def short_of(points: np.ndarray, features: Features) -> bool:
    """Whether too few points (n, 2 S) are whole and inside all intervals to be weighted."""
    whole = np.isfinite(points).all(axis=1)
    inside = (np.where(whole[:, None], points, 0)[:, features.distances] <= 0).all(axis=1)
    return int((whole & inside).sum()) < _FEWEST


def explain(statistics: np.ndarray, circuit: Circuit, prop: EmergentProperty) -> str:
    """Which of the user's numbers is out of reach of draws, and what they produce instead.

    Args:
        statistics: (..., C) of draws over the box, failed ones included.
        circuit, prop: what was asked for.

    Returns:
        One message: the first statistic that alone cannot have its target, or that all cannot have
        theirs together.
    """
    S = len(prop.mean)
    f = np.asarray(statistics, float).reshape(-1, statistics.shape[-1])
    targeted = [kind != "recorded" for kind in prop.kinds]
    whole = np.isfinite(f[:, :S][:, targeted]).all(axis=1)
    n = len(f)
    if whole.sum() < _FEWEST:
        return (
            f"circuit must give finite statistics within its bounds, got {int(whole.sum())} in "
            f"{n:,} draws; narrow the bounds or mend the simulator"
        )
    noise = f[whole, S:]
    for i, (mean, sd, interval) in enumerate(zip(prop.mean, prop.sds, prop.intervals, strict=True)):
        o, values = circuit.observables[i], f[whole, i]
        low, high = values.min(), values.max()
        seen = (
            f"{n:,} uniform draws produce {low:.4g} to {high:.4g} {o.unit} (median "
            f"{np.median(values):.4g}, {1 - whole.mean():.0%} without statistics)"
        )
        if interval is not None and not ((values >= interval[0]) & (values <= interval[1])).any():
            return (
                f"within[{i}] ({o.name}) must be met somewhere within the parameters' bounds, got "
                f"({interval[0]:g}, {interval[1]:g}): {seen}; choose another interval, or use "
                "dsnlib.SMC(), which finds what is rarer"
            )
        if mean is None:
            continue
        if not low < mean < high:
            return (
                f"mean[{i}] ({o.name}) must be among what the circuit produces, got {mean:g}: "
                f"{seen}; choose a target inside, or use dsnlib.SMC(), which finds what is rarer"
            )
        if sd is None:
            continue
        below, above = values[values <= mean].max(), values[values >= mean].min()
        least, most = (np.sqrt((mean - a) * (b - mean)) for a, b in ((below, above), (low, high)))
        if noise.size:
            least = max(least, np.sqrt(noise[:, i].min()))
        if not least < sd < most:
            return (
                f"sd[{i}] ({o.name}) must lie between {least:.4g} and {most:.4g} {o.unit}, what "
                f"draws can have at a mean of {mean:g}, got {sd:g}: {seen}; choose an sd inside"
            )
    return (
        f"the targets must be met together by weighted draws, got mean={list(prop.mean)}, "
        f"sd={list(prop.sds)}, within={list(prop.intervals)}: each alone is, but no weights of "
        f"{n:,} uniform draws have all; they are rare, or exclude each other: pass more samples, "
        "use dsnlib.SMC(), which finds what is rarer, or choose other targets"
    )
