"""The twelve-parameter reference from uniform draws together with draws near the answer.

    python uniform_references.py OUT d12 --seed 2
    python mixture_reference.py OUT

Uniform draws rarely meet three targets at once: 10^6 of them are worth one exact sample. From the
first of them (the pilot) a density K is made, in rounds that each draw from it and improve it, and
is then frozen. Fresh draws from K join the uniform draws that are no pilot, and each draw z of
either kind has the weight p*(z) / M(z); M = n_uniform U + n_K K is the density of all together (the
balance heuristic). So estimates hold whatever K is: where K has missed something the uniform
draws speak, and no weight exceeds what the uniform draws give it.

K is a mixture of Gaussians in y = probit(z / upper), in which U is the standard Gaussian.

Source: Veach and Guibas (1995); Hesterberg, Technometrics 37 (1995).
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
from scipy.special import logsumexp, ndtr, ndtri

from report.studies.references.uniform_references import (
    CONDUCTANCES,
    PROBLEMS,
    UPPER,
    compiled,
    natural,
    save,
    simulated,
    solve,
    standardised,
)

PROBLEM = PROBLEMS["d12"]
LIMITS = np.array([UPPER[CONDUCTANCES.index(name)] for name in PROBLEM.free], float)  # nS
PILOT = 40  # uniform chunks
ROUNDS = 2
COMPONENTS = 4  # in each round
WIDER = 1.3  # factor on the covariances, so that K has the heavier tails
WORTH = 1_000  # effective draws to which a fit tempers the answer
CHUNK = 320_000  # draws from K in a file; a multiple of 16
PER_ROUND = 15  # chunks
SAMPLES = 2_000


@dataclasses.dataclass(frozen=True)
class Mixture:
    """A mixture of Gaussians in d dimensions.

    Args:
        shares: (c,) of the components, adding up to 1.
        means: (c, d).
        covariances: (c, d, d).
    """

    shares: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    def components(self, y: np.ndarray) -> np.ndarray:
        """(n, c) logs of share times density relative to the standard Gaussian, at y (n, d)."""
        columns = []
        for share, mean, covariance in zip(self.shares, self.means, self.covariances, strict=True):
            root = np.linalg.cholesky(covariance)
            scaled = np.linalg.solve(root, (y - mean).T)
            columns.append(np.log(share / np.prod(np.diag(root))) - 0.5 * (scaled**2).sum(axis=0))
        return np.asarray(np.stack(columns, axis=1) + 0.5 * (y**2).sum(axis=1, keepdims=True))

    def log_ratio(self, y: np.ndarray) -> np.ndarray:
        """(n,) log K / U at (n, d)."""
        return np.asarray(logsumexp(self.components(y), axis=1))

    def draw(self, generator: np.random.Generator, n: int) -> np.ndarray:
        """(n, d) draws, sorted by component."""
        parts = []
        for k, count in enumerate(generator.multinomial(n, self.shares)):
            root = np.linalg.cholesky(self.covariances[k])
            parts.append(self.means[k] + generator.standard_normal((count, len(root))) @ root.T)
        return np.concatenate(parts)


def fit(y: np.ndarray, log_weight: np.ndarray, generator: np.random.Generator) -> Mixture:
    """Expectation maximisation on weighted points; covariances lean to that of all, then widen."""
    weight = np.exp(log_weight - logsumexp(log_weight))
    worth = 1 / (weight**2).sum()
    centred = y - weight @ y
    overall = (centred.T * weight) @ centred
    mixture = Mixture(
        np.full(COMPONENTS, 1 / COMPONENTS),
        y[generator.choice(len(y), COMPONENTS, p=weight)],
        np.repeat(overall[None], COMPONENTS, axis=0),
    )
    for _ in range(30):
        logs = mixture.components(y)
        share = np.exp(logs - logsumexp(logs, axis=1, keepdims=True)) * weight[:, None]
        totals = share.sum(axis=0)
        means = (share.T @ y) / totals[:, None]
        covariances = []
        for k, total in enumerate(totals):
            centred = y - means[k]
            own = (centred.T * share[:, k]) @ centred / total
            lean = min(0.9, 10 / (total * worth))  # as though 10 draws of `overall` joined in
            covariances.append((1 - lean) * own + lean * overall)
        mixture = Mixture(totals / totals.sum(), means, np.array(covariances))
    return dataclasses.replace(mixture, covariances=WIDER * mixture.covariances)


def together(mixtures: list[Mixture]) -> Mixture:
    """The mixture to which each of these gives an equal share."""
    return Mixture(
        np.concatenate([m.shares for m in mixtures]) / len(mixtures),
        np.concatenate([m.means for m in mixtures]),
        np.concatenate([m.covariances for m in mixtures]),
    )


def effective(log_weight: np.ndarray) -> float:
    """Effective number of draws with these weights."""
    return float(np.exp(2 * logsumexp(log_weight) - logsumexp(2 * log_weight)))


def tempered(exponent: np.ndarray, log_measure: np.ndarray) -> np.ndarray:
    """Log weights of the answer, to the highest power that leaves WORTH effective draws."""
    for power in np.linspace(1, 0.1, 91):
        log_weight = power * exponent + log_measure
        if effective(log_weight) >= WORTH:
            break
    return np.asarray(log_weight)


def probit(rows: np.ndarray) -> np.ndarray:
    """(n, d) coordinates y of rows of conductances and frequencies."""
    return np.asarray(ndtri(rows[:, : len(LIMITS)] / LIMITS))


def near(mixture: Mixture, program: Path, generator: np.random.Generator) -> np.ndarray:
    """One chunk drawn from K: the rows within the windows."""
    share = np.clip(ndtr(mixture.draw(generator, CHUNK)), 1e-7, 1 - 1e-7)
    given = (share * LIMITS).astype(np.float32).tobytes()
    return simulated(PROBLEM, program, "-", 0, CHUNK, given)


def log_measure(y: np.ndarray, mixtures: list[Mixture], draws: list[int]) -> np.ndarray:
    """(n,) log U / M at (n, d), where M is of draws[0] from U and draws[1:] from the mixtures."""
    ratios = np.stack([np.zeros(len(y)), *(mixture.log_ratio(y) for mixture in mixtures)], axis=1)
    return np.asarray(-logsumexp(ratios + np.log(draws), axis=1))


def exponents(rows: np.ndarray, measure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Natural parameters theta that these weighted rows give, and theta.moments of each."""
    moments = standardised(PROBLEM, rows[:, len(LIMITS) :])
    theta = solve(moments, measure)
    return theta, moments @ theta


