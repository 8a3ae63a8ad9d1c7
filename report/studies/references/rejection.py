"""Exact samples of problems whose property is not rare, by rejection from uniform draws.

    python -m report.studies.references.rejection OUT linear2d rnn5 rnn10

The statistics are those of `closed_forms.py`, so nothing is shared with the library. A seed gives
the same files again, in one to four minutes each on one core.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from report.studies.references.uniform_references import standardised
from report.studies.references.weighing import Box, Draws, answer, network, planned, run

CHUNK = 200_000  # draws
PILOT = 10  # chunks

BOXES = {
    "linear2d": Box(
        ("a11", "a12", "a21", "a22"), (), (0.0, 1.0), (0.5, 0.1), draws=40_000_000, half=10.0
    ),
    "rnn5": network(5, draws=4_000_000, samples=10_000),
    "rnn10": network(10, draws=4_000_000, samples=5_500),
}


def uniform(problem: Box, seeds: list[np.random.SeedSequence]) -> Iterator[Draws]:
    """Chunks of uniform draws, in single precision."""
    for seed in seeds:
        unit = np.random.default_rng(seed).random((CHUNK, len(problem.free)), np.float32)
        z = (2 * unit - 1) * np.float32(problem.half)
        yield Draws(z, problem.statistics(z), np.zeros(CHUNK))


def make(problem: Box, seed: int) -> dict[str, np.ndarray]:
    """The reference of a problem."""
    seeds = np.random.SeedSequence(seed).spawn(PILOT + problem.draws // CHUNK)
    f = np.concatenate([chunk.statistics for chunk in uniform(problem, seeds[:PILOT])])
    plan = planned(standardised(problem, f), np.zeros(len(f)), problem.draws)
    chunks = uniform(problem, seeds[PILOT:])
    return answer(problem, plan, chunks, np.random.default_rng([seed, 0]))


if __name__ == "__main__":
    run(str(__doc__), BOXES, make)
