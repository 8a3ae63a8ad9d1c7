"""The network of two neurons, whose property is rare, from draws pushed towards the box's edges.

    python -m report.studies.references.corners OUT rnn2

An amplification of three times the growth asks for one large entry of W off the diagonal: a row of
U, the other row of V, and products of like sign. Draws come from a mixture: such entries for W_12,
such for W_21, and uniform ones, so no part of the box is left out; weights are exact. Samples that
come more than once do so as images of each other, with the same statistics. The statistics are
those of `closed_forms.py`: nothing is shared with the library.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from report.studies.references.closed_forms import rank_two_image
from report.studies.references.uniform_references import standardised
from report.studies.references.weighing import Box, Draws, answer, network, planned, run

CHUNK = 200_000  # draws
PILOT = 10  # chunks
PUSHED = ((0, 1, 6, 7), (2, 3, 4, 5))  # u11, u12, v21, v22 make W_12; u21, u22, v11, v12 W_21
SHARE = 0.45  # of the draws, for each of the two
PUSH = 8.0  # slope of the log-density of a pushed entry's size
BOXES = {"rnn2": network(2, draws=30_000_000, samples=10_000)}


def pushed(problem: Box, seeds: list[np.random.SeedSequence]) -> Iterator[Draws]:
    """Chunks of draws from the mixture."""
    for seed in seeds:
        generator = np.random.default_rng(seed)
        z = generator.uniform(-1, 1, (CHUNK, 8))
        kind = generator.choice(3, CHUNK, p=(SHARE, SHARE, 1 - 2 * SHARE))
        for k, columns in enumerate(PUSHED):
            n = int((kind == k).sum())
            size = np.log1p(generator.random((n, 4)) * np.expm1(PUSH)) / PUSH
            sign = generator.choice([-1, 1], (n, 4))
            sign[:, 3] = sign[:, :3].prod(axis=1)  # u_i1 v_j1 and u_i2 v_j2 have the same sign
            z[np.ix_(kind == k, columns)] = size * sign
        z = z.astype(np.float32)
        ratio = np.full(CHUNK, 1 - 2 * SHARE)  # of the proposal's density to the uniform one
        for columns in PUSHED:
            entry = z[:, columns].astype(float)
            each = np.exp(PUSH * np.abs(entry)) * PUSH / np.expm1(PUSH)
            ratio += SHARE * 2 * (entry.prod(axis=1) > 0) * each.prod(axis=1)
        yield Draws(z, problem.statistics(z), -np.log(ratio))


def make(problem: Box, seed: int) -> dict[str, np.ndarray]:
    """The reference of the problem."""
    seeds = np.random.SeedSequence(seed).spawn(PILOT + problem.draws // CHUNK)
    pilot = list(pushed(problem, seeds[:PILOT]))
    moments = standardised(problem, np.concatenate([chunk.statistics for chunk in pilot]))
    base = np.concatenate([chunk.log_base for chunk in pilot])
    plan = planned(moments, base, problem.draws)
    found = answer(problem, plan, pushed(problem, seeds[PILOT:]), np.random.default_rng([seed, 0]))
    return found | {"z": rank_two_image(found["z"], np.random.default_rng([seed, 1]))}


if __name__ == "__main__":
    run(str(__doc__), BOXES, make)
