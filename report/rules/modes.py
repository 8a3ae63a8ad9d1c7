"""Claims about who holds which mode: C5, C7 and C12."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from scipy import stats

from report.judged import HELD, JudgedLagrangian
from report.rules.emitting import (
    EMITS,
    ERRORS,
    GREEN,
    KINDS,
    ONE_SAMPLE,
    Emits,
    exact_masses,
    kinds_of,
    possible_kinds,
    shares_of,
)
from report.rules.moments import P_LIMIT
from report.rules.verdict import (
    CONVERGED_BY,
    NOTE_EPOCHS,
    UNDECIDED,
    Measured,
    Verdict,
    half_and_double,
)

if TYPE_CHECKING:
    from report.trainings import Emission, Trainings

SIGNIFICANT = 0.05


def _only(outcomes: set[str]) -> str:
    return outcomes.pop() if len(outcomes) == 1 else UNDECIDED


def emits_both_or_upper(trainings: Trainings) -> Verdict:
    """C5: half of the seeds emit both modes, the other half only the upper one."""
    mass = exact_masses(trainings)
    seeds = [f"seed {r.seed}" for r in trainings.runs]

    def outcome(emits: Emits, test: Callable[[list[str]], bool]) -> str:
        kinds = [possible_kinds(emission, mass, emits) for emission in trainings.emitted]
        return _only({"holds" if test(list(k)) else "fails" for k in itertools.product(*kinds)})

    def halves(kinds: list[str]) -> bool:
        return 2 * kinds.count("both") == 2 * kinds.count("upper only") == len(kinds)

    def occur(kinds: list[str]) -> bool:
        both, upper = kinds.count("both"), kinds.count("upper only")
        return both > 0 and upper > 0 and both + upper == len(kinds)

    def counts(emits: Emits) -> str:
        kinds = kinds_of(trainings.emitted, mass, emits)
        return ", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS if kind in kinds)

    shares = [{name: emission.shares[name] for name in GREEN} for emission in trainings.emitted]
    kinds = kinds_of(trainings.emitted, mass, ONE_SAMPLE)
    return Verdict(
        "C5",
        "c0 = 1: two seeds of four still emit samples in both green modes; two have focused on the "
        "upper, larger one",
        f"after {NOTE_EPOCHS} epochs half of the networks emit samples in both modes and half only "
        "in the upper one; a network emits samples in a mode if at least one of 1,000 lies in it; "
        f"undecided if a change of the shares by {ERRORS} standard errors changes the outcome",
        {
            seed: f"{1000 * share['lower']:.2f} of 1,000 samples in the lower mode, "
            f"{1000 * share['upper']:.2f} in the upper: {kind}"
            for seed, share, kind in zip(seeds, shares, kinds, strict=True)
        },
        outcome(ONE_SAMPLE, halves),
        {
            f"{emits.name} ({counts(emits)})": outcome(emits, halves)
            for emits in EMITS
            if emits != ONE_SAMPLE
        }
        | {
            "in any proportion, so long as every seed emits both or only the upper": outcome(
                ONE_SAMPLE, occur
            )
        },
        dict(zip(seeds, shares, strict=True)),
    )


def _convergence(r: JudgedLagrangian) -> list[Measured]:
    """After each epoch: the smaller p of the test, and the share of each mode over its mass."""
    exact, mass = r.judged.exact_mass, r.judged.mode_mass
    return [
        {
            "p": float(r.run.data.p_value.sel(epoch=epoch).min()),
            **{
                name: float(mass.sel(snapshot=epoch, mode=name) / exact.sel(mode=name))
                for name in GREEN
            },
        }
        for epoch in r.run.data.epoch.values.tolist()
    ]


def _converged(
    epochs: list[Measured], by: int, p: float, held: float
) -> tuple[int, list[str]] | None:
    """The first epoch, if any, that passes the test, and the green modes that are then held."""
    for epoch, after in enumerate(epochs[:by], 1):
        if after["p"] > p:
            return epoch, [name for name in GREEN if after[name] >= held]
    return None


def converges_to_one(trainings: Trainings) -> Verdict:
    """C7: two seeds of four converge, one to each mode."""
    epochs = {f"seed {r.seed}": _convergence(r) for r in trainings.runs}
    longest = max(map(len, epochs.values()))

    def outcome(
        by: int = CONVERGED_BY, p: float = P_LIMIT, held: float = HELD, half: bool = True
    ) -> str:
        found = [c[1] for e in epochs.values() if (c := _converged(e, by, p, held)) is not None]
        as_many = 2 * len(found) == len(epochs) if half else 0 < len(found) < len(epochs)
        each = {tuple(modes) for modes in found} == {("lower",), ("upper",)}
        return "holds" if as_many and each else "fails"

    def write(after: list[Measured]) -> str:
        if (converged := _converged(after, CONVERGED_BY, P_LIMIT, HELD)) is None:
            return f"not within {CONVERGED_BY} epochs"
        epoch, modes = converged
        return f"passes in epoch {epoch}, holding {' and '.join(modes) or 'neither mode'}"

    values = {
        seed: {name: [one[name] for one in after] for name in ("p", *GREEN)}
        for seed, after in epochs.items()
    }
    return Verdict(
        "C7",
        "c0 = 100: two seeds of four converge (in epochs 6 and 10), to the individual lower and "
        "upper mode",
        f"half of the seeds pass the test within {CONVERGED_BY} epochs (both p above {P_LIMIT:g}); "
        "one of them then holds only the lower mode, one only the upper; a mode is held if the "
        f"samples give it at least {100 * HELD:g} % of its exact mass",
        {seed: write(after) for seed, after in epochs.items()},
        outcome(),
        {
            f"within {CONVERGED_BY // 2} epochs": outcome(by=CONVERGED_BY // 2),
            f"within {longest} epochs": outcome(by=longest),
            **{
                name: outcome(**changed)
                for name, changed in half_and_double("p", P_LIMIT, "p above").items()
            },
            **{f"held at {100 * h:g} %": outcome(held=h) for h in (HELD / 2, 2 * HELD)},
            "any number of seeds but none or all": outcome(half=False),
        },
        values,
    )


def serves_better(small: Trainings, large: Trainings) -> Verdict:
    """C12: with c0 = 1 more seeds emit both modes than with c0 = 100."""
    mass = exact_masses(small)

    def count(emissions: Sequence[Emission], emits: Emits) -> int:
        return kinds_of(emissions, mass, emits).count("both")

    def judged(emits: Emits, at_end: bool = False) -> dict[str, Any]:
        groups = [(t.at_end if at_end else t.emitted) for t in (small, large)]
        hits, sizes = [count(g, emits) for g in groups], [len(g) for g in groups]
        return {"both": hits, "of": sizes, "p": _fisher(hits, sizes)}

    def outcome(found: dict[str, Any], significant: float = SIGNIFICANT) -> str:
        if found["p"] < significant:
            return "holds"
        return (
            "fails"
            if _fisher(found["both"][::-1], found["of"][::-1]) < significant
            else (UNDECIDED)
        )

    def write(found: dict[str, Any]) -> str:
        (one, other), (n, m) = found["both"], found["of"]
        return f"both modes in {one} of {n} seeds against {other} of {m}, p = {found['p']:.2f}"

    curve = {emits.name: judged(emits) for emits in EMITS}
    last = judged(ONE_SAMPLE, at_end=True)
    sizes = curve[ONE_SAMPLE.name]["of"]
    reach = {k: _fisher([sizes[0], k], sizes) for k in range(sizes[1] + 1)}
    enough = [k for k, p in reach.items() if p < SIGNIFICANT]
    shown = (
        f"{sizes[0]} seeds against {sizes[1]} differ by this test only where all of the first and "
        f"at most {max(enough)} of the second emit both (p = {reach[max(enough)]:.3f})"
        if enough
        else f"{sizes[0]} seeds against {sizes[1]} can show nothing (p = {reach[0]:.3f} at best)"
    )
    return Verdict(
        "C12",
        "c0 = 1 serves bimodality better than c0 = 100",
        f"after {NOTE_EPOCHS} epochs more seeds emit samples in both modes (as in C5) with c0 = 1 "
        f"than with c0 = 100, and Fisher's exact test, one-sided, gives p below {SIGNIFICANT:g}; "
        "fails if the same is so in reverse; otherwise undecided",
        {name: write(found) for name, found in curve.items()}
        | {"at the end of training": write(last), "what the test can show": shown},
        outcome(curve[ONE_SAMPLE.name]),
        {name: outcome(found) for name, found in curve.items() if name != ONE_SAMPLE.name}
        | {"at the end of training": outcome(last)}
        | {
            f"p below {p:g}": outcome(curve[ONE_SAMPLE.name], p)
            for p in (SIGNIFICANT / 2, SIGNIFICANT * 2)
        },
        {
            "both": {**curve, "at the end of training": last},
            "shares": shares_of(small) | shares_of(large),
            "shares at the end": shares_of(small, at_end=True) | shares_of(large, at_end=True),
        },
    )


def _fisher(hits: Sequence[int], sizes: Sequence[int]) -> float:
    """One-sided p of Fisher's exact test: the first rate is the larger one."""
    table = [[h, n - h] for h, n in zip(hits, sizes, strict=True)]
    return float(stats.fisher_exact(table, alternative="greater").pvalue)
