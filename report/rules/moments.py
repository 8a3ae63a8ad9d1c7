"""Claims about the constrained moments: C3 in its two halves, and C4."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dsnlib.methods.lagrangian.convergence import LEVEL
from dsnlib.property import EmergentProperty
from report.judged import JudgedLagrangian
from report.rules.verdict import (
    NOTE_EPOCHS,
    UNDECIDED,
    Measured,
    Verdict,
    by_seed,
    counted,
    half_and_double,
)

CLOSE = 1.0  # sd: how far the mean may be off, and what that makes of the second moment
BEYOND = 2.0  # standard errors
P_LIMIT = LEVEL / 2  # of the public code's test: two moments share its level


def _moments_after(r: JudgedLagrangian, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error of T - mu after `epoch` epochs, in Hz and Hz^2."""
    moments = r.run.data.moments.sel(snapshot=epoch).values.astype(float)
    moments = moments[np.isfinite(moments).all(axis=1)] - r.run.prop.mu
    return moments.mean(axis=0), moments.std(axis=0, ddof=1) / np.sqrt(len(moments))


def _of_one_sd(prop: EmergentProperty) -> np.ndarray:
    """(2,) what a mean off by 1 sd makes of both moments, in Hz and Hz^2."""
    mean, sd = prop.mean[0], prop.sd[0]
    return np.array([sd, 2 * abs(mean) * sd + sd**2])


def does_not_converge(runs: Sequence[JudgedLagrangian]) -> Verdict:
    """C3a: after 8 epochs the test of convergence is not yet passed."""

    def measure(r: JudgedLagrangian) -> Measured:
        smallest = r.run.data.p_value.min("moment").values[:NOTE_EPOCHS]
        return {"p": smallest.astype(float).tolist()}

    def holds(measured: Measured, p: float = P_LIMIT) -> bool:
        return max(measured["p"]) <= p

    def write(measured: Measured) -> str:
        largest = int(np.argmax(measured["p"]))
        return f"p at most {measured['p'][largest]:.3f}, after epoch {largest + 1}"

    return by_seed(
        "C3a",
        f"c0 = 1: after {NOTE_EPOCHS} epochs no seed has converged by the test",
        "the test gives one p for each of the two moments; a seed counts if the smaller p is at "
        f"most {P_LIMIT:g} after every epoch from 1 to {NOTE_EPOCHS}",
        runs,
        measure=measure,
        holds=holds,
        write=write,
        others=half_and_double("p", P_LIMIT, "p above"),
    )


def is_close(runs: Sequence[JudgedLagrangian]) -> Verdict:
    """C3b: after 8 epochs the moments are close to their targets."""

    def measure(r: JudgedLagrangian) -> Measured:
        return {"off": (_moments_after(r, NOTE_EPOCHS)[0] / _of_one_sd(r.run.prop)).tolist()}

    def holds(measured: Measured, close: float = CLOSE) -> bool:
        return bool((np.abs(measured["off"]) < close).all())

    return by_seed(
        "C3b",
        f"c0 = 1: after {NOTE_EPOCHS} epochs all are rather close",
        f"after {NOTE_EPOCHS} epochs each moment is off its target by less than {CLOSE:g} unit; "
        "the unit is how far the moment moves if all frequencies rise by 1 sd from the target",
        runs,
        measure=measure,
        holds=holds,
        write=lambda m: "moments off by {:+.2f} and {:+.2f}".format(*m["off"]),
        others=half_and_double("close", CLOSE, "off by less than"),
    )


def undershoots(runs: Sequence[JudgedLagrangian]) -> Verdict:
    """C4: the mean ends a little low, the second moment a little high."""
    measured: dict[str, Measured] = {}
    for r in runs:
        off, se = _moments_after(r, NOTE_EPOCHS)
        measured[f"seed {r.seed}"] = {"off": off.tolist(), "se": se.tolist()}

    def seed(numbers: Measured, beyond: float) -> str:
        along = np.array(numbers["off"]) / numbers["se"] * [-1, 1]  # positive as the note says
        return (
            "counts"
            if (along > beyond).all()
            else "contradicts"
            if (along < -beyond).any()
            else UNDECIDED
        )

    def outcome(beyond: float = BEYOND) -> str:
        found = [seed(numbers, beyond) for numbers in measured.values()]
        if "counts" in found or "contradicts" in found:
            return counted(found.count("counts"), len(found))
        return UNDECIDED

    def write(numbers: Measured) -> str:
        (first, second), (first_se, second_se) = numbers["off"], numbers["se"]
        return (
            f"mean {first:+.4f} ± {first_se:.4f} Hz, second moment {second:+.4f} ± "
            f"{second_se:.4f} Hz²: {seed(numbers, BEYOND)}"
        )

    return Verdict(
        "C4",
        "c0 = 1: the means end a little low, the second moments a little high (more variance than "
        "at convergence)",
        f"a seed counts if after {NOTE_EPOCHS} epochs the mean of 1,000 samples is below its "
        f"target and their second moment above its own, both by more than {BEYOND:g} standard "
        "errors; it contradicts if the mean is above or the second moment below by more than "
        "that; otherwise it is undecided",
        {name: write(numbers) for name, numbers in measured.items()},
        outcome(),
        {f"beyond {b:g} standard errors": outcome(b) for b in (0.0, BEYOND / 2, BEYOND * 2)},
        measured,
    )
