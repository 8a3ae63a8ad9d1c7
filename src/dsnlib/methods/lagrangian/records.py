"""What a run of the augmented Lagrangian records."""

from __future__ import annotations

import math

import numpy as np

from dsnlib.methods.base import Problem, Records, Variable
from dsnlib.methods.lagrangian.settings import LagrangianSettings

RECORD_EVERY = 100  # iterations
SNAPSHOT_SAMPLES = 1_000
VIOLATIONS = 100  # values of |R| on each side of the Welch test

VARIABLES = {
    "entropy": Variable(("step",), "entropy H(q) of a batch, nats"),
    "loss": Variable(("step",), "augmented Lagrangian -H + lam.R + c/2 |R|^2 of a batch"),
    "statistic_mean": Variable(("step", "moment"), "mean of each moment over a batch"),
    "c": Variable(("epoch",), "penalty coefficient during the epoch"),
    "lam": Variable(("epoch", "moment"), "Lagrange multipliers during the epoch"),
    "violation_start": Variable(("epoch", "repeat"), "|R| of fresh batches at the epoch's start"),
    "violation_end": Variable(("epoch", "repeat"), "|R| of fresh batches at the epoch's end"),
    "welch_t": Variable(("epoch",), "Welch's t of violation_end against gamma violation_start"),
    "welch_p": Variable(("epoch",), "its two-sided p"),
    "p_value": Variable(("epoch", "moment"), "bootstrap convergence test at the epoch's end"),
    "skipped_steps": Variable(("epoch",), "steps skipped because a gradient was not finite"),
    "failed_simulations": Variable(("epoch",), "not finite, among the epoch's evaluations"),
    "z": Variable(("snapshot", "sample", "parameter"), "samples of the network"),
    "log_q": Variable(("snapshot", "sample"), "their log-density, nats per unit volume"),
    "moments": Variable(("snapshot", "sample", "moment"), "their moments"),
    "weights": Variable(("snapshot", "weight"), "weights of the network, flattened"),
}


def blocks_per_epoch(iterations: int) -> int:
    """Number of record blocks in an epoch."""
    return math.ceil(iterations / RECORD_EVERY)


def record_row(iterations: int, epoch: int, iteration: int) -> int:
    """Row along `step` of the record that was taken at or before an iteration, counted from 0."""
    return epoch * blocks_per_epoch(iterations) + iteration // RECORD_EVERY


def empty_records(problem: Problem, settings: LagrangianSettings, weights: int) -> Records:
    """Arrays for everything that a run records, filled with NaN.

    Args:
        problem: what will be trained.
        settings: of the training.
        weights: number of the network's weights.

    Returns:
        An array for each of `VARIABLES`; those along `step` end with the trained network itself.
    """
    sizes = {
        "step": settings.epochs * blocks_per_epoch(settings.iterations) + 1,
        "epoch": settings.epochs,
        "snapshot": settings.epochs + 1,
        "repeat": VIOLATIONS,
        "sample": SNAPSHOT_SAMPLES,
        "parameter": len(problem.circuit.parameters),
        "moment": len(problem.prop.mu),
        "weight": weights,
    }
    return {
        name: np.full(
            [sizes[dim] for dim in variable.dims],
            np.nan,
            settings.precision if "snapshot" in variable.dims else "float64",
        )
        for name, variable in VARIABLES.items()
    }


def step_iterations(epochs: int, iterations: int) -> np.ndarray:
    """Iterations before which each record along `step` was taken; the last is the run's end."""
    within = np.arange(0, iterations, RECORD_EVERY)
    starts = np.arange(epochs) * iterations
    return np.append((starts[:, None] + within).ravel(), epochs * iterations)
