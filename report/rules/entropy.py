"""Claims about the entropy: C1, C2, C6 and C10."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dsnlib.methods.lagrangian import LagrangianRun
from dsnlib.methods.lagrangian.records import RECORD_EVERY
from report.curves import WINDOW, running_mean
from report.judged import JudgedLagrangian
from report.rules.verdict import Measured, Verdict, by_seed, counted, half_and_double

RISE = 0.1  # nat, three times the noise of a record
FALL = 0.5  # nat, beyond the ups and downs of an entropy that stays high
SPREAD = 1.0  # nat below the uniform distribution
QUADRANT = 0.05  # share of the samples
SETTLED = 0.1  # nat
OF_CHANGE = 0.1  # of what changes in the epoch
ENOUGH = 0.5  # of a run's epochs


def _smooth_entropy(run: LagrangianRun) -> tuple[np.ndarray, np.ndarray]:
    """Running means of the entropy, and the epoch of the record after each window."""
    smooth = running_mean(run.data.entropy.values[:-1])
    next_record = np.arange(WINDOW, WINDOW + len(smooth)) * RECORD_EVERY
    return smooth, next_record // run.method.iterations + 1


def rises_and_falls(runs: Sequence[JudgedLagrangian]) -> Verdict:
    """C1: the entropy rises, then falls in epoch 3 or 4."""

    def falls_in(smooth: np.ndarray, epoch: np.ndarray, fall: float) -> int:
        return int(epoch[np.flatnonzero(smooth > smooth.max() - fall)[-1]])

    def measure(r: JudgedLagrangian) -> Measured:
        smooth, epoch = _smooth_entropy(r.run)
        falls = {f"{fall:g}": falls_in(smooth, epoch, fall) for fall in (FALL, FALL / 2, FALL * 2)}
        return {"rise": float(smooth.max() - r.run.data.entropy[0]), "falls_in": falls}

    def holds(measured: Measured, rise: float = RISE, fall: float = FALL) -> bool:
        return measured["rise"] > rise and measured["falls_in"][f"{fall:g}"] in (3, 4)

    return by_seed(
        "C1",
        "c0 = 1: the entropy first rises and begins to fall in epoch 3 or 4, in every seed",
        f"the mean entropy of 1,000 iterations has its maximum more than {RISE} nat above the "
        f"first record, and in epoch 3 or 4 it falls more than {FALL} nat below that maximum "
        "for good",
        runs,
        measure=measure,
        holds=holds,
        write=lambda m: (
            f"rises by {m['rise']:.2f} nat, falls in epoch {m['falls_in'][f'{FALL:g}']}"
        ),
        others=half_and_double("rise", RISE, "a rise of", " nat")
        | half_and_double("fall", FALL, "a fall of", " nat"),
    )


def spreads(runs: Sequence[JudgedLagrangian]) -> Verdict:
    """C2: at the start of epochs 2 and 3 the samples are spread over the plane."""

    def measure(r: JudgedLagrangian) -> Measured:
        data = r.run.data
        low, high = data.bounds.values.T
        uniform = np.log(np.prod(high - low))
        found: Measured = {}
        for epoch in (2, 3):
            upper = data.z.sel(snapshot=epoch - 1).values > (low + high) / 2
            quadrants = np.bincount(upper @ 2 ** np.arange(len(low)), minlength=2 ** len(low))
            found[f"epoch {epoch}"] = {
                "below_uniform": float(uniform - r.judged.entropy.sel(snapshot=epoch - 1)),
                "emptiest_quadrant": float(quadrants.min() / len(upper)),
            }
        return found

    def holds(measured: Measured, spread: float = SPREAD, quadrant: float = QUADRANT) -> bool:
        return all(
            m["below_uniform"] < spread and m["emptiest_quadrant"] >= quadrant
            for m in measured.values()
        )

    return by_seed(
        "C2",
        "c0 = 1: at the start of epochs 2 and 3 the distribution is spread over (0, 20)²",
        f"at the start of both epochs the entropy is less than {SPREAD:g} nat below that of the "
        "uniform distribution, and every quadrant of the plane holds at least "
        f"{100 * QUADRANT:g} % of the samples",
        runs,
        measure=measure,
        holds=holds,
        write=lambda measured: "; ".join(
            f"{epoch}: {m['below_uniform']:.2f} nat below uniform, "
            f"{100 * m['emptiest_quadrant']:.0f} % in the emptiest quadrant"
            for epoch, m in measured.items()
        ),
        others=half_and_double("spread", SPREAD, "an entropy within", " nat")
        | {
            f"{100 * share:g} % in every quadrant": {"quadrant": share}
            for share in (QUADRANT / 2, QUADRANT * 2)
        },
    )


def does_not_rise(runs: Sequence[JudgedLagrangian]) -> Verdict:
    """C6: the entropy does not rise at the outset."""

    def measure(r: JudgedLagrangian) -> Measured:
        smooth, epoch = _smooth_entropy(r.run)
        return {"rise": float(smooth[epoch == 1].max() - r.run.data.entropy[0])}

    def holds(measured: Measured, rise: float = RISE) -> bool:
        return bool(measured["rise"] <= rise)

    return by_seed(
        "C6",
        "c0 = 100: no rise of the entropy at the outset",
        f"in epoch 1 the mean entropy of 1,000 iterations is never more than {RISE} nat above the "
        "first record",
        runs,
        measure=measure,
        holds=holds,
        write=lambda m: f"{m['rise']:+.2f} nat at the highest in epoch 1",
        others=half_and_double("rise", RISE, "a rise of", " nat"),
    )


def _last_changes(run: LagrangianRun, name: str) -> Measured:
    """Of a record, epoch by epoch: its change at the end, in all, and what is noise.

    The change at the end is that between the means of the last two windows of 1,000 iterations, in
    all that between the first window and the last. The noise is two standard errors of such a
    change, from the differences of neighbouring records, which a drift hardly enters.
    """
    values = run.data[name].values[:-1]
    epoch = np.arange(len(values)) * RECORD_EVERY // run.method.iterations
    found: Measured = {"at_end": [], "in_all": [], "noise": []}
    for records in (values[epoch == k] for k in range(run.method.epochs)):
        first, last = records[:WINDOW].mean(), records[-WINDOW:].mean()
        before = records[-2 * WINDOW : -WINDOW].mean()
        record_sd = np.diff(records[-2 * WINDOW :]).std() / np.sqrt(2)
        found["at_end"].append(float(last - before))
        found["in_all"].append(float(last - first))
        found["noise"].append(float(2 * record_sd * np.sqrt(2 / WINDOW)))
    return found


def _settled(measured: Measured, settled: float, of_change: float) -> np.ndarray:
    """(epochs) whether a record has settled at the end of each."""
    at_end, in_all, noise = (np.abs(measured[name]) for name in ("at_end", "in_all", "noise"))
    small = (at_end < of_change * in_all) | (at_end < noise)
    return np.asarray((at_end < settled) & small)


def settles(runs: Sequence[JudgedLagrangian]) -> Verdict:
    """C10: each epoch ends close to convergence."""
    measured: dict[str, Measured] = {
        f"c0 = {r.run.method.c0:g}, seed {r.seed}": {
            name: _last_changes(r.run, name) for name in ("entropy", "loss")
        }
        for r in runs
    }

    def close(numbers: Measured, **changed: Any) -> np.ndarray:
        record = changed.get("record", "entropy")
        return _settled(
            numbers[record], changed.get("settled", SETTLED), changed.get("of_change", OF_CHANGE)
        )

    def outcome(**changed: Any) -> str:
        enough = changed.get("enough", ENOUGH)
        hits = sum(close(numbers, **changed).mean() > enough for numbers in measured.values())
        return counted(int(hits), len(measured), "runs")

    def write(numbers: Measured) -> str:
        epochs = np.flatnonzero(close(numbers)) + 1
        at_end = np.abs(numbers["entropy"]["at_end"])
        which = f" ({', '.join(map(str, epochs))})" if len(epochs) else ""
        return (
            f"settled in {len(epochs)} of {len(at_end)} epochs{which}; median change at the end "
            f"{np.median(at_end):.2f} nat"
        )

    everywhere = {"settled": 2 * SETTLED, "of_change": 2 * OF_CHANGE}
    others = {
        **half_and_double("settled", SETTLED, "a last change below", " nat"),
        **{
            f"a last change below {100 * share:g} % of the epoch's": {"of_change": share}
            for share in (OF_CHANGE / 2, OF_CHANGE * 2)
        },
        "both limits doubled": everywhere,
        **{
            f"more than {100 * share:g} % of the epochs": {"enough": share}
            for share in (0.25, 0.75)
        },
        "the loss in the place of the entropy": {"record": "loss"},
    }
    return Verdict(
        "C10",
        "10,000 iterations come close to convergence within an epoch",
        "an epoch has settled if the mean entropy of its last 1,000 iterations differs little from "
        f"that of the 1,000 before: by less than {SETTLED:g} nat and, besides, by less than either "
        f"{100 * OF_CHANGE:g} % of the epoch's whole change or two standard errors; a run counts "
        f"if more than {100 * ENOUGH:g} % of its epochs have settled",
        {run: write(numbers) for run, numbers in measured.items()},
        outcome(),
        {name: outcome(**changed) for name, changed in others.items()},
        measured,
    )
