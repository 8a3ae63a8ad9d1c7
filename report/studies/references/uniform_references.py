"""Exact samples of maximum-entropy distributions of the STG circuit, from uniform draws.

    python uniform_references.py OUT d3 d5 d8 d12

The fused program `stg_uniform.c` simulates uniform draws of the free conductances and keeps those
whose frequencies lie within six sd of their targets. Here the natural parameters follow from the
convex dual on what is kept, and rejection turns it into exact samples. Neither shares code with the
library, so they serve to check its answers where no grid can.

Draws come in chunks, a file each under OUT/<problem>/; a run that was stopped goes on from there.
The answer so far is in OUT/<problem>.npz, renewed every ten minutes and at the end.

Source: Jaynes (1957); Gutierrez, O'Leary and Marder, Neuron 77 (2013).
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import subprocess
import time
from pathlib import Path

import numpy as np
from scipy import optimize
from scipy.special import logsumexp

NEURONS = ("f1", "f2", "hub", "s1", "s2")
SYNAPSES = ("g_el", "g_synA", "g_synB")
MEMBRANES = tuple(f"{kind}_{neuron}" for kind in ("g_Ca", "g_K", "g_H") for neuron in NEURONS)
CONDUCTANCES = SYNAPSES + MEMBRANES
UPPER = (20, 20, 20, 38, 38, 34, 17, 17, 78, 78, 38, 30, 30, 50, 50, 16, 20, 20)  # nS
# No fast-math: it would undo the rounding by which the program's exponential works.
FLAGS = ("-O3", "-march=native", "-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math",
         "-fno-signed-zeros")  # fmt: skip
REACH = 6  # sd from the target within which draws are kept
SAVE_EVERY = 600  # s


@dataclasses.dataclass(frozen=True)
class Problem:
    """A circuit with some conductances free, and targets for the frequencies of some neurons.

    Args:
        free: names of the free conductances, each uniform from 0 to its `UPPER`.
        neurons: whose frequencies have targets.
        mean: targets' means, in Hz.
        sd: targets' standard deviations, in Hz.
        draws: how many in all.
        chunk: how many in a file; a multiple of 16.
        samples: the most to save.
    """

    free: tuple[str, ...]
    neurons: tuple[str, ...] = ("hub",)
    mean: tuple[float, ...] = (0.525,)
    sd: tuple[float, ...] = (0.025,)
    draws: int = 4_000_000
    chunk: int = 100_000
    samples: int = 10_000

    @property
    def volume(self) -> float:
        """Logarithm of the box's volume, nS^d."""
        return float(sum(np.log(UPPER[CONDUCTANCES.index(name)]) for name in self.free))


PROBLEMS = {
    "d2": Problem(("g_el", "g_synA")),
    "d3": Problem(SYNAPSES),
    "d5": Problem((*SYNAPSES, "g_Ca_hub", "g_K_hub")),
    "d8": Problem((*SYNAPSES, "g_Ca_hub", "g_K_hub", "g_H_hub", "g_Ca_s1", "g_K_s1")),
    "d12": Problem(
        SYNAPSES + tuple(f"{k}_{n}" for n in ("f1", "hub", "s1") for k in ("g_Ca", "g_K", "g_H")),
        ("f1", "hub", "s1"), (0.6, 0.525, 0.35), (0.025, 0.025, 0.025),
        draws=1_000_000_000, chunk=2_000_000, samples=1_000_000,
    ),
}  # fmt: skip


def compiled(out: Path) -> Path:
    """The program, compiled for this machine into `out`."""
    program, partial = out / "stg_uniform", out / "stg_uniform.partial"
    source = Path(__file__).with_name("stg_uniform.c")
    subprocess.run(["cc", *FLAGS, str(source), "-o", str(partial), "-lm"], check=True)
    os.replace(partial, program)  # a run beside this one may be about to call it
    return program


def simulated(
    problem: Problem, program: Path, seed: str, first: int, count: int, given: bytes | None = None
) -> np.ndarray:
    """Draws near the target among `count`: (n, d + S) conductances in nS, frequencies in Hz.

    The seed "-" takes the draws from `given`, rows of float32.
    """
    windows = [
        f"{NEURONS.index(neuron)}:{mean - REACH * sd}:{mean + REACH * sd}"
        for neuron, mean, sd in zip(problem.neurons, problem.mean, problem.sd, strict=True)
    ]
    free = ",".join(str(CONDUCTANCES.index(name)) for name in problem.free)
    command = [str(program), seed, str(first), str(count), free, *windows]
    rows = subprocess.run(command, check=True, capture_output=True, input=given).stdout
    return np.frombuffer(rows, np.float32).reshape(-1, len(problem.free) + len(problem.neurons))


def standardised(problem: Problem, statistics: np.ndarray) -> np.ndarray:
    """Moments (u, u^2 - 1) of u = (f - mean) / sd, whose targets are 0: (n, S) to (n, 2 S)."""
    u = (statistics.astype(float) - problem.mean) / problem.sd
    return np.concatenate([u, u**2 - 1], axis=1)


