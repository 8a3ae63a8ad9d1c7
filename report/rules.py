"""The rules by which the claims of the 2019 note hold or fail, one function a claim."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from dsnlib.maxent import ExactMaxEnt
from dsnlib.methods.lagrangian import LagrangianRun
from dsnlib.methods.lagrangian.records import RECORD_EVERY
from dsnlib.property import EmergentProperty
from report.curves import WINDOW, running_mean
from report.judged import HELD, JudgedLagrangian

RISE = 0.1  # nat, three times the noise of a record
FALL = 0.5  # nat, beyond the ups and downs of an entropy that stays high
SPREAD = 1.0  # nat below the uniform distribution
QUADRANT = 0.05  # share of the samples
CLOSE = 1  # sd: how far the mean may be off, and what that makes of the second moment
NOTE_EPOCHS = 8  # after which the note judges c0 = 1
CONVERGED_BY = 10  # epochs, for c0 = 100


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A claim of the note, and what became of it."""

    claim: str  # its number
    statement: str  # what the note says
    rule: str  # when it is taken to hold
    numbers: dict[str, Any]  # what the rule was applied to, by seed or by circuit
    outcome: str  # "holds", "holds in k of n seeds", or "fails"


def _by_seed(
    claim: str,
    statement: str,
    rule: str,
    runs: list[JudgedLagrangian],
    test: Callable[[JudgedLagrangian], Any],
) -> Verdict:
    """A claim about every seed: `test` gives (whether it holds, the number it rests on)."""
    tested = {f"seed {r.seed}": test(r) for r in runs}
    count, n = sum(bool(holds) for holds, _ in tested.values()), len(tested)
    outcome = "holds" if count == n else f"holds in {count} of {n} seeds" if count else "fails"
    numbers = {seed: number for seed, (_, number) in tested.items()}
    return Verdict(claim, statement, rule, numbers, outcome)


def _smooth_entropy(run: LagrangianRun) -> tuple[np.ndarray, np.ndarray]:
    """Running means of the entropy, and the epoch of the record after each window."""
    smooth = running_mean(run.data.entropy.values[:-1])
    next_record = np.arange(WINDOW, WINDOW + len(smooth)) * RECORD_EVERY
    return smooth, next_record // run.method.iterations + 1


def rises_and_falls(runs: list[JudgedLagrangian]) -> Verdict:
    """C1: the entropy rises, then falls in epoch 3 or 4."""

    def test(r: JudgedLagrangian) -> Any:
        smooth, epoch = _smooth_entropy(r.run)
        rise = float(smooth.max() - r.run.data.entropy[0])
        falls = int(epoch[np.flatnonzero(smooth > smooth.max() - FALL)[-1]])
        return rise > RISE and falls in (3, 4), f"rises by {rise:.2f} nat, falls in epoch {falls}"

    return _by_seed(
        "C1",
        "c0 = 1: the entropy first rises and begins to fall in epoch 3 or 4, in every seed",
        f"the mean entropy of 1,000 iterations exceeds the first record by more than {RISE} nat "
        f"at its largest, and the record that takes it more than {FALL} nat below that for good "
        "lies in epoch 3 or 4",
        runs, test,
    )  # fmt: skip


def spreads(runs: list[JudgedLagrangian]) -> Verdict:
    """C2: at the start of epochs 2 and 3 the samples are spread over the plane."""

    def test(r: JudgedLagrangian) -> Any:
        data = r.run.data
        low, high = data.bounds.values.T
        uniform = np.log(np.prod(high - low))
        holds, parts = True, []
        for epoch in (2, 3):
            snapshot = epoch - 1
            entropy = float(r.judged.entropy.sel(snapshot=snapshot))
            upper = data.z.sel(snapshot=snapshot).values > (low + high) / 2
            quadrants = np.bincount(upper @ 2 ** np.arange(len(low)), minlength=2 ** len(low))
            least = quadrants.min() / len(upper)
            holds &= entropy > uniform - SPREAD and least >= QUADRANT
            parts.append(
                f"epoch {epoch}: {uniform - entropy:.2f} nat below uniform, "
                f"{100 * least:.0f} % in the emptiest quadrant"
            )
        return holds, "; ".join(parts)

    return _by_seed(
        "C2",
        "c0 = 1: at the start of epochs 2 and 3 the distribution is spread over (0, 20)²",
        f"at both moments the entropy is at most {SPREAD:g} nat below that of the uniform "
        f"distribution, and every quadrant holds at least {100 * QUADRANT:g} % of the samples",
        runs, test,
    )  # fmt: skip


