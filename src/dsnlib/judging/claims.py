"""Verdicts on the claims of the 2019 note, each by a rule that is stated beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from dsnlib.emergent import EmergentProperty
from dsnlib.exact import ExactMaxEnt
from dsnlib.runs import Run
from dsnlib.training.history import RECORD_EVERY

SMOOTHING = 10  # records, of 100 iterations each
RISE = 0.1  # nat, three times the noise of a record
FALL = 0.5  # nat, beyond the ups and downs of an entropy that stays high
SPREAD = 1.0  # nat below the uniform distribution
QUADRANT = 0.05  # share of the samples
CLOSE = 1  # sd: how far the mean may be off, and what that makes of the second moment
HELD = 0.1  # of a mode's exact mass
NOTE_EPOCHS = 8  # after which the note judges c0 = 1
CONVERGED_BY = 10  # epochs, for c0 = 100


@dataclasses.dataclass(frozen=True)
class Judged:
    """A run with what `dsnlib.judge` says of its networks."""

    run: Run
    judged: xr.Dataset

    @property
    def seed(self) -> int:
        """The run's seed."""
        return int(self.run.data.seed)

    def held(self, epoch: int) -> list[str]:
        """Modes of which the network after `epoch` epochs holds at least a tenth."""
        mass = self.judged.mode_mass.sel(snapshot=epoch)
        return mass.mode.values[mass >= HELD * self.judged.exact_mass].tolist()


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A claim of the note, and what became of it."""

    claim: str  # its number
    statement: str  # what the note says
    rule: str  # when it is taken to hold
    numbers: dict[str, Any]  # what the rule was applied to, by seed or by circuit
    outcome: str  # "holds", "holds in k of n seeds", or "fails"


def judge_claims(runs: Sequence[Judged], short: ExactMaxEnt, long: ExactMaxEnt) -> list[Verdict]:
    """Judge the note's claims C1 to C8.

    Args:
        runs: of the note's circuit, with c0 = 1 and with c0 = 100.
        short, long: the exact answers at T = 200 and T = 800.

    Returns:
        A verdict for each claim.

    Raises:
        ValueError: no run with one of the two c0, or one of too few epochs or iterations.
    """
    groups = {c0: [r for r in runs if r.run.settings.c0 == c0] for c0 in (1.0, 100.0)}
    for c0, members in groups.items():
        if not members:
            raise ValueError(f"runs must hold one with c0 = {c0:g}, got none; train or add it")
        for member in members:
            settings = member.run.settings
            for name, size, least in (
                ("epochs", settings.epochs, CONVERGED_BY),
                ("iterations an epoch", settings.iterations, SMOOTHING * RECORD_EVERY + 1),
            ):
                if size < least:
                    raise ValueError(
                        f"runs must have at least {least:,} {name}, got {size} for c0 = {c0:g}, "
                        f"seed {member.seed}; train it longer"
                    )
    small, large = groups[1.0], groups[100.0]
    return [
        _rises_and_falls(small),
        _spreads(small),
        _is_close(small),
        _undershoots(small),
        _holds_both_or_upper(small),
        _does_not_rise(large),
        _converges_to_one(large),
        _two_regions(short, long),
    ]


def _by_seed(
    claim: str, statement: str, rule: str, runs: list[Judged], test: Callable[[Judged], Any]
) -> Verdict:
    """A claim about every seed: `test` gives (whether it holds, the number it rests on)."""
    tested = {f"seed {r.seed}": test(r) for r in runs}
    count, n = sum(bool(holds) for holds, _ in tested.values()), len(tested)
    outcome = "holds" if count == n else f"holds in {count} of {n} seeds" if count else "fails"
    numbers = {seed: number for seed, (_, number) in tested.items()}
    return Verdict(claim, statement, rule, numbers, outcome)


def _smooth_entropy(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Means of the entropy over 10 records, and the epoch of the record after each window."""
    values = run.data.entropy.values[:-1]
    smooth = np.convolve(values, np.ones(SMOOTHING) / SMOOTHING, mode="valid")
    next_record = np.arange(SMOOTHING, SMOOTHING + len(smooth)) * RECORD_EVERY
    return smooth, next_record // run.settings.iterations + 1


def _rises_and_falls(runs: list[Judged]) -> Verdict:
    def test(r: Judged) -> Any:
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


def _spreads(runs: list[Judged]) -> Verdict:
    def test(r: Judged) -> Any:
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


def _moments_after(r: Judged, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error of T - mu after `epoch` epochs, in Hz and Hz^2."""
    moments = r.run.data.moments.sel(snapshot=epoch).values.astype(float)
    moments = moments[np.isfinite(moments).all(axis=1)] - r.run.prop.mu
    return moments.mean(axis=0), moments.std(axis=0, ddof=1) / np.sqrt(len(moments))


def _of_one_sd(prop: EmergentProperty) -> np.ndarray:
    """(2,) what a mean off by 1 sd makes of both moments, in Hz and Hz^2."""
    mean, sd = prop.mean[0], prop.sd[0]
    return np.array([sd, 2 * abs(mean) * sd + sd**2])


def _is_close(runs: list[Judged]) -> Verdict:
    def test(r: Judged) -> Any:
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


def _undershoots(runs: list[Judged]) -> Verdict:
    def test(r: Judged) -> Any:
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


def _holds_both_or_upper(runs: list[Judged]) -> Verdict:
    held = {f"seed {r.seed}": sorted(r.held(NOTE_EPOCHS)) for r in runs}
    both = sum(names == ["lower", "upper"] for names in held.values())
    upper = sum(names == ["upper"] for names in held.values())
    outcome = "holds" if both and upper and both + upper == len(held) else "fails"
    return Verdict(
        "C5",
        "c0 = 1: two seeds of four still hold both modes; two have kept the upper, larger mode "
        "alone",
        f"after {NOTE_EPOCHS} epochs each seed holds both modes or the upper one alone, and both "
        f"happen; a mode is held where the network has {100 * HELD:g} % of its exact mass",
        {seed: f"holds {_listed(names)}" for seed, names in held.items()},
        outcome,
    )


def _does_not_rise(runs: list[Judged]) -> Verdict:
    def test(r: Judged) -> Any:
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


def _converges_to_one(runs: list[Judged]) -> Verdict:
    numbers, found = {}, []
    for r in runs:
        epoch = r.run.converged_epoch
        if epoch is None or epoch > CONVERGED_BY:
            numbers[f"seed {r.seed}"] = f"not within {CONVERGED_BY} epochs"
        else:
            found.append(r.held(epoch))
            numbers[f"seed {r.seed}"] = f"passes in epoch {epoch}, holding {_listed(found[-1])}"
    alone = all(names in (["lower"], ["upper"]) for names in found)
    both_seen = ["lower"] in found and ["upper"] in found
    holds = 0 < len(found) < len(runs) and alone and both_seen
    return Verdict(
        "C7",
        "c0 = 100: two seeds of four converge (in epochs 6 and 10), on the lower and on the upper "
        "mode alone",
        f"some seeds but not all pass the note's test within {CONVERGED_BY} epochs, each then "
        "holding one mode alone, and each mode is held by one of them",
        numbers,
        "holds" if holds else "fails",
    )


def _two_regions(short: ExactMaxEnt, long: ExactMaxEnt) -> Verdict:
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