def solve(moments: np.ndarray, log_measure: np.ndarray | float = 0.0) -> np.ndarray:
    """Natural parameters theta for which the moments average to 0: Newton steps on the dual.

    The dual log sum measure exp(theta.moments) is convex; its gradient is that average.
    """

    def value(theta: np.ndarray) -> float:
        return float(logsumexp(moments @ theta + log_measure))

    def weights(theta: np.ndarray) -> np.ndarray:
        exponent = moments @ theta + log_measure
        return np.asarray(np.exp(exponent - logsumexp(exponent)))

    def gradient(theta: np.ndarray) -> np.ndarray:
        return np.asarray(weights(theta) @ moments)

    def hessian(theta: np.ndarray) -> np.ndarray:
        p = weights(theta)
        average = p @ moments
        return np.asarray((moments.T * p) @ moments - np.outer(average, average))

    start = np.repeat([0.0, -0.5], moments.shape[1] // 2)
    near = optimize.minimize(value, start, jac=gradient, hess=hessian, method="trust-exact").x
    theta: np.ndarray = optimize.root(gradient, near, jac=hessian, tol=1e-13).x
    error = np.abs(gradient(theta)).max()
    if error > 1e-8:
        raise ValueError(f"no distribution over these draws meets the targets (off by {error:.2g})")
    return theta


def summit(theta: np.ndarray) -> float:
    """The largest theta.(u, u^2 - 1) for u within the window."""
    linear, square = np.split(theta, 2)
    edges = [np.full_like(linear, -REACH), np.full_like(linear, REACH)]
    inside = np.clip(-linear / (2 * np.where(square < 0, square, np.inf)), -REACH, REACH)
    return float(sum(np.max([linear * u + square * (u**2 - 1) for u in (*edges, inside)], axis=0)))


def natural(problem: Problem, theta: np.ndarray, log_mean: float) -> dict[str, np.ndarray]:
    """What theta and the log of the uniform mean of exp(theta.moments) say in Hz and nS."""
    mean, sd = np.array(problem.mean), np.array(problem.sd)
    linear, square = np.split(theta, 2)
    constant = (square * ((mean / sd) ** 2 - 1) - linear * mean / sd).sum()  # theta.moments - eta.T
    return {
        "eta": np.concatenate([linear / sd - 2 * mean * square / sd**2, square / sd**2]),
        "theta": theta,
        "log_z": np.asarray(problem.volume + log_mean - constant),
        "entropy": np.asarray(problem.volume + log_mean),  # since theta.moments averages to 0
        "names": np.array(problem.free),
    }


def answer(problem: Problem, chunks: list[np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """The maximum-entropy distribution from the chunks so far.

    Returns:
        z (n, d) float32 in nS and statistics (n, S) in Hz of exact samples, by rejection; eta for
        (f_1, .., f_S, f_1^2, .., f_S^2); log_z, the log of the integral of exp(eta.T) over the box;
        entropy in nats and its standard error, by batch means over chunks (that eta is fitted
        changes the entropy in second order only); names; draws; ess, the effective sample size of
        all weights; acceptance, of all draws; edge, the share of weight beyond 5 sd.
    """
    rows = np.concatenate(chunks)
    z, statistics = np.split(rows, [len(problem.free)], axis=1)
    moments = standardised(problem, statistics)
    theta = solve(moments)
    exponent, draws = moments @ theta, len(chunks) * problem.chunk
    weight = np.exp(exponent)
    log_mean = float(np.log(weight.sum() / draws))
    owner = np.repeat(np.arange(len(chunks)), [len(chunk) for chunk in chunks])
    batches = np.bincount(owner, weight, len(chunks)) / problem.chunk
    error = batches.std(ddof=1) / np.sqrt(len(chunks)) / batches.mean()
    uniform = np.random.default_rng(seed).random(len(rows))
    kept = np.flatnonzero(np.log(uniform) < exponent - summit(theta))
    beyond = (np.abs(moments[:, : len(problem.mean)]) > REACH - 1).any(axis=1)
    chosen = kept[: problem.samples]
    return {
        "z": z[chosen],
        "statistics": statistics[chosen],
        **natural(problem, theta, log_mean),
        "entropy_se": np.asarray(error),
        "draws": np.asarray(draws),
        "ess": np.asarray(weight.sum() ** 2 / (weight**2).sum()),
        "acceptance": np.asarray(len(kept) / draws),
        "edge": np.asarray(weight[beyond].sum() / weight.sum()),
    }


def save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write an npz file whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    os.replace(partial, path)


def reference(name: str, out: Path, program: Path, seed: int) -> None:
    """Draw the chunks of a problem that are still missing, and save its answer as they come."""
    problem = PROBLEMS[name]
    folder = out / name
    folder.mkdir(exist_ok=True)
    chunks: list[np.ndarray] = []
    saved = time.monotonic()
    total = problem.draws // problem.chunk
    for number in range(total):
        path = folder / f"{number:06d}.npz"
        if not path.exists():
            rows = simulated(problem, program, str(seed), number * problem.chunk, problem.chunk)
            save(path, {"rows": rows})
        chunks.append(np.load(path)["rows"])
        last = number == total - 1
        if last or time.monotonic() - saved > SAVE_EVERY:
            result = answer(problem, chunks, seed)
            save(out / f"{name}.npz", result)
            saved = time.monotonic()
            scalars = {key: float(value) for key, value in result.items() if value.ndim == 0}
            print(name, f"samples={len(result['z'])}", scalars, flush=True)


def main() -> None:
    """Compile the program and make the references asked for."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of the results")
    parser.add_argument("problems", nargs="+", choices=PROBLEMS)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    program = compiled(arguments.out)
    for name in arguments.problems:
        reference(name, arguments.out, program, arguments.seed)


if __name__ == "__main__":
    main()