def _moments_after(r: JudgedLagrangian, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error of T - mu after `epoch` epochs, in Hz and Hz^2."""
    moments = r.run.data.moments.sel(snapshot=epoch).values.astype(float)
    moments = moments[np.isfinite(moments).all(axis=1)] - r.run.prop.mu
    return moments.mean(axis=0), moments.std(axis=0, ddof=1) / np.sqrt(len(moments))


def _of_one_sd(prop: EmergentProperty) -> np.ndarray:
    """(2,) what a mean off by 1 sd makes of both moments, in Hz and Hz^2."""
    mean, sd = prop.mean[0], prop.sd[0]
    return np.array([sd, 2 * abs(mean) * sd + sd**2])


def is_close(runs: list[JudgedLagrangian]) -> Verdict:
    """C3: after 8 epochs the moments are close, and the test is not yet passed."""

    def test(r: JudgedLagrangian) -> Any:
        converged = r.run.converged_epoch
        early = converged is not None and converged <= NOTE_EPOCHS
        off = _moments_after(r, NOTE_EPOCHS)[0] / _of_one_sd(r.run.prop)
        passed = f"passes in epoch {converged}" if converged else "never passes"
        return not early and (abs(off) < CLOSE).all(), (
            f"{passed}; moments off by {off[0]:+.2f} and {off[1]:+.2f}"
        )

    return _by_seed(
        "C3",
        "c0 = 1: after 8 epochs no seed has converged by the test, though all are close",
        f"the note's test is not passed in epochs 1 to {NOTE_EPOCHS}, and both moments are then "
        f"off by less than {CLOSE} (in units of what a mean off by 1 sd makes of them)",
        runs, test,
    )  # fmt: skip


def undershoots(runs: list[JudgedLagrangian]) -> Verdict:
    """C4: the mean ends a little low, the second moment a little high."""

    def test(r: JudgedLagrangian) -> Any:
        (first, second), (first_se, second_se) = _moments_after(r, NOTE_EPOCHS)
        return first < 0 < second, (
            f"mean {first:+.4f} ± {first_se:.4f} Hz, "
            f"second moment {second:+.4f} ± {second_se:.4f} Hz²"
        )

    return _by_seed(
        "C4",
        "c0 = 1: the means end a little low, the second moments a little high",
        f"after {NOTE_EPOCHS} epochs the mean of 1,000 samples is below its target and their "
        "second moment above (± standard error)",
        runs, test,
    )  # fmt: skip


def _listed(names: list[str]) -> str:
    return " and ".join(names) if names else "none"


def holds_both_or_upper(runs: list[JudgedLagrangian]) -> Verdict:
    """C5: each seed holds both modes or only the upper one, and both happen."""
    held = {f"seed {r.seed}": sorted(r.held(NOTE_EPOCHS)) for r in runs}
    both = sum(names == ["lower", "upper"] for names in held.values())
    upper = sum(names == ["upper"] for names in held.values())
    outcome = "holds" if both and upper and both + upper == len(held) else "fails"
    return Verdict(
        "C5",
        "c0 = 1: two seeds of four still hold both modes; two have kept only the upper, "
        "larger mode",
        f"after {NOTE_EPOCHS} epochs each seed holds both modes or only the upper one, and both "
        f"happen; a mode is held where the network has {100 * HELD:g} % of its exact mass",
        {seed: f"holds {_listed(names)}" for seed, names in held.items()},
        outcome,
    )


def does_not_rise(runs: list[JudgedLagrangian]) -> Verdict:
    """C6: the entropy does not rise at the outset."""

    def test(r: JudgedLagrangian) -> Any:
        smooth, epoch = _smooth_entropy(r.run)
        rise = float(smooth[epoch == 1].max() - r.run.data.entropy[0])
        return rise <= RISE, f"{rise:+.2f} nat at the highest in epoch 1"

    return _by_seed(
        "C6",
        "c0 = 100: no rise of the entropy at the outset",
        f"in epoch 1 the mean entropy of 1,000 iterations never exceeds the first record by more "
        f"than {RISE} nat",
        runs, test,
    )  # fmt: skip


def converges_to_one(runs: list[JudgedLagrangian]) -> Verdict:
    """C7: some seeds converge, each to one mode, and both modes occur."""
    numbers, found = {}, []
    for r in runs:
        epoch = r.run.converged_epoch
        if epoch is None or epoch > CONVERGED_BY:
            numbers[f"seed {r.seed}"] = f"not within {CONVERGED_BY} epochs"
        else:
            found.append(r.held(epoch))
            numbers[f"seed {r.seed}"] = f"passes in epoch {epoch}, holding {_listed(found[-1])}"
    one_each = all(names in (["lower"], ["upper"]) for names in found)
    both_seen = ["lower"] in found and ["upper"] in found
    holds = 0 < len(found) < len(runs) and one_each and both_seen
    return Verdict(
        "C7",
        "c0 = 100: two seeds of four converge (in epochs 6 and 10), one holding only the "
        "lower mode, one only the upper",
        f"some seeds but not all pass the note's test within {CONVERGED_BY} epochs, each then "
        "holding only one mode, and each mode is held by one of them",
        numbers,
        "holds" if holds else "fails",
    )


def two_regions(short: ExactMaxEnt, long: ExactMaxEnt) -> Verdict:
    """C8: the band consists of a small region at small g_el and a large one at large g_el."""
    numbers, holds = {}, True
    for exact in (short, long):
        circuit = exact.circuit.configuration()
        numbers[f"T = {circuit['T']}"] = "; ".join(
            f"{mode.name}: mass {mode.mass:.3f}, area {100 * mode.area:.3f} %, "
            f"g_el {mode.centre[0]:.2f} nS"
            for mode in exact.modes
        )
        two = {mode.name: mode for mode in exact.modes}
        holds &= set(two) == {"lower", "upper"} and two["lower"].area < two["upper"].area
    return Verdict(
        "C8",
        "the band 0.525 ± 0.025 Hz consists of two separate regions, a small one at small g_el "
        "(lower) and an expansive one at large g_el (upper), at T = 200 as at T = 800",
        "at both durations two connected regions hold at least 1 % of the exact mass, and the one "
        "at smaller g_el has the smaller area",
        numbers,
        "holds" if holds else "fails",
    )