def adapted(pilot: list[np.ndarray], program: Path, seed: int) -> Mixture:
    """K from the pilot's uniform draws, in rounds of PER_ROUND chunks drawn from the latest fit."""
    generator = np.random.default_rng([seed, 0])
    rows, draws = np.concatenate(pilot), [len(pilot) * PROBLEM.chunk]
    mixtures: list[Mixture] = []
    while True:
        y = probit(rows)
        measure = log_measure(y, mixtures, draws)
        theta, exponent = exponents(rows, measure)
        print(f"round {len(mixtures)} theta {theta} ess {effective(exponent + measure):.4g}")
        if len(mixtures) == ROUNDS:
            return together(mixtures)
        mixtures.append(fit(y, tempered(exponent, measure), generator))
        fresh = [near(mixtures[-1], program, generator) for _ in range(PER_ROUND)]
        rows = np.concatenate([rows, *fresh])
        draws.append(PER_ROUND * CHUNK)


def answer(
    uniform: list[np.ndarray], mixed: list[np.ndarray], mixture: Mixture, seed: int
) -> dict[str, np.ndarray]:
    """The maximum-entropy distribution from uniform chunks and chunks drawn from K.

    Returns:
        as `uniform_references.answer`, but z and statistics come by systematic resampling, in which
        a row may come twice (repeats says how many do); besides weighted_z, weighted_statistics and
        weight, the rows that carry all but 1e-4 of the weight; draws of both kinds; heaviest, the
        largest weight; standard errors from batch means over each kind's chunks.
    """
    chunks = uniform + mixed
    rows, draws = np.concatenate(chunks), [len(uniform) * PROBLEM.chunk, len(mixed) * CHUNK]
    measure = log_measure(probit(rows), [mixture], draws)
    theta, exponent = exponents(rows, measure)
    log_weight = exponent + measure
    log_mean = float(logsumexp(log_weight))
    weight = np.exp(log_weight - log_mean)
    owner = np.repeat(np.arange(len(chunks)), [len(chunk) for chunk in chunks])
    shares = np.bincount(owner, weight, len(chunks))
    kinds = np.split(shares, [len(uniform)])
    ladder = (np.arange(SAMPLES) + np.random.default_rng(seed).random()) / SAMPLES
    chosen = np.minimum(np.searchsorted(np.cumsum(weight), ladder), len(rows) - 1)
    order = np.argsort(weight)[::-1]
    carrying = order[: np.searchsorted(np.cumsum(weight[order]), 1 - 1e-4) + 1]
    d = len(LIMITS)
    return {
        "z": rows[chosen, :d],
        "statistics": rows[chosen, d:],
        "repeats": np.asarray(SAMPLES - len(np.unique(chosen))),
        "weighted_z": rows[carrying, :d],
        "weighted_statistics": rows[carrying, d:],
        "weight": weight[carrying],
        **natural(PROBLEM, theta, log_mean),
        "entropy_se": np.asarray(np.sqrt(sum(len(kind) * kind.var(ddof=1) for kind in kinds))),
        "draws": np.array(draws),
        "ess": np.asarray(effective(log_weight)),
        "heaviest": np.asarray(weight.max()),
        "uniform_share": np.asarray(kinds[0].sum()),
    }


def main() -> None:
    """Make K, draw from it, and save what it and the uniform draws say."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of the results of uniform_references.py")
    parser.add_argument("--chunks", type=int, default=100, help=f"of {CHUNK} draws from K")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    program = compiled(arguments.out)
    folder = arguments.out / "d12_mixture"
    folder.mkdir(exist_ok=True)
    uniform = [np.load(path)["rows"] for path in sorted((arguments.out / "d12").glob("*.npz"))]
    frozen = folder / "mixture.npz"
    if not frozen.exists():
        save(frozen, dataclasses.asdict(adapted(uniform[:PILOT], program, arguments.seed)))
    mixture = Mixture(**np.load(frozen))
    mixed = []
    for number in range(arguments.chunks):
        path = folder / f"{number:06d}.npz"
        if not path.exists():
            generator = np.random.default_rng([arguments.seed, 1, number])
            save(path, {"rows": near(mixture, program, generator)})
        mixed.append(np.load(path)["rows"])
    result = answer(uniform[PILOT:], mixed, mixture, arguments.seed)
    save(arguments.out / "d12_mixture.npz", result)
    print({k: v for k, v in result.items() if np.size(v) < 10})


if __name__ == "__main__":
    main()
